/**
 * Repositories over a content store of their own.
 *
 *     <root>/content        bytes, shared by all repositories
 *     <root>/registry.db    who has what
 *
 * Knows: the order in which bytes and rows come and go, so that a crash leaves bytes without a row, and never a row without bytes.
 * Does not know: HTTP.
 */
import { type ContentStore, openContentStore } from '@slipway/content';
import { EngineError, hasCode } from '@slipway/errors';
import { ensurePrivateDirectory } from '@slipway/kernel';
import { type Digest, digestOf, MAX_MANIFEST_BYTES } from '@slipway/oci';
import type { BlobReader, Listing, ManifestReference, Page, Referrer, RegistryBackend, StoredManifest, Upload } from '../backend.ts';
import { KeyedLock } from './keyed-lock.ts';
import { type ManifestFacts, readManifestFacts } from './manifest-facts.ts';
import { RegistryTable } from './registry-table.ts';
import { type UploadLimits, UploadTable } from './upload-table.ts';

export interface RegistryStoreOptions {
  /** Made, 0700, where it is missing. One process at a time. */
  readonly root: string;
  /** Default: 512 sessions, an hour, 64 GiB. */
  readonly uploads?: Partial<UploadLimits>;
}

/** What stands behind the routes, and can be tidied and closed. */
export interface RegistryStore extends RegistryBackend {
  /** Forgets idle uploads; removes blobs that no manifest names and nobody has asked for in `graceMs` (default: a day), and bytes that nobody has. */
  tidy(graceMs?: number): Promise<void>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_UPLOADS: UploadLimits = { maxSessions: 512, idleMs: HOUR_MS, maxBlobBytes: 64 * 1024 ** 3 };
/** An index of indexes of indexes is as deep as anybody has needed. */
const MAX_DEPTH = 4;
/** Entries of one page, whatever a client asks for. */
const MAX_PAGE = 1000;
/** Annotations are the manifests' own text, so pages of referrers are bounded by bytes too. */
const MAX_REFERRERS_BYTES = 4 * 1024 * 1024;

export async function openRegistryStore({ root, uploads = {} }: RegistryStoreOptions): Promise<RegistryStore> {
  await ensurePrivateDirectory(root);
  const content = await openContentStore(`${root}/content`);
  const store = new DiskRegistryStore(content, new RegistryTable(`${root}/registry.db`), { ...DEFAULT_UPLOADS, ...uploads });
  return store;
}

class DiskRegistryStore implements RegistryStore {
  readonly #content: ContentStore;
  readonly #table: RegistryTable;
  readonly #uploads: UploadTable;
  /** By digest: whoever gives bytes a row, and whoever removes bytes that have none, take turns. */
  readonly #locks = new KeyedLock();

