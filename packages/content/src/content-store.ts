/**
 * The content store: immutable blobs, found by digest.
 *
 *     <root>/blobs/sha256/<hex>     committed: complete, verified, 0400
 *     <root>/ingests/<key>.part     being written: invisible until committed
 *
 * Knows: how bytes become a blob, atomically and durably.
 * Does not know: what a blob means, or who still needs it (packages/images decides what may be deleted).
 */

import { createHash } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import { failPoint, listNames, openForRead, type ReadHandle, removeStoredFile, statStored } from '@slipway/kernel';
import { type Digest, digestOf, isDigest, splitDigest } from '@slipway/oci';
import { type Ingest, type IngestOptions, IngestTable } from './ingest.ts';

/** What is known of a committed blob. */
export interface BlobInfo {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly committedAtMs: number;
}

export interface ContentStoreOptions {
  /**
   * How long, in milliseconds, an ingest with a ref that nobody writes to may be resumed after the store was closed or killed.
   * Older ones, and all without a ref, are removed when the store is opened. Default: one hour.
   */
  readonly resumableForMs?: number;
  /** Blobs that somebody else keeps: found like the store's own, and neither written again, listed nor deleted. */
  readonly shared?: BlobReader;
}

/** The committed blobs of a store. */
export interface BlobReader {
  /** undefined when the blob is not here. */
  stat(digest: Digest): Promise<BlobInfo | undefined>;
  /** Every committed blob; of a store, its own. */
  list(): Promise<readonly BlobInfo[]>;
  /** Opens a blob for reading; close it. The bytes are not checked again, see {@link read}. @throws `not-found` / `E_BLOB_NOT_FOUND` */
  open(digest: Digest): Promise<ReadHandle>;
  /**
   * The whole of a small blob, checked against its digest again.
   * @throws `not-found` / `E_BLOB_NOT_FOUND`; `invalid-argument` / `E_BLOB_TOO_LARGE`; `data-loss` / `E_BLOB_CORRUPT` when the disk changed it
   */
  read(digest: Digest, maxBytes: number): Promise<Uint8Array>;
}

/** Blobs by digest. Several readers and writers at once; one process per root. */
export interface ContentStore extends BlobReader {
  /** Begins or resumes a write. @throws `unavailable` / `E_INGEST_BUSY` while another writer has the same ref */
  ingest(options?: IngestOptions): Promise<Ingest>;
  /** Ingests a whole document. */
  put(bytes: Uint8Array): Promise<Digest>;
  /** Removes a blob; false when it was not there. Readers that have it open keep it. */
  delete(digest: Digest): Promise<boolean>;
}

const HOUR_MS = 3_600_000;

/** Opens (and makes, 0700) the store below `root`, and sweeps what crashed writers left. */
export async function openContentStore(root: string, options: ContentStoreOptions = {}): Promise<ContentStore> {
  const { resumableForMs = HOUR_MS, shared } = options;
  const isShared = async (digest: Digest) => (await shared?.stat(digest)) !== undefined;
  const ingests = await IngestTable.open(root, { resumableForMs, isShared });
  return new DirectoryContentStore(root, ingests, shared);
}

/** Blobs as they stand in a directory, for who only reads: also beside the process that the store belongs to. */
export class BlobDirectory implements BlobReader {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    const info = await statStored(blobPath(this.#root, digest));
    return info && { digest, sizeBytes: info.sizeBytes, committedAtMs: info.modifiedAtMs };
  }

  async list(): Promise<readonly BlobInfo[]> {
    const digests: Digest[] = [];
    for (const algorithm of ['sha256', 'sha512']) {
      const names = await listNames(`${this.#root}/blobs/${algorithm}`);
      digests.push(...names.map((hex) => `${algorithm}:${hex}`).filter(isDigest));
    }
    const infos = await Promise.all(digests.map((digest) => this.stat(digest)));
    return infos.filter((info) => info !== undefined);
  }

  async open(digest: Digest): Promise<ReadHandle> {
    const handle = await openForRead(blobPath(this.#root, digest));
    if (handle !== undefined) return handle;
    throw new EngineError('not-found', `no blob ${digest} in the content store`, {
      code: 'E_BLOB_NOT_FOUND',
      op: 'content.open',
      subject: digest,
    });
  }

  async read(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const handle = await this.open(digest);
    try {
      if (handle.sizeBytes > maxBytes) throw tooLarge(digest, handle.sizeBytes, maxBytes);
      const chunks: Uint8Array[] = [];
      for await (const chunk of handle.stream()) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      requireIntact(digest, bytes);
      return bytes;
    } finally {
      await handle.close();
    }
  }
}

class DirectoryContentStore extends BlobDirectory implements ContentStore {
  readonly #root: string;
  readonly #ingests: IngestTable;
  readonly #shared: BlobReader | undefined;

  constructor(root: string, ingests: IngestTable, shared: BlobReader | undefined) {
    super(root);
    this.#root = root;
    this.#ingests = ingests;
    this.#shared = shared;
  }

  override async stat(digest: Digest): Promise<BlobInfo | undefined> {
    return (await super.stat(digest)) ?? (await this.#shared?.stat(digest));
  }

  override async open(digest: Digest): Promise<ReadHandle> {
    const isOwn = this.#shared === undefined || (await super.stat(digest)) !== undefined;
    return isOwn ? await super.open(digest) : await this.#shared.open(digest);
  }

  ingest(options: IngestOptions = {}): Promise<Ingest> {
    return this.#ingests.begin(options);
  }

  async put(bytes: Uint8Array): Promise<Digest> {
    await using ingest = await this.#ingests.begin({ expected: { digest: digestOf(bytes), sizeBytes: bytes.byteLength } });
    await ingest.write(bytes);
    return (await ingest.commit()).digest;
  }

  async delete(digest: Digest): Promise<boolean> {
    const wasThere = await removeStoredFile(blobPath(this.#root, digest));
    failPoint('blob.deleted');
    return wasThere;
  }
}

/** Where a blob stands once committed. The digest is branded, so it cannot hold a path. */
export function blobPath(root: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${root}/blobs/${algorithm}/${hex}`;
}

function requireIntact(digest: Digest, bytes: Uint8Array): void {
  const { algorithm, hex } = splitDigest(digest);
  if (createHash(algorithm).update(bytes).digest('hex') === hex) return;
  throw new EngineError('data-loss', `blob ${digest} no longer matches its digest`, {
    code: 'E_BLOB_CORRUPT',
    op: 'content.read',
    subject: digest,
    hint: 'The disk changed it: remove the image and load or pull it again.',
  });
}

function tooLarge(digest: Digest, size: number, limit: number): EngineError {
  return new EngineError('invalid-argument', `blob ${digest} has ${size} bytes, more than the ${limit} allowed here`, {
    code: 'E_BLOB_TOO_LARGE',
    op: 'content.read',
    subject: digest,
  });
}
