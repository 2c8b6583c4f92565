/**
 * From the bytes of a tar to a blob, with both digests on the way.
 *
 * Knows: gzip, zstd and plain.
 * Does not know: tar, or where the blob goes.
 */
import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';

/** Members are small and many; what follows is better done on larger pieces. */
const PIECE_BYTES = 256 * 1024;

/** A layer being packed. Digests and sizes are there once `blob` has been read to its end. */
export class PackStream {
  readonly #tarHash = createHash('sha256');
  readonly #blobHash = createHash('sha256');
  #tarBytes = 0;
  #blobBytes = 0;

  get diffId(): string {
    return `sha256:${this.#tarHash.copy().digest('hex')}`;
  }

  get blobDigest(): string {
    return `sha256:${this.#blobHash.copy().digest('hex')}`;
  }

  get tarBytes(): number {
    return this.#tarBytes;
  }

  get blobBytes(): number {
    return this.#blobBytes;
  }

  /** The blob's bytes. `level` is zlib's or zstd's; its default when absent. */
  async *blob(
    tar: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    form: 'none' | 'gzip' | 'zstd',
    level?: number,
  ): AsyncGenerator<Uint8Array> {
    const plain = this.#counted(tar);
    for await (const bytes of form === 'none' ? plain : compressed(plain, form, level)) {
      this.#blobHash.update(bytes);
      this.#blobBytes += bytes.byteLength;
      yield bytes;
    }
  }

  async *#counted(tar: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of inPieces(tar)) {
      this.#tarHash.update(bytes);
      this.#tarBytes += bytes.byteLength;
      yield bytes;
    }
  }
}

/** zlib works on libuv's threads, so that reading the next piece and compressing the last one go on side by side. */
async function* compressed(tar: AsyncIterable<Uint8Array>, form: 'gzip' | 'zstd', level?: number): AsyncGenerator<Uint8Array> {
  const packer =
    form === 'gzip'
      ? createGzip({ chunkSize: PIECE_BYTES, ...(level === undefined ? {} : { level }) })
      : createZstdCompress(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } });
  // A failure of the source destroys the packer with it, and so reaches whoever reads there.
  pipeline(Readable.from(tar, { objectMode: true, highWaterMark: 2 }), packer, () => undefined);
  yield* packer as AsyncIterable<Uint8Array>;
}

async function* inPieces(tar: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of tar) {
    if (bytes.byteLength === 0) continue;
    held.push(bytes);
    size += bytes.byteLength;
    if (size < PIECE_BYTES) continue;
    yield held.length === 1 ? bytes : Buffer.concat(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held);
}
