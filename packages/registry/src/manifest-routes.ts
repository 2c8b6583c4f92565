/**
 * Manifests: pull, push and delete, by tag or digest.
 *
 * Knows: how a manifest's type and digest travel in headers.
 * Does not know: what a valid manifest is.
 *
 * @spec distribution-spec/spec.md#pulling-manifests
 */
import { MAX_MANIFEST_BYTES } from '@slipway/oci';
import type { ManifestReference, StoredManifest } from './backend.ts';
import { answer, bodyOf, type Exchange } from './exchange.ts';
import { refuse } from './registry-failure.ts';

interface ManifestTarget {
  readonly repository: string;
  readonly reference: ManifestReference;
}

export async function getManifest(exchange: Exchange, target: ManifestTarget): Promise<void> {
  const manifest = await requireManifest(exchange, target);
  const bytes = await exchange.backend.readManifest(target.repository, manifest.digest);
  exchange.traffic.sentBytes += bytes.byteLength;
  exchange.response.writeHead(200, headersOf(manifest)).end(bytes);
}

export async function headManifest(exchange: Exchange, target: ManifestTarget): Promise<void> {
  answer(exchange, 200, headersOf(await requireManifest(exchange, target)));
}

/** @spec distribution-spec/spec.md#pushing-manifests */
export async function putManifest(exchange: Exchange, { repository, reference }: ManifestTarget): Promise<void> {
  const { backend, request } = exchange;
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim();
  const bytes = await readBody(exchange);
  const stored = await backend.putManifest(repository, reference, { bytes, ...(mediaType === undefined ? {} : { mediaType }) });
  answer(exchange, 201, {
    Location: `/v2/${repository}/manifests/${stored.digest}`,
    'Docker-Content-Digest': stored.digest,
    // Says that the list of referrers is kept here, so that the client need not keep one under a tag.
    ...(stored.subject === undefined ? {} : { 'OCI-Subject': stored.subject }),
  });
}

/** @spec distribution-spec/spec.md#deleting-manifests */
export async function deleteManifest(exchange: Exchange, { repository, reference }: ManifestTarget): Promise<void> {
  if (!(await exchange.backend.deleteManifest(repository, reference))) throw unknownManifest(repository, reference);
  answer(exchange, 202, {});
}

async function requireManifest({ backend }: Exchange, { repository, reference }: ManifestTarget): Promise<StoredManifest> {
  const manifest = await backend.findManifest(repository, reference);
  if (manifest === undefined) throw unknownManifest(repository, reference);
  return manifest;
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = Number(exchange.request.headers['content-length'] ?? 0);
  if (size <= MAX_MANIFEST_BYTES) {
    size = 0;
    for await (const chunk of bodyOf(exchange)) {
      size += chunk.byteLength;
      if (size > MAX_MANIFEST_BYTES) break;
      chunks.push(chunk);
    }
  }
  if (size <= MAX_MANIFEST_BYTES) return Buffer.concat(chunks);
  throw refuse('invalid-argument', 'E_MANIFEST_TOO_LARGE', `the manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
}

function headersOf({ digest, mediaType, sizeBytes }: StoredManifest) {
  return { 'Content-Type': mediaType, 'Content-Length': sizeBytes, 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
}

function unknownManifest(repository: string, reference: ManifestReference) {
  const name = 'tag' in reference ? `${repository}:${reference.tag}` : `${repository}@${reference.digest}`;
  return refuse('not-found', 'E_MANIFEST_UNKNOWN', `no manifest ${name}`, name);
}
