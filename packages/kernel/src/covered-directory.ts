/**
 * Directories that something is mounted on for a while, and what is below it.
 *
 * Knows: mounting a directory on another, taking the mount off again, and reaching what it hides.
 * Does not know: why.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from './confined.ts';
import { hostControlFiles } from './control-files.ts';
import { runMount } from './fuse-device.ts';
import { removeTree } from './remove-tree.ts';

/** open(2)'s flag for a place in the tree that is not read; Node has no name for it. */
const O_PATH = 0o10000000;
/** Nobody stacks more. */
const MOST_MOUNTS = 16;

/** Shows directory `source` at directory `target`, without what is mounted below it. */
export async function bindDirectory(source: string, target: string): Promise<void> {
  await runMount(['-n', '--bind', '--', source, target]);
}

/** True when something is mounted on `path`, even by a file system whose server has died; false when there is nothing at all. */
export function isCovered(path: string): boolean {
  const own = mountIdOf(path);
  return own !== undefined && own !== mountIdOf(dirname(path));
}

/** Takes everything off `path`; who has something of it open, or mounted elsewhere, keeps that. */
export async function uncover(path: string): Promise<void> {
  for (let mounts = 0; mounts < MOST_MOUNTS && isCovered(path); mounts++) await runMount(['-i', '-n', '-l', '--', path], [], 'umount');
}

/** A directory that is covered, by another name under which it is not. */
export interface UncoveredDirectory {
  /** Absolute; good until it is closed. */
  readonly path: string;
  close(): void;
}

/** Reaches directory `name` of `parent` below whatever is mounted on it. `mountPoint`, an existing directory, is used for a moment. */
export async function openUncovered(parent: string, name: string, mountPoint: string): Promise<UncoveredDirectory> {
  await bindDirectory(parent, mountPoint);
  try {
    const fd = fs.openSync(`${mountPoint}/${name}`, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
    // The dot: such a link may then be opened by those who follow none.
    return { path: `/proc/${process.pid}/fd/${fd}/.`, close: () => fs.closeSync(fd) };
  } finally {
    await uncover(mountPoint);
  }
}

/** Removes what is in a directory, not the directory. */
export async function emptyDirectory(path: string): Promise<void> {
  for (const name of fs.readdirSync(path)) await removeTree(`${path}/${name}`);
}

/** undefined when there is nothing. */
function mountIdOf(path: string): string | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, O_PATH | fs.constants.O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    return /^mnt_id:\s*([0-9]+)$/m.exec(hostControlFiles.read(`/proc/self/fdinfo/${fd}`))?.[1];
  } finally {
    fs.closeSync(fd);
  }
}
