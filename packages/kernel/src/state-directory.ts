/**
 * State directories: claimed by one caller alone, and the fifo that holds a process back in them.
 *
 * Knows: exclusive creation, listing, non-blocking fifos.
 * Does not know: what the files in them say.
 */
import { constants, mkdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from './confined.ts';

/** Makes `path` (0700), its parents too; false when it exists already. Only one of several callers gets true. */
export async function claimDirectory(path: string): Promise<boolean> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Names of the directories in `path`; empty when it does not exist. */
export async function listDirectories(path: string): Promise<readonly string[]> {
  const entries = await fs.readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/**
 * Reads the byte that the process blocked on this fifo writes once it has a reader, and removes the fifo.
 *
 * Opened without blocking, so that a process that died in between cannot hang us.
 * @returns false when `isAlive` said no before the byte came
 */
export async function releaseFifo(path: string, isAlive: () => boolean): Promise<boolean> {
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const byte = new Uint8Array(1);
    for (;;) {
      const { bytesRead } = await file.read(byte, 0, 1, null).catch((error: unknown) => {
        if (isErrno(error, 'EAGAIN')) return { bytesRead: 0 };
        throw error;
      });
      if (bytesRead === 1) break;
      if (!isAlive()) return false;
      await sleep(1);
    }
  } finally {
    await file.close();
  }
  await fs.rm(path, { force: true });
  return true;
}
