/**
 * Sparse files: the four ways in which tar says "here is a hole".
 *
 *     old GNU   type S, map in the header block and in blocks after it
 *     pax 0.0   repeated GNU.sparse.offset / numbytes records
 *     pax 0.1   GNU.sparse.map=offset,length,…
 *     pax 1.0   map as decimal lines at the start of the content
 *
 * Knows: reading each map, and what makes a map consistent.
 * Does not know: what is done with the pieces.
 */
import type { ByteSource } from './byte-source.ts';
import { beyondLimit, malformed, type TarLimits } from './entry.ts';
import { decimal, type Extensions, paxValue } from './extensions.ts';
import { BLOCK, parseNumber, type RawHeader, requireSize } from './header.ts';
import type { PaxRecords } from './pax.ts';

/** Where the pieces of content belong. */
export interface SparseMap {
  /** Size of the file once unpacked. */
  readonly realSize: number;
  readonly pieces: readonly { readonly offset: number; readonly length: number }[];
  /** Bytes of the content that the map itself took (pax 1.0), blocks filled up. */
  readonly mapBytes: number;
  /** The file's own name, where the header carries a stand-in. */
  readonly name?: Uint8Array;
}

/**
 * Reads the map of a sparse member; undefined for an ordinary one. Takes further blocks from `source` where the format
 * keeps the map there.
 */
export async function readSparseMap(
  header: RawHeader,
  { pax }: Extensions,
  source: ByteSource,
  bounds: { readonly limits: TarLimits; readonly tapeSize: number },
): Promise<SparseMap | undefined> {
  const { limits } = bounds;
  if (header.typeFlag === 'S') return checked(await readOldGnu(header.block, source, limits), bounds);
  if (pax === undefined || !pax.some(([key]) => key.startsWith('GNU.sparse.'))) return undefined;
  const realSize = paxValue(pax, 'GNU.sparse.realsize') ?? paxValue(pax, 'GNU.sparse.size');
  if (realSize === undefined) throw malformed('a sparse member without its real size');
  const size = requireSize(decimal(realSize, 'GNU.sparse.realsize'));
  const name = paxValue(pax, 'GNU.sparse.name');
  const named = name === undefined ? {} : { name };
  const major = paxValue(pax, 'GNU.sparse.major');
  if (major !== undefined) {
    if (decimal(major, 'GNU.sparse.major') !== 1) throw malformed('an unknown sparse format');
    const { numbers, mapBytes } = await readMapLines(source, bounds);
    return checked({ realSize: size, pieces: pairs(numbers, limits), mapBytes, ...named }, bounds);
  }
  return checked({ realSize: size, pieces: pairs(paxNumbers(pax), limits), mapBytes: 0, ...named }, bounds);
}

/** Formats 0.0 and 0.1 as one flat list of offset, length, offset, length … */
function paxNumbers(pax: PaxRecords): number[] {
  const map = paxValue(pax, 'GNU.sparse.map');
  if (map !== undefined) {
    const parts = Buffer.from(map).toString('latin1').split(',');
    return parts.map((part) => requireSize(decimal(Buffer.from(part), 'GNU.sparse.map')));
  }
  const numbers: number[] = [];
  for (const [key, value] of pax) {
    const place = key === 'GNU.sparse.offset' ? 0 : key === 'GNU.sparse.numbytes' ? 1 : -1;
    if (place < 0) continue;
    if (numbers.length % 2 !== place) throw malformed('a sparse map whose offsets and lengths do not alternate');
    numbers.push(requireSize(decimal(value, key)));
  }
  return numbers;
}

async function readOldGnu(block: Uint8Array, source: ByteSource, limits: TarLimits): Promise<SparseMap> {
  const numbers = oldGnuPairs(block.subarray(386, 482));
  const realSize = requireSize(parseNumber(block.subarray(483, 495), 'sparse size'));
  for (let more = block[482] !== 0; more; ) {
    const extension = await source.require(BLOCK);
    numbers.push(...oldGnuPairs(extension.subarray(0, 504)));
    if (numbers.length > 2 * limits.maxSparseExtents) throw beyondLimit(`a sparse map of more than ${limits.maxSparseExtents} pieces`);
    more = extension[504] !== 0;
  }
  return { realSize, pieces: pairs(numbers, limits), mapBytes: 0 };
}

/** Slots of 12 + 12 bytes; an all-zero slot ends the list. */
function oldGnuPairs(slots: Uint8Array): number[] {
  const numbers: number[] = [];
  for (let at = 0; at + 24 <= slots.length && slots[at] !== 0; at += 24) {
    numbers.push(parseNumber(slots.subarray(at, at + 12), 'sparse offset'), parseNumber(slots.subarray(at + 12, at + 24), 'sparse length'));
  }
  return numbers;
}

/** Format 1.0: a count, then two lines for each piece, filled up to whole blocks. */
async function readMapLines(
  source: ByteSource,
  { limits, tapeSize }: { readonly limits: TarLimits; readonly tapeSize: number },
): Promise<{ numbers: number[]; mapBytes: number }> {
  const numbers: number[] = [];
  let [wanted, mapBytes, rest] = [1, 0, ''];
  while (numbers.length < wanted) {
    mapBytes += BLOCK;
    if (mapBytes > tapeSize) throw malformed('a sparse map longer than its member');
    const lines = (rest + Buffer.from(await source.require(BLOCK)).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (numbers.length === wanted) break;
      numbers.push(requireSize(decimal(Buffer.from(line), 'sparse map')));
      if (numbers.length === 1) wanted = 1 + 2 * (numbers[0] ?? 0);
      if (wanted > 2 * limits.maxSparseExtents + 1) throw beyondLimit(`a sparse map of more than ${limits.maxSparseExtents} pieces`);
    }
    if (rest.length > 24 && numbers.length < wanted) throw malformed('a sparse map that is not made of numbers');
  }
  return { numbers: numbers.slice(1), mapBytes };
}

function pairs(numbers: readonly number[], limits: TarLimits): { offset: number; length: number }[] {
  if (numbers.length % 2 !== 0) throw malformed('a sparse map with an offset but no length');
  if (numbers.length > 2 * limits.maxSparseExtents) throw beyondLimit(`a sparse map of more than ${limits.maxSparseExtents} pieces`);
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({ offset: numbers[2 * i] ?? 0, length: numbers[2 * i + 1] ?? 0 }));
}

/** Pieces must come in order, not overlap, stay inside the file, and be exactly what is on the tape. */
function checked(map: SparseMap, { tapeSize }: { readonly tapeSize: number }): SparseMap {
  let end = 0;
  let total = 0;
  for (const { offset, length } of map.pieces) {
    if (offset < end || length < 0 || offset + length > map.realSize)
      throw malformed('a sparse map with pieces out of order or out of the file');
    end = offset + length;
    total += length;
  }
  if (total + map.mapBytes !== tapeSize) throw malformed('a sparse map that does not add up to the content');
  return map;
}
