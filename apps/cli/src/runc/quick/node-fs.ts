/**
 * node:fs, as far as making a process needs it; what is missing here is left to Node.
 *
 * Knows: Node's signatures, and that its errors carry `code`, `errno`, `syscall` and `path`.
 * Does not know: what a file means.
 */
import { constants as os } from 'node:os';
import { constants } from 'slipway:fs-constants';
import { refuseMissing } from './refuse-missing.ts';
import { type StatNumbers, system } from './system.ts';
import { decodeText, encodeText } from './text.ts';

export { constants };

/** Of two names for one number the first is Node's: EAGAIN, ENOTSUP. */
const NAMES = new Map(
  Object.entries(os.errno)
    .toReversed()
    .map(([name, errno]) => [errno as number, name]),
);

/** A result that is no errno. */
function check<T>(result: T | number, syscall: string, path: string | number): T {
  if (typeof result !== 'number' || result >= 0) return result as T;
  const code = NAMES.get(-result) ?? 'EIO';
  const about = typeof path === 'string' ? ` '${path}'` : '';
  throw Object.assign(new Error(`${code}: ${system.strerror(-result).toLowerCase()}, ${syscall}${about}`), {
    code,
    errno: result,
    syscall,
    ...(typeof path === 'string' ? { path } : {}),
  });
}

interface Options {
  readonly mode?: number;
  readonly flag?: string;
  readonly recursive?: boolean;
  readonly force?: boolean;
  readonly bigint?: boolean;
  readonly throwIfNoEntry?: boolean;
  readonly withFileTypes?: boolean;
}

export function openSync(path: string, flags: number, mode = 0o666): number {
  return check(system.open(path, flags, mode), 'open', path);
}

export function closeSync(fd: number): void {
  check(system.close(fd), 'close', fd);
}

export function readSync(fd: number, bytes: Uint8Array, offset = 0, length = bytes.length): number {
  return check(system.read(fd, bytes, offset, length), 'read', fd);
}

/** Of text all is written, of bytes as many as the kernel takes: from `offset` on. */
export function writeSync(fd: number, data: string | Uint8Array, offset = 0): number {
  const bytes = typeof data === 'string' ? encodeText(data) : data;
  return check(system.write(fd, bytes, offset, bytes.length - offset), 'write', fd);
}

const FIRST_BYTES = 4096;

export function readFileSync(path: string, encoding?: string): string | Uint8Array {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    let bytes = new Uint8Array(FIRST_BYTES);
    let length = 0;
    for (;;) {
      const count = readSync(fd, bytes, length, bytes.length - length);
      if (count === 0) break;
      length += count;
      if (length < bytes.length) continue;
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    return encoding === 'utf8' ? decodeText(bytes, 0, length) : bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

const FLAGS: Readonly<Record<string, number>> = {
  w: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  wx: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  a: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
};

export function writeFileSync(path: string, data: string | Uint8Array, { flag = 'w', mode = 0o666 }: Options = {}): void {
  const bytes = typeof data === 'string' ? encodeText(data) : data;
  const fd = openSync(path, FLAGS[flag] ?? -1, mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}

export function appendFileSync(path: string, data: string, options: Options = {}): void {
  writeFileSync(path, data, { ...options, flag: 'a' });
}

export function mkdirSync(path: string, { mode = 0o777, recursive = false }: Options = {}): void {
  if (recursive) makeTree(path, mode);
  else check(system.mkdir(path, mode), 'mkdir', path);
}

function makeTree(path: string, mode: number): void {
  const result = system.mkdir(path, mode);
  const failure = NAMES.get(-result);
  if (failure === 'ENOENT') {
    makeTree(path.slice(0, path.lastIndexOf('/')), mode);
    mkdirSync(path, { mode });
  } else if (failure !== 'EEXIST' || !statSync(path).isDirectory()) check(result, 'mkdir', path);
}

export function rmdirSync(path: string): void {
  check(system.rmdir(path), 'rmdir', path);
}

export function unlinkSync(path: string): void {
  check(system.unlink(path), 'unlink', path);
}

export function rmSync(path: string, { force = false }: Options = {}): void {
  const result = system.unlink(path);
  if (!(force && NAMES.get(-result) === 'ENOENT')) check(result, 'rm', path);
}

export function renameSync(from: string, to: string): void {
  check(system.rename(from, to), 'rename', from);
}

export function chmodSync(path: string, mode: number): void {
  check(system.chmod(path, mode), 'chmod', path);
}

export function chownSync(path: string, uid: number, gid: number): void {
  check(system.chown(path, uid, gid), 'chown', path);
}

export function accessSync(path: string, mode: number): void {
  check(system.access(path, mode), 'access', path);
}

export function readlinkSync(path: string): string {
  return check<string>(system.readlink(path), 'readlink', path);
}

export const realpathSync = { native: (path: string): string => check<string>(system.realpath(path), 'realpath', path) };

class Entry {
  readonly name: string;
  readonly #isDirectory: boolean;

  constructor(name: string, isDirectory: boolean) {
    this.name = name;
    this.#isDirectory = isDirectory;
  }

  isDirectory(): boolean {
    return this.#isDirectory;
  }
}

export function readdirSync(path: string, { withFileTypes = false }: Options = {}): readonly (string | Entry)[] {
  const found = check<readonly (string | boolean)[]>(system.readdir(path), 'scandir', path);
  const entries: (string | Entry)[] = [];
  for (let at = 0; at < found.length; at += 2) {
    const name = String(found[at]);
    entries.push(withFileTypes ? new Entry(name, found[at + 1] === true) : name);
  }
  return entries;
}

class Stats {
  readonly mode: number;
  readonly dev: bigint | number;
  readonly ino: bigint | number;
  readonly size: bigint | number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: bigint | number;
  readonly gid: bigint | number;

  constructor([mode, dev, ino, size, mtimeNs, ctimeNs, uid, gid]: StatNumbers, isBig: boolean) {
    this.mode = Number(mode);
    [this.uid, this.gid] = isBig ? [uid, gid] : [Number(uid), Number(gid)];
    [this.dev, this.ino, this.size] = isBig ? [dev, ino, size] : [Number(dev), Number(ino), Number(size)];
    this.mtimeNs = mtimeNs;
    this.ctimeNs = ctimeNs;
  }

  isFile(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFREG;
  }

  isDirectory(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFDIR;
  }
}

refuseMissing(Stats.prototype);

function statOf(path: string, followsLinks: boolean, { bigint = false, throwIfNoEntry = true }: Options): Stats | undefined {
  const result = system.stat(path, followsLinks);
  if (!throwIfNoEntry && typeof result === 'number' && ['ENOENT', 'ENOTDIR'].includes(NAMES.get(-result) ?? '')) return undefined;
  return new Stats(check<StatNumbers>(result, followsLinks ? 'stat' : 'lstat', path), bigint);
}

export function lstatSync(path: string, options: Options = {}): Stats | undefined {
  return statOf(path, false, options);
}

export function statSync(path: string, options: Options = {}): Stats {
  return statOf(path, true, options) as Stats;
}

export function fstatSync(fd: number, { bigint = false }: Options = {}): Stats {
  return new Stats(check<StatNumbers>(system.fstat(fd), 'fstat', fd), bigint);
}
