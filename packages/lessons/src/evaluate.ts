/**
 * Continuous evaluation of a lab's checks.
 *
 * Knows: latching (an act once done stays done) and regression (a state that stopped holding).
 * Does not know: when to evaluate or whom to tell. Pure.
 */
import type { CheckView, Lab, LabTask } from './types.ts';

export interface TaskState {
  readonly task: string;
  readonly status: 'open' | 'passed' | 'regressed';
  /** "I see …; I am looking for …", absent once passed. */
  readonly saw?: string;
}

/**
 * The state of every task after looking at `view`, given the states before.
 *
 * A check that throws counts as open and says so: a mistake of the author's must not stop the other tasks.
 */
export function evaluateLab(lab: Lab, view: CheckView, before: ReadonlyMap<string, TaskState>): readonly TaskState[] {
  return lab.tasks.map((task) => evaluateTask(task, view, before.get(task.id)));
}

function evaluateTask(task: LabTask, view: CheckView, before: TaskState | undefined): TaskState {
  if (task.latch && before?.status === 'passed') return before;
  const wasPassed = before !== undefined && before.status !== 'open';
  const result = runCheck(task, view);
  if (result.passed) return { task: task.id, status: 'passed' };
  return { task: task.id, status: wasPassed ? 'regressed' : 'open', saw: `I see ${result.saw}. I am looking for ${result.expected}.` };
}

function runCheck(task: LabTask, view: CheckView): ReturnType<LabTask['check']> {
  try {
    return task.check(view);
  } catch (error) {
    return {
      passed: false,
      saw: `that the check itself failed (${String(error)})`,
      expected: 'a check without a mistake; please report this',
    };
  }
}
