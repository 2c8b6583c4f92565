/**
 * Everything below a directory, in an order that depends on names alone: a directory before what is in it, names by code unit.
 *
 * Attributes are read for many entries at once, since each look costs a process; their directories stay open until then.
 *
 * Knows: single steps by descriptor, and that entries may vanish while one looks.
 * Does not know: what an entry means.
 */
import { EngineError } from '@slipway/errors';
import { readXattrsAt, type Xattrs } from '@slipway/kernel/trees';
import { type ConfinedDirectory, type EntryStat, isErrno } from '@slipway/kernel/worker';

/** One entry, valid until the next one is asked for. */
export interface WalkedEntry {
  /** Below the root, joined with `/`; `''` for the root itself. */
  readonly path: string;
  readonly name: string;
  readonly parent: ConfinedDirectory;
  readonly stat: EntryStat;
  readonly xattrs: Xattrs;
}

export interface WalkOptions {
  /** False: what is below this directory is passed over. Default: everything is entered. */
  readonly enter?: (path: string, stat: EntryStat) => boolean;
  /** What the root is called in paths; default `''`. */
  readonly rootPath?: string;
}

type RawEntry = Omit<WalkedEntry, 'xattrs' | 'parent'> & { readonly open: OpenDirectory };

const MAX_DEPTH = 256;
/** Few enough for the descriptors of one process, many enough that a process each does not matter. */
const DIRECTORIES_A_LOOK = 100;
const ENTRIES_A_LOOK = 2000;

/** A directory that goes once nobody needs it. */
class OpenDirectory {
  readonly directory: ConfinedDirectory;
  #users = 1;

  constructor(directory: ConfinedDirectory) {
    this.directory = directory;
  }

  use(): void {
    this.#users++;
  }

  leave(): void {
    if (--this.#users === 0) this.directory.close();
  }
}

/** Entries below `root`, the root itself not among them. `root` stays the caller's. @throws `unsupported` / `E_LAYER_PACK` for what has no place in an archive */
export function* walkTree(root: ConfinedDirectory, options: WalkOptions = {}): Generator<WalkedEntry> {
  let waiting: RawEntry[] = [];
  const directories = new Set<OpenDirectory>();
  for (const entry of rawEntries(new OpenDirectory(root.self()), options.rootPath ?? '', options, 0)) {
    entry.open.use();
    directories.add(entry.open);
    waiting.push(entry);
    if (waiting.length < ENTRIES_A_LOOK && directories.size < DIRECTORIES_A_LOOK) continue;
    yield* withXattrs(waiting);
    waiting = [];
    directories.clear();
  }
  yield* withXattrs(waiting);
}

/** One entry by its name, or the directory itself as `.`. */
export function lookAt(parent: ConfinedDirectory, name: string, path: string): WalkedEntry | undefined {
  const stat = name === '.' ? parent.statSelf() : parent.stat(name);
  const [xattrs = new Map()] = stat === undefined ? [] : readXattrsAt([{ directoryFd: parent.fd, name }]);
  return stat && { path, name, parent, stat, xattrs };
}

function* withXattrs(entries: readonly RawEntry[]): Generator<WalkedEntry> {
  if (entries.length === 0) return;
  const xattrs = readXattrsAt(entries.map(({ open, name }) => ({ directoryFd: open.directory.fd, name })));
  for (const [index, { open, path, name, stat }] of entries.entries()) {
    yield { path, name, parent: open.directory, stat, xattrs: xattrs[index] ?? new Map() };
    open.leave();
  }
}

function* rawEntries(open: OpenDirectory, path: string, options: WalkOptions, depth: number): Generator<RawEntry> {
  if (depth > MAX_DEPTH) throw cannotPack(path, `it is deeper than ${MAX_DEPTH} directories`);
  try {
    for (const name of open.directory.list().sort()) {
      const stat = open.directory.stat(name);
      const inner = path === '' ? name : `${path}/${name}`;
      if (stat === undefined && name.includes('\ufffd')) throw cannotPack(inner, 'its name is not UTF-8');
      if (stat === undefined) continue;
      yield { path: inner, name, open, stat };
      const next = stat.isDirectory() && (options.enter?.(inner, stat) ?? true) ? open.directory.findChild(name) : undefined;
      if (next !== undefined) yield* rawEntries(new OpenDirectory(next), inner, options, depth + 1);
    }
  } catch (error) {
    // The directory was removed while it was listed.
    if (!isErrno(error, 'ENOENT')) throw error;
  } finally {
    open.leave();
  }
}

export function cannotPack(path: string, why: string): EngineError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new EngineError('unsupported', `${JSON.stringify(shown)} cannot stand in a layer: ${why}`, {
    code: 'E_LAYER_PACK',
    op: 'layer.pack',
    subject: shown,
  });
}
