/**
 * Control files in memory: the fake for tests of plans and layouts that this machine does not have.
 *
 * Knows: directories, files and links, and the errors the kernel gives; passes the same contract suite as the real one.
 * Does not know: cgroup semantics; `onMkdir` lets a test fill a new directory as the kernel would, `onWrite` lets it react or refuse.
 */
import type { ControlFiles, EntryKind } from './control-files.ts';

type Entry =
  | { readonly kind: 'directory'; owner: readonly [number, number] }
  | { readonly kind: 'file'; text: string; owner: readonly [number, number]; readonly writable: boolean }
  | { readonly kind: 'other'; readonly target: string };

export interface MemoryControlOptions {
  /** Path → content of files there from the start; parents are made. */
  readonly files?: Readonly<Record<string, string>>;
  /** After a directory was made. */
  readonly onMkdir?: (files: MemoryControlFiles, path: string) => void;
  /** Before a write; what it returns is stored instead, and throwing refuses the write. */
  readonly onWrite?: (files: MemoryControlFiles, path: string, text: string) => string | undefined;
}

/** An error as node:fs throws it. */
export function errnoError(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });
}

export class MemoryControlFiles implements ControlFiles {
  readonly #entries = new Map<string, Entry>([['/', { kind: 'directory', owner: [0, 0] }]]);
  readonly #options: MemoryControlOptions;
  /** Every write so far, for tests that check order. */
  readonly writes: { readonly path: string; readonly text: string }[] = [];
  readonly #stamps = new WeakMap<Entry, number>();
  #changes = 0;

  constructor(options: MemoryControlOptions = {}) {
    this.#options = options;
    for (const [path, text] of Object.entries(options.files ?? {})) this.put(path, text);
  }

  /** Sets up a file, and its parents, without any hook. */
  put(path: string, text: string, { writable = true }: { readonly writable?: boolean } = {}): void {
    this.#makeParents(path);
    this.#entries.set(path, { kind: 'file', text, owner: [0, 0], writable });
  }

  /** Sets up an empty directory, and its parents, without any hook. */
  putDirectory(path: string): void {
    this.#makeParents(path);
    this.#entries.set(path, { kind: 'directory', owner: [0, 0] });
  }

  /** Sets up a symbolic link. */
  putLink(path: string, target: string): void {
    this.#makeParents(path);
    this.#entries.set(path, { kind: 'other', target });
  }

  owner(path: string): readonly [number, number] | undefined {
    const entry = this.#entries.get(path);
    return entry === undefined || entry.kind === 'other' ? undefined : entry.owner;
  }

  read(path: string, maxBytes?: number): string {
    const entry = this.#file(path, 'open');
    return maxBytes === undefined ? entry.text : Buffer.from(entry.text).subarray(0, maxBytes).toString('utf8');
  }

  write(path: string, text: string): void {
    const entry = this.#file(path, 'open');
    if (!entry.writable) throw errnoError('EACCES', 'open', path);
    const stored = this.#options.onWrite?.(this, path, text) ?? text;
    entry.text = stored;
    this.#stamps.set(entry, ++this.#changes);
    this.writes.push({ path, text });
  }

  mkdir(path: string): void {
    if (this.#entries.has(path)) throw errnoError('EEXIST', 'mkdir', path);
    if (this.kind(parentOf(path)) !== 'directory') throw errnoError('ENOENT', 'mkdir', path);
    this.#entries.set(path, { kind: 'directory', owner: [0, 0] });
    this.#options.onMkdir?.(this, path);
  }

  /** As cgroupfs and unlike other file systems, the files of a directory go with it. */
  rmdir(path: string): void {
    const names = this.list(path).map((name) => `${path}/${name}`);
    if (names.some((name) => this.kind(name) === 'directory')) throw errnoError('ENOTEMPTY', 'rmdir', path);
    for (const name of names) this.#entries.delete(name);
    this.#entries.delete(path);
  }

  rename(path: string, to: string): void {
    if (!this.#entries.has(path)) throw errnoError('ENOENT', 'rename', path);
    if (this.#entries.has(to)) throw errnoError('EEXIST', 'rename', to);
    for (const [key, entry] of [...this.#entries]) {
      if (key !== path && !key.startsWith(`${path}/`)) continue;
      this.#entries.delete(key);
      this.#entries.set(to + key.slice(path.length), entry);
    }
  }

  list(path: string): string[] {
    if (this.kind(path) !== 'directory') throw errnoError(this.#entries.has(path) ? 'ENOTDIR' : 'ENOENT', 'scandir', path);
    const prefix = path === '/' ? '/' : `${path}/`;
    const below = [...this.#entries.keys()].filter((key) => key.startsWith(prefix) && key !== path);
    return below
      .map((key) => key.slice(prefix.length))
      .filter((name) => name !== '' && !name.includes('/'))
      .sort();
  }

  listDirectories(path: string): string[] {
    return this.list(path).filter((name) => this.kind(path === '/' ? `/${name}` : `${path}/${name}`) === 'directory');
  }

  kind(path: string): EntryKind | undefined {
    return this.#entries.get(path)?.kind;
  }

  stamp(path: string): string | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    if (!this.#stamps.has(entry)) this.#stamps.set(entry, ++this.#changes);
    return String(this.#stamps.get(entry));
  }

  chown(path: string, uid: number, gid: number): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw errnoError('ENOENT', 'chown', path);
    if (entry.kind !== 'other') entry.owner = [uid, gid];
  }

  isWritable(path: string): boolean {
    const entry = this.#entries.get(path);
    return entry?.kind === 'directory' || (entry?.kind === 'file' && entry.writable);
  }

  readLink(path: string): string {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw errnoError('ENOENT', 'readlink', path);
    if (entry.kind !== 'other') throw errnoError('EINVAL', 'readlink', path);
    return entry.target;
  }

  #file(path: string, call: string): Extract<Entry, { kind: 'file' }> {
    const entry = this.#entries.get(path);
    if (entry?.kind === 'file') return entry;
    throw errnoError(entry === undefined ? 'ENOENT' : entry.kind === 'directory' ? 'EISDIR' : 'ELOOP', call, path);
  }

  #makeParents(path: string): void {
    for (let parent = parentOf(path); !this.#entries.has(parent); parent = parentOf(parent)) {
      this.#entries.set(parent, { kind: 'directory', owner: [0, 0] });
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
