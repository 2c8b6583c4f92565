/**
 * The config.json editor as a place of its own: forms, JSON, plan and evidence side by side, one field shown in all of them.
 *
 * Knows: the arrangement, wide and narrow. Does not know: what each part does.
 */
'use client';
import { IconButton, Switch } from '@slipway/ui';
import { useEffect } from 'react';
import { CodePane } from './code/code-pane.tsx';
import { closeProblem, openEditor } from './editor-actions.ts';
import { type PhoneView, useEditor } from './editor-store.ts';
import { Forms } from './forms/forms.tsx';
import { FieldStrip } from './views/field-strip.tsx';
import { Issues } from './views/issues.tsx';
import { PlanView } from './views/plan-view.tsx';
import { RunView } from './views/run-view.tsx';
import { Toolbar } from './views/toolbar.tsx';

export function EditorPage() {
  const phone = useEditor((state) => state.phone);
  useEffect(() => openEditor(), []);
  return (
    <main className="editor" data-view={phone}>
      <Toolbar />
      <Waiting />
      <Problem />
      <nav className="editor-views" aria-label="Views">
        <Switch<PhoneView>
          label="Shown"
          value={phone}
          onChange={(next) => useEditor.setState({ phone: next, ...(next === 'plan' || next === 'run' ? { side: next } : {}) })}
          options={[
            { value: 'form', label: 'Form' },
            { value: 'json', label: 'JSON' },
            { value: 'plan', label: 'Plan' },
            { value: 'run', label: 'Run' },
          ]}
        />
      </nav>
      <div className="editor-panes">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
        <section className="editor-forms scroll" aria-label="Form" tabIndex={0}>
          <Forms />
        </section>
        <section className="editor-json" aria-label="JSON">
          <CodePane />
          <Issues />
        </section>
        <Side />
      </div>
    </main>
  );
}

function Side() {
  const side = useEditor((state) => state.side);
  return (
    <section className="editor-side" aria-label="Plan and run">
      <div className="side-switch">
        <Switch
          label="Shown beside"
          value={side}
          onChange={(next) => useEditor.setState({ side: next })}
          options={[
            { value: 'plan', label: 'Plan' },
            { value: 'run', label: 'Run' },
          ]}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
      <div className="side-body scroll" tabIndex={0}>
        {side === 'plan' ? <PlanView /> : <RunView />}
      </div>
      <FieldStrip />
    </section>
  );
}

/** It passes by itself. */
function Waiting() {
  const waiting = useEditor((state) => state.waiting);
  if (waiting === undefined) return null;
  return (
    <p className="editor-waiting" role="status">
      Waiting for the machine: {waiting}. It is asked again every few seconds.
    </p>
  );
}

function Problem() {
  const problem = useEditor((state) => state.problem);
  if (problem === undefined) return null;
  return (
    <p className="editor-problem" role="alert">
      {problem}
      <IconButton icon="cross" label="Close" onClick={closeProblem} />
    </p>
  );
}
