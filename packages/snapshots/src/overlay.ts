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
import { type DirectoryStack, openDirectorySnapshotter, type SnapshotForm } from './directory-snapshotter.ts';
import type { Mount } from './mount.ts';
import type { Snapshotter } from './snapshotter.ts';

export interface OverlayOptions {
  /** Absolute; made 0700. */
  readonly root: string;
  /** Keep overlay's own attributes in `user.*`, since `trusted.*` is refused in a user namespace. Default: as this process is. */
  readonly userXattr?: boolean;
}

/** mount(2) takes one page of options, the closing NUL included. */
const MAX_OPTION_BYTES = 4095;

export function openOverlaySnapshotter({ root, userXattr = inUserNamespace() }: OverlayOptions): Promise<Snapshotter> {
  return openDirectorySnapshotter(root, overlayForm(userXattr));
}

function overlayForm(userXattr: boolean): SnapshotForm {
  return {
    driver: 'overlay',
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
 * @throws EngineError `failed-precondition` / `E_OVERLAY_OPTIONS` when the options would not fit in one page
 */
export function planOverlayMounts({ own, below, readOnly }: DirectoryStack, userXattr: boolean): readonly Mount[] {
  const lowers = below.map((path) => `${path}/fs`);
  // A view adds nothing of its own, so its directory is used only when there is nothing below.
  if (readOnly && lowers.length < 2) return [{ type: 'bind', source: lowers[0] ?? `${own}/fs`, options: ['rbind', 'ro'] }];
  if (lowers.length === 0) return [{ type: 'bind', source: `${own}/fs`, options: ['rbind', 'rw'] }];
  const upper = readOnly ? [] : [`upperdir=${own}/fs`, `workdir=${own}/work`];
  const options = [...(readOnly ? ['ro'] : []), `lowerdir=${lowers.join(':')}`, ...upper, ...(userXattr ? ['userxattr'] : [])];
  const bytes = Buffer.byteLength(options.join(','));
  if (bytes > MAX_OPTION_BYTES) {
    throw new EngineError(
      'failed-precondition',
      `overlay options for ${lowers.length} layers take ${bytes} bytes, the kernel reads ${MAX_OPTION_BYTES}`,
      {
        code: 'E_OVERLAY_OPTIONS',
        op: 'snapshot.mounts',
        subject: own,
        hint: 'Keep the store under a shorter path, or use an image with fewer layers.',
      },
    );
  }
  return [{ type: 'overlay', source: 'overlay', options }];
}
