/**
 * Writing tar members: ustar headers, with a pax header where ustar cannot say it.
 *
 * Knows: one byte-exact form for each entry, so that the same entries give the same digest.
 * Does not know: where content comes from.
 */
import type { EntryType, TarEntry } from './entry.ts';
import { BLOCK } from './header.ts';
import { formatPax, type PaxRecords } from './pax.ts';

/** What must be said about a member; everything else has a plain default. */
export type EntryInit = Pick<TarEntry, 'name' | 'type'> &
  Partial<TarEntry> & {
    /** `mtime` in nanoseconds, exactly; outranks it. */
    readonly mtimeNs?: bigint;
  };

const FLAG = { file: '0', hardlink: '1', symlink: '2', char: '3', block: '4', directory: '5', fifo: '6' } as const satisfies Record<
  EntryType,
  string
>;
type FullEntry = TarEntry & Pick<EntryInit, 'mtimeNs'>;

const NANO = 1_000_000_000n;
const MAX_OCTAL_11 = 0o77777777777;
const MAX_OCTAL_7 = 0o7777777;

/**
 * The bytes before a member's content. Content must follow, exactly `sizeBytes` long, filled up by {@link tarPadding}.
 * @param more further pax records
 */
export function tarHeader(init: EntryInit, more: PaxRecords = []): Uint8Array {
  const entry: FullEntry = {
    mode: init.type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    sizeBytes: 0,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...init,
    ...(init.mtimeNs === undefined ? {} : { mtime: Number(init.mtimeNs / NANO) }),
  };
  const records = [...paxRecords(entry), ...more];
  if (records.length === 0) return ustar(entry, FLAG[entry.type]);
  const body = formatPax(records);
  const name = Buffer.from(`PaxHeaders/${entry.name}`)
    .subarray(0, 99)
    .toString('latin1')
    .replace(/[^ -~]/g, '_');
  const extended = ustar({ ...entry, name, linkName: '', sizeBytes: body.byteLength, mode: 0o644, uid: 0, gid: 0, mtime: 0 }, 'x');
  return Buffer.concat([extended, body, tarPadding(body.byteLength), ustar(entry, FLAG[entry.type])]);
}

/** A whole member with its content. */
export function tarMember(init: EntryInit, content: Uint8Array | string = ''): Uint8Array {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([tarHeader({ ...init, sizeBytes: bytes.byteLength }), bytes, tarPadding(bytes.byteLength)]);
}

/** Zeros that fill content of this size up to whole blocks. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}

/** The two blocks that end an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

/** `-1.5`, `1700000000.123456789`: every digit, which a JavaScript number has no room for. */
function decimalSeconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const fraction = String(size % NANO)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${ns < 0n ? '-' : ''}${size / NANO}.${fraction}`;
}

function paxRecords(entry: FullEntry): [string, Uint8Array][] {
  const records: [string, Uint8Array][] = [];
  const add = (key: string, value: string | number) => records.push([key, Buffer.from(String(value))]);
  if (Buffer.byteLength(entry.name) > 100 || !isAscii(entry.name)) add('path', entry.name);
  if (Buffer.byteLength(entry.linkName) > 100 || !isAscii(entry.linkName)) add('linkpath', entry.linkName);
  if (entry.sizeBytes > MAX_OCTAL_11) add('size', entry.sizeBytes);
  if (entry.uid > MAX_OCTAL_7) add('uid', entry.uid);
  if (entry.gid > MAX_OCTAL_7) add('gid', entry.gid);
  const { mtime, mtimeNs = 0n } = entry;
  if (mtimeNs % NANO !== 0n) add('mtime', decimalSeconds(mtimeNs));
  else if (!Number.isInteger(mtime) || mtime < 0 || mtime > MAX_OCTAL_11) add('mtime', mtime);
  for (const [name, value] of [...entry.xattrs].sort(([a], [b]) => (a < b ? -1 : 1))) records.push([`SCHILY.xattr.${name}`, value]);
  return records;
}

/** Numbers and names that do not fit are cut here; a pax header carries them whole. */
function ustar(entry: FullEntry, flag: string): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, at: number, length: number) => Buffer.from(value).copy(block, at, 0, length);
  const octal = (value: number, at: number, length: number) =>
    block.write(
      Math.max(0, Math.floor(value))
        .toString(8)
        .padStart(length - 1, '0')
        .slice(-(length - 1)),
      at,
      'latin1',
    );
  text(entry.name, 0, 100);
  octal(entry.mode, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.sizeBytes, 124, 12);
  octal(entry.mtime, 136, 12);
  block.fill(0x20, 148, 156);
  block.write(flag, 156);
  text(entry.linkName, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  octal(entry.deviceMajor, 329, 8);
  octal(entry.deviceMinor, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
