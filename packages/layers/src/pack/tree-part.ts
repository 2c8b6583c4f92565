/**
 * A path in a strange tree, resolved step by step: links are followed inside the root and cannot lead out of it.
 *
 * Knows: chroot's rules for links and `..`.
 * Does not know: what is done with what stands there.
 */
import { EngineError } from '@slipway/errors';
import type { ConfinedDirectory, EntryStat } from '@slipway/kernel/worker';
import type { Change } from './change.ts';
import type { PartStat, TreePart } from './pack-protocol.ts';
import { lookAt, type WalkedEntry, walkTree } from './walk.ts';

/** An entry by its parent; `name` is `.` for a root. */
export interface ResolvedPart {
  readonly parent: ConfinedDirectory;
  readonly name: string;
  readonly stat: EntryStat;
  /** Real path of the entry, absolute inside the root. */
  readonly path: string;
}

const MAX_LINKS = 40;

/** @throws EngineError `not-found` / `E_PATH_NOT_FOUND`; `invalid-argument` / `E_PATH_LINKS` */
export function resolvePart(root: ConfinedDirectory, { path, follow = false }: Pick<TreePart, 'path' | 'follow'>): ResolvedPart {
  const pending = split(path);
  // A slash at the end asks for what the link leads to.
  const followLast = follow || /\/\.?$/.test(path);
  let stack: { readonly directory: ConfinedDirectory; readonly name: string }[] = [];
  const current = () => stack.at(-1)?.directory ?? root;
  const here = (name: string) => `/${[...stack.map((step) => step.name), name].join('/')}`;
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      stack = stack.slice(0, -1);
      continue;
    }
    const stat = current().stat(name);
    if (stat === undefined) throw notFound(path);
    if (stat.isSymbolicLink() && (pending.length > 0 || followLast)) {
      if (++links > MAX_LINKS) throw tooManyLinks(path);
      const target = current().readLink(name);
      if (target.startsWith('/')) stack = [];
      pending.unshift(...split(target));
      continue;
    }
    if (pending.length === 0) return { parent: current(), name, stat, path: here(name) };
    const next = current().findChild(name);
    if (next === undefined) throw notFound(path);
    stack.push({ directory: next, name });
  }
  const at = `/${stack.map((step) => step.name).join('/')}`;
  return { parent: current(), name: '.', stat: current().statSelf(), path: at };
}

export function describePart(root: ConfinedDirectory, part: TreePart): PartStat {
  const { stat, parent, name } = resolvePart(root, part);
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other';
  return {
    name: archiveName(part.path),
    kind,
    sizeBytes: Number(stat.size),
    mode: Number(stat.mode),
    mtimeMs: Number(stat.mtimeMs),
    linkTarget: stat.isSymbolicLink() ? targetOf(root, part.path, parent.readLink(name)) : '',
  };
}

/** What is at the part's path, under the name it was asked for by; or what is in that directory. What is mounted below it stays out. */
export function* partChanges(root: ConfinedDirectory, part: TreePart): Generator<Change> {
  const { parent, name, stat } = resolvePart(root, part);
  const asked = part.contentOnly ? '' : archiveName(part.path);
  const entry = lookAt(parent, name, asked);
  if (entry === undefined) throw notFound(part.path);
  if (!part.contentOnly) yield { kind: 'entry', entry };
  if (!stat.isDirectory()) return;
  const directory = name === '.' ? parent.self() : parent.child(name);
  yield* entries(walkTree(directory, { rootPath: asked, enter: (_path, inner) => inner.dev === stat.dev }));
  directory.close();
}

/** Everything in a tree but what is mounted in it. */
export function* wholeTree(root: ConfinedDirectory): Generator<Change> {
  const { dev } = root.statSelf();
  yield* entries(walkTree(root, { enter: (_path, stat) => stat.dev === dev }));
}

/** The directory that a path leads to; to be closed. @throws as {@link resolvePart}; `invalid-argument` / `E_PATH_DIRECTORY` */
export function openPart(root: ConfinedDirectory, path: string): ConfinedDirectory {
  const { parent, name, stat } = resolvePart(root, { path, follow: true });
  if (stat.isDirectory()) return name === '.' ? parent.self() : parent.child(name);
  const shown = path.slice(0, 300);
  throw new EngineError('invalid-argument', `extraction point is not a directory: ${shown}`, {
    code: 'E_PATH_DIRECTORY',
    op: 'tree.resolve',
    subject: shown,
  });
}

function* entries(walked: Iterable<WalkedEntry>): Generator<Change> {
  for (const entry of walked) yield { kind: 'entry', entry };
}

/** Where a link leads, as a path inside the root; what is not there is named all the same. */
function targetOf(root: ConfinedDirectory, path: string, target: string): string {
  const parent = split(path).slice(0, -1).join('/');
  const text = target.startsWith('/') ? target : `/${parent}/${target}`;
  try {
    return resolvePart(root, { path: text, follow: true }).path;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return `/${lexical(text).join('/')}`;
  }
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function lexical(path: string): string[] {
  const parts: string[] = [];
  for (const part of split(path)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts;
}

/** A dot at the end asks for what is in a directory, and so for no name. */
function archiveName(path: string): string {
  return /\/\.$/.test(path) ? '.' : (lexical(path).at(-1) ?? '.');
}

function notFound(path: string): EngineError {
  const shown = path.slice(0, 300);
  return new EngineError('not-found', `Could not find the file ${shown} in the tree`, {
    code: 'E_PATH_NOT_FOUND',
    op: 'tree.resolve',
    subject: shown,
  });
}

function tooManyLinks(path: string): EngineError {
  const shown = path.slice(0, 300);
  return new EngineError('invalid-argument', `${JSON.stringify(shown)} leads through too many symbolic links`, {
    code: 'E_PATH_LINKS',
    op: 'tree.resolve',
    subject: shown,
  });
}
