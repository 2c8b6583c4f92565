/**
 * Snapshots as whole copies: slow and large, but any file system will do, and every layer can be looked into as it stands.
 *
 * Knows: copying.
 * Does not know: whiteouts; in a copy, a hidden file is simply removed.
 */
import { copyTree } from '@slipway/kernel';
import { openDirectorySnapshotter, type SnapshotForm } from './directory-snapshotter.ts';
import type { Snapshotter } from './snapshotter.ts';

export function openNativeSnapshotter({ root }: { readonly root: string }): Promise<Snapshotter> {
  return openDirectorySnapshotter(root, NATIVE);
}

const NATIVE: SnapshotForm = {
  driver: 'native',
  adopts: false,
  populate: async ({ own, below: [parent] }) => {
    if (parent !== undefined) await copyTree(`${parent}/fs`, `${own}/fs`);
  },
  mounts: ({ own, readOnly }) => [{ type: 'bind', source: `${own}/fs`, options: ['rbind', readOnly ? 'ro' : 'rw'] }],
  directories: ({ own }) => ({ own: `${own}/fs`, lowers: [], whiteouts: 'remove' }),
};
