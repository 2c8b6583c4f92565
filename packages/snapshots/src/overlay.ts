/**
 * Snapshots as overlay layers: each holds only what it adds, and the kernel shows them as one tree.
 *
 * Knows: overlay's options and their limits.
 * Does not know: when they are mounted.
 *
 * @see https://docs.kernel.org/filesystems/overlayfs.html
 */
import { EngineError } from '@slipway/errors';
import { ensurePrivateDirectory, inUserNamespace } from '@slipway/kernel';
import { openDirectorySnapshotter, type SnapshotForm } from './directory-snapshotter.ts';
import type { Mount } from './mount.ts';
import type { DirectoryStack } from './snapshot-stack.ts';
import type { Snapshotter } from './snapshotter.ts';

export interface OverlayOptions {
  /** Absolute; made 0700. */
  readonly root: string;
  /** Keep overlay's own attributes in `user.*`, since `trusted.*` is refused in a user namespace. Default: as this process is. */
  readonly userXattr?: boolean;
}

/** The kernel's own limit. */
const MAX_LAYERS = 500;

export function openOverlaySnapshotter({ root, userXattr = inUserNamespace() }: OverlayOptions): Promise<Snapshotter> {
  return openDirectorySnapshotter(root, overlayForm(userXattr));
}

function overlayForm(userXattr: boolean): SnapshotForm {
  return {
    driver: 'overlay',
    adopts: true,
    populate: async ({ own, readOnly }) => {
      if (!readOnly) await ensurePrivateDirectory(`${own}/work`);
    },
    mounts: (stack) => planOverlayMounts(stack, userXattr),
    directories: ({ own, below }) => ({ own: `${own}/fs`, lowers: below.map((path) => `${path}/fs`), whiteouts: 'overlay' }),
  };
}

/**
 * Overlay needs an upper directory or at least two lower ones; a single directory is bound instead.
 *
 * The options may be longer than the one page that mount(2) reads (some 120 layers); who mounts them then hands the lower
 * directories over one by one, as `lowerdir+`, which fsconfig(2) takes since Linux 6.5.
 *
 * @throws EngineError `failed-precondition` / `E_OVERLAY_LAYERS` for more layers than the kernel stacks
 */
export function planOverlayMounts({ own, below, readOnly }: DirectoryStack, userXattr: boolean): readonly Mount[] {
  const lowers = below.map((path) => `${path}/fs`);
  // A view adds nothing of its own, so its directory is used only when there is nothing below.
  if (readOnly && lowers.length < 2) return [{ type: 'bind', source: lowers[0] ?? `${own}/fs`, options: ['rbind', 'ro'] }];
  if (lowers.length === 0) return [{ type: 'bind', source: `${own}/fs`, options: ['rbind', 'rw'] }];
  if (lowers.length > MAX_LAYERS) {
    throw new EngineError('failed-precondition', `${lowers.length} layers, overlay stacks at most ${MAX_LAYERS}`, {
      code: 'E_OVERLAY_LAYERS',
      op: 'snapshot.mounts',
      subject: own,
    });
  }
  const upper = readOnly ? [] : [`upperdir=${own}/fs`, `workdir=${own}/work`];
  const options = [...(readOnly ? ['ro'] : []), `lowerdir=${lowers.join(':')}`, ...upper, ...(userXattr ? ['userxattr'] : [])];
  return [{ type: 'overlay', source: 'overlay', options }];
}
