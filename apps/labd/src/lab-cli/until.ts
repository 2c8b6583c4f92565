/**
 * Waiting for something that is seen rather than told.
 *
 * Knows: time. Does not know: what is waited for.
 */
import { delay } from '@slipway/kernel';

const POLL_MS = 20;

/** Whether it became true in time. @throws the signal's reason when aborted */
export async function until(condition: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    signal.throwIfAborted();
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}
