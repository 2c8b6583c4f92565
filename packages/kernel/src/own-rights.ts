/**
 * Rights and limits of this process, and a signal that reaches only the process that was meant.
 *
 * Knows: which file of /proc answers.
 * Does not know: who is refused what because of it.
 */
import { readFileSync } from 'node:fs';
import { findProcStatus, isSameProcess } from './proc.ts';
import { signalProcess } from './signal-process.ts';

export interface OwnRights {
  /** Effective capabilities, one bit each. */
  readonly capabilities: bigint;
  /** The highest capability number of this kernel. */
  readonly lastCapability: number;
  readonly oomScoreAdj: number;
  /** The table of /proc/self/limits, as the kernel prints it. */
  readonly limits: string;
}

export function readOwnRights(): OwnRights {
  return {
    capabilities: findProcStatus('self')?.capabilities.effective ?? 0n,
    lastCapability: Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')),
    oomScoreAdj: Number(readFileSync('/proc/self/oom_score_adj', 'utf8')),
    limits: readFileSync('/proc/self/limits', 'utf8'),
  };
}

/**
 * Sends `signal` to exactly this process; false when it is gone.
 *
 * Node has no pidfd, so identity is checked right before kill(2), without giving up the thread in between: the pid would have to end,
 * be reaped and come round again within microseconds.
 */
export function signalSameProcess({ pid, startTime }: { readonly pid: number; readonly startTime: string }, signal: number): boolean {
  return isSameProcess(pid, startTime) && signalProcess(pid, signal);
}
