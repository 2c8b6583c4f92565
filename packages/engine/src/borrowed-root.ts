/**
 * Roots of another origin than an image: an empty one, and one that another container lends.
 *
 * Whoever puts an image together by hand runs one command after another on the root of a container that itself never runs: each
 * command is a container of its own, on that root.
 *
 * Knows: that no two processes' containers may have one root.
 * Does not know: how a container is created (create.ts).
 */
import { EngineError } from '@slipway/errors';
import { hostPlatform, type ImageConfig } from '@slipway/oci';
import type { ContainerRecord, Rootfs } from './container.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';

/** The name that stands for no image. */
export const SCRATCH = 'scratch';

/** An image of this machine's platform with no layers, kept nowhere. */
export function emptyImage(): { readonly id: string; readonly config: ImageConfig } {
  const config = { exposedPorts: [], env: [], volumes: [], labels: {} };
  return { id: '', config: { ...hostPlatform(process.arch), config, history: [], diffIds: [] } };
}

/** A writable root with nothing in it. */
export async function prepareEmpty(engine: EngineContext, key: string): Promise<Rootfs> {
  const { config } = emptyImage();
  const lent = engine.images.lend({ config, layers: [], names: [] });
  try {
    return await engine.images.prepareRootfs(key, lent.id);
  } finally {
    lent.release();
  }
}

/** @throws not-found / E_CONTAINER_UNKNOWN; failed-precondition / E_ROOTFS_SHARED when something runs on its root */
export function requireLender(engine: EngineContext, reference: string): LiveContainer {
  const lender = engine.containers.get(reference);
  const { record } = lender;
  if (record.rootfs === undefined || record.request.rootOf !== undefined || record.status === 'removing' || record.status === 'dead')
    throw shared(record.id, 'has no root of its own to lend');
  if (isAlive(record)) throw shared(record.id, 'runs, and so has its root for itself');
  requireNoGuests(engine, record.id);
  return lender;
}

/** @throws failed-precondition / E_ROOTFS_SHARED when something else runs where this container's processes would write */
export function requireRootFree(engine: EngineContext, { id, request }: ContainerRecord): void {
  if (request.rootOf === undefined) {
    requireNoGuests(engine, id);
    return;
  }
  const others = engine.containers.all().filter(({ record }) => record.id === request.rootOf || record.request.rootOf === request.rootOf);
  const running = others.find(({ record }) => record.id !== id && isAlive(record));
  if (running !== undefined) throw shared(request.rootOf, `shares its root with container ${running.id.slice(0, 12)}, which runs`);
}

/** @throws failed-precondition / E_ROOTFS_SHARED while a container runs, or is about to, on this one's root */
export function requireNoGuests(engine: EngineContext, id: string): void {
  const guest = engine.containers
    .all()
    .find(({ record }) => record.request.rootOf === id && (isAlive(record) || record.status === 'created'));
  if (guest !== undefined) throw shared(id, `lends its root to container ${guest.id.slice(0, 12)}`);
}

function isAlive({ status }: Pick<ContainerRecord, 'status'>): boolean {
  return status === 'running' || status === 'paused';
}

function shared(id: string, why: string): EngineError {
  return new EngineError('failed-precondition', `container ${id.slice(0, 12)} ${why}`, {
    code: 'E_ROOTFS_SHARED',
    op: 'container.root',
    subject: id,
    hint: 'wait for what runs there, or remove it',
  });
}
