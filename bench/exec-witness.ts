/**
 * When a container's first program began, by the kernel's own word: the `sched_process_exec` tracepoint.
 *
 * The engine's reply says only that the process was let go; the record of the tracepoint has the moment of its execve, on the clock
 * that we measure with. No system call is recorded: that would cost our engine's processes what the floor's do not pay.
 *
 * Knows: that the last execve below a process within a round is the container's own.
 * Does not know: what was asked for.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '@slipway/kernel';
import { openRecorder, type TraceRecord, tracefsAvailable } from '@slipway/observe';

const PATIENCE_MS = 1000;

export interface ExecWitness {
  /** Moment (CLOCK_MONOTONIC, ms) of the last execve of a program with this path since `sinceMs`. */
  waitForExec(filename: string, sinceMs: number): Promise<number>;
  close(): Promise<void>;
}

function descendantsOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Follows `pid` and its descendants; undefined, with the reason told, where the kernel does not let us. */
export async function openExecWitness(pid: number, directory: string, say: (reason: string) => void): Promise<ExecWitness | undefined> {
  const usable = tracefsAvailable();
  if (!usable.available) {
    say(`the moment of the execve is taken from the engine’s reply: ${usable.reason}`);
    return undefined;
  }
  const recorder = await openRecorder({ mountDirectory: directory, systemCalls: false });
  let seen: TraceRecord[] = [];
  recorder.subscribe(({ records }) => seen.push(...records.filter(({ type }) => type === 'exec')));
  // Those from before, such as the launcher that is kept ready, are not followed by themselves.
  recorder.follow([pid, ...descendantsOf(pid)]);
  return {
    waitForExec: async (filename, sinceMs) => {
      for (const deadline = monotonicMs() + PATIENCE_MS; ; await sleep(1)) {
        recorder.poll();
        const found = seen.findLast((record) => record.type === 'exec' && record.filename === filename && record.atMs >= sinceMs);
        if (found !== undefined) {
          seen = [];
          return found.atMs;
        }
        if (monotonicMs() > deadline) throw new Error(`no execve of ${filename} below process ${pid} was recorded`);
      }
    },
    close: () => recorder.close(),
  };
}
