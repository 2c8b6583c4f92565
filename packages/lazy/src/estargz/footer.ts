/**
 * The last 51 bytes of an eStargz blob: an empty gzip member whose extra field says where the index begins.
 *
 *     1f8b08 04 … ff │ extra: 26 bytes │ "SG" 22 │ 16 hex digits "STARGZ" │ empty deflate block │ crc, size 0
 *
 * Knows: these bytes.
 * Does not know: the index (toc.ts).
 *
 * @spec containerd/stargz-snapshotter docs/estargz.md#footer
 */

export const FOOTER_BYTES = 51;

const HEAD = Buffer.from('1f8b0804000000000' + '0ff1a0053471600', 'hex');
const TAIL = Buffer.from('010000ffff0000000000000000', 'hex');
const MARK = 'STARGZ';

export function formatFooter(tocOffset: number): Buffer {
  return Buffer.concat([HEAD, Buffer.from(`${tocOffset.toString(16).padStart(16, '0')}${MARK}`), TAIL]);
}

/** Where the index begins; undefined for bytes that are no such footer. */
export function parseFooter(bytes: Buffer): number | undefined {
  if (bytes.byteLength !== FOOTER_BYTES || bytes.readUInt16BE(0) !== 0x1f8b) return undefined;
  if (bytes.readUInt16LE(10) !== 26 || bytes.toString('latin1', 12, 14) !== 'SG' || bytes.readUInt16LE(14) !== 22) return undefined;
  const [, digits] = /^([0-9a-f]{16})STARGZ$/.exec(bytes.toString('latin1', 16, 38)) ?? [];
  const offset = Number.parseInt(digits ?? '', 16);
  return Number.isSafeInteger(offset) ? offset : undefined;
}
