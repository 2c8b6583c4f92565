/**
 * The frames of a zstd stream. Node's decompressor ends with the first one, while layers written in parallel or for lazy
 * pulling consist of many, with skippable ones between them.
 *
 *     magic  frame header       block block …                        [checksum]
 *     4      2..14 bytes        3-byte header (last, type, size) +   4
 *
 * Knows: where each frame ends.
 * Does not know: what is compressed; the frames' own bytes go on as they are.
 *
 * @see RFC 8878, section 3.1
 */
import { ByteSource } from './tar/byte-source.ts';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a5;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const RLE_BLOCK = 1;

/** Each frame as a stream of its own, to be read to its end before the next. `broken` makes the error for anything that is no zstd. */
export async function* zstdFrames(
  bytes: AsyncIterable<Uint8Array>,
  broken: (why: string) => Error,
): AsyncGenerator<AsyncGenerator<Uint8Array>> {
  const source = new ByteSource(bytes, Number.MAX_SAFE_INTEGER, () => broken('it ends in the middle of a frame'));
  try {
    let frames = 0;
    for (let magic = await source.exactly(4); magic !== undefined; magic = await source.exactly(4)) {
      const number = Buffer.from(magic).readUInt32LE();
      if (number === FRAME_MAGIC) {
        frames++;
        yield gathered(frame(magic, source));
      } else if (number >>> 4 === SKIPPABLE_MAGIC) await source.skip(Buffer.from(await source.require(4)).readUInt32LE());
      else throw broken('a frame does not begin with its magic number');
    }
    if (frames === 0) throw broken('it has no frame');
  } finally {
    await source.cancel();
  }
}

/** The same bytes in as few pieces as they came in, and without copying them: what takes them pays by the piece. */
async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    const isNext = held.buffer === piece.buffer && held.byteOffset + held.byteLength === piece.byteOffset;
    if (!isNext && held.byteLength > 0) yield held;
    held = isNext ? new Uint8Array(held.buffer, held.byteOffset, held.byteLength + piece.byteLength) : piece;
  }
  if (held.byteLength > 0) yield held;
}

async function* frame(magic: Uint8Array, source: ByteSource): AsyncGenerator<Uint8Array> {
  yield magic;
  const descriptor = await source.require(1);
  yield descriptor;
  const flags = descriptor[0] ?? 0;
  const isSingleSegment = (flags & 0x20) !== 0;
  const sizeFlag = flags >> 6;
  const contentSizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 1 << sizeFlag;
  yield await source.require(Number(!isSingleSegment) + (DICTIONARY_ID_BYTES[flags & 3] ?? 0) + contentSizeBytes);
  for (let isLast = false; !isLast; ) {
    const header = await source.require(3);
    yield header;
    const word = Buffer.from(header).readUIntLE(0, 3);
    isLast = (word & 1) !== 0;
    const size = ((word >> 1) & 3) === RLE_BLOCK ? 1 : word >> 3;
    yield* source.pieces(size);
  }
  if ((flags & 4) !== 0) yield await source.require(4);
}
