/**
 * What the routes need of whatever keeps the repositories.
 *
 *     repository ─┬─ blobs          links to bytes, many repositories may share them
 *                 ├─ manifests      bytes that name blobs, other manifests, and perhaps a subject
 *                 └─ tags           names of manifests
 *
 * Knows: the promises; `store/` keeps them.
 * Does not know: HTTP, nor where anything is kept.
 */
import type { Descriptor, Digest } from '@slipway/oci';

/** A blob that is open for reading; close it. */
export interface BlobReader {
  readonly sizeBytes: number;
  /** The bytes in order. */
  stream(): AsyncIterable<Uint8Array>;
  /** Bytes from `position` into `buffer`, as many as come at once; 0 at the end. */
  readAt(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** One upload session; only its repository finds it. */
export interface Upload {
  /** Unguessable. */
  readonly id: string;
  /** Bytes received so far. */
  readonly offset: number;
  /**
   * Takes the next bytes. When the source breaks off, what has come stays, and the session goes on from there.
   * @throws `failed-precondition` / `E_UPLOAD_BUSY` while another request writes; `invalid-argument` / `E_BLOB_SIZE`
   */
  append(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Ends the session: the bytes are a blob of its repository, or gone.
   * @throws `invalid-argument` / `E_BLOB_DIGEST`
   */
  commit(digest: Digest): Promise<void>;
  /** Ends the session and drops the bytes. */
  cancel(): Promise<void>;
}

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

export interface Page {
  /** At most so many; absent: as many as the store gives at once. */
  readonly limit?: number;
  /** Only what sorts after this. */
  readonly after?: string;
}

export interface Listing<T> {
  readonly entries: readonly T[];
  /** What to ask after for the rest; absent: that was all. */
  readonly next?: string;
}

/** A tag, or a digest. */
export type ManifestReference = { readonly tag: string } | { readonly digest: Digest };

/** Repository names and tags that come in here have been checked against their grammar. Absence is a value, unless said otherwise. */
export interface RegistryBackend {
  /** Size in bytes. */
  statBlob(repository: string, digest: Digest): Promise<number | undefined>;
  openBlob(repository: string, digest: Digest): Promise<BlobReader | undefined>;
  /** Makes a blob of `from`, or of any repository, one of `repository` too; false when it is not there. */
  mountBlob(repository: string, digest: Digest, from?: string): Promise<boolean>;
  /** False when it is not there. */
  deleteBlob(repository: string, digest: Digest): Promise<boolean>;

  /** @throws `unavailable` / `E_UPLOADS_TOO_MANY` */
  beginUpload(repository: string): Upload;
  findUpload(repository: string, id: string): Upload | undefined;

  findManifest(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined>;
  /** Of a manifest that was found. */
  readManifest(repository: string, digest: Digest): Promise<Uint8Array>;
  /**
   * Checks and keeps a manifest, and lets the tag name it, in one step.
   * @returns what it is now, and the subject that it names
   * @throws `invalid-argument` / `E_DOCUMENT_INVALID`, `E_BLOB_DIGEST`; `not-found` / `E_MANIFEST_BLOB_UNKNOWN`
   */
  putManifest(
    repository: string,
    reference: ManifestReference,
    document: { readonly bytes: Uint8Array; readonly mediaType?: string },
  ): Promise<StoredManifest & { readonly subject?: Digest }>;
  /** A tag goes alone; a digest takes its tags with it. False when it is not there. */
  deleteManifest(repository: string, reference: ManifestReference): Promise<boolean>;

  /** Sorted; undefined when nothing was ever put into the repository. */
  listTags(repository: string, page: Page): Promise<Listing<string> | undefined>;
  /** Manifests whose subject this is, whether or not the subject is there. */
  listReferrers(repository: string, subject: Digest, page: Page & { readonly artifactType?: string }): Promise<Listing<Referrer>>;
  listRepositories(page: Page): Promise<Listing<string>>;
}

/** A manifest as the list of its subject's referrers describes it. @spec distribution-spec/spec.md#listing-referrers */
export interface Referrer extends Descriptor {
  readonly artifactType?: string;
}
