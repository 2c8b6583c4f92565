/**
 * What an engine's bytes are of, as rows to one scale.
 *
 * Knows: the journal's fact about a disk; which bytes are shared, and what containers would take if nothing were. Pure.
 * Does not know: bars.
 */
import type { DiskFact } from '@slipway/journal/types';
import { formatBytes, formatCount, shortenId } from '../base/format.ts';

export type DiskKind = 'layer' | 'container' | 'blobs' | 'builds' | 'pending';

export interface DiskRow {
  readonly key: string;
  readonly kind: DiskKind;
  readonly label: string;
  readonly detail: string;
  readonly bytes: number;
  /** Id, for rows of containers. */
  readonly container?: string;
}

export const DISK_KINDS: Readonly<Record<DiskKind, { readonly title: string; readonly mark: string }>> = {
  layer: { title: 'image layer', mark: 'L' },
  container: { title: 'writable layer', mark: 'W' },
  blobs: { title: 'blobs, as registries have them', mark: 'B' },
  builds: { title: 'kept for builds', mark: 'C' },
  pending: { title: 'being unpacked or built', mark: 'U' },
};

/** Everything the engine has on its disk, writable layers first, as the stack is seen. */
export function diskRows(fact: DiskFact): readonly DiskRow[] {
  const isNative = fact.snapshotter === 'native';
  return [
    ...fact.containers.map(
      ({ id, name, image, diskBytes }): DiskRow => ({
        key: id,
        kind: 'container',
        label: name,
        detail: isNative ? `a whole copy of ${shortName(image)}` : `what it wrote over ${shortName(image)}`,
        bytes: diskBytes,
        container: id,
      }),
    ),
    ...fact.layers.toReversed().map(
      ({ chainId, diskBytes, images, elsewhere = false }): DiskRow => ({
        key: chainId,
        kind: 'layer',
        label: shortenId(chainId, 15, 6),
        detail: `${usersOf(images)}${elsewhere ? `; its ${formatBytes(diskBytes)} are shared by all machines and not on this disk` : ''}`,
        bytes: elsewhere ? 0 : diskBytes,
      }),
    ),
    { key: 'blobs', kind: 'blobs', label: 'content store', detail: 'compressed layers, manifests, configurations', bytes: fact.blobBytes },
    ...(fact.buildBytes > 0
      ? [{ key: 'builds', kind: 'builds', label: 'build directory', detail: 'cache mounts', bytes: fact.buildBytes } as const]
      : []),
    ...(fact.pendingBytes > 0
      ? [
          {
            key: 'pending',
            kind: 'pending',
            label: 'snapshots in the making',
            detail: 'layers and build steps not done yet',
            bytes: fact.pendingBytes,
          } as const,
        ]
      : []),
  ];
}

function usersOf(images: readonly string[]): string {
  return images.length === 0 ? 'kept for builds' : `${images.length > 1 ? 'shared by ' : 'of '}${images.map(shortName).join(', ')}`;
}

export function matching(rows: readonly DiskRow[], filter: string): readonly DiskRow[] {
  const wanted = filter.trim().toLowerCase();
  return wanted === ''
    ? rows
    : rows.filter((row) => `${row.label} ${row.detail} ${DISK_KINDS[row.kind].title}`.toLowerCase().includes(wanted));
}

export function sumOf(rows: readonly DiskRow[], kind?: DiskKind): number {
  return rows.reduce((sum, row) => sum + (kind === undefined || row.kind === kind ? row.bytes : 0), 0);
}

/** What the containers see beside what is on the disk for it. */
export function containersSentence(fact: DiskFact): string {
  const count = fact.containers.length;
  if (count === 0) return 'No container: only images take room.';
  const seen = fact.containers.reduce((sum, { seenBytes }) => sum + seenBytes, 0);
  const own = fact.containers.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  const who = formatCount(count, 'container');
  const sees = `${who} ${count === 1 ? 'sees' : 'see'} ${formatBytes(seen)} of files`;
  return fact.snapshotter === 'native'
    ? `${sees} and ${count === 1 ? 'takes' : 'take'} ${formatBytes(own)}: each is a whole copy of its image.`
    : `${sees} and ${count === 1 ? 'takes' : 'take'} ${formatBytes(own)} beside the image: its layers are there once.`;
}

/** Without what docker.io’s names leave out. */
function shortName(image: string): string {
  if (/^[a-z0-9]+:[0-9a-f]{32,}$/.test(image)) return 'an image without a name';
  return image.replace(/^docker\.io\/(?:library\/)?/, '').replace(/:latest$/, '');
}
