/**
 * Removing a directory tree that somebody else may have filled, and may still be changing.
 *
 * Knows: how to walk by descriptor, so that a link put in the way is removed and never followed, and how to notice that a
 *   directory is a mount point, whose content belongs to another file system.
 * Does not know: what the tree was for; unmounting is the caller's.
 */
import * as fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError } from '@slipway/errors';
import { isErrno } from './confined.ts';
import { hostControlFiles } from './control-files.ts';

const OPEN_DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;
/** Entries removed before others get their turn: a millisecond or so. */
const ENTRIES_A_TURN = 64;
/** Of a file of this size and more, the kernel is busy for a while giving the blocks back: longer than a trip through the thread pool takes. */
const LARGE_BYTES = 4 * 1024 ** 2;

interface Place {
  /** `/proc/self/fd/N` of an open directory. */
  readonly at: string;
  /** For messages only; never looked up. */
  readonly shown: string;
  /** Of the file system the removal started in. */
  readonly mountId: string;
}

/**
 * Removes what is at `path`, a directory with everything below it; quiet when it is missing. Idempotent: after a failure, call it again.
 *
 * Each call is made at once, since names are changed in memory: what a container leaves is a few dozen of them, and through the thread pool
 * they would take ten times as long. In a large tree others get their turn in between, and also while a large file goes.
 *
 * @throws EngineError `failed-precondition` / `E_TREE_HAS_MOUNT` at the first mount point below (or at) `path`; its content is untouched
 */
export async function removeTree(path: string): Promise<void> {
  await new Removal().below(dirname(path), basename(path));
}

class Removal {
  #entries = 0;

  async below(parent: string, name: string): Promise<void> {
    const fd = open(parent);
    if (fd === undefined) return;
    try {
      await this.#entry({ at: `/proc/self/fd/${fd}`, shown: parent, mountId: mountIdOf(fd) }, name);
    } finally {
      fs.closeSync(fd);
    }
  }

  async #entry(place: Place, name: string): Promise<void> {
    if (++this.#entries % ENTRIES_A_TURN === 0) await nextTurn();
    const shown = `${place.shown}/${name}`;
    if (await unlinked(`${place.at}/${name}`, shown)) return;
    const fd = open(`${place.at}/${name}`);
    if (fd === undefined) return;
    try {
      const mountId = mountIdOf(fd);
      if (mountId !== place.mountId) throw hasMount(shown);
      const inside = { at: `/proc/self/fd/${fd}`, shown, mountId };
      for (const each of fs.readdirSync(inside.at)) await this.#entry(inside, each);
    } finally {
      fs.closeSync(fd);
    }
    removeDirectory(`${place.at}/${name}`, shown);
  }
}

/** False for a directory. */
async function unlinked(path: string, shown: string): Promise<boolean> {
  try {
    if (isLarge(path)) await fs.promises.unlink(path);
    else fs.unlinkSync(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'EBUSY')) throw hasMount(shown, error);
    if (isErrno(error, 'EISDIR', 'EPERM')) return false;
    throw error;
  }
}

/** It may be another file by the time that it is removed, which only costs time. */
function isLarge(path: string): boolean {
  const info = fs.lstatSync(path, { throwIfNoEntry: false });
  return info?.isFile() === true && info.size >= LARGE_BYTES;
}

function removeDirectory(path: string, shown: string): void {
  try {
    fs.rmdirSync(path);
  } catch (error) {
    if (isErrno(error, 'EBUSY')) throw hasMount(shown, error);
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function open(path: string): number | undefined {
  try {
    return fs.openSync(path, OPEN_DIRECTORY);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Two bind mounts of one file system share a device number, but never a mount id. */
function mountIdOf(fd: number): string {
  const [, id = ''] = /^mnt_id:\s*([0-9]+)$/m.exec(hostControlFiles.read(`/proc/self/fdinfo/${fd}`)) ?? [];
  return id;
}

function hasMount(path: string, cause?: unknown): EngineError {
  return new EngineError('failed-precondition', `${JSON.stringify(path)} is a mount point`, {
    code: 'E_TREE_HAS_MOUNT',
    op: 'tree.remove',
    subject: path,
    hint: 'unmount it first; what is mounted there was left alone',
    cause,
  });
}
