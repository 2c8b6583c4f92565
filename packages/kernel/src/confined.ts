/**
 * A directory that cannot be left: openat(2)-like work in plain Node.
 *
 * Node has no openat. The kernel offers the same through procfs: `/proc/self/fd/N/name` starts at the directory that
 * descriptor N holds, wherever it has been moved since, and only `name` is looked up in it. Every component is opened in
 * its own step with O_NOFOLLOW, so a symbolic link put in the way, before or between two steps, gives an error and no escape.
 *
 *     root fd ──"usr"──▶ fd ──"lib"──▶ fd ──▶ create "x" as /proc/self/fd/<fd>/x
 *
 * Knows: single names below open directories, and the calls that do not follow a link in the last component.
 * Does not know: archives, layers, or where the root directory is.
 */
import * as fs from 'node:fs';
import { EngineError } from '@slipway/errors';
import { makeNodeAt, type NodeKind } from './make-node.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NONBLOCK } = fs.constants;

/** What stands at a name; nothing is followed. */
export type EntryStat = fs.BigIntStats;

/** Times in seconds, with a fraction. */
export interface EntryTimes {
  readonly atime: number;
  readonly mtime: number;
}

/**
 * One open directory. All calls are synchronous: they belong into a child process of their own.
 *
 * Names are single components; `''`, `.`, `..` and names with a slash or NUL are refused with
 * `invalid-argument` / `E_CONFINED_NAME`. Failures of the kernel are Node's errno errors, unwrapped.
 */
export class ConfinedDirectory {
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Takes over a descriptor of a directory, e.g. one inherited from the parent process. */
  static fromDescriptor(fd: number): ConfinedDirectory {
    if (!fs.fstatSync(fd).isDirectory()) {
      throw new EngineError('invalid-argument', `descriptor ${fd} is not a directory`, { code: 'E_CONFINED_ROOT', op: 'confined.open' });
    }
    return new ConfinedDirectory(fd);
  }

