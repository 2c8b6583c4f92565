/**
 * The index of an eStargz layer: every file, and where in the blob each piece of its content can be decompressed by itself.
 *
 *     {"version": 1, "entries": [
 *       {"name": "bin/", "type": "dir", "mode": 493, "modtime": "…Z"},
 *       {"name": "bin/sh", "type": "reg", "size": 9, "offset": 117, "chunkDigest": "sha256:…", "digest": "sha256:…"}, …]}
 *
 * Knows: its fields, what makes it contradict itself, and how much of it is believed.
 * Does not know: trees (../layer-tree.ts), or who serves the bytes. The text is a stranger's until its digest has been compared.
 *
 * @spec containerd/stargz-snapshotter docs/estargz.md#toc-tocentries-and-footer
 */
import { EngineError } from '@slipway/errors';
import { isDigest, isObject, type JsonObject, parseJsonObject } from '@slipway/oci';

/** Annotation of a layer's descriptor: digest of the index. Without it an index is nobody's word. */
export const TOC_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/toc.digest';
/** Annotation of a layer's descriptor: bytes of its tar. */
export const TAR_SIZE_ANNOTATION = 'io.containers.estargz.uncompressed-size';
/** The index is a member of the layer's tar, too. */
export const TOC_NAME = 'stargz.index.json';

export const MAX_TOC_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 500_000;
/** Of one piece, as a file's content and in the blob: that much is held in memory. */
export const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

export type TocType = 'dir' | 'reg' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';
const TYPES: ReadonlySet<string> = new Set<TocType>(['dir', 'reg', 'symlink', 'hardlink', 'char', 'block', 'fifo']);

/** A piece of a file's content. */
export interface Chunk {
  /** Where in the blob decompressing begins. */
  readonly offset: number;
  /** First byte of the blob that is not needed. */
  readonly end: number;
  /** Bytes that come out before the piece. */
  readonly skip: number;
  /** Where in the file it belongs. */
  readonly fileOffset: number;
  readonly sizeBytes: number;
  /** Of the piece, `sha256:…`. */
  readonly digest: string;
}

export interface TocEntry {
  /** As in the tar. Not yet trusted as a path. */
  readonly name: string;
  readonly type: TocType;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly sizeBytes: number;
  /** As written: a symbolic link's text, a hard link's path. */
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** In order, covering all of the file. */
  readonly chunks: readonly Chunk[];
}

/** The index as a member of the layer's tar: whoever unpacks the layer finds it there, so it is in the tree, too. */
export interface TocMember {
  /** Bytes of tar headers before it. */
  readonly skip: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** What the index does not say of itself. */
export function entryOfToc(about: {
  readonly tocOffset: number;
  readonly tocDigest: string;
  readonly tocBytes: number;
  readonly tocEnd: number;
  readonly tocMember: TocMember;
}): TocEntry {
  const { tocOffset, tocDigest, tocBytes, tocEnd, tocMember } = about;
  const { skip, mtime, ...rights } = tocMember;
  return {
    ...rights,
    name: TOC_NAME,
    type: 'reg',
    mtimeNs: BigInt(Math.round(mtime * 1000)) * 1_000_000n,
    sizeBytes: tocBytes,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    chunks: [{ offset: tocOffset, end: tocEnd, skip, fileOffset: 0, sizeBytes: tocBytes, digest: tocDigest }],
  };
}

/** @param tocOffset where the index begins in the blob: content ends there. @throws EngineError `invalid-argument` / `E_LAZY_INDEX` */
export function parseToc(bytes: Uint8Array, tocOffset: number): readonly TocEntry[] {
  const { version, entries } = parseJsonObject('stargz.index.json', bytes, MAX_TOC_BYTES);
  if (version !== 1 || !Array.isArray(entries)) throw badIndex('it is not of version 1');
  if (entries.length > MAX_ENTRIES) throw badIndex(`it has more than ${MAX_ENTRIES} entries`);
  const raw = entries.map((entry: unknown) => (isObject(entry) ? entry : refuse('an entry is no object')));
  return new TocReader(raw, tocOffset).read();
}

/** What a reader of the index trips over. */
export function badIndex(message: string, subject?: string): EngineError {
  return new EngineError('invalid-argument', `the layer's index cannot be used: ${message}`, {
    code: 'E_LAZY_INDEX',
    op: 'lazy.index',
    ...(subject === undefined ? {} : { subject }),
  });
}

function refuse(message: string, subject?: string): never {
  throw badIndex(message, subject);
}

class TocReader {
  readonly #raw: readonly JsonObject[];
  readonly #tocOffset: number;
  /** Every place where decompressing can begin, ascending. */
  readonly #offsets: readonly number[];

