/**
 * A store as it lies on the disk at one moment, with nothing judged yet.
 *
 * Knows: where everything stands, and how to read it without changing it.
 * Does not know: what is right (judge-store.ts).
 */
import { BlobDirectory, type ContentListing, listContent } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { findText, statStored } from '@slipway/kernel';
import {
  type Digest,
  type ImageConfig,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseImageConfig,
  parseManifestOrIndex,
} from '@slipway/oci';
import { listSnapshots, type SnapshotListing } from '@slipway/snapshots';
import type { CachedStep } from '../image-store.ts';
import { type ImageRecords, type ImageRow, readImageRecords } from '../image-table.ts';
import { listArriving } from '../lazy-files.ts';
import { SHARED_NOTE } from '../shared/shared-images.ts';
import { parseStep } from '../step-cache.ts';
import { readSteps } from '../step-table.ts';

/** A recorded image with its documents, or why they cannot be had. */
export type ViewedImage = ImageRow &
  ({ readonly manifest: ImageRow['manifest'] } & (
    | { readonly documents: { readonly manifest: Manifest; readonly config: ImageConfig } }
    | { readonly documents: undefined; readonly failure: string }
  ));

export interface StoreView {
  readonly content: ContentListing;
  readonly snapshots: SnapshotListing;
  readonly records: ImageRecords;
  readonly images: readonly ViewedImage[];
  readonly steps: readonly CachedStep[];
  /** Blobs that somebody else keeps. */
  readonly shared: ContentListing['blobs'];
  /** Blobs of layers that are read before they have come. */
  readonly arriving: ReadonlySet<string>;
}

/** Records before what they name: what is written in the other order is then there. @throws `not-found` / `E_STORE_UNKNOWN` */
export async function viewStore(root: string): Promise<StoreView> {
  for (const file of ['images.db', 'snapshots/metadata.db']) if ((await statStored(`${root}/${file}`)) === undefined) throw noStore(root);
  const records = readImageRecords(`${root}/images.db`);
  const hasSteps = (await statStored(`${root}/build-steps.db`)) !== undefined;
  const steps = hasSteps ? readSteps(`${root}/build-steps.db`).map(parseStep) : [];
  const sharedRoot = await findText(`${root}/${SHARED_NOTE}`);
  const readers = [`${root}/content`, ...(sharedRoot === undefined ? [] : [sharedRoot])].map((path) => new BlobDirectory(path));
  const images = await Promise.all(records.images.map((row) => viewImage(row, readers)));
  const arriving = await listArriving(`${root}/lazy`);
  const snapshots = await listSnapshots(`${root}/snapshots`);
  const shared = sharedRoot === undefined ? new Map() : (await listContent(sharedRoot)).blobs;
  return { records, images, steps, arriving, snapshots, shared, content: await listContent(`${root}/content`) };
}

async function viewImage(row: ImageRow, readers: readonly BlobDirectory[]): Promise<ViewedImage> {
  try {
    const manifest = parseManifestOrIndex(await readFrom(readers, row.manifest.digest, MAX_MANIFEST_BYTES));
    if (manifest.kind !== 'manifest') return { ...row, documents: undefined, failure: 'what is recorded as its manifest is an index' };
    return { ...row, documents: { manifest, config: parseImageConfig(await readFrom(readers, row.id, MAX_CONFIG_BYTES)) } };
  } catch (error) {
    if (error instanceof EngineError) return { ...row, documents: undefined, failure: error.message };
    throw error;
  }
}

/** From the first that has it; where none has, the last one says so. */
async function readFrom(readers: readonly BlobDirectory[], digest: Digest, maxBytes: number): Promise<Uint8Array> {
  const [first, ...others] = readers;
  if (first === undefined) throw new TypeError('no reader');
  return others.length === 0 || (await first.stat(digest)) !== undefined
    ? await first.read(digest, maxBytes)
    : await readFrom(others, digest, maxBytes);
}

function noStore(root: string): EngineError {
  return new EngineError('not-found', `no image store at ${JSON.stringify(root)}`, {
    code: 'E_STORE_UNKNOWN',
    op: 'store.check',
    subject: root,
    hint: 'Name the directory that slipwayd was given as --root.',
  });
}
