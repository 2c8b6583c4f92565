/**
 * Blobs: pull, in whole or in part, and delete.
 *
 * Knows: the headers that let a client resume and a cache keep.
 * Does not know: where the bytes are.
 *
 * @spec distribution-spec/spec.md#pulling-blobs
 */
import type { Digest } from '@slipway/oci';
import { parseRange } from './byte-range.ts';
import { answer, type Exchange } from './exchange.ts';
import { refuse } from './registry-failure.ts';
import { sendBytes } from './send-bytes.ts';

interface BlobTarget {
  readonly repository: string;
  readonly digest: Digest;
}

export async function getBlob(exchange: Exchange, { repository, digest }: BlobTarget): Promise<void> {
  const { backend, request, response, traffic } = exchange;
  const blob = await backend.openBlob(repository, digest);
  if (blob === undefined) throw unknownBlob(repository, digest);
  try {
    if (request.headers['if-none-match'] === etag(digest)) return answer(exchange, 304, headersOf(digest));
    response.setHeader('Content-Range', `bytes */${blob.sizeBytes}`);
    const part = parseRange(request.headers.range, blob.sizeBytes);
    response.removeHeader('Content-Range');
    response.writeHead(part === undefined ? 200 : 206, {
      ...headersOf(digest),
      'Content-Type': 'application/octet-stream',
      'Content-Length': part?.length ?? blob.sizeBytes,
      ...(part === undefined ? {} : { 'Content-Range': `bytes ${part.start}-${part.start + part.length - 1}/${blob.sizeBytes}` }),
    });
    await sendBytes(blob, part ?? { start: 0, length: blob.sizeBytes }, response, (count) => {
      traffic.sentBytes += count;
    });
  } finally {
    await blob.close();
  }
}

export async function headBlob(exchange: Exchange, { repository, digest }: BlobTarget): Promise<void> {
  const sizeBytes = await exchange.backend.statBlob(repository, digest);
  if (sizeBytes === undefined) throw unknownBlob(repository, digest);
  answer(exchange, 200, { ...headersOf(digest), 'Content-Type': 'application/octet-stream', 'Content-Length': sizeBytes });
}

/** @spec distribution-spec/spec.md#deleting-blobs */
export async function deleteBlob(exchange: Exchange, { repository, digest }: BlobTarget): Promise<void> {
  if (!(await exchange.backend.deleteBlob(repository, digest))) throw unknownBlob(repository, digest);
  answer(exchange, 202, {});
}

function headersOf(digest: Digest) {
  return {
    'Accept-Ranges': 'bytes',
    'Docker-Content-Digest': digest,
    ETag: etag(digest),
    // What a digest names never changes; whether one may see it can.
    'Cache-Control': 'private, max-age=31536000',
  };
}

function etag(digest: Digest): string {
  return `"${digest}"`;
}

function unknownBlob(repository: string, digest: Digest) {
  return refuse('not-found', 'E_BLOB_NOT_FOUND', `no blob ${digest} in ${repository}`, digest);
}