  constructor(raw: readonly JsonObject[], tocOffset: number) {
    this.#raw = raw;
    this.#tocOffset = tocOffset;
    const offsets = raw.map(({ offset }) => offset).filter((offset) => typeof offset === 'number' && offset > 0) as number[];
    this.#offsets = [...new Set([...offsets, tocOffset])].toSorted((a, b) => a - b);
  }

  read(): TocEntry[] {
    const entries: TocEntry[] = [];
    for (let at = 0; at < this.#raw.length; ) {
      const first = this.#raw[at] ?? {};
      const pieces = [first];
      for (at++; this.#raw[at]?.['type'] === 'chunk'; at++) pieces.push(this.#raw[at] ?? {});
      entries.push(this.#entry(first, pieces));
    }
    return entries;
  }

  #entry(raw: JsonObject, pieces: readonly JsonObject[]): TocEntry {
    const { name, type } = raw;
    if (typeof name !== 'string' || name.includes('\0') || typeof type !== 'string' || !TYPES.has(type))
      throw badIndex('an entry without name or type');
    const subject = name.slice(0, 300);
    const sizeBytes = type === 'reg' ? count(raw['size'], subject) : 0;
    if (type !== 'reg' && pieces.length > 1) throw badIndex('content of what is no file', subject);
    return {
      name,
      type: type as TocType,
      mode: count(raw['mode'], subject) & 0o7777,
      uid: count(raw['uid'], subject, 0xffff_fffe),
      gid: count(raw['gid'], subject, 0xffff_fffe),
      mtimeNs: parseTime(raw['modtime'], subject),
      sizeBytes,
      linkName: textOf(raw['linkName'], subject),
      deviceMajor: count(raw['devMajor'], subject, 0xfff),
      deviceMinor: count(raw['devMinor'], subject, 0xfffff),
      xattrs: readXattrs(raw['xattrs'], subject),
      chunks: sizeBytes === 0 ? [] : this.#chunks(pieces, sizeBytes, subject),
    };
  }

  #chunks(pieces: readonly JsonObject[], sizeBytes: number, subject: string): Chunk[] {
    let held = 0;
    const chunks = pieces.map((piece): Chunk => {
      const fileOffset = count(piece['chunkOffset'], subject);
      const size = count(piece['chunkSize'], subject) || sizeBytes - fileOffset;
      if (fileOffset !== held || size < 1 || held + size > sizeBytes) throw badIndex('its pieces leave gaps or overlap', subject);
      held += size;
      const { chunkDigest: digest } = piece;
      if (typeof digest !== 'string' || !isDigest(digest) || !digest.startsWith('sha256:'))
        throw badIndex('a piece without a digest', subject);
      const offset = count(piece['offset'], subject);
      const skip = count(piece['innerOffset'], subject);
      const end = this.#endOf(offset, subject);
      if (skip + size > MAX_CHUNK_BYTES || end - offset > MAX_CHUNK_BYTES) throw badIndex('a piece that is too large', subject);
      return { offset, end, skip, fileOffset, sizeBytes: size, digest };
    });
    if (held !== sizeBytes) throw badIndex('its pieces leave gaps or overlap', subject);
    return chunks;
  }

  /** Pieces end where the next ones begin. */
  #endOf(offset: number, subject: string): number {
    if (offset < 1 || offset >= this.#tocOffset) throw badIndex('a piece outside of the layer', subject);
    let [low, high] = [0, this.#offsets.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#offsets[middle] ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return this.#offsets[low] ?? this.#tocOffset;
  }
}

function count(value: unknown, subject: string, most = Number.MAX_SAFE_INTEGER): number {
  if (value === undefined) return 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most)
    throw badIndex('a number out of range', subject);
  return value;
}

function textOf(value: unknown, subject: string): string {
  if (value === undefined) return '';
  if (typeof value !== 'string' || value.includes('\0') || Buffer.byteLength(value) > 4095) throw badIndex('a link out of range', subject);
  return value;
}

/** RFC 3339, to the nanosecond. */
function parseTime(value: unknown, subject: string): bigint {
  if (value === undefined || value === '') return 0n;
  const [, whole, fraction = '', zone] =
    (typeof value === 'string' ? /^(-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(value) : null) ?? [];
  const ms = Date.parse(`${whole}${zone}`);
  if (Number.isNaN(ms)) throw badIndex('a time that is none', subject);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function readXattrs(value: unknown, subject: string): ReadonlyMap<string, Buffer> {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value)) throw badIndex('attributes that are none', subject);
  return new Map(
    Object.entries(value).map(([name, text]) => {
      if (typeof text !== 'string' || name === '' || Buffer.byteLength(name) > 255 || name.includes('\0') || text.length > 90_000)
        throw badIndex('attributes that are none', subject);
      return [name, Buffer.from(text, 'base64')];
    }),
  );
}
