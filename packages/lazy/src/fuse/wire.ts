/**
 * The FUSE protocol's messages as far as a file system that is only read needs them: requests decoded, replies encoded. Little endian.
 *
 *     request   length u32 │ operation u32 │ unique u64 │ node u64 │ uid gid pid u32 │ … │ body
 *     reply     length u32 │ -errno i32    │ unique u64 │ body
 *
 * Knows: offsets and numbers.
 * Does not know: nodes.
 *
 * @see fuse(4), include/uapi/linux/fuse.h
 */

export const Operation = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  readlink: 5,
  open: 14,
  read: 15,
  statfs: 17,
  release: 18,
  getxattr: 22,
  listxattr: 23,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  readdirplus: 44,
} as const;

export const Errno = { ENOENT: 2, EINTR: 4, EIO: 5, EROFS: 30, ERANGE: 34, ENOSYS: 38, ENODATA: 61, ENOTDIR: 20, EINVAL: 22 } as const;

const HEADER = 40;
const REPLY_HEADER = 16;
/** Of the protocol that is spoken here. */
const MAJOR = 7;
const MINOR = 31;
/** Nothing ever changes, so the kernel may keep names, attributes and pages as long as it likes. */
const FOREVER_SECONDS = 10n * 365n * 86_400n;

/** FUSE_INIT's flags that are taken when they are offered. */
const ASYNC_READ = 1 << 0;
const DO_READDIRPLUS = 1 << 13;
const READDIRPLUS_AUTO = 1 << 14;
const PARALLEL_DIROPS = 1 << 18;
const MAX_PAGES = 1 << 22;
const CACHE_SYMLINKS = 1 << 23;
const WANTED = ASYNC_READ | DO_READDIRPLUS | READDIRPLUS_AUTO | PARALLEL_DIROPS | MAX_PAGES | CACHE_SYMLINKS;

const OPEN_KEEP_CACHE = 1 << 1;
const OPEN_CACHE_DIR = 1 << 3;

export interface FuseRequest {
  readonly operation: number;
  readonly unique: bigint;
  readonly node: number;
  readonly body: Buffer;
}

/** What stat(2) shows of a node. */
export interface NodeAttributes {
  readonly node: number;
  readonly sizeBytes: number;
  /** With the type's bits. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Linux's own encoding, see {@link deviceNumber}. */
  readonly device: number;
  readonly mtimeSeconds: bigint;
  readonly mtimeNanoseconds: number;
}

export interface DirectoryEntry {
  readonly name: string;
  /** Position after this entry. */
  readonly next: number;
  readonly attributes: NodeAttributes;
}

export function parseRequest(bytes: Buffer): FuseRequest {
  return {
    operation: bytes.readUInt32LE(4),
    unique: bytes.readBigUInt64LE(8),
    node: Number(bytes.readBigUInt64LE(16)),
    body: bytes.subarray(HEADER),
  };
}

/** The parts of one reply; `errno` 0 for success. */
export function formatReply(unique: bigint, errno: number, body: Uint8Array = new Uint8Array()): readonly Uint8Array[] {
  const header = Buffer.alloc(REPLY_HEADER);
  header.writeUInt32LE(REPLY_HEADER + body.byteLength, 0);
  header.writeInt32LE(-errno, 4);
  header.writeBigUInt64LE(unique, 8);
  return body.byteLength === 0 ? [header] : [header, body];
}

/** Undefined for a kernel whose protocol is older than anything that still runs. */
export function answerInit(body: Buffer): Buffer | undefined {
  const [major, minor] = [body.readUInt32LE(0), body.readUInt32LE(4)];
  if (major < MAJOR || (major === MAJOR && minor < MINOR)) return undefined;
  const reply = Buffer.alloc(64);
  reply.writeUInt32LE(MAJOR, 0);
  reply.writeUInt32LE(MINOR, 4);
  reply.writeUInt32LE(body.readUInt32LE(8), 8); // read-ahead as the kernel proposes
  reply.writeUInt32LE((body.readUInt32LE(12) & WANTED) >>> 0, 12);
  reply.writeUInt16LE(64, 16); // requests in flight that nobody waits for
  reply.writeUInt16LE(48, 18);
  reply.writeUInt32LE(4096, 20); // of writes, of which there are none
  reply.writeUInt32LE(1, 24); // times to the nanosecond
  reply.writeUInt16LE(256, 28); // pages in one read
  return reply;
}

export function formatAttributes(attributes: NodeAttributes): Buffer {
  const reply = Buffer.alloc(16 + 88);
  reply.writeBigUInt64LE(FOREVER_SECONDS, 0);
  writeAttributes(reply, 16, attributes);
  return reply;
}

