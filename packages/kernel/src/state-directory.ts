/**
 * State directories: claimed by one caller alone, and the fifo that holds a process back in them.
 *
 * Knows: exclusive creation, listing, non-blocking fifos.
 * Does not know: what the files in them say.
 */
import { closeSync, constants, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from './confined.ts';

/** Makes `path` (0700), its parents too; false when it exists already. Only one of several callers gets true. */
export async function claimDirectory(path: string): Promise<boolean> {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return claimDirectory(path);
}

/** Names of the directories in `path`; empty when it does not exist. */
export async function listDirectories(path: string): Promise<readonly string[]> {
  const entries = await fs.readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** What came through a fifo: the process goes on, it died instead, or it says why it will not. */
export type Release = 'released' | 'ended' | { readonly refused: string };

/** As much as the kernel writes in one piece. */
const ANSWER_BYTES = 4096;
const RELEASED = '0';

/**
 * Reads the answer that the process blocked on this fifo writes once it has a reader, and removes the fifo. The answer may take as
 * long as what the process has to do first.
 *
 * Opened without blocking, so that a process that died in between (`isAlive` says no) cannot hang us.
 */
export async function releaseFifo(path: string, isAlive: () => boolean): Promise<Release> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let answer = '';
  try {
    for (let waitMs = 1; answer === ''; waitMs = Math.min(waitMs * 1.2, 20)) {
      const wasAlive = isAlive();
      answer = readSome(fd);
      if (answer !== '') break;
      if (!wasAlive) return 'ended';
      await sleep(waitMs);
    }
  } finally {
    closeSync(fd);
  }
  rmSync(path, { force: true });
  return answer.startsWith(RELEASED) ? 'released' : { refused: answer.slice(1) };
}

function readSome(fd: number): string {
  const bytes = Buffer.alloc(ANSWER_BYTES);
  try {
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return '';
    throw error;
  }
}
