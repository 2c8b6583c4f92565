/**
 * One piece of a file out of the blob's bytes: decompressed, and compared with what the index says of it.
 *
 * Knows: gzip, and that nothing is handed out whose digest is not right.
 * Does not know: where the bytes come from.
 */
import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { EngineError } from '@slipway/errors';
import type { Chunk } from './estargz/toc.ts';

/** @param blob the blob's bytes from the chunk's `offset` to its `end` @throws `data-loss` / `E_LAZY_CHUNK` */
export async function openChunk(blob: Uint8Array, chunk: Chunk): Promise<Buffer> {
  const { skip, sizeBytes, digest } = chunk;
  const bytes = await inflateFirst(blob, skip + sizeBytes).catch((cause: unknown) => {
    throw badChunk(chunk, 'it cannot be decompressed', cause);
  });
  if (bytes.byteLength < skip + sizeBytes) throw badChunk(chunk, 'it is too short');
  const content = bytes.subarray(skip, skip + sizeBytes);
  if (`sha256:${createHash('sha256').update(content).digest('hex')}` !== digest) throw badChunk(chunk, 'its digest is another');
  return content;
}

/** The first `most` bytes that come out; what follows, however much it would be, is never made. */
async function inflateFirst(blob: Uint8Array, most: number): Promise<Buffer> {
  const gunzip = createGunzip({ chunkSize: Math.min(256 * 1024, Math.max(most, 1024)) });
  gunzip.end(blob);
  const parts: Buffer[] = [];
  let held = 0;
  for await (const part of gunzip as AsyncIterable<Buffer>) {
    parts.push(part);
    held += part.byteLength;
    if (held >= most) break;
  }
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  return bytes.subarray(0, most);
}

function badChunk({ digest, offset }: Chunk, why: string, cause?: unknown): EngineError {
  return new EngineError('data-loss', `a piece of the layer at byte ${offset} is not what its index says: ${why}`, {
    code: 'E_LAZY_CHUNK',
    op: 'lazy.read',
    subject: digest,
    ...(cause === undefined ? {} : { cause }),
  });
}
