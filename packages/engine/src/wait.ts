/**
 * Waiting for the end of a container.
 *
 * Knows: the three things one can wait for, and that a waiter is registered before the function returns.
 * Does not know: what ends a container.
 */
import type { ExitFact } from './container.ts';
import type { LiveContainer } from './live-container.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/**
 * `not-running`: at once if it does not run; `next-exit`: the next end, of a process that may not have begun yet;
 * `removed`: when it is gone. Registered at the call: what happens afterwards is not missed. After `signal` it never resolves.
 */
export function waitContainer(container: LiveContainer, condition: WaitCondition, signal?: AbortSignal): Promise<ExitFact> {
  const { status, exit } = container.record;
  const runs = status === 'running' || status === 'paused';
  if (condition === 'not-running' && !runs) return Promise.resolve(exit ?? { code: 0, oomKilled: false, at: '' });
  return container.wait(condition === 'removed' ? 'removed' : 'next-exit', signal);
}
