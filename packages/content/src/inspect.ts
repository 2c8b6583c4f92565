/**
 * A content store as it lies on the disk, looked at without touching it: what is there, and whether the bytes are still those.
 *
 * Knows: names, modes and digests; that a store in use changes under one's eyes.
 * Does not know: which blobs somebody needs.
 */
import { createHash } from 'node:crypto';
import { hasCode } from '@slipway/errors';
import { isErrno, listNames, statStored } from '@slipway/kernel';
import { type Digest, isDigest, splitDigest } from '@slipway/oci';
import { BlobDirectory } from './content-store.ts';

export interface ContentListing {
  readonly blobs: ReadonlyMap<Digest, { readonly sizeBytes: number }>;
  /** Writes that were not committed: of a process that is at it, to be resumed, or of one that was killed. */
  readonly ingests: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** Paths below the root that are neither. */
  readonly strangers: readonly string[];
}

/** `gone`: removed meanwhile. */
export type BlobState = 'intact' | 'corrupt' | 'gone';

const ALGORITHMS = ['sha256', 'sha512'] as const;

export async function listContent(root: string): Promise<ContentListing> {
  const blobs = new Map<Digest, { sizeBytes: number }>();
  const strangers: string[] = [];
  for (const algorithm of ALGORITHMS) {
    for (const hex of await listNames(`${root}/blobs/${algorithm}`)) {
      const info = await statStored(`${root}/blobs/${algorithm}/${hex}`);
      const digest = `${algorithm}:${hex}`;
      if (isDigest(digest) && info?.isDirectory === false) blobs.set(digest, { sizeBytes: info.sizeBytes });
      else if (info !== undefined) strangers.push(`blobs/${algorithm}/${hex}`);
    }
  }
  const ingests: { name: string; sizeBytes: number }[] = [];
  for (const name of await listNames(`${root}/ingests`)) {
    const info = await statStored(`${root}/ingests/${name}`);
    if (info !== undefined) ingests.push({ name, sizeBytes: info.sizeBytes });
  }
  for (const name of await listNames(`${root}/blobs`)) if (!ALGORITHMS.some((known) => known === name)) strangers.push(`blobs/${name}`);
  return { blobs, ingests, strangers };
}

/** Reads a whole blob and holds it against its digest. Memory does not depend on its size. */
export async function inspectBlob(root: string, digest: Digest): Promise<BlobState> {
  const { algorithm, hex } = splitDigest(digest);
  const handle = await new BlobDirectory(root).open(digest).catch((error: unknown) => {
    if (hasCode(error, 'E_BLOB_NOT_FOUND')) return undefined;
    throw error;
  });
  if (handle === undefined) return 'gone';
  try {
    const hash = createHash(algorithm);
    for await (const chunk of handle.stream()) hash.update(chunk as Uint8Array);
    return hash.digest('hex') === hex ? 'intact' : 'corrupt';
  } catch (error) {
    if (isErrno(error, 'EIO')) return 'corrupt';
    throw error;
  } finally {
    await handle.close();
  }
}
