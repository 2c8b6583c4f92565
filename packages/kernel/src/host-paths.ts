/**
 * Questions about host paths that a caller asks before it makes a promise about them.
 *
 * Knows: existence, links, room.
 * Does not know: who may use a path.
 */
import { realpathSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isErrno } from './confined.ts';

/** The path with every link followed; undefined when it does not exist. */
export async function resolvePath(path: string): Promise<string | undefined> {
  try {
    return realpathSync.native(path); // names are in the kernel's cache; a trip through the thread pool takes ten times as long
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Room on the file system that holds `path`. */
export async function diskSpace(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
  const { bavail, blocks, bsize } = await fs.statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
