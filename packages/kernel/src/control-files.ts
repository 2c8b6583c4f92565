/**
 * The port through which cgroups and proc readers touch the kernel's own file systems.
 *
 * Knows: single reads and writes of small files, single directories.
 * Does not know: what any file means.
 *
 * Synchronous on purpose: these file systems answer from memory within microseconds, and a hop through the thread pool for each
 * of the thirty calls of a container's start would cost more than all of them together.
 */
import * as fs from 'node:fs';

/** What is at a path; links are not followed. */
export type EntryKind = 'file' | 'directory' | 'other';

/** Errors are the kernel's own, with `code` (`ENOENT`, `EBUSY`, `EINVAL` …), from every implementation. */
export interface ControlFiles {
  /** The first `maxBytes` (64 KiB when absent) of a file. @throws ENOENT … */
  read(path: string, maxBytes?: number): string;
  /** One write(2) of the whole text to an existing file. @throws EINVAL where the kernel refuses the value, ENOENT, EACCES … */
  write(path: string, text: string): void;
  /** One directory; the parent exists. @throws EEXIST, ENOENT … */
  mkdir(path: string, mode?: number): void;
  /** One directory without subdirectories. @throws EBUSY while processes are in a cgroup, ENOTEMPTY, ENOENT … */
  rmdir(path: string): void;
  /** Gives a directory another name beside its old one. @throws EEXIST, ENOENT … */
  rename(path: string, to: string): void;
  /** Names in a directory, sorted. @throws ENOENT … */
  list(path: string): string[];
  /** Names of the directories in a directory, in no order; links do not count. One call, where `kind` of each name would be one apiece. @throws ENOENT … */
  listDirectories(path: string): string[];
  kind(path: string): EntryKind | undefined;
  /** Differs once another file stands there or this one was written to; undefined when there is none. */
  stamp(path: string): string | undefined;
  chown(path: string, uid: number, gid: number): void;
  /** Whether this process may write here (access(2), so capabilities count). */
  isWritable(path: string): boolean;
  /** Target of a symbolic link, such as /proc/PID/ns/net. @throws ENOENT, EINVAL … */
  readLink(path: string): string;
}

const READ_BYTES = 65_536;

/** The real one. */
export const hostControlFiles: ControlFiles = {
  read(path, maxBytes = READ_BYTES) {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      return readUpTo(fd, maxBytes);
    } finally {
      fs.closeSync(fd);
    }
  },
  write(path, text) {
    // No O_CREAT and no O_TRUNC: a control file that does not exist is an error to report, not a file to make.
    const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
    try {
      fs.writeSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
  },
  mkdir: (path, mode = 0o755) => void fs.mkdirSync(path, { mode }),
  rmdir: (path) => fs.rmdirSync(path),
  rename: (path, to) => fs.renameSync(path, to),
  list: (path) => fs.readdirSync(path).sort(),
  listDirectories: (path) =>
    fs
      .readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
  kind(path) {
    const info = fs.lstatSync(path, { throwIfNoEntry: false });
    if (info === undefined) return undefined;
    if (info.isFile()) return 'file';
    return info.isDirectory() ? 'directory' : 'other';
  },
  stamp(path) {
    const info = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return info && [info.dev, info.ino, info.size, info.mtimeNs, info.ctimeNs].join(' ');
  },
  chown: (path, uid, gid) => fs.chownSync(path, uid, gid),
  isWritable(path) {
    try {
      fs.accessSync(path, fs.constants.W_OK);
      return true;
    } catch {
      return false; // Whatever the reason, the answer is no.
    }
  },
  readLink: (path) => fs.readlinkSync(path),
};

/** As `write`, on a thread beside: for the few writes that the kernel lets wait. */
export async function writeControlFileAside(path: string, text: string): Promise<void> {
  const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
  // Not by node:fs/promises, which loads readline and streams with it: a command line's start waits for that.
  await new Promise<void>((resolve, reject) => {
    fs.write(fd, text, (failure) => {
      fs.closeSync(fd);
      if (failure === null) resolve();
      else reject(failure);
    });
  });
}

/** One for all reads: they are synchronous, and a fresh 64 KiB for a file of a few bytes would keep the garbage collector busy. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Until a read gives nothing: the kernel hands out whole records, at most a page of them, so that a short read says nothing about the end. */
function readUpTo(fd: number, maxBytes: number): string {
  const full: Buffer[] = [];
  let used = 0;
  for (let total = 0; total < maxBytes; ) {
    if (used === buffer.length) {
      full.push(Buffer.from(buffer));
      used = 0;
    }
    const count = fs.readSync(fd, buffer, used, Math.min(buffer.length - used, maxBytes - total), null);
    if (count === 0) break;
    used += count;
    total += count;
  }
  if (full.length === 0) return buffer.toString('utf8', 0, used);
  return Buffer.concat([...full, buffer.subarray(0, used)]).toString('utf8');
}
