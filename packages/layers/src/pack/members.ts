/**
 * From changes to the bytes of a tar: the same tree gives the same bytes, whenever and wherever it is packed.
 *
 * Knows: hard links, holes, devices, and that files may change while they are read.
 * Does not know: compression (pack-stream.ts).
 */
import { confinedFile, type EntryStat } from '@slipway/kernel/worker';
import type { EntryType } from '../tar/entry.ts';
import { type EntryInit, tarEnd, tarHeader, tarPadding } from '../tar/write.ts';
import { type Piece, tarSparseHeader } from '../tar/write-sparse.ts';
import type { Change } from './change.ts';
import { keptXattrs } from './kept-xattrs.ts';
import type { WalkedEntry } from './walk.ts';

export interface MemberOptions {
  /** Seconds since 1970: later times are set to this one. */
  readonly latestMtime?: number;
}

const NANO = 1_000_000_000n;
const CHUNK_BYTES = 256 * 1024;
/** What file systems make holes of. */
const HOLE_BYTES = 4096;
/** Smaller files are not worth a map. */
const SPARSE_FROM_BYTES = 64 * 1024;
const MAX_PIECES = 60_000;
const MAX_WARNINGS = 100;

export class MemberWriter {
  readonly #options: MemberOptions;
  /** Inode → the first name it was written by. */
  readonly #written = new Map<string, string>();
  readonly #warnings = new Set<string>();
  #members = 0;
  #fileBytes = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  get members(): number {
    return this.#members;
  }

  /** Of regular files, holes included. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** The whole archive, its end included. @throws EngineError `unsupported` / `E_LAYER_PACK`; errno errors of the kernel */
  *archive(changes: Iterable<Change>): Generator<Uint8Array> {
    for (const change of changes) {
      if (change.kind === 'left-out') this.#warn(`${change.path}: left out, ${change.why}`);
      else if (change.kind === 'entry') yield* this.#entry(change.entry);
      else yield this.#whiteout(change);
    }
    yield tarEnd();
  }

  #whiteout({ kind, path }: { readonly kind: 'whiteout' | 'opaque'; readonly path: string }): Uint8Array {
    this.#members++;
    const slash = path.lastIndexOf('/') + 1;
    const name = kind === 'opaque' ? `${path}/.wh..wh..opq` : `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
    return tarHeader({ name, type: 'file', mode: 0 });
  }

  *#entry(entry: WalkedEntry): Generator<Uint8Array> {
    const { path, stat } = entry;
    const type = typeOf(stat);
    if (type === undefined) return this.#warn(`${path}: left out, a socket has no place in an archive`);
    const name = type === 'directory' ? `${path === '' ? '.' : path}/` : path;
    const linked = this.#linkTo(stat, path);
    this.#members++;
    if (linked !== undefined) {
      yield tarHeader({ ...this.#init(entry, name, 'hardlink'), linkName: linked });
    } else if (type === 'file') {
      yield* this.#file(entry, this.#init(entry, name, type));
    } else {
      const linkName = type === 'symlink' ? entry.parent.readLink(entry.name) : '';
      yield tarHeader({ ...this.#init(entry, name, type), linkName, ...device(stat) });
    }
  }

  #init({ stat, xattrs }: WalkedEntry, name: string, type: EntryType): EntryInit {
    const { latestMtime } = this.#options;
    const latestNs = latestMtime === undefined ? undefined : BigInt(latestMtime) * NANO;
    const mtimeNs = latestNs !== undefined && stat.mtimeNs > latestNs ? latestNs : stat.mtimeNs;
    return {
      name,
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtimeNs,
      xattrs: type === 'hardlink' ? new Map() : keptXattrs(xattrs),
    };
  }

  /** The name under which this file is already in the archive; remembers it otherwise. */
  #linkTo(stat: EntryStat, path: string): string | undefined {
    if (stat.nlink < 2n || stat.isDirectory()) return undefined;
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#written.get(inode);
    if (first === undefined) this.#written.set(inode, path);
    return first;
  }

  *#file(entry: WalkedEntry, init: EntryInit): Generator<Uint8Array> {
    const fd = entry.parent.openFile(entry.name);
    try {
      const stat = confinedFile.stat(fd);
      if (!stat.isFile()) return this.#warn(`${entry.path}: left out, it was replaced while it was read`);
      const sizeBytes = Number(stat.size);
      this.#fileBytes += sizeBytes;
      const isSparse = sizeBytes >= SPARSE_FROM_BYTES && Number(stat.blocks) * 512 < sizeBytes;
      const pieces = isSparse ? findPieces(fd, sizeBytes) : undefined;
      const { head, contentBytes } =
        pieces === undefined
          ? { head: tarHeader({ ...init, sizeBytes }), contentBytes: sizeBytes }
          : tarSparseHeader({ ...init, sizeBytes }, pieces);
      yield head;
      for (const piece of pieces ?? [{ offset: 0, length: sizeBytes }]) yield* this.#content(fd, piece, entry.path);
      yield tarPadding(contentBytes);
    } finally {
      confinedFile.close(fd);
    }
  }

  *#content(fd: number, { offset, length }: Piece, path: string): Generator<Uint8Array> {
    for (let done = 0; done < length; ) {
      const wanted = Math.min(CHUNK_BYTES, length - done);
      const bytes = confinedFile.read(fd, wanted, offset + done);
      done += wanted;
      yield bytes;
      if (bytes.byteLength === wanted) continue;
      // The header has promised a size, and an archive has no way to take it back.
      this.#warn(`${path}: became shorter while it was read; filled up with zeros`);
      yield new Uint8Array(wanted - bytes.byteLength);
    }
  }

  #warn(message: string): void {
    if (this.#warnings.size < MAX_WARNINGS) this.#warnings.add(message.length > 300 ? `${message.slice(0, 300)}…` : message);
  }
}

/** Runs of anything but zeros, in whole file-system blocks; undefined when a map would gain nothing. Node has no SEEK_HOLE. */
function findPieces(fd: number, sizeBytes: number): readonly Piece[] | undefined {
  const pieces: { offset: number; length: number }[] = [];
  for (let at = 0; at < sizeBytes; at += CHUNK_BYTES) {
    const bytes = Buffer.from(confinedFile.read(fd, Math.min(CHUNK_BYTES, sizeBytes - at), at));
    for (let inner = 0; inner < bytes.length; inner += HOLE_BYTES) {
      const block = bytes.subarray(inner, inner + HOLE_BYTES);
      if (ZEROS.subarray(0, block.length).equals(block)) continue;
      const last = pieces.at(-1);
      if (last !== undefined && last.offset + last.length === at + inner) last.length += block.length;
      else pieces.push({ offset: at + inner, length: block.length });
    }
    if (pieces.length > MAX_PIECES) return undefined;
  }
  const held = pieces.reduce((sum, { length }) => sum + length, 0);
  return held < sizeBytes ? pieces : undefined;
}

const ZEROS = Buffer.alloc(HOLE_BYTES);

function typeOf(stat: EntryStat): EntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

/** As glibc's makedev packs them. */
function device({ rdev }: EntryStat): { readonly deviceMajor: number; readonly deviceMinor: number } {
  return {
    deviceMajor: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    deviceMinor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  };
}