  constructor(content: ContentStore, table: RegistryTable, limits: UploadLimits) {
    this.#content = content;
    this.#table = table;
    this.#uploads = new UploadTable(content, limits, (repository, digest, publish) =>
      this.#locks.hold(digest, async () => {
        await publish();
        table.linkBlob(repository, digest, Date.now());
      }),
    );
  }

  async statBlob(repository: string, digest: Digest): Promise<number | undefined> {
    const linkedAtMs = this.#table.blobLinkedAt(repository, digest);
    if (linkedAtMs === undefined) return undefined;
    // Whoever asks may be about to push a manifest that names it: the grace begins again.
    if (Date.now() - linkedAtMs > HOUR_MS) this.#table.linkBlob(repository, digest, Date.now());
    return (await this.#content.stat(digest))?.sizeBytes;
  }

  async openBlob(repository: string, digest: Digest): Promise<BlobReader | undefined> {
    if (this.#table.blobLinkedAt(repository, digest) === undefined) return undefined;
    try {
      return await this.#content.open(digest);
    } catch (error) {
      if (hasCode(error, 'E_BLOB_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  mountBlob(repository: string, digest: Digest, from?: string): Promise<boolean> {
    return this.#locks.hold(digest, async () => {
      const isThere = from === undefined ? this.#table.hasBlobAnywhere(digest) : this.#table.blobLinkedAt(from, digest) !== undefined;
      if (!isThere || (await this.#content.stat(digest)) === undefined) return false;
      this.#table.linkBlob(repository, digest, Date.now());
      return true;
    });
  }

  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#locks.hold(digest, async () => {
      if (!this.#table.unlinkBlob(repository, digest)) return false;
      await this.#dropUnwanted(digest);
      return true;
    });
  }

  beginUpload(repository: string): Upload {
    return this.#uploads.begin(repository);
  }

  findUpload(repository: string, id: string): Upload | undefined {
    return this.#uploads.find(repository, id);
  }

  async findManifest(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    const digest = 'digest' in reference ? reference.digest : this.#table.resolveTag(repository, reference.tag);
    return digest && this.#table.findManifest(repository, digest);
  }

  readManifest(_repository: string, digest: Digest): Promise<Uint8Array> {
    return this.#content.read(digest, MAX_MANIFEST_BYTES);
  }

  async putManifest(
    repository: string,
    reference: ManifestReference,
    { bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType?: string },
  ): Promise<StoredManifest & { readonly subject?: Digest }> {
    const facts = readManifestFacts(bytes, mediaType);
    const wanted = 'digest' in reference ? reference.digest : digestOf(bytes);
    return this.#locks.hold(wanted, async () => {
      this.#requireParts(repository, facts);
      await using ingest = await this.#content.ingest({ expected: { digest: wanted, sizeBytes: bytes.byteLength } });
      await ingest.write(bytes);
      const { digest, sizeBytes } = await ingest.commit();
      // Looked at once more, in one go with the row: a part may have been deleted while the bytes were written.
      const depth = this.#requireParts(repository, facts);
      const { manifests: _, ...row } = facts;
      this.#table.recordManifest(repository, { ...row, digest, sizeBytes, depth }, 'tag' in reference ? reference.tag : undefined);
      return { digest, sizeBytes, mediaType: facts.mediaType, ...(facts.subject === undefined ? {} : { subject: facts.subject }) };
    });
  }

  async deleteManifest(repository: string, reference: ManifestReference): Promise<boolean> {
    if ('tag' in reference) return this.#table.deleteTag(repository, reference.tag);
    const { digest } = reference;
    return this.#locks.hold(digest, async () => {
      if (!this.#table.deleteManifest(repository, digest)) return false;
      await this.#dropUnwanted(digest);
      return true;
    });
  }

  async listTags(repository: string, page: Page): Promise<Listing<string> | undefined> {
    if (!this.#table.isRepository(repository)) return undefined;
    return listing(page, (after, limit) => this.#table.tags(repository, after, limit));
  }

  async listRepositories(page: Page): Promise<Listing<string>> {
    return listing(page, (after, limit) => this.#table.repositories(after, limit));
  }

  async listReferrers(repository: string, subject: Digest, page: Page & { artifactType?: string }): Promise<Listing<Referrer>> {
    const limit = Math.min(page.limit ?? MAX_PAGE, MAX_PAGE);
    const type = page.artifactType === undefined ? {} : { artifactType: page.artifactType };
    const found = this.#table.referrers(repository, subject, { ...type, after: page.after ?? '', limit: limit + 1 });
    let bytes = 0;
    const fitting = found.findIndex((referrer, at) => {
      bytes += JSON.stringify(referrer).length;
      return at === limit || (bytes > MAX_REFERRERS_BYTES && at > 0);
    });
    const entries = fitting < 0 ? found : found.slice(0, fitting);
    const last = entries.at(-1)?.digest;
    return fitting < 0 || last === undefined ? { entries } : { entries, next: last };
  }

  async tidy(graceMs = DAY_MS): Promise<void> {
    const before = Date.now() - graceMs;
    await this.#uploads.expire(Date.now());
    for (const { repository, digest } of this.#table.idleLinks(before)) {
      // Looked at once more, in one go with its end: somebody may have asked for it while others were removed.
      await this.#locks.hold(digest, async () => {
        if (this.#table.unlinkIdleBlob(repository, digest, before)) await this.#dropUnwanted(digest);
      });
    }
    for (const { digest, committedAtMs } of await this.#content.list()) {
      if (committedAtMs < before) await this.#locks.hold(digest, () => this.#dropUnwanted(digest));
    }
  }

  async close(): Promise<void> {
    await this.#uploads.close();
    this.#table.close();
  }

  async #dropUnwanted(digest: Digest): Promise<void> {
    if (!this.#table.isWanted(digest)) await this.#content.delete(digest);
  }

  /** @returns the manifest's depth. @throws when something it names is missing, or it is nested too deep */
  #requireParts(repository: string, { blobs, manifests }: ManifestFacts): number {
    const found = manifests.map((digest) => this.#table.findManifest(repository, digest));
    const missing = [
      ...blobs.filter((digest) => this.#table.blobLinkedAt(repository, digest) === undefined),
      ...manifests.filter((_, at) => found[at] === undefined),
    ];
    if (missing.length > 0) throw partsMissing(repository, missing);
    const depth = 1 + Math.max(0, ...found.map((manifest) => manifest?.depth ?? 0));
    if (depth <= MAX_DEPTH) return depth;
    throw new EngineError('invalid-argument', `the index is nested ${depth} deep, more than the ${MAX_DEPTH} allowed`, {
      code: 'E_DOCUMENT_INVALID',
      op: 'manifest.put',
      subject: repository,
    });
  }
}

/** One more than asked for tells whether there is more. */
function listing(page: Page, read: (after: string, limit: number) => string[]): Listing<string> {
  const limit = Math.min(page.limit ?? MAX_PAGE, MAX_PAGE);
  if (limit === 0) return { entries: [] };
  const found = read(page.after ?? '', limit + 1);
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  return found.length <= limit || last === undefined ? { entries } : { entries, next: last };
}

function partsMissing(repository: string, missing: readonly Digest[]): EngineError {
  return new EngineError('not-found', `${missing.length} of the manifest's parts are not in ${repository}: ${missing[0] ?? ''}`, {
    code: 'E_MANIFEST_BLOB_UNKNOWN',
    op: 'manifest.put',
    subject: repository,
    hint: 'Push them first.',
    issues: missing.slice(0, 100).map((digest) => ({ path: digest, message: 'is not in the repository' })),
  });
}
