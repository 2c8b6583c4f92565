/**
 * Files and directories of the image store: private, durable, streamed.
 *
 * Knows: what has to be synced for a rename to survive a power cut, and which modes keep other users out.
 * Does not know: blobs, snapshots or what the bytes mean.
 */
import { chmodSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { isErrno } from './confined.ts';

/** What a directory listing says about an entry; nothing is followed. */
export interface StoredFileInfo {
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly isDirectory: boolean;
}

/** A file being written from its end. */
export interface AppendHandle {
  /** Bytes in the file so far. */
  readonly size: number;
  /** Appends; resolves when every byte has been handed to the kernel. */
  append(bytes: Uint8Array): Promise<void>;
  /** The bytes already there, from the start. */
  read(): AsyncIterable<Uint8Array>;
  /** fsync(2). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file open for reading; the descriptor may be handed to a child. */
export interface ReadHandle {
  readonly fd: number;
  readonly sizeBytes: number;
  /** All bytes, or `length` of them from `start`. */
  stream(range?: ByteRange): Readable;
  /** Bytes from `position` into `buffer`, as many as come at once; 0 at the end. */
  readAt(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** A part of a file; `length` is at least 1. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** Makes a directory (and its parents) and sets its mode whatever the umask; an existing one is tightened to `mode`. */
export async function ensurePrivateDirectory(path: string, mode = 0o700): Promise<void> {
  // Both change memory only; two trips through the thread pool would take ten times as long.
  const isNew = mkdirSync(path, { recursive: true, mode }) !== undefined;
  if (!isNew || (mode & 0o077) !== 0) chmodSync(path, mode); // no umask takes from the owner
}

/** Opens `path` for appending, creating it 0600; a symbolic link is refused. */
export async function openForAppend(path: string): Promise<AppendHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const handle = await fs.open(path, flags, 0o600);
  let size = (await handle.stat()).size;
  return {
    get size() {
      return size;
    },
    append: async (bytes) => {
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done);
        done += bytesWritten;
        size += bytesWritten;
      }
    },
    read: () => handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 }),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** Opens a regular file for reading; undefined when there is none. */
export async function openForRead(path: string): Promise<ReadHandle | undefined> {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent);
  if (handle === undefined) return undefined;
  const { size } = await handle.stat();
  return {
    fd: handle.fd,
    sizeBytes: size,
    stream: ({ start, length } = { start: 0, length: Infinity }) =>
      handle.createReadStream({ start, end: start + length - 1, autoClose: false, highWaterMark: 256 * 1024 }),
    readAt: async (buffer, position) => (await handle.read(buffer, 0, buffer.byteLength, position)).bytesRead,
    close: () => handle.close(),
  };
}

/** Opens a directory, for handing its descriptor to a child; a symbolic link is refused. */
export async function openDirectoryHandle(path: string): Promise<{ readonly fd: number; close(): Promise<void> }> {
  // Of every layer, all that are below it are opened: no trip through the thread pool for each.
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return { fd, close: async () => closeSync(fd) };
}

/** Renames and makes the new name survive a power cut. The file's own bytes must have been synced before. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await fs.rename(from, to);
  await syncDirectory(dirname(to));
}

/** fsync(2) of a directory: the names in it are on disk afterwards. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync().finally(() => handle.close());
}

/** What is at `path`, links not followed; undefined when nothing is. */
export async function statStored(path: string): Promise<StoredFileInfo | undefined> {
  const info = await fs.lstat(path).catch(absent);
  return info && { sizeBytes: info.size, modifiedAtMs: info.mtimeMs, isDirectory: info.isDirectory() };
}

/** Names in a directory, sorted; empty when the directory is missing. */
export async function listNames(path: string): Promise<readonly string[]> {
  return ((await fs.readdir(path).catch(absent)) ?? []).sort();
}

export async function setMode(path: string, mode: number): Promise<void> {
  await fs.chmod(path, mode);
}

/** Gives the file `path` a second name; a copy where the names are on two file systems. Quiet when `name` is taken. */
export async function linkStored(path: string, name: string): Promise<void> {
  try {
    await fs.link(path, name);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    if (!isErrno(error, 'EXDEV')) throw error;
    await fs.copyFile(path, name, constants.COPYFILE_EXCL);
  }
}

/** Removes one file; quiet when it is missing. Returns whether there was one. */
export async function removeStoredFile(path: string): Promise<boolean> {
  return (await fs.unlink(path).then(() => true, absent)) ?? false;
}

/** `ENOENT` is an answer, everything else a failure. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
