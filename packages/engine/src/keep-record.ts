/**
 * Records of what has happened already.
 *
 * Knows: that a process which ended has ended although the disk is full, and that whoever waits must hear of it.
 * Does not know: what happened.
 */
import type { ContainerRecord } from './container.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';

/** As ContainerTable.update; a change that cannot be written is a warning, and true in this daemon's memory alone. */
export async function keepRecord(
  engine: Pick<EngineContext, 'containers' | 'warn'>,
  container: LiveContainer,
  change: Partial<ContainerRecord>,
): Promise<void> {
  try {
    await engine.containers.update(container, change);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    engine.warn(`the record of container ${container.id.slice(0, 12)} cannot be written: ${why}`);
  }
}
