/**
 * Removing a directory tree that somebody else may have filled, and may still be changing.
 *
 * Knows: how to walk by descriptor, so that a link put in the way is removed and never followed, and how to notice that a
 *   directory is a mount point, whose content belongs to another file system.
 * Does not know: what the tree was for; unmounting is the caller's.
 */
import * as fs from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { EngineError } from '@slipway/errors';
import { isErrno } from './confined.ts';
import { hostControlFiles } from './control-files.ts';

const OPEN_DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;
/** Entries removed at once: enough to keep libuv's four threads busy. */
const BATCH = 32;

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
 * @throws EngineError `failed-precondition` / `E_TREE_HAS_MOUNT` at the first mount point below (or at) `path`; its content is untouched
 */
export async function removeTree(path: string): Promise<void> {
  const parent = await open(dirname(path));
  if (parent === undefined) return;
  try {
    const at = `/proc/self/fd/${parent.fd}`;
    await removeEntry({ at, shown: dirname(path), mountId: mountIdOf(parent.fd) }, basename(path));
  } finally {
    await parent.close();
  }
}

async function removeEntry(place: Place, name: string): Promise<void> {
  const entry = `${place.at}/${name}`;
  const shown = `${place.shown}/${name}`;
  try {
    return await fs.unlink(entry);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (isErrno(error, 'EBUSY')) throw hasMount(shown, error);
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error;
  }
  const directory = await open(entry);
  if (directory === undefined) return;
  try {
    const mountId = mountIdOf(directory.fd);
    if (mountId !== place.mountId) throw hasMount(shown);
    await empty({ at: `/proc/self/fd/${directory.fd}`, shown, mountId });
  } finally {
    await directory.close();
  }
  await fs.rmdir(entry).catch((error: unknown) => {
    if (isErrno(error, 'EBUSY')) throw hasMount(shown, error);
    if (!isErrno(error, 'ENOENT')) throw error;
  });
}

async function empty(place: Place): Promise<void> {
  const entries = await fs.readdir(place.at, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory());
  const others = entries.filter((entry) => !entry.isDirectory());
  for (let start = 0; start < others.length; start += BATCH) {
    await Promise.all(others.slice(start, start + BATCH).map((entry) => removeEntry(place, entry.name)));
  }
  // One after another: a wide tree would otherwise hold as many descriptors as it has directories.
  for (const entry of directories) await removeEntry(place, entry.name);
}

async function open(path: string): Promise<fs.FileHandle | undefined> {
  return await fs.open(path, OPEN_DIRECTORY).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
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
