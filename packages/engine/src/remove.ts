/**
 * Removing a container: its process if forced, its snapshot, its files, its name.
 *
 * Knows: that a removal, once begun, is finished even by the next daemon.
 * Does not know: how a snapshot is stored.
 */
import type { SpanContext } from '@slipway/journal';
import { removeTree } from '@slipway/kernel';
import { requireNoGuests } from './borrowed-root.ts';
import type { ExitFact } from './container.ts';
import { containerEvent, noteContainer } from './facts.ts';
import { keepRecord } from './keep-record.ts';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';
import { killAndWait } from './signal.ts';

export interface RemoveOptions {
  /** Kill the process first. */
  readonly force: boolean;
}

/** @throws failed-precondition / E_CONTAINER_STATUS while it runs, unless forced */
export async function removeContainer(
  engine: EngineContext,
  container: LiveContainer,
  options: RemoveOptions,
  parent?: SpanContext,
): Promise<void> {
  const init = { actor: 'engine', name: 'container.remove', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span({ ...init, request: options }, (span) =>
    container.exclusive(async () => {
      if (isGone(engine, container)) return;
      if (options.force && isAlive(container)) await killAndWait(engine, container);
      // With auto-remove, the end of the process has queued a removal of its own behind this one.
      requireAllowed(container.record, 'remove');
      requireNoGuests(engine, container.id);
      await finishRemoval(engine, container, span);
    }),
  );
}

/** Carries a removal to its end; idempotent, for recovery too. One that fails leaves the container `dead`: it can be removed again. */
export async function finishRemoval(engine: EngineContext, container: LiveContainer, parent?: SpanContext): Promise<void> {
  try {
    await removeAll(engine, container, parent);
  } catch (failure) {
    await keepRecord(engine, container, { status: 'dead', error: failure instanceof Error ? failure.message : String(failure) });
    noteContainer(engine, container);
    throw failure;
  }
}

async function removeAll(engine: EngineContext, container: LiveContainer, parent: SpanContext | undefined): Promise<void> {
  const { id, record } = container;
  const exit = record.exit ?? NEVER_RAN;
  // Not for want of room to write it: removing makes room.
  await keepRecord(engine, container, { status: 'removing' });
  await engine.runtime.delete(id, { force: true });
  const init = { actor: 'store', name: 'snapshot.remove', protocol: 'function call', container: id, parent, request: { key: id } } as const;
  await Promise.all([
    record.shimDir === undefined ? undefined : removeTree(record.shimDir),
    engine.tracer.span(init, () => engine.images.removeRootfs(id)),
  ]);
  await engine.containers.drop(container);
  if (record.request.rootOf !== undefined) engine.layersChanged(record.request.rootOf);
  for (const attachment of container.pendingAttachments) attachment.close();
  containerEvent(engine, container, 'destroy');
  noteContainer(engine, container, { removed: true });
  container.tell('next-exit', exit);
  container.tell('removed', exit);
}

const NEVER_RAN: ExitFact = { code: 0, oomKilled: false, at: '' };

function isAlive(container: LiveContainer): boolean {
  return container.record.status === 'running' || container.record.status === 'paused';
}

function isGone(engine: EngineContext, container: LiveContainer): boolean {
  return !engine.containers.all().includes(container);
}