  /** Opens the root itself. `path` is trusted; its last component must not be a symbolic link. */
  static open(path: string): ConfinedDirectory {
    return new ConfinedDirectory(fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** A second descriptor of the same directory. */
  self(): ConfinedDirectory {
    return new ConfinedDirectory(fs.openSync(`/proc/self/fd/${this.fd}/.`, O_RDONLY | O_DIRECTORY));
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  /** The subdirectory `name`. @throws ENOTDIR or ELOOP when it is a link or no directory, ENOENT when it is missing */
  child(name: string): ConfinedDirectory {
    return new ConfinedDirectory(fs.openSync(this.#at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** As {@link child}, undefined when there is no such directory. */
  findChild(name: string): ConfinedDirectory | undefined {
    try {
      return this.child(name);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    }
  }

  /** undefined when nothing is there. */
  stat(name: string): EntryStat | undefined {
    return fs.lstatSync(this.#at(name), { bigint: true, throwIfNoEntry: false });
  }

  /** Of the directory itself. */
  statSelf(): EntryStat {
    return fs.fstatSync(this.fd, { bigint: true });
  }

  list(): string[] {
    return fs.readdirSync(`/proc/self/fd/${this.fd}`);
  }

  readLink(name: string): string {
    return fs.readlinkSync(this.#at(name));
  }

  makeDirectory(name: string, mode: number): ConfinedDirectory {
    fs.mkdirSync(this.#at(name), { mode: 0o700 });
    const directory = this.child(name);
    fs.fchmodSync(directory.fd, mode & 0o7777);
    return directory;
  }

  /** A new empty file open for writing, mode 0600. @throws EEXIST when anything, even a dangling link, has the name */
  createFile(name: string): number {
    return fs.openSync(this.#at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  }

  /** Opens an existing regular file for reading. */
  openFile(name: string): number {
    return fs.openSync(this.#at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  symlink(name: string, target: string): void {
    fs.symlinkSync(target, this.#at(name));
  }

  /** linkat(2) without following: a link to a symbolic link is another name of that link. */
  hardLink(name: string, from: ConfinedDirectory, existing: string): void {
    fs.linkSync(from.#at(existing), this.#at(name));
  }

  /** Device, fifo or whiteout (`c 0 0`). @throws EPERM in a user namespace for devices other than a whiteout */
  makeNode(name: string, kind: NodeKind): void {
    this.#at(name);
    makeNodeAt(this.fd, name, kind);
  }

  /** Removes what is at `name`, a directory with everything below it; links are removed, never entered. Quiet when missing. */
  remove(name: string): void {
    const info = this.stat(name);
    if (info === undefined) return;
    if (!info.isDirectory()) {
      fs.unlinkSync(this.#at(name));
      return;
    }
    const directory = this.child(name);
    try {
      for (const inner of directory.list()) directory.remove(inner);
    } finally {
      directory.close();
    }
    fs.rmdirSync(this.#at(name));
  }

  /** lchown(2). */
  setOwner(name: string, uid: number, gid: number): void {
    fs.lchownSync(this.#at(name), uid, gid);
  }

  setTimes(name: string, { atime, mtime }: EntryTimes): void {
    fs.lutimesSync(this.#at(name), timestamp(atime), timestamp(mtime));
  }

  /** Mode, owner and times of the directory itself, by descriptor. */
  setSelf(what: { readonly mode?: number; readonly uid?: number; readonly gid?: number; readonly times?: EntryTimes }): void {
    // chown clears setuid and setgid, so the mode comes after it.
    if (what.uid !== undefined && what.gid !== undefined) fs.fchownSync(this.fd, what.uid, what.gid);
    if (what.mode !== undefined) fs.fchmodSync(this.fd, what.mode & 0o7777);
    if (what.times !== undefined) fs.futimesSync(this.fd, timestamp(what.times.atime), timestamp(what.times.mtime));
  }

  #at(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
      throw new EngineError('invalid-argument', `${JSON.stringify(name.slice(0, 255))} is not a single file name`, {
        code: 'E_CONFINED_NAME',
        op: 'confined.resolve',
        subject: name.slice(0, 255),
      });
    }
    return `/proc/self/fd/${this.fd}/${name}`;
  }
}

/** Node takes a number below zero for the present, and the same as text for what it says. */
function timestamp(seconds: number): number | string {
  return seconds < 0 ? String(seconds) : seconds;
}

/** True for Node's errors of one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Descriptor calls for files that {@link ConfinedDirectory.createFile} or {@link ConfinedDirectory.openFile} opened. */
export const confinedFile = {
  stat(fd: number): EntryStat {
    return fs.fstatSync(fd, { bigint: true });
  },
  /** Up to `most` bytes from `position`; fewer only where the file ends. */
  read(fd: number, most: number, position: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(most);
    let held = 0;
    for (let got = -1; got !== 0 && held < most; held += got) got = fs.readSync(fd, bytes, held, most - held, position + held);
    return bytes.subarray(0, held);
  },
  write(fd: number, bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.byteLength; ) done += fs.writeSync(fd, bytes, done, bytes.byteLength - done, position + done);
  },
  /** Sets the size; a tail that was never written becomes a hole. */
  truncate(fd: number, sizeBytes: number): void {
    fs.ftruncateSync(fd, sizeBytes);
  },
  finish(fd: number, what: { readonly mode: number; readonly uid: number; readonly gid: number; readonly times: EntryTimes }): void {
    fs.fchownSync(fd, what.uid, what.gid);
    fs.fchmodSync(fd, what.mode & 0o7777);
    fs.futimesSync(fd, timestamp(what.times.atime), timestamp(what.times.mtime));
  },
  close(fd: number): void {
    fs.closeSync(fd);
  },
  /** Copies a regular file with mode, owner and times to the same name in `to`. */
  copy(from: ConfinedDirectory, name: string, to: ConfinedDirectory): void {
    const source = from.openFile(name);
    const target = to.createFile(name);
    try {
      const info = fs.fstatSync(source);
      const buffer = Buffer.allocUnsafe(256 * 1024);
      for (let at = 0, got = -1; got !== 0; at += got) {
        got = fs.readSync(source, buffer, 0, buffer.length, at);
        confinedFile.write(target, buffer.subarray(0, got), at);
      }
      confinedFile.finish(target, {
        mode: info.mode,
        uid: info.uid,
        gid: info.gid,
        times: { atime: info.atimeMs / 1000, mtime: info.mtimeMs / 1000 },
      });
    } finally {
      fs.closeSync(source);
      fs.closeSync(target);
    }
  },
};
