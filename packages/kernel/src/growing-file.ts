/**
 * A file that grows while it is read: a log that somebody else writes.
 *
 * Knows: reading by offset, and that a log may be a trap (a link, a fifo, a device).
 * Does not know: lines or formats.
 */
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isErrno } from './confined.ts';

/** Read by offset; stays the same file when its name goes to another one. */
export interface GrowingFile {
  /** Identifies the file across renames. */
  readonly inode: number;
  size(): Promise<number>;
  /** Up to `maxBytes` from `offset`; empty at the end. */
  read(offset: number, maxBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a regular file for reading; undefined when there is none. @throws ELOOP for a link, RangeError for what is no regular file */
export async function openGrowingFile(path: string): Promise<GrowingFile | undefined> {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  const info = await handle.stat();
  if (!info.isFile()) {
    await handle.close();
    throw new RangeError('not a regular file');
  }
  return {
    inode: info.ino,
    size: async () => (await handle.stat()).size,
    read: async (offset, maxBytes) => {
      const buffer = Buffer.allocUnsafe(maxBytes);
      const { bytesRead } = await handle.read(buffer, 0, maxBytes, offset);
      return buffer.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}
