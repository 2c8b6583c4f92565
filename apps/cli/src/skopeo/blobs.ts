/**
 * Bytes on their way: checked against what names them, kept in a file, packed and unpacked.
 *
 * Knows: streams.
 * Does not know: manifests.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { EngineError } from '@slipway/errors';
import { type Descriptor, type Digest, splitDigest } from '@slipway/oci';

/** The same bytes; they end with an error unless they are what the descriptor says. */
export async function* checked(bytes: AsyncIterable<Uint8Array>, { digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.byteLength;
    if (count > size) break;
    hash.update(chunk);
    yield chunk;
  }
  if (count !== size) throw wrong('E_BLOB_SIZE', digest, `it has ${count > size ? 'more' : 'fewer'} bytes than the ${size} announced`);
  if (hash.digest('hex') !== hex) throw wrong('E_BLOB_DIGEST', digest, 'its bytes have another digest');
}

/** A document, whole. @throws when it is larger than `maxBytes`, or not what the descriptor says */
export async function readBlob(bytes: AsyncIterable<Uint8Array>, descriptor: Descriptor, maxBytes: number): Promise<Buffer> {
  if (descriptor.size > maxBytes) throw wrong('E_BLOB_TOO_LARGE', descriptor.digest, `it is larger than ${maxBytes} bytes`);
  return Buffer.concat(await Array.fromAsync(checked(bytes, descriptor)));
}

/** A file, and what names its bytes. */
export interface KeptBlob {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

export async function keep(bytes: AsyncIterable<Uint8Array>, path: string): Promise<KeptBlob> {
  const hash = createHash('sha256');
  let size = 0;
  const counted = async function* () {
    for await (const chunk of bytes) {
      hash.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
  };
  await pipeline(counted, createWriteStream(path, { mode: 0o600 }));
  return { path, digest: `sha256:${hash.digest('hex')}` as Digest, size };
}

export function fileBytes(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: 256 * 1024 });
}

/** By its first bytes, whatever its media type says: archives of docker's have both under one name. */
export function compressionOf(head: Uint8Array): 'gzip' | 'zstd' | 'none' {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? 'zstd' : 'none';
}

/** Unpacked, whatever they are packed with. A layer may unpack to a thousand times its size: what is written is bounded by the disk. */
export async function* unpacked(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const whole = async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  const form = compressionOf(first.value);
  if (form === 'none') yield* whole();
  else yield* through(whole(), form === 'gzip' ? createGunzip() : createZstdDecompress());
}

export function packed(bytes: AsyncIterable<Uint8Array>, form: 'gzip' | 'zstd'): AsyncIterable<Uint8Array> {
  return through(bytes, form === 'gzip' ? createGzip() : createZstdCompress());
}

async function* through(bytes: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  const fed = pipeline(Readable.from(bytes), transform);
  // Its failure reaches the reader of `transform`, too.
  fed.catch(() => undefined);
  yield* transform as AsyncIterable<Uint8Array>;
  await fed;
}

function wrong(code: 'E_BLOB_SIZE' | 'E_BLOB_DIGEST' | 'E_BLOB_TOO_LARGE', digest: Digest, why: string): EngineError {
  return new EngineError('invalid-argument', `blob ${digest}: ${why}`, { code, op: 'image.copy', subject: digest });
}
