/**
 * The 512-byte header of a tar member: v7, ustar and GNU.
 *
 *     0    100  108 116 124  136   148 156 157      257   263 265    297    329 337 345     500
 *     name mode uid gid size mtime sum typ linkname magic ver uname  gname  maj min prefix  (GNU: sparse map from 386)
 *
 * Knows: fields, octal and base-256 numbers, the checksum.
 * Does not know: extension members (extensions.ts) or content.
 */
import { malformed } from './entry.ts';

export const BLOCK = 512;

/** A header as it stands on the tape, before extensions. */
export interface RawHeader {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content on the tape. */
  readonly size: number;
  readonly mtime: number;
  /** `'0'`, `'5'`, `'x'` …; NUL reads as `'0'`. */
  readonly typeFlag: string;
  readonly linkName: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** The block itself, for old GNU sparse maps. */
  readonly block: Uint8Array;
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** @throws EngineError `invalid-argument` / `E_TAR_MALFORMED` */
export function parseHeader(block: Uint8Array): RawHeader {
  requireChecksum(block);
  const magic = latin1(block.subarray(257, 265));
  const isUstar = magic.startsWith('ustar\0');
  const isGnu = magic === 'ustar  \0';
  const flag = block[156] ?? 0;
  const typeFlag = flag === 0 ? '0' : String.fromCharCode(flag);
  const hasDevice = (isUstar || isGnu) && (typeFlag === '3' || typeFlag === '4');
  const name = cString(block.subarray(0, 100));
  const prefix = isUstar ? cString(block.subarray(345, 500)) : new Uint8Array();
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    mode: parseNumber(block.subarray(100, 108), 'mode') & 0o7777,
    uid: requireId(parseNumber(block.subarray(108, 116), 'uid'), 'uid'),
    gid: requireId(parseNumber(block.subarray(116, 124), 'gid'), 'gid'),
    size: requireSize(parseNumber(block.subarray(124, 136), 'size')),
    mtime: parseNumber(block.subarray(136, 148), 'mtime'),
    typeFlag,
    linkName: cString(block.subarray(157, 257)),
    deviceMajor: hasDevice ? parseNumber(block.subarray(329, 337), 'device') : 0,
    deviceMinor: hasDevice ? parseNumber(block.subarray(337, 345), 'device') : 0,
    block,
  };
}

/**
 * A numeric field: octal digits, padded with spaces or NULs on either side; or, with the top bit set, a big-endian two's
 * complement number. Every byte must belong to one of the two forms, since readers disagree about the rest.
 */
export function parseNumber(field: Uint8Array, what: string): number {
  const first = field[0] ?? 0;
  if (first === 0x80 || first === 0xff) return parseBase256(field, first === 0xff, what);
  const text = latin1(field);
  const [, digits] = /^[ \0]*([0-7]*)[ \0]*$/.exec(text) ?? [];
  if (digits === undefined) throw malformed(`${what} field ${JSON.stringify(text)} is not a number`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** A whole number of bytes that a JavaScript number can count. */
export function requireSize(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw malformed(`a size of ${size} bytes`);
}

/** Ids are 32 bits, and the highest means "no change" to chown(2). */
export function requireId(id: number, what: string): number {
  if (Number.isInteger(id) && id >= 0 && id < 0xffff_ffff) return id;
  throw malformed(`${what} ${id} is out of range`);
}

function parseBase256(field: Uint8Array, negative: boolean, what: string): number {
  let value = 0n;
  for (const [index, byte] of field.entries()) value = (value << 8n) | BigInt(index === 0 ? byte & 0x7f : byte);
  if (negative) value -= 1n << BigInt(field.length * 8 - 1);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed(`${what} ${value} is out of range`);
  return number;
}

/** The sum of all bytes, its own field counted as spaces; some old writers summed signed bytes. */
function requireChecksum(block: Uint8Array): void {
  let unsigned = 0;
  let high = 0;
  for (let index = 0; index < BLOCK; index++) {
    const value = index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
    unsigned += value;
    if (value > 127) high++;
  }
  const signed = unsigned - 256 * high;
  const stated = parseNumber(block.subarray(148, 156), 'checksum');
  if (stated !== unsigned && stated !== signed) throw malformed(`header checksum is ${unsigned}, the header says ${stated}`);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function cString(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}
