/**
 * Small whole files: read with a bound, written so that a reader sees the old content or the new one and never half of it.
 *
 * Knows: temp file, fsync, rename, fsync of the directory.
 * Does not know: what the text means; large streams (stored-files.ts) or trees (remove-tree.ts).
 */
import { chmodSync, closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { EngineError } from '@slipway/errors';
import { isErrno } from './confined.ts';
import { syncDirectory } from './stored-files.ts';

/** Bytes read at most when the caller sets no bound of its own: 4 MiB. */
export const READ_MAX_BYTES = 4 * 1024 * 1024;

/** Most files are smaller; buffers of this size come out of Node's pool. */
const FIRST_READ_BYTES = 4000;

export interface ReadOptions {
  readonly maxBytes?: number;
}

/**
 * The UTF-8 text of a regular file. Reads are counted, not trusted to the size in the inode (0 for kernel files).
 *
 * @throws EngineError `not-found` / `E_FILE_NOT_FOUND`; `invalid-argument` / `E_FILE_TOO_LARGE`, `E_FILE_KIND` for what is no regular
 *   file (a fifo would block for ever); other errors of the kernel as they are
 */
export async function readText(path: string, options: ReadOptions = {}): Promise<string> {
  const text = await findText(path, options);
  if (text !== undefined) return text;
  throw new EngineError('not-found', `no file ${quote(path)}`, { code: 'E_FILE_NOT_FOUND', op: 'file.read', subject: path });
}

/**
 * As {@link readText}; undefined when the file is missing. Read at once, as `writeAtOnce` writes: small files stand in the page cache, and
 * five trips through the thread pool take longer than all five calls.
 */
export async function findText(path: string, { maxBytes = READ_MAX_BYTES }: ReadOptions = {}): Promise<string | undefined> {
  const fd = openIfThere(path);
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) throw refuse(path, 'E_FILE_KIND', 'is not a regular file');
    return readBounded(fd, path, maxBytes).toString('utf8');
  } finally {
    closeSync(fd);
  }
}

/** Non-blocking, so that opening a fifo returns and can be refused. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export interface AtomicWriteOptions {
  /** Of the new file; 0600 when absent. Set whatever the umask is. */
  readonly mode?: number;
  /** False skips the fsyncs: for state that a reboot may lose (tmpfs). Atomic all the same. */
  readonly durable?: boolean;
}

/**
 * Nobody else's: by the process, whatever its pid was used for before. No secret ('wx' refuses what stands there), so without node:crypto,
 * which takes 4 ms to load. Made when asked for: a start-up snapshot holds what modules made of themselves, for many processes.
 */
let temporaryNames: string | undefined;
let temporaryCount = 0;

function temporaryName(path: string): string {
  temporaryNames ??= `${process.pid}-${Math.random().toString(36).slice(2)}`;
  const name = path.lastIndexOf('/') + 1;
  return `${path.slice(0, name)}.${path.slice(name)}.${temporaryNames}-${++temporaryCount}.tmp`;
}

/** Replaces (or makes) a file: afterwards it has this content and, unless `durable` is false, keeps it through a power cut. */
export async function writeFileAtomic(path: string, content: string | Uint8Array, options: AtomicWriteOptions = {}): Promise<void> {
  const { mode = 0o600, durable = true } = options;
  const temporary = temporaryName(path);
  if (!durable) return writeAtOnce(path, temporary, { content, mode });
  const handle = await fs.open(temporary, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(content);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Synchronous: it ends in the page cache, where five calls take some ten microseconds each; handing each of them to the thread pool
 * takes longer, and a container's start has a dozen such files.
 */
function writeAtOnce(path: string, temporary: string, file: { readonly content: string | Uint8Array; readonly mode: number }): void {
  try {
    writeNewFile(temporary, file.content, file.mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a file where none is, at once and for the page cache. Not atomic: for directories that nobody reads yet.
 *
 * @throws EEXIST
 */
export function writeNewFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  // With an encoding, Node opens, writes and closes in one call.
  writeFileSync(path, content, { encoding: 'utf8', flag: 'wx', mode: 0o600 });
  if (mode !== 0o600) chmodSync(path, mode); // whatever the umask is
}

/** Removes a file, at once; quiet when it is missing. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** Makes a directory and its missing parents; an existing one keeps its mode. Returns whether the last one was made here. */
export async function ensureDirectory(path: string, mode = 0o755): Promise<boolean> {
  return (await fs.mkdir(path, { recursive: true, mode })) !== undefined;
}

/** Makes exactly one directory. @throws EngineError `already-exists` / `E_FILE_EXISTS` */
export async function makeDirectory(path: string, mode = 0o755): Promise<void> {
  await fs.mkdir(path, { mode }).catch((cause: unknown) => {
    if (!isErrno(cause, 'EEXIST')) throw cause;
    throw new EngineError('already-exists', `${quote(path)} exists already`, {
      code: 'E_FILE_EXISTS',
      op: 'file.mkdir',
      subject: path,
      cause,
    });
  });
}

function readBounded(fd: number, path: string, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(total === 0 ? FIRST_READ_BYTES : 65_536, maxBytes + 1 - total));
    const bytesRead = readSync(fd, chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > maxBytes) throw refuse(path, 'E_FILE_TOO_LARGE', `is larger than ${maxBytes} bytes`);
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function refuse(path: string, code: 'E_FILE_TOO_LARGE' | 'E_FILE_KIND', problem: string): EngineError {
  return new EngineError('invalid-argument', `${quote(path)} ${problem}`, { code, op: 'file.read', subject: path });
}

function quote(path: string): string {
  return JSON.stringify(path);
}
