/**
 * Manifests and indexes of one repository.
 *
 * Knows: what to accept, what an answer must agree with, and which old format is refused.
 * Does not know: which manifest of an index is wanted.
 *
 * @spec distribution-spec/spec.md#pulling-manifests
 */
import { createHash } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import {
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  MediaTypes,
  splitDigest,
} from '@slipway/oci';
import type { WireResponse } from './connect.ts';
import { readBounded } from './read-body.ts';
import { brokenAnswer } from './registry-errors.ts';
import type { RegistrySession } from './session.ts';

const ACCEPT = [MediaTypes.ociIndex, MediaTypes.ociManifest, MediaTypes.dockerManifestList, MediaTypes.dockerManifest].join(', ');
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

/** A document as the registry has it, checked against its digest. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface ManifestRequest {
  readonly session: RegistrySession;
  /** Path of the repository. */
  readonly path: string;
  /** A tag, a digest, or what an index says. */
  readonly target: string | Descriptor;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws EngineError `not-found` / `E_REGISTRY_NOT_FOUND`; `permission-denied` / `E_REGISTRY_DENIED`; `unsupported` / `E_REGISTRY_SCHEMA1`;
 *   `invalid-argument` / `E_REGISTRY_ANSWER`, `E_BLOB_DIGEST`, `E_BLOB_SIZE`
 */
export function fetchManifest(request: ManifestRequest): Promise<FetchedManifest> {
  const { session, path, target, scopes, signal } = request;
  const name = typeof target === 'string' ? target : target.digest;
  const limit = typeof target === 'string' ? MAX_MANIFEST_BYTES : Math.min(target.size, MAX_MANIFEST_BYTES);
  return session.patiently(async () => {
    const url = `/v2/${path}/manifests/${name}`;
    const response = await session.require(
      { method: 'GET', url, headers: { accept: ACCEPT }, scopes, signal },
      `no manifest ${name} of ${path}`,
    );
    const bytes = await readBounded(response.body, limit);
    return { bytes, descriptor: describe(response, bytes, target) };
  }, signal);
}

function describe({ headers, url }: WireResponse, bytes: Uint8Array, target: string | Descriptor): Descriptor {
  const wanted = typeof target === 'string' ? (isDigest(target) ? target : undefined) : target.digest;
  const said = headers['docker-content-digest'];
  requireDigest(bytes, wanted, url);
  // A registry that contradicts itself may have been asked through a cache that mixes things up.
  if (wanted === undefined && typeof said === 'string' && isDigest(said)) requireDigest(bytes, said, url);
  const digest = wanted ?? (typeof said === 'string' && isDigest(said) ? said : digestOf(bytes));
  if (typeof target !== 'string' && bytes.byteLength !== target.size) {
    throw mismatch('E_BLOB_SIZE', `${bytes.byteLength} bytes, announced were ${target.size}`, digest);
  }
  return { mediaType: mediaTypeOf(headers['content-type'], bytes, url), digest, size: bytes.byteLength };
}

function requireDigest(bytes: Uint8Array, wanted: Digest | undefined, url: URL): void {
  if (wanted === undefined) return;
  const { algorithm } = splitDigest(wanted);
  const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (found !== wanted) throw mismatch('E_BLOB_DIGEST', `${url.host} sent a manifest of digest ${found}, announced was ${wanted}`, wanted);
}

/** What the registry says; where it says nothing of use, what the document says; parseManifestOrIndex compares the two. */
function mediaTypeOf(header: string | undefined, bytes: Uint8Array, url: URL): string {
  const said = (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const own = ownTypes(bytes);
  if (SCHEMA_1.test(said) || own.schemaVersion === 1) throw schema1(url);
  if (isIndexType(said) || isManifestType(said)) return said;
  if (!['', 'application/json', 'application/octet-stream', 'text/plain'].includes(said)) {
    throw brokenAnswer(url, `${JSON.stringify(said.slice(0, 100))} is no manifest`);
  }
  return own.mediaType ?? (own.isIndex ? MediaTypes.ociIndex : MediaTypes.ociManifest);
}

function ownTypes(bytes: Uint8Array): { readonly schemaVersion?: unknown; readonly mediaType?: string; readonly isIndex: boolean } {
  try {
    const { schemaVersion, mediaType, manifests } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    return { schemaVersion, isIndex: manifests !== undefined, ...(typeof mediaType === 'string' ? { mediaType } : {}) };
  } catch {
    return { isIndex: false }; // whoever parses it says what is wrong
  }
}

function mismatch(code: 'E_BLOB_DIGEST' | 'E_BLOB_SIZE', message: string, digest: Digest): EngineError {
  return new EngineError('invalid-argument', message, { code, op: 'registry.manifest', subject: digest });
}

function schema1(url: URL): EngineError {
  return new EngineError('unsupported', `${url.host} has this image as Docker schema 1 only, a format without digests of its layers`, {
    code: 'E_REGISTRY_SCHEMA1',
    op: 'registry.manifest',
    subject: url.pathname,
    hint: 'Have it pushed again by a client of this decade.',
  });
}
