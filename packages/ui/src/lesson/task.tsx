/**
 * One task: ticks itself when the state is right; a failing check says what it saw, then helps in grades.
 *
 * Knows: the look of the three states, hints, the solution after asking twice. Does not know: how checks are made.
 */
import { type ReactNode, useState } from 'react';
import { Button } from '../base/controls.tsx';
import { Icon } from '../base/icons.tsx';
import { useLesson } from './context.ts';
import { RunLines } from './elements.tsx';

const GRADES = ['where to look', 'what to use', 'nearly the command'] as const;
const STATUS = { open: 'not done yet', passed: 'done', regressed: 'was done, is not so any more' } as const;

export function Task({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  const { document, tasks } = useLesson();
  const task = document.tasks.find((candidate) => candidate.id === id);
  const state = tasks.get(id) ?? { status: 'open' as const, hints: [], hintsShown: 0 };
  if (!task) return <div>{children}</div>;
  return (
    <section className={`task ${state.status}`} aria-label={`Task: ${task.title} (${STATUS[state.status]})`} id={`task-${id}`}>
      <span className="task-box" aria-hidden="true">
        {state.status === 'passed' ? <Icon name="check" size={14} /> : null}
      </span>
      <div className="task-body">
        <h3>
          {task.title}
          <span className="sr-only">, {STATUS[state.status]}</span>
        </h3>
        {children}
        {state.status !== 'passed' && state.saw ? (
          <p className="task-saw">
            <span className="task-saw-tag">{state.status === 'regressed' ? 'Not any more:' : 'So far:'}</span> {state.saw}
          </p>
        ) : null}
        {state.status !== 'passed' || state.hints.length > 0 || state.solution ? <Help id={id} hintCount={task.hintCount} /> : null}
      </div>
    </section>
  );
}

function Help({ id, hintCount }: { readonly id: string; readonly hintCount: number }) {
  const { tasks, askHint, askSolution } = useLesson();
  const state = tasks.get(id);
  const shown = state?.hints.length ?? 0;
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const [problem, setProblem] = useState<string>();
  const ask = (what: Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    what.catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error))).finally(() => setBusy(false));
  };
  const allHints = shown >= hintCount;
  return (
    <div className="task-help">
      {state?.hints.map((hint, index) => (
        <p key={hint} className="hint">
          <span className="hint-grade">{GRADES[index] ?? `hint ${index + 1}`}</span> {hint}
        </p>
      ))}
      {state?.solution ? <RunLines lines={state.solution} /> : null}
      {problem ? <p className="problem">That did not come through: {problem}.</p> : null}
      {state?.status === 'passed' ? null : (
        <div className="task-actions">
          {allHints ? null : (
            <Button tone="quiet" disabled={busy} onClick={() => ask(askHint(id, shown + 1))}>
              {shown === 0 ? 'Hint' : `Next hint (${shown + 1} of ${hintCount})`}
            </Button>
          )}
          {allHints && !state?.solution ? (
            <Button tone="quiet" disabled={busy} onClick={() => (sure ? ask(askSolution(id)) : setSure(true))}>
              {sure ? 'Yes, show it' : 'Show the solution?'}
            </Button>
          ) : null}
        </div>
      )}
    </div>
  );
}