export function formatEntry(attributes: NodeAttributes): Buffer {
  const reply = Buffer.alloc(40 + 88);
  reply.writeBigUInt64LE(BigInt(attributes.node), 0);
  reply.writeBigUInt64LE(FOREVER_SECONDS, 16);
  reply.writeBigUInt64LE(FOREVER_SECONDS, 24);
  writeAttributes(reply, 40, attributes);
  return reply;
}

/** Nobody has this name, and nobody will. */
export function formatAbsence(): Buffer {
  const reply = Buffer.alloc(40 + 88);
  reply.writeBigUInt64LE(FOREVER_SECONDS, 16);
  return reply;
}

export function formatOpen(kind: 'file' | 'directory'): Buffer {
  const reply = Buffer.alloc(16);
  reply.writeUInt32LE(kind === 'file' ? OPEN_KEEP_CACHE : OPEN_KEEP_CACHE | OPEN_CACHE_DIR, 8);
  return reply;
}

/** Offset and size of a read, of a file or a directory. */
export function parseRead(body: Buffer): { readonly offset: number; readonly size: number } {
  return { offset: Number(body.readBigUInt64LE(8)), size: body.readUInt32LE(16) };
}

/** As many entries as fit into `size` bytes. */
export function formatDirectory(entries: Iterable<DirectoryEntry>, size: number, withAttributes: boolean): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  for (const { name, next, attributes } of entries) {
    const text = Buffer.from(name);
    const head = withAttributes ? formatEntry(attributes) : Buffer.alloc(0);
    // Dot and dot-dot are told without being counted as looked up.
    if (withAttributes && (name === '.' || name === '..')) head.fill(0);
    const length = head.byteLength + 24 + Math.ceil(text.byteLength / 8) * 8;
    if (total + length > size) break;
    const part = Buffer.alloc(length);
    head.copy(part);
    part.writeBigUInt64LE(BigInt(attributes.node), head.byteLength);
    part.writeBigUInt64LE(BigInt(next), head.byteLength + 8);
    part.writeUInt32LE(text.byteLength, head.byteLength + 16);
    part.writeUInt32LE(attributes.mode >>> 12, head.byteLength + 20);
    text.copy(part, head.byteLength + 24);
    parts.push(part);
    total += length;
  }
  return Buffer.concat(parts);
}

export function formatStatfs(files: number): Buffer {
  const reply = Buffer.alloc(80);
  reply.writeBigUInt64LE(BigInt(files), 24);
  reply.writeUInt32LE(4096, 40);
  reply.writeUInt32LE(255, 44);
  reply.writeUInt32LE(4096, 48);
  return reply;
}

/** What is asked of a node's attributes: a name (absent in a list) and the room for the answer, 0 to ask how much it takes. */
export function parseXattr(body: Buffer, isList: boolean): { readonly room: number; readonly name: string } {
  return { room: body.readUInt32LE(0), name: isList ? '' : nameIn(body.subarray(8)) };
}

/** @returns undefined when the room is too small */
export function formatXattr(value: Uint8Array, room: number): Uint8Array | undefined {
  if (room > 0) return value.byteLength > room ? undefined : value;
  const reply = Buffer.alloc(8);
  reply.writeUInt32LE(value.byteLength, 0);
  return reply;
}

/** The name that is looked up. */
export function nameIn(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('utf8', 0, end < 0 ? body.byteLength : end);
}

/** Which request is no longer waited for. */
export function parseInterrupt(body: Buffer): bigint {
  return body.readBigUInt64LE(0);
}

/** The kernel's 32-bit form of a device's numbers. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function writeAttributes(target: Buffer, at: number, attributes: NodeAttributes): void {
  const { node, sizeBytes, mode, links, uid, gid, device, mtimeSeconds, mtimeNanoseconds } = attributes;
  target.writeBigUInt64LE(BigInt(node), at);
  target.writeBigUInt64LE(BigInt(sizeBytes), at + 8);
  target.writeBigUInt64LE(BigInt(Math.ceil(sizeBytes / 512)), at + 16);
  for (const [seconds, nanoseconds] of [
    [at + 24, at + 48],
    [at + 32, at + 52],
    [at + 40, at + 56],
  ] as const) {
    target.writeBigInt64LE(mtimeSeconds, seconds);
    target.writeUInt32LE(mtimeNanoseconds, nanoseconds);
  }
  target.writeUInt32LE(mode, at + 60);
  target.writeUInt32LE(links, at + 64);
  target.writeUInt32LE(uid, at + 68);
  target.writeUInt32LE(gid, at + 72);
  target.writeUInt32LE(device, at + 76);
  target.writeUInt32LE(4096, at + 80);
}
