/**
 * Uploads: in one request, in two, or in chunks; and mounts, which need none.
 *
 *     POST uploads/ ──▶ 202 Location ──PATCH…──▶ 202 ──PUT ?digest=──▶ 201
 *     POST uploads/?digest= ──▶ 201          POST uploads/?mount=&from= ──▶ 201, or 202 as if mount had not been asked for
 *
 * Knows: which request may come when.
 * Does not know: where the bytes go.
 *
 * @spec distribution-spec/spec.md#pushing-blobs
 */
import { type Digest, parseDigest } from '@slipway/oci';
import type { Upload } from './backend.ts';
import { type Part, parseChunkRange } from './byte-range.ts';
import { answer, bodyOf, type Exchange } from './exchange.ts';
import { refuse } from './registry-failure.ts';
import { requireRepository } from './request-path.ts';

interface UploadTarget {
  readonly repository: string;
  readonly id: string;
}

/** @spec distribution-spec/spec.md#mounting-a-blob-from-another-repository */
export async function startUpload(exchange: Exchange, { repository }: { readonly repository: string }): Promise<void> {
  const { backend, query } = exchange;
  const mount = query.get('mount');
  const from = query.get('from');
  if (mount !== null) {
    const digest = parseDigest(mount);
    if (await backend.mountBlob(repository, digest, from === null ? undefined : requireRepository(from)))
      return answer(exchange, 201, created(repository, digest));
  }
  const digest = mount === null ? readDigest(query) : undefined;
  const upload = backend.beginUpload(repository);
  if (digest === undefined) return answer(exchange, 202, progress(repository, upload));
  try {
    await upload.append(bodyOf(exchange));
    await upload.commit(digest);
  } catch (error) {
    // Nobody learnt its name, so nobody could go on with it.
    await upload.cancel();
    throw error;
  }
  answer(exchange, 201, created(repository, digest));
}

export async function uploadStatus(exchange: Exchange, target: UploadTarget): Promise<void> {
  answer(exchange, 204, progress(target.repository, requireUpload(exchange, target)));
}

/** @spec distribution-spec/spec.md#pushing-a-blob-in-chunks */
export async function uploadChunk(exchange: Exchange, target: UploadTarget): Promise<void> {
  const upload = requireUpload(exchange, target);
  await append(exchange, target.repository, upload);
  answer(exchange, 202, progress(target.repository, upload));
}

/** @spec distribution-spec/spec.md#post-then-put */
export async function finishUpload(exchange: Exchange, target: UploadTarget): Promise<void> {
  const upload = requireUpload(exchange, target);
  const digest = readDigest(exchange.query);
  if (digest === undefined) throw refuse('invalid-argument', 'E_DIGEST_INVALID', 'the request names no digest');
  await append(exchange, target.repository, upload);
  await upload.commit(digest);
  answer(exchange, 201, created(target.repository, digest));
}

export async function cancelUpload(exchange: Exchange, target: UploadTarget): Promise<void> {
  await requireUpload(exchange, target).cancel();
  answer(exchange, 204, {});
}

/** A chunk that says where it stands must stand where the last one ended, and be as long as it says. */
async function append(exchange: Exchange, repository: string, upload: Upload): Promise<void> {
  const { request, response } = exchange;
  // Even a refused chunk is answered with where the upload is.
  for (const [name, value] of Object.entries(progress(repository, upload))) response.setHeader(name, value);
  const part = parseChunkRange(request.headers['content-range']);
  if (part !== undefined) requireFits(part, upload, request.headers['content-length']);
  await upload.append(bodyOf(exchange));
  for (const name of ['Location', 'Range']) response.removeHeader(name);
}

function requireFits({ start, length }: Part, upload: Upload, contentLength: string | undefined): void {
  if (start !== upload.offset) {
    throw refuse('invalid-argument', 'E_UPLOAD_RANGE', `the chunk begins at ${start}, the upload is at ${upload.offset}`, upload.id);
  }
  if (contentLength !== undefined && Number(contentLength) !== length) {
    throw refuse(
      'invalid-argument',
      'E_REGISTRY_REQUEST',
      `Content-Length ${contentLength} is not the ${length} bytes of Content-Range`,
      upload.id,
    );
  }
}

function requireUpload({ backend }: Exchange, { repository, id }: UploadTarget): Upload {
  const upload = backend.findUpload(repository, id);
  if (upload !== undefined) return upload;
  throw refuse('not-found', 'E_UPLOAD_UNKNOWN', `no such upload in ${repository}: it ended, expired or never began`, repository);
}

function readDigest(query: URLSearchParams): Digest | undefined {
  const text = query.get('digest');
  return text === null ? undefined : parseDigest(text);
}

/** Clients know the first byte's absence as `0-0`, too: that is how every registry has said it. */
function progress(repository: string, { id, offset }: Upload) {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': id,
  };
}

function created(repository: string, digest: Digest) {
  return { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest };
}
