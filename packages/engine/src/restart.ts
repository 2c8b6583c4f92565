/**
 * Restarting a container: a stop, then a start.
 *
 * Knows: their order.
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
  await stopContainer(engine, container, options, parent);
  await startContainer(engine, container, parent);
  containerEvent(engine, container, 'restart');
}
