/**
 * One birth as a whole: controls, document, timeline, the selected operation, the container as it is now, and what leaks.
 *
 * Knows: how these stand beside each other. Does not know: the frame, nor whether there is a second birth.
 */
'use client';
import { Button, visible, visibleLines } from '@slipway/ui';
import { BirthText, BirthTimeline, compareProcesses, LeakTable, OperationCard, ProcessNow, summarizeChange } from '@slipway/ui/birth';
import { useMemo } from 'react';
import { BirthControls } from './birth-controls.tsx';
import { BirthDocument } from './birth-document.tsx';
import type { BirthStore, NamespaceChoice } from './birth-store.ts';

export interface BirthLaneProps {
  readonly birth: BirthStore;
  readonly title: string;
  readonly as: 'picture' | 'text';
  readonly filter: string;
}

export function BirthLane({ birth, title, as, filter }: BirthLaneProps) {
  const state = birth.use();
  const { view, operations } = state;
  const outcomes = useMemo(() => new Map((view?.outcomes ?? []).map((outcome) => [outcome.index, outcome])), [view]);
  const list = {
    operations,
    outcomes,
    at: view?.at,
    breakpoints: state.breakpoints,
    selected: state.selected,
    filter,
    onSelect: birth.select,
  };
  return (
    <section className="birth-lane" aria-label={title}>
      <BirthControls birth={birth} />
      {state.problem === undefined ? null : (
        <p className="birth-problem" role="alert">
          {visible(state.problem)}
        </p>
      )}
      <div className="birth-body">
        {as === 'text' ? (
          <BirthText {...list} />
        ) : (
          <BirthTimeline {...list} label={`Operations, ${title}`} leftOut={state.leftOut} onBreakpoint={birth.toggleBreakpoint} />
        )}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
        <section className="birth-detail scroll" tabIndex={0} aria-label={`Details, ${title}`}>
          <LastStep birth={birth} />
          <Selected birth={birth} outcome={outcomes.get(state.selected ?? -1)} as={as} />
          <LeftOut birth={birth} />
          <Now birth={birth} />
          <BirthDocument birth={birth} title={title} />
        </section>
      </div>
    </section>
  );
}

/** Before everything else: what the way from the stop before to this one did. */
function LastStep({ birth }: { readonly birth: BirthStore }) {
  const { view, before, operations } = birth.use();
  const last = operations[view?.outcomes.findLast(({ skipped }) => !skipped)?.index ?? -1];
  if (view?.process === undefined || before === undefined || last === undefined) return null;
  const changes = summarizeChange(compareProcesses(before, view.process));
  return (
    <p className={changes.length > 0 ? 'birth-last changed' : 'birth-last'}>
      Since the stop before, up to <code>{last.op}</code>: {changes.length > 0 ? changes.join(' · ') : 'nothing of the process changed'}
    </p>
  );
}

function Selected(props: {
  readonly birth: BirthStore;
  readonly outcome: Parameters<typeof OperationCard>[0]['outcome'];
  readonly as: 'picture' | 'text';
}) {
  const { operations, selected, view, breakpoints } = props.birth.use();
  const operation = operations[selected ?? -1];
  if (operation === undefined) {
    return (
      <p className="birth-intro">
        A container is born in some {operations.length || 'seventy'} system calls. Choose one to read what it is for, put a breakpoint in
        the gutter before it, and press Begin.
      </p>
    );
  }
  return (
    <>
      <OperationCard operation={operation} outcome={props.outcome} next={view?.at === operation.index} />
      {props.as === 'text' ? (
        <Button tone="quiet" aria-pressed={breakpoints.has(operation.index)} onClick={() => props.birth.toggleBreakpoint(operation.index)}>
          {breakpoints.has(operation.index) ? 'Clear the breakpoint' : 'Stop before this'}
        </Button>
      ) : null}
      {operation.op === 'clone' ? <NamespaceChoices birth={props.birth} /> : null}
    </>
  );
}

const KINDS: readonly NamespaceChoice[] = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'time'];

function NamespaceChoices({ birth }: { readonly birth: BirthStore }) {
  const { config, withoutNamespaces, busy } = birth.use();
  const asked = useMemo(
    () => KINDS.filter((kind) => config.includes(`"type":"${kind}"`) || config.includes(`"type": "${kind}"`)),
    [config],
  );
  return (
    <fieldset className="birth-kinds">
      <legend>Leave out one of its namespaces; the birth begins again</legend>
      {asked.map((kind) => (
        <label key={kind}>
          <input
            type="checkbox"
            checked={withoutNamespaces.has(kind)}
            disabled={busy !== undefined}
            onChange={() => void birth.toggleNamespace(kind)}
          />
          without the {kind} namespace
        </label>
      ))}
    </fieldset>
  );
}

/** What is left out, and the question that it answers. */
function LeftOut({ birth }: { readonly birth: BirthStore }) {
  const { leftOut, withoutNamespaces, leaks, busy } = birth.use();
  const count = leftOut.size + withoutNamespaces.size;
  if (count === 0) return null;
  return (
    <section className="birth-left-out" aria-label="Left out">
      <p>
        {count} {count === 1 ? 'part is' : 'parts are'} left out of this birth.
      </p>
      <Button tone="act" disabled={busy !== undefined} onClick={() => void birth.measure()}>
        What leaks?
      </Button>
      <Button tone="quiet" disabled={busy !== undefined} onClick={birth.clearLeftOut}>
        Leave nothing out
      </Button>
      {leaks?.failure === undefined ? null : (
        <p className="birth-problem">
          Without {visible(leaks.without)} no container comes to life, so it cannot be left out: {visible(leaks.failure)}
        </p>
      )}
      {leaks === undefined || leaks.probes.length === 0 ? null : <LeakTable probes={leaks.probes} without={leaks.without} />}
    </section>
  );
}

function Now({ birth }: { readonly birth: BirthStore }) {
  const { view, before } = birth.use();
  const process = view?.process;
  const change = useMemo(() => (process === undefined ? undefined : compareProcesses(before, process)), [before, process]);
  if (view?.output !== undefined && view.output !== '') {
    return (
      <figure className="payload">
        <figcaption>what its program wrote</figcaption>
        <pre>{visibleLines(view.output)}</pre>
      </figure>
    );
  }
  if (process === undefined || change === undefined) {
    return view === undefined ? null : (
      <p className="explorer-hint">
        {view.status === 'stopped' ? 'There is no process yet: clone makes it.' : 'There is no process any more.'}
      </p>
    );
  }
  return <ProcessNow view={process} change={change} />;
}
