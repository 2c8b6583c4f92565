/**
 * What may go: blobs and snapshots that no image reaches.
 *
 * Knows: reachability from image records; that a snapshot with a child stays.
 * Does not know: containers; their root file systems are children of snapshots, and so protect them.
 */
import type { ContentStore } from '@slipway/content';
import { hasCode } from '@slipway/errors';
import { type Digest, parseDigest } from '@slipway/oci';
import type { SnapshotInfo, Snapshotter } from '@slipway/snapshots';
import type { GarbageReport, Image } from './image-store.ts';

/** Removes every blob that none of `images` names and that is not among `kept`. */
export async function collectBlobs(
  images: readonly Image[],
  content: ContentStore,
  kept: readonly Digest[],
): Promise<Pick<GarbageReport, 'blobs' | 'blobBytes'>> {
  const needed = new Set<Digest>(kept);
  for (const image of images) {
    needed.add(image.id).add(image.manifest.digest);
    for (const { descriptor } of image.layers) needed.add(descriptor.digest);
    // The index that it was found in, where there was one.
    for (const name of image.repoDigests) needed.add(parseDigest(name.slice(name.indexOf('@') + 1)));
  }
  let [blobs, blobBytes] = [0, 0];
  for (const { digest, sizeBytes } of await content.list()) {
    if (needed.has(digest) || !(await content.delete(digest))) continue;
    blobs++;
    blobBytes += sizeBytes;
  }
  return { blobs, blobBytes };
}

/** Removes committed snapshots that no image and no other snapshot stands on, from the top down. */
export async function collectSnapshots(images: readonly Image[], snapshots: Snapshotter): Promise<number> {
  const needed = new Set<string>(images.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
  let removed = 0;
  for (
    let candidates = unneeded(await snapshots.list(), needed);
    candidates.length > 0;
    candidates = unneeded(await snapshots.list(), needed)
  ) {
    let progress = 0;
    for (const { name } of candidates) {
      if (!(await removeLeaf(name, snapshots))) continue;
      progress++;
    }
    removed += progress;
    if (progress === 0) break;
  }
  return removed;
}

function unneeded(all: readonly SnapshotInfo[], needed: ReadonlySet<string>): SnapshotInfo[] {
  const parents = new Set(all.map(({ parent }) => parent));
  return all.filter(({ name, kind }) => kind === 'committed' && !needed.has(name) && !parents.has(name));
}

/** False when a container was prepared on it meanwhile. */
async function removeLeaf(name: string, snapshots: Snapshotter): Promise<boolean> {
  try {
    await snapshots.remove(name);
    return true;
  } catch (error) {
    if (hasCode(error, 'E_SNAPSHOT_HAS_CHILDREN') || hasCode(error, 'E_SNAPSHOT_NOT_FOUND')) return false;
    throw error;
  }
}
