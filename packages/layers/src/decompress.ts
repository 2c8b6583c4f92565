/**
 * From a blob's bytes to the tar inside, with the tar's digest on the way.
 *
 * Knows: gzip, zstd and plain; when growth stops being plausible.
 * Does not know: tar.
 */
import { createHash } from 'node:crypto';
import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { EngineError } from '@slipway/errors';
import type { DiffId, LayerCompression } from '@slipway/oci';
import { zstdFrames } from './zstd-frames.ts';

export interface DecompressLimits {
  /** Bytes of tar. */
  readonly maxTarBytes: number;
  /** Bytes of tar for one byte of blob, once the tar is larger than `ratioFromBytes`. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
}

/** gzip cannot do better than 1032 to 1, and only on input that is all the same; real layers stay below 50. */
export const DEFAULT_DECOMPRESS_LIMITS: DecompressLimits = { maxTarBytes: 32 * 1024 ** 3, maxRatio: 300, ratioFromBytes: 256 * 1024 ** 2 };

/** zstd's own default: frames that ask for a larger window than 128 MiB are refused. */
const ZSTD_WINDOW_LOG = 27;

/**
 * Bytes that come out at once, each time at the cost of a trip through libuv's threads, and bytes by which a decompressor may be ahead: it works
 * while what came out before is hashed and written.
 */
const PACE = { chunkSize: 512 * 1024, highWaterMark: 2 * 1024 * 1024 };

/** A layer being decompressed. Its digest is there once `tar` has been read to its end. */
export class LayerStream {
  readonly #tarHash = createHash('sha256');
  readonly #limits: DecompressLimits;
  #blobBytes = 0;
  #tarBytes = 0;

  constructor(limits: DecompressLimits) {
    this.#limits = limits;
  }

  get diffId(): DiffId {
    return `sha256:${this.#tarHash.copy().digest('hex')}` as DiffId;
  }

  get blobBytes(): number {
    return this.#blobBytes;
  }

  get tarBytes(): number {
    return this.#tarBytes;
  }

  /**
   * The uncompressed bytes.
   * @throws EngineError `invalid-argument` / `E_LAYER_COMPRESSION` for bytes that are not what they were declared to be,
   *   `E_LAYER_BOMB` for growth beyond the limits
   */
  async *tar(blob: AsyncIterable<Uint8Array>, compression: LayerCompression): AsyncGenerator<Uint8Array> {
    const counted = this.#counted(blob);
    const { kind, bytes } = compression === 'detect' ? await detect(counted) : { kind: compression, bytes: counted };
    try {
      for await (const chunk of kind === 'none' ? bytes : through(bytes, kind)) {
        this.#tarBytes += chunk.byteLength;
        this.#requirePlausible();
        this.#tarHash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw isZlibError(error) ? notDeclared(kind, error) : error;
    }
  }

  async *#counted(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of blob) {
      this.#blobBytes += chunk.byteLength;
      yield chunk;
    }
  }

  #requirePlausible(): void {
    const { maxTarBytes, maxRatio, ratioFromBytes } = this.#limits;
    if (this.#tarBytes > maxTarBytes) throw bomb(`more than ${maxTarBytes} bytes`);
    if (this.#tarBytes > ratioFromBytes && this.#tarBytes > maxRatio * this.#blobBytes)
      throw bomb(`more than ${maxRatio} times its own size`);
  }
}

async function* through(bytes: AsyncIterable<Uint8Array>, kind: 'gzip' | 'zstd'): AsyncGenerator<Uint8Array> {
  if (kind === 'gzip') return yield* inflated(bytes, createGunzip(PACE));
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
  for await (const frame of zstdFrames(bytes, (why) => notDeclared('zstd', new Error(why)))) {
    yield* inflated(frame, createZstdDecompress({ params, ...PACE }));
  }
}

/** zlib does its work on libuv's threads, so nothing here blocks for long. */
async function* inflated(bytes: AsyncIterable<Uint8Array>, inflate: Transform): AsyncGenerator<Uint8Array> {
  // A failure of the source destroys `inflate` with it, and so reaches whoever reads there.
  pipeline(Readable.from(bytes), inflate, () => undefined);
  yield* inflate as AsyncIterable<Uint8Array>;
}

/** Looks at the first bytes, as docker does for its own media types. */
async function detect(
  bytes: AsyncGenerator<Uint8Array>,
): Promise<{ kind: Exclude<LayerCompression, 'detect'>; bytes: AsyncIterable<Uint8Array> }> {
  const first = await bytes.next();
  const head = first.done === true ? new Uint8Array() : first.value;
  const magic = Buffer.from(head.subarray(0, 4)).toString('hex');
  const kind = magic.startsWith('1f8b') ? 'gzip' : magic === '28b52ffd' ? 'zstd' : 'none';
  return { kind, bytes: rejoined(head, bytes) };
}

async function* rejoined(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.byteLength > 0) yield head;
  yield* rest;
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(Z_|ZSTD_|ERR_ZSTD)/.test(error.code);
}

function notDeclared(kind: string, cause: Error): EngineError {
  return new EngineError('invalid-argument', `the layer is not ${kind} as declared: ${cause.message}`, {
    code: 'E_LAYER_COMPRESSION',
    op: 'layer.decompress',
    cause,
  });
}

function bomb(why: string): EngineError {
  return new EngineError('invalid-argument', `the layer unpacks to ${why}`, {
    code: 'E_LAYER_BOMB',
    op: 'layer.decompress',
    hint: 'If the layer is genuine, raise the limit in the configuration.',
  });
}
