/**
 * A layer as eStargz: the same tar in gzip members that can each be decompressed by itself, with an index at the end. Whoever knows
 * nothing of that reads an ordinary gzip layer, with the index as one more file in it.
 *
 *     ┌ headers ┐┌ piece ┐┌ piece ┐┌ padding, headers ┐┌ piece ┐ … ┌ stargz.index.json, end of tar ┐┌ footer ┐
 *
 * Knows: where members begin and what the index says about them.
 * Does not know: images, or where the blob goes.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type EntryType, type Extent, readTar, type TarEntry, tarEnd, tarHeader, tarPadding } from '@slipway/layers';
import { formatFooter } from './footer.ts';
import { TOC_NAME, type TocType } from './toc.ts';

export interface WriteOptions {
  /** Bytes of a file's content that are read together. Default: 1 MiB. */
  readonly chunkBytes?: number;
  /** zlib's. Default: zlib's. */
  readonly level?: number;
}

/** What is known of the blob once it has been written to its end. */
export interface WrittenLayer {
  readonly blobDigest: string;
  readonly blobBytes: number;
  readonly diffId: string;
  readonly tarBytes: number;
  readonly tocDigest: string;
}

const TYPES = {
  file: 'reg',
  hardlink: 'hardlink',
  symlink: 'symlink',
  char: 'char',
  block: 'block',
  directory: 'dir',
  fifo: 'fifo',
} as const satisfies Record<EntryType, TocType>;

/** Headers are gathered up to here before they become a member. */
const GATHERED_BYTES = 1024 * 1024;

const pack = promisify<Uint8Array, { readonly level?: number }, Buffer>(gzip);

/** Read {@link EstargzWriter.blob} to its end, then {@link EstargzWriter.result}. */
export class EstargzWriter {
  readonly #options: WriteOptions;
  readonly #tarHash = createHash('sha256');
  readonly #blobHash = createHash('sha256');
  readonly #entries: object[] = [];
  #tarBytes = 0;
  #blobBytes = 0;
  #tocDigest = '';
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  constructor(options: WriteOptions = {}) {
    this.#options = options;
  }

  get result(): WrittenLayer {
    return {
      blobDigest: `sha256:${this.#blobHash.copy().digest('hex')}`,
      blobBytes: this.#blobBytes,
      diffId: `sha256:${this.#tarHash.copy().digest('hex')}`,
      tarBytes: this.#tarBytes,
      tocDigest: this.#tocDigest,
    };
  }

  /** The blob's bytes. An index that the tar has already is left out. @throws as readTar */
  async *blob(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const { entry, content } of readTar(tar)) {
      if (entry.name.replace(/^\.?\//, '') === TOC_NAME) continue;
      this.#gather(tarHeader(entry));
      if (entry.sizeBytes === 0) this.#entries.push(describe(entry));
      else yield* this.#content(entry, content);
      if (this.#gatheredBytes >= GATHERED_BYTES) yield* this.#member();
    }
    yield* this.#member();
    const toc = Buffer.from(JSON.stringify({ version: 1, entries: this.#entries }));
    this.#tocDigest = `sha256:${createHash('sha256').update(toc).digest('hex')}`;
    const offset = this.#blobBytes;
    this.#gather(tarHeader({ name: TOC_NAME, type: 'file', mode: 0o444, sizeBytes: toc.byteLength }));
    this.#gather(toc);
    this.#gather(tarPadding(toc.byteLength));
    this.#gather(tarEnd());
    yield* this.#member();
    yield this.#count(formatFooter(offset));
  }

  async *#content(entry: TarEntry, content: AsyncIterable<Extent>): AsyncGenerator<Uint8Array> {
    yield* this.#member();
    const whole = createHash('sha256');
    const pieces: Record<string, unknown>[] = [];
    const { chunkBytes = GATHERED_BYTES } = this.#options;
    let fileOffset = 0;
    for await (const piece of inPieces(content, entry.sizeBytes, chunkBytes)) {
      whole.update(piece);
      pieces.push({
        ...(fileOffset === 0 ? describe(entry) : { name: entry.name.replace(/^\.?\//, ''), type: 'chunk', chunkOffset: fileOffset }),
        offset: this.#blobBytes,
        ...(piece.byteLength === entry.sizeBytes ? {} : { chunkSize: piece.byteLength }),
        chunkDigest: `sha256:${createHash('sha256').update(piece).digest('hex')}`,
      });
      fileOffset += piece.byteLength;
      this.#gather(piece);
      yield* this.#member();
    }
    const [first, ...more] = pieces;
    this.#entries.push({ ...first, digest: `sha256:${whole.digest('hex')}` }, ...more);
    this.#gather(tarPadding(entry.sizeBytes));
  }

  /** What is gathered, as one gzip member. */
  async *#member(): AsyncGenerator<Uint8Array> {
    if (this.#gatheredBytes === 0) return;
    const bytes = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const { level } = this.#options;
    yield this.#count(await pack(bytes, level === undefined ? {} : { level }));
  }

  #gather(bytes: Uint8Array): void {
    this.#tarHash.update(bytes);
    this.#tarBytes += bytes.byteLength;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.byteLength;
  }

  #count(bytes: Uint8Array): Uint8Array {
    this.#blobHash.update(bytes);
    this.#blobBytes += bytes.byteLength;
    return bytes;
  }
}

function describe({ name, type, mode, uid, gid, mtime, sizeBytes, linkName, deviceMajor, deviceMinor, xattrs }: TarEntry): object {
  const plain = name.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
  return {
    name: type === 'directory' ? `${plain === '' ? '.' : plain}/` : plain,
    type: TYPES[type],
    ...(sizeBytes === 0 ? {} : { size: sizeBytes }),
    modtime: formatTime(mtime),
    ...(linkName === '' ? {} : { linkName: type === 'hardlink' ? linkName.replace(/^(?:\.?\/)+/, '') : linkName }),
    mode,
    ...(uid === 0 ? {} : { uid }),
    ...(gid === 0 ? {} : { gid }),
    ...(deviceMajor === 0 ? {} : { devMajor: deviceMajor }),
    ...(deviceMinor === 0 ? {} : { devMinor: deviceMinor }),
    ...(xattrs.size === 0
      ? {}
      : { xattrs: Object.fromEntries([...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('base64')])) }),
  };
}

/** RFC 3339 with as many digits as are needed. */
function formatTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const nanoseconds = Math.min(999_999_999, Math.round((seconds - whole) * 1e9));
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return new Date(whole * 1000).toISOString().replace(/\.\d+Z$/, `${fraction}Z`);
}

/** A file's content in pieces of `most` bytes; holes come as zeros. */
async function* inPieces(content: AsyncIterable<Extent>, sizeBytes: number, most: number): AsyncGenerator<Buffer> {
  let piece = Buffer.alloc(Math.min(most, sizeBytes));
  let begin = 0;
  for await (const extent of content) {
    for (let done = 0; done < extent.bytes.byteLength; ) {
      const at = extent.offset + done;
      while (at >= begin + piece.byteLength) {
        yield piece;
        begin += piece.byteLength;
        piece = Buffer.alloc(Math.min(most, sizeBytes - begin));
      }
      const part = extent.bytes.subarray(done, done + begin + piece.byteLength - at);
      piece.set(part, at - begin);
      done += part.byteLength;
    }
  }
  while (begin < sizeBytes) {
    yield piece;
    begin += piece.byteLength;
    piece = Buffer.alloc(Math.min(most, sizeBytes - begin));
  }
}
