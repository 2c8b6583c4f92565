/**
 * What stands below a directory of somebody who may change it, or lead us astray, while it is read.
 *
 * Knows: overlay's mark for a deleted file (a 0:0 character device), and that a link, on the way or at the end, leads nowhere.
 * Does not know: opaque directories; whose tree it is.
 *
 * Synchronous, and bounded: it is for looking often at something small.
 */
import { ConfinedDirectory, type EntryStat, isErrno } from './confined.ts';
import type { ScannedEntry, ScannedTree } from './scan-upper.ts';

/** A directory of a hundred thousand names takes longer to list than looking at it is worth. */
const DIRECTORY_BYTES = 1024 ** 2;
/** Gone, replaced, or a file system that does not let us in. */
const UNSEEN = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'ESRCH', 'ENAMETOOLONG'] as const;

/**
 * Calls `use` with the directory `path` below `root`, and closes it. Undefined where there is none, or a link stands in the way.
 *
 * @param root trusted, and may end in a link of the kernel's own such as /proc/PID/root
 */
export function withConfined<T>(root: string, path: string, use: (directory: ConfinedDirectory) => T): T | undefined {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) return undefined;
  let directory: ConfinedDirectory | undefined;
  try {
    directory = ConfinedDirectory.open(`${root}/.`);
    for (const name of names) directory = stepDown(directory, name);
    return use(directory);
  } catch (error) {
    if (isErrno(error, ...UNSEEN)) return undefined;
    throw error;
  } finally {
    directory?.close();
  }
}

/** Up to `limit` entries below `root`, a directory's before those below them. */
export function scanConfined(root: ConfinedDirectory, limit: number): ScannedTree {
  const entries: ScannedEntry[] = [];
  let truncated = false;
  const visit = (directory: ConfinedDirectory, path: string): void => {
    if (directory.statSelf().size > DIRECTORY_BYTES) {
      truncated = true;
      return;
    }
    for (const name of directory.list().sort()) {
      const info = directory.stat(name);
      if (info === undefined) continue;
      if (entries.length >= limit) {
        truncated = true;
        return;
      }
      const entry = describe(`${path}/${name}`, info);
      entries.push(entry);
      if (entry.kind === 'directory') enter(directory, name, (child) => visit(child, entry.path));
    }
  };
  visit(root, '');
  return { entries, truncated };
}

/** Whether anything but a whiteout stands at `path` below `root`. */
export function existsConfined(root: ConfinedDirectory, path: string): boolean {
  const [name, ...rest] = path.split('/').filter((part) => part !== '');
  if (name === undefined) return true;
  const info = root.stat(name);
  if (info === undefined || isWhiteout(info)) return false;
  if (rest.length === 0) return true;
  return enter(root, name, (child) => existsConfined(child, rest.join('/'))) ?? false;
}

function stepDown(directory: ConfinedDirectory, name: string): ConfinedDirectory {
  const child = directory.child(name);
  directory.close();
  return child;
}

function enter<T>(directory: ConfinedDirectory, name: string, use: (child: ConfinedDirectory) => T): T | undefined {
  const child = directory.findChild(name);
  if (child === undefined) return undefined;
  try {
    return use(child);
  } finally {
    child.close();
  }
}

function describe(path: string, info: EntryStat): ScannedEntry {
  if (isWhiteout(info)) return { path, kind: 'whiteout', sizeBytes: 0 };
  const kind = info.isDirectory() ? 'directory' : info.isSymbolicLink() ? 'symlink' : info.isFile() ? 'file' : 'device';
  return { path, kind, sizeBytes: kind === 'file' ? Number(info.size) : 0 };
}

function isWhiteout(info: EntryStat): boolean {
  return info.isCharacterDevice() && info.rdev === 0n;
}
