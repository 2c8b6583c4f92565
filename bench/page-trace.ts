/**
 * What the page's main thread did while frames were measured: the longest task, in wall time and in processor time.
 *
 * Knows: Chromium's trace events. On a busy host a task also waits for a processor: its thread time (`tdur`) is what the page itself costs.
 * Does not know: what was on the page.
 */
import type { Browser, Page } from '@playwright/test';

export interface TaskTimes {
  /** Longest task of the main thread from begin to end. */
  readonly longestMs: number;
  /** Longest processor time of a task. */
  readonly longestCpuMs: number;
  /** Tasks whose processor time alone is longer than a smooth page allows. */
  readonly longCpu: number;
  /** Processor time of all tasks together. */
  readonly totalCpuMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];

/** Traces while `body` runs. */
export async function tracedTasks<Result>(
  browser: Browser,
  page: Page,
  options: { readonly smoothMs: number; readonly body: () => Promise<Result> },
): Promise<{ readonly result: Result; readonly tasks: TaskTimes }> {
  await browser.startTracing(page, { categories: CATEGORIES });
  const result = await options.body();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] };
  return { result, tasks: taskTimes(traceEvents, options.smoothMs) };
}

/** The renderer that worked most is the page's; others are spare. */
function taskTimes(events: readonly TraceEvent[], smoothMs: number): TaskTimes {
  const mains = events.filter((event) => event.ph === 'M' && event.name === 'thread_name' && event.args?.name === 'CrRendererMain');
  const byThread = mains.map(({ pid, tid }) =>
    events.filter((event) => event.pid === pid && event.tid === tid && event.ph === 'X' && /RunTask$/.test(event.name)),
  );
  const cpu = (tasks: readonly TraceEvent[]) => tasks.map(({ tdur = 0 }) => tdur / 1000);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const tasks = byThread.toSorted((a, b) => sum(cpu(b)) - sum(cpu(a)))[0] ?? [];
  const cpuMs = cpu(tasks);
  return {
    longestMs: Math.max(0, ...tasks.map(({ dur = 0 }) => dur / 1000)),
    longestCpuMs: Math.max(0, ...cpuMs),
    longCpu: cpuMs.filter((ms) => ms > smoothMs).length,
    totalCpuMs: sum(cpuMs),
  };
}
