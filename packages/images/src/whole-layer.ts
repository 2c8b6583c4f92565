/**
 * What becomes of a lazy layer once all of its bytes are here: a blob in the store, and files in its snapshot's own directory.
 *
 * Knows: that the directory is covered meanwhile, and is filled beneath.
 * Does not know: when, or who reads (lazy-layers.ts).
 */
import { dirname } from 'node:path';
import type { ContentStore } from '@slipway/content';
import { emptyDirectory, openForRead, openUncovered, syncFileSystem } from '@slipway/kernel';
import { unpackLayer } from '@slipway/layers';
import { sessionFiles } from '@slipway/lazy';
import { layerCompression } from '@slipway/oci';
import type { Snapshotter } from '@slipway/snapshots';
import type { LayerFact } from './lazy-files.ts';

export interface WholeLayerParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly compileCacheDir: string;
}

/** The server's bytes into the store, verified as a whole. @returns false when they have gone with their session */
export async function storeBlob(content: ContentStore, { descriptor }: LayerFact, path: string): Promise<boolean> {
  const { digest, size } = descriptor;
  if ((await content.stat(digest)) !== undefined) return true;
  const file = await openForRead(path);
  if (file === undefined) return false;
  try {
    await using ingest = await content.ingest({ expected: { digest, sizeBytes: size } });
    for await (const bytes of file.stream() as AsyncIterable<Uint8Array>) await ingest.write(bytes);
    await ingest.commit();
    return true;
  } finally {
    await file.close();
  }
}

/** Unpacks a layer whose blob is in the store into the directory below what covers `target`, durably. @returns bytes of its files */
export async function unpackBeneath(parts: WholeLayerParts, layer: LayerFact, target: string, directory: string): Promise<number> {
  const beneath = await openUncovered(dirname(target), 'fs', sessionFiles(directory).mountPoint);
  try {
    await emptyDirectory(beneath.path);
    const fileBytes = await unpackInto(beneath.path, layer, parts);
    await syncFileSystem(dirname(target));
    return fileBytes;
  } finally {
    beneath.close();
  }
}

async function unpackInto(path: string, { chainId, diffId, descriptor }: LayerFact, parts: WholeLayerParts): Promise<number> {
  const { content, snapshots, compileCacheDir } = parts;
  const { lowers } = await snapshots.directories(chainId);
  const blob = await content.open(descriptor.digest);
  try {
    const compression = layerCompression(descriptor.mediaType) ?? 'gzip';
    const expected = { blobDigest: descriptor.digest, diffId };
    const unpacked = await unpackLayer({ blob, compression, expected, target: path, lowers, whiteouts: 'overlay', compileCacheDir });
    return unpacked.fileBytes;
  } finally {
    await blob.close();
  }
}
