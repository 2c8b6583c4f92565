/**
 * Freezing and thawing a container, its terminal's size, its name.
 *
 * Knows: the small operations that change one thing.
 * Does not know: the freezer's files (packages/runtime).
 */
import { EngineError } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { containerEvent, noteContainer } from './facts.ts';
import { keepRecord } from './keep-record.ts';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import { requireName } from './names.ts';
import type { EngineContext } from './ports.ts';

export async function pauseContainer(engine: EngineContext, container: LiveContainer, parent?: SpanContext): Promise<void> {
  const init = { actor: 'engine', name: 'container.pause', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span(init, () =>
    container.exclusive(async () => {
      requireAllowed(container.record, 'pause');
      await engine.runtime.pause(container.id);
      requireAllowed(container.record, 'pause'); // its process may have ended meanwhile
      await keepRecord(engine, container, { status: 'paused' });
      containerEvent(engine, container, 'pause');
      noteContainer(engine, container);
    }),
  );
}

export async function unpauseContainer(engine: EngineContext, container: LiveContainer, parent?: SpanContext): Promise<void> {
  const init = { actor: 'engine', name: 'container.unpause', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span(init, () =>
    container.exclusive(async () => {
      requireAllowed(container.record, 'unpause');
      await engine.runtime.resume(container.id);
      if (!isPaused(container)) return; // a signal had waited for it, and its end is not to be overwritten
      await keepRecord(engine, container, { status: 'running' });
      containerEvent(engine, container, 'unpause');
      noteContainer(engine, container);
    }),
  );
}

/** Asked anew, since it changes while others are waited for. */
function isPaused({ record }: LiveContainer): boolean {
  return record.status === 'paused';
}

/** @throws already-exists / E_NAME_TAKEN */
export async function renameContainer(engine: EngineContext, container: LiveContainer, text: string): Promise<void> {
  const name = requireName(text);
  await container.exclusive(async () => {
    const oldName = container.record.name;
    if (name === oldName) {
      throw new EngineError('invalid-argument', 'Renaming a container with the same name as its current name', {
        code: 'E_NAME_INVALID',
        op: 'container.rename',
        subject: name,
      });
    }
    await engine.containers.update(container, { name });
    containerEvent(engine, container, 'rename', { oldName: `/${oldName}` });
    noteContainer(engine, container);
  });
}

/** Rows and columns of the container's terminal. */
export function resizeContainer(container: LiveContainer, rows: number, columns: number): void {
  requireAllowed(container.record, 'resize');
  container.supervisor?.resize(rows, columns);
}
