/**
 * Signals to a container's process.
 *
 * Knows: that a process may end, or be frozen, while we aim.
 * Does not know: why somebody sends one.
 */
import { isKind } from '@slipway/errors';
import { containerEvent, noteContainer } from './facts.ts';
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
  try {
    await engine.runtime.kill(container.id, signal);
  } catch (error) {
    // It ended between our look and the signal: what was wished for is true.
    if (!isKind(error, 'not-found') && !isKind(error, 'failed-precondition')) throw error;
  }
  if (container.record.status !== 'paused') return;
  await engine.runtime.resume(container.id);
  await engine.containers.update(container, { status: 'running' });
  containerEvent(engine, container, 'unpause');
  noteContainer(engine, container);
}
