/**
 * One lesson's acceptance: its solution passes every task, and nothing else does.
 *
 * Knows: what must be open or passed, and when.
 * Does not know: machines or terminals (disposable-lab.ts, typist.ts).
 *
 *     fresh machine: every task open ─▶ type a task's solution ─▶ passed within 10 s ─▶ next task …
 *     for each decoy, a fresh machine: type it ─▶ 1.5 s after its last prompt its task is still open, and no line of it has failed:
 *                                      one that does nothing would be no wrong answer
 *
 * Most of the time is waiting, so a few machines are used side by side; no machine ever serves two attempts.
 */
import { findEngineError } from '@slipway/errors';
import { delay } from '@slipway/kernel';
import type { Decoy, LabTask, Lesson } from '@slipway/lessons';
import type { Attempt, DisposableLab } from './disposable-lab.ts';
import type { Report } from './report.ts';
import { until } from './until.ts';

export interface Pace {
  /** After a solution's last prompt its task has to pass within this time. */
  readonly passMs: number;
  /** As long as a check may need to notice what was done. */
  readonly settleMs: number;
}

/** Machines at a time: enough to fill each other's waits, few enough for two processors. */
const SIDE_BY_SIDE = 3;
const PACE: Pace = { passMs: 10_000, settleMs: 1500 };

export async function solveLesson(lab: DisposableLab, lesson: Lesson, report: Report, pace: Pace = PACE): Promise<void> {
  const { meta } = lesson.document;
  const { decoys } = lesson.lab;
  report.heading(`${meta.number} ${meta.title}`);
  const attempts = [
    (slot: number) => trySolution({ lab, lesson, report, pace }, slot),
    ...decoys.map(
      (decoy) => (slot: number) =>
        tried(report, lab.signal, `decoy for ${decoy.task}: ${decoy.name}`, async () => ({
          problems: await tryDecoy(() => lab.fresh(meta.slug, slot), decoy, pace),
        })),
    ),
  ];
  const waiting = attempts.values();
  const work = async (slot: number): Promise<void> => {
    for (const attempt of waiting) await attempt(slot);
  };
  // One that fails must not leave the others at work unseen.
  const ends = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, (_, slot) => work(slot)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

interface Run {
  readonly lab: DisposableLab;
  readonly lesson: Lesson;
  readonly report: Report;
  readonly pace: Pace;
}

async function trySolution({ lab, lesson, report, pace }: Run, slot: number): Promise<void> {
  const { tasks } = lesson.lab;
  const attempt = await tried(report, lab.signal, 'in an untouched machine every task is open', async () => {
    const fresh = await lab.fresh(lesson.document.meta.slug, slot);
    await delay(pace.settleMs);
    return { result: fresh, problems: tasks.filter(({ id }) => fresh.task(id).passed).map(({ id }) => `${id} passes with nothing done`) };
  });
  for (const task of tasks) {
    await tried(report, lab.signal, `task ${task.id}`, async () => ({
      problems: attempt ? await solveTask(attempt, task, lab.signal, pace) : ['no machine'],
    }));
  }
  attempt?.typist.close();
}

async function solveTask({ typist, task }: Attempt, { id, solution }: LabTask, signal: AbortSignal, pace: Pace): Promise<string[]> {
  for (const line of solution) await typist.line(line);
  if (await until(() => task(id).passed, pace.passMs, signal)) return [];
  return [`still open ${pace.passMs / 1000} s after its solution: ${task(id).saw}`, ...typist.lastLines().map((line) => `| ${line}`)];
}

async function tryDecoy(fresh: () => Promise<Attempt>, decoy: Decoy, pace: Pace): Promise<string[]> {
  const { typist, task } = await fresh();
  const broken: string[] = [];
  for (const line of decoy.lines) {
    await typist.line(line);
    const status = await typist.status();
    if (status !== 0) broken.push(`ended with ${status}: ${line}`);
  }
  await delay(pace.settleMs);
  typist.close();
  const problems = [
    ...(task(decoy.task).passed ? ['passes, and should not'] : []),
    ...(decoy.failsByDesign === undefined ? broken : broken.length === 0 ? ['every line of it succeeds, and one should not'] : []),
  ];
  return problems.length === 0 ? [] : [...problems, ...typist.lastLines().map((line) => `| ${line}`)];
}

interface Outcome<T> {
  readonly result?: T;
  readonly problems: readonly string[];
}

/** Times and reports; a failure is a result like another, unless the whole run is to end. */
async function tried<T>(report: Report, signal: AbortSignal, name: string, work: () => Promise<Outcome<T>>): Promise<T | undefined> {
  const started = performance.now();
  const outcome = await work().catch((error: unknown): Outcome<T> => {
    signal.throwIfAborted();
    return { problems: [findEngineError(error)?.message ?? String(error instanceof Error ? error.stack : error)] };
  });
  report.add(name, performance.now() - started, outcome.problems);
  return outcome.result;
}
