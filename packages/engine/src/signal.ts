/**
 * Signals to a container's process.
 *
 * Knows: that a process may end, or be frozen, while we aim.
 * Does not know: why somebody sends one.
 */
import { isKind } from '@slipway/errors';
import { containerEvent, noteContainer } from './facts.ts';
import { keepRecord } from './keep-record.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';

export const SIGKILL = 9;

/** For a forced removal: the caller holds the container's queue. */
export async function killAndWait(engine: EngineContext, container: LiveContainer): Promise<void> {
  const ended = container.wait('next-exit');
  await deliver(engine, container, SIGKILL);
  containerEvent(engine, container, 'kill', { signal: String(SIGKILL) });
  await ended;
}

/** A frozen process takes a signal only once it is thawed. */
export async function deliver(engine: EngineContext, container: LiveContainer, signal: number): Promise<void> {
  await ifStillThere(() => engine.runtime.kill(container.id, signal));
  if (container.record.status !== 'paused') return;
  await ifStillThere(() => engine.runtime.resume(container.id));
  // It may have ended while it thawed; its end is not to be overwritten.
  if (isEnded(container)) return;
  await keepRecord(engine, container, { status: 'running' });
  containerEvent(engine, container, 'unpause');
  noteContainer(engine, container);
}

function isEnded({ record }: LiveContainer): boolean {
  return record.status !== 'paused';
}

/** Between our look and the deed it may have ended, or been thawed by the signal itself: what was wished for is true then. */
async function ifStillThere(deed: () => Promise<void>): Promise<void> {
  try {
    await deed();
  } catch (error) {
    if (!isKind(error, 'not-found') && !isKind(error, 'failed-precondition')) throw error;
  }
}
