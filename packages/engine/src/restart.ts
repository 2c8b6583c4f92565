/**
 * Restarting a container: a stop, then a start.
 *
 * Knows: their order, and that a container which goes with its process stays for the next one.
 * Does not know: either of them.
 */
import type { SpanContext } from '@slipway/journal';
import { containerEvent } from './facts.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';

export async function restartContainer(
  engine: EngineContext,
  container: LiveContainer,
  options: StopOptions = {},
  parent?: SpanContext,
): Promise<void> {
  container.isRestarting = true;
  try {
    await stopContainer(engine, container, options, parent);
  } finally {
    container.isRestarting = false;
  }
  await startContainer(engine, container, parent);
  containerEvent(engine, container, 'restart');
}
