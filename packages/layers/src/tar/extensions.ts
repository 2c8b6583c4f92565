/**
 * Members that describe the next member: pax headers and GNU long names, and what becomes of the two together.
 *
 * Knows: which field wins, and which combinations readers disagree about and are therefore refused.
 * Does not know: sparse maps (sparse.ts) or the tape.
 */
import { beyondLimit, type EntryType, malformed, type TarEntry, type TarLimits } from './entry.ts';
import { type RawHeader, requireId, requireSize } from './header.ts';
import type { PaxRecords } from './pax.ts';

/** What preceded a member's own header. */
export interface Extensions {
  readonly pax?: PaxRecords;
  /** From GNU `L` and `K` members. */
  readonly longName?: Uint8Array;
  readonly longLink?: Uint8Array;
}

const TYPES: ReadonlyMap<string, EntryType> = new Map([
  ['0', 'file'],
  ['7', 'file'],
  ['S', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'char'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);

/** A global header may comment; one that renames or resizes every later member is only ever an attack. */
const FORBIDDEN_GLOBAL = /^(path|linkpath|size|uid|gid|GNU\.sparse\..*|SCHILY\.xattr\..*|LIBARCHIVE\.xattr\..*)$/;
/** Keeps nothing between calls. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const XATTR_PREFIX = 'SCHILY.xattr.';

export function requireHarmlessGlobal(records: PaxRecords): void {
  const bad = records.find(([key]) => FORBIDDEN_GLOBAL.test(key));
  if (bad !== undefined) throw malformed(`a global header that sets ${JSON.stringify(bad[0].slice(0, 80))} for every member`);
}

/** The last value of a key; undefined when absent. Empty means "as in the ustar header". */
export function paxValue(records: PaxRecords | undefined, key: string): Uint8Array | undefined {
  const value = records?.findLast(([name]) => name === key)?.[1];
  return value === undefined || value.length === 0 ? undefined : value;
}

/** Bytes of content on the tape: pax `size` outranks the header's field, which cannot hold more than 8 GiB. */
export function tapeSize(header: RawHeader, { pax }: Extensions): number {
  const value = paxValue(pax, 'size');
  return value === undefined ? header.size : requireSize(decimal(value, 'size'));
}

/** Everything about the member but its content. `sparseName` is the real name in sparse formats that hide it. */
export function resolveEntry(
  header: RawHeader,
  extensions: Extensions,
  limits: TarLimits,
  sparseName?: Uint8Array,
): Omit<TarEntry, 'sizeBytes'> {
  const { pax, longName, longLink } = extensions;
  const name = text(sparseName ?? paxValue(pax, 'path') ?? longName ?? header.name, 'name', limits);
  const linkName = text(paxValue(pax, 'linkpath') ?? longLink ?? header.linkName, 'link name', limits);
  const type = TYPES.get(header.typeFlag);
  if (type === undefined) throw malformed(`member type ${JSON.stringify(header.typeFlag)} is unknown`, name);
  if (name === '') throw malformed('a member without a name');
  const number = (key: string, fallback: number) => {
    const value = paxValue(pax, key);
    return value === undefined ? fallback : requireId(decimal(value, key), key);
  };
  const mtime = paxValue(pax, 'mtime');
  return {
    name,
    // Old archives mark directories by a slash alone.
    type: type === 'file' && name.endsWith('/') ? 'directory' : type,
    mode: header.mode,
    uid: number('uid', header.uid),
    gid: number('gid', header.gid),
    mtime: mtime === undefined ? header.mtime : decimal(mtime, 'mtime'),
    linkName: type === 'symlink' || type === 'hardlink' ? linkName : '',
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: new Map(
      (pax ?? []).filter(([key]) => key.startsWith(XATTR_PREFIX)).map(([key, value]) => [key.slice(XATTR_PREFIX.length), value]),
    ),
  };
}

/** A decimal number, with a fraction and a sign where times have them. */
export function decimal(value: Uint8Array, what: string): number {
  const digits = Buffer.from(value).toString('latin1');
  if (!/^-?[0-9]{1,19}(\.[0-9]{1,20})?$/.test(digits))
    throw malformed(`pax ${what} ${JSON.stringify(digits.slice(0, 40))} is not a number`);
  return Number(digits);
}

function text(bytes: Uint8Array, what: string, { maxNameBytes }: TarLimits): string {
  if (bytes.byteLength > maxNameBytes) throw beyondLimit(`a ${what} of ${bytes.byteLength} bytes`);
  if (bytes.includes(0)) throw malformed(`a ${what} with a NUL in it`);
  try {
    return UTF8.decode(bytes);
  } catch {
    throw malformed(`a ${what} that is not UTF-8`);
  }
}
