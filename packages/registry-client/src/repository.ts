/**
 * One repository of one registry: what can be asked of it.
 *
 * Knows: scopes, and which file does what.
 * Does not know: which registry a name means (client.ts).
 */
import { EngineError } from '@slipway/errors';
import type { Descriptor, Digest } from '@slipway/oci';
import { type BlobSink, type FetchedBlob, fetchBlob } from './fetch-blob.ts';
import { fetchRange } from './fetch-range.ts';
import { listTags } from './list-tags.ts';
import { type FetchedManifest, fetchManifest } from './manifests.ts';
import { type BlobSource, hasBlob, type PushOutcome, pushBlob } from './push-blob.ts';
import { discard } from './read-body.ts';
import { brokenAnswer } from './registry-errors.ts';
import type { RegistrySession } from './session.ts';
import { SmallBlob } from './small-blob.ts';

export interface FetchOptions {
  readonly openSink: () => Promise<BlobSink>;
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface PushOptions {
  /** Path of another repository of the same registry that is likely to have it. */
  readonly mountFrom?: string | undefined;
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
  readonly partBytes?: number;
}

/** Where a repository was found; enough to open it again, in another process too. Holds no secret. */
export interface RepositoryPlace {
  /** URL of the registry, or of the mirror. */
  readonly origin: string;
  readonly path: string;
  /** Whose directory of certificates was looked into. */
  readonly certificatesOf: string;
  /** The registry that credentials are for; absent for a mirror, which gets none. */
  readonly domain?: string;
}

export class Repository implements Disposable {
  readonly path: string;
  readonly place: RepositoryPlace;
  readonly #session: RegistrySession;
  readonly #scopes: readonly string[];

  constructor(session: RegistrySession, place: Omit<RepositoryPlace, 'origin'>, action: 'pull' | 'push') {
    const { path } = place;
    this.path = path;
    this.place = { ...place, origin: session.registry.url.origin };
    this.#session = session;
    this.#scopes = [`repository:${path}:${action === 'pull' ? 'pull' : 'pull,push'}`];
  }

  /** `https://registry-1.docker.io`: who answers, for people to read. */
  get origin(): string {
    return this.#session.registry.url.origin;
  }

  /** A manifest by tag, digest or descriptor. @throws as fetchManifest */
  manifest(target: string | Descriptor, signal?: AbortSignal): Promise<FetchedManifest> {
    return fetchManifest({ session: this.#session, path: this.path, target, scopes: this.#scopes, signal });
  }

  /** Streams a blob into a sink that verifies it. @throws as fetchBlob */
  fetchBlob(descriptor: Descriptor, options: FetchOptions): Promise<FetchedBlob> {
    return fetchBlob({ session: this.#session, path: this.path, descriptor, scopes: this.#scopes, ...options });
  }

  /** The bytes from `start` to `end` of a blob, not verified; undefined when the registry knows no ranges. @throws as fetchRange */
  fetchRange(descriptor: Descriptor, range: { readonly start: number; readonly end: number }, signal?: AbortSignal) {
    return fetchRange({ session: this.#session, path: this.path, descriptor, scopes: this.#scopes, ...range, signal });
  }

  /** The whole of a small blob. @throws as fetchBlob; `invalid-argument` / `E_BLOB_SIZE` when it is larger than `maxBytes` */
  async document(descriptor: Descriptor, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (descriptor.size > maxBytes) throw tooLarge(descriptor, maxBytes);
    const blob = new SmallBlob(descriptor);
    await this.fetchBlob(descriptor, { openSink: async () => blob, ...(signal === undefined ? {} : { signal }) });
    return blob.bytes;
  }

  /** @throws as pushBlob */
  pushBlob(descriptor: Descriptor, source: BlobSource, options: PushOptions = {}): Promise<PushOutcome> {
    return pushBlob({ session: this.#session, path: this.path, descriptor, source, scopes: this.#scopes, ...options });
  }

  /** Makes `bytes` the manifest under `reference` (a tag or its digest); its blobs have been pushed. */
  async putManifest(reference: string, bytes: Uint8Array, { mediaType, digest }: Descriptor, signal?: AbortSignal): Promise<void> {
    const put = {
      method: 'PUT',
      url: `/v2/${this.path}/manifests/${reference}`,
      headers: { 'content-type': mediaType, 'content-length': String(bytes.byteLength) },
      body: () => bytes,
      scopes: this.#scopes,
      signal,
    } as const;
    const response = await this.#session.patiently(
      () => this.#session.require(put, `cannot push ${this.path}:${reference}`, [201]),
      signal,
    );
    await discard(response.body);
    const said = response.headers['docker-content-digest'];
    if (said !== undefined && said !== digest) throw brokenAnswer(response.url, 'it holds the manifest under another digest');
  }

  /** Whether the repository has it already. */
  hasBlob(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    return this.#session.patiently(
      () => hasBlob({ session: this.#session, path: this.path, descriptor, scopes: this.#scopes, signal }),
      signal,
    );
  }

  /** Every tag, in the registry's order. @throws as listTags */
  tags(signal?: AbortSignal): Promise<readonly string[]> {
    return listTags({ session: this.#session, path: this.path, scopes: this.#scopes, signal });
  }

  /** Removes a manifest, and every tag that names it. @throws `not-found` / `E_REGISTRY_NOT_FOUND`; as the registry refuses */
  async deleteManifest(digest: Digest, signal?: AbortSignal): Promise<void> {
    const url = `/v2/${this.path}/manifests/${digest}`;
    const response = await this.#session.require(
      { method: 'DELETE', url, scopes: [`repository:${this.path}:pull,push,delete`], signal },
      `cannot delete ${this.path}@${digest}`,
      [202],
    );
    await discard(response.body);
  }

  /** Asks the registry whether it would have us. @throws `permission-denied` / `E_REGISTRY_DENIED` */
  async ping(signal?: AbortSignal): Promise<void> {
    const response = await this.#session.require({ method: 'GET', url: '/v2/', scopes: [], signal }, `cannot log in to ${this.origin}`);
    await discard(response.body);
  }

  [Symbol.dispose](): void {
    this.#session.close();
  }
}

function tooLarge({ digest, size }: Descriptor, maxBytes: number): EngineError {
  return new EngineError('invalid-argument', `a document of ${size} bytes, at most ${maxBytes} are read`, {
    code: 'E_BLOB_SIZE',
    op: 'registry.blob',
    subject: digest,
  });
}
