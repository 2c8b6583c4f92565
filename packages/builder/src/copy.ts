/**
 * What `COPY` and `ADD` put where, as members of a layer.
 *
 * Knows: sources, patterns, destinations; the digest of everything that makes two copies the same.
 * Does not know: where the tree comes from, or what the image holds.
 */
import { createHash } from 'node:crypto';
import { type EntryInit, tarEnd, tarHeader, tarPadding } from '@slipway/layers';
import { stepError } from './failure.ts';
import { cleanPath, type FileNode, type FileTree } from './file-tree.ts';
import { hasWildcards, matcherOf } from './patterns.ts';

/** One file, directory or link of the layer. */
export interface CopyMember {
  /** Below the root, without a leading slash. */
  readonly path: string;
  readonly node: FileNode;
  readonly content: () => AsyncIterable<Uint8Array>;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whose everything is that nobody else is named for. */
export const ROOT: Owner = { uid: 0, gid: 0 };

export interface CopyTo {
  /** Absolute; with a slash at the end: a directory. */
  readonly destination: string;
  /** The destination is, or is to be, a directory that files are put into by their names. */
  readonly isDirectory: boolean;
  /** Absent: as they are. */
  readonly owner?: Owner;
  /** Permission bits of everything copied; absent: as they are. */
  readonly mode?: number;
  /** True for what is left out: paths as seen from a source directory, or the name of a source file. */
  readonly isExcluded?: (path: string) => boolean;
  readonly line: number;
}

/** Real paths in the tree that the sources name. @throws EngineError `invalid-argument` / `E_BUILD_STEP` for one that names nothing */
export function findSources(tree: FileTree, sources: readonly string[], line: number): readonly string[] {
  return sources.flatMap((source) => {
    const clean = cleanPath(source);
    if (hasWildcards(clean)) {
      const matcher = matcherOf(clean, line);
      const depth = clean.split('/').length;
      const found = tree.paths().filter((path) => path.split('/').length === depth && matcher(path));
      if (found.length === 0) throw stepError(line, `no source files match ${JSON.stringify(source.slice(0, 200))}`);
      return found;
    }
    const path = tree.resolve(clean);
    if (path === undefined)
      throw stepError(line, `${JSON.stringify(source.slice(0, 200))} not found in the build context, or left out by .dockerignore`);
    return [path];
  });
}

/** Members in order; contents of directories, files by their names. */
export function planCopy(tree: FileTree, sources: readonly string[], to: CopyTo): readonly CopyMember[] {
  requireRoom(sources.length, to);
  return sources.flatMap((source) => (tree.isDirectory(source) ? contentsOf(tree, source, to) : fileAt(tree, source, to)));
}

/** @throws EngineError `invalid-argument` / `E_BUILD_STEP` for several sources, of patterns too, that one file is to be made of */
export function requireRoom(sources: number, { isDirectory, line }: Pick<CopyTo, 'isDirectory' | 'line'>): void {
  if (sources > 1 && !isDirectory)
    throw stepError(line, 'When using COPY or ADD with more than one source file, the destination must be a directory and end with a /');
}

function contentsOf(tree: FileTree, source: string, to: CopyTo): CopyMember[] {
  const start = source === '' ? 0 : source.length + 1;
  return tree.below(source).flatMap((node) => {
    const relative = node.entry.name.slice(start);
    return stays(relative, to) ? [memberAt(tree, node, `${to.destination}/${relative}`, to)] : [];
  });
}

function fileAt(tree: FileTree, source: string, to: CopyTo): CopyMember[] {
  const node = tree.get(source);
  const name = baseName(source);
  if (node === undefined || !stays(name, to)) return [];
  return [memberAt(tree, node, to.isDirectory ? `${to.destination}/${name}` : to.destination, to)];
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function stays(path: string, { isExcluded }: CopyTo): boolean {
  return isExcluded?.(path) !== true;
}

/** A node of the tree at another place, with the rights that the copy gives it. */
export function memberAt(tree: FileTree, node: FileNode, path: string, to: CopyTo): CopyMember {
  return { path: cleanPath(path), node: { ...node, entry: withRights(node.entry, to) }, content: () => tree.content(node) };
}

function withRights(entry: FileNode['entry'], { owner, mode }: CopyTo): FileNode['entry'] {
  const keepsMode = mode === undefined || entry.type === 'symlink';
  return { ...entry, ...owner, mode: keepsMode ? entry.mode : mode };
}

/** The same for two copies that make the same files; times do not count. */
export function copyDigest(members: readonly CopyMember[]): string {
  const hash = createHash('sha256');
  for (const { path, node, linkTo } of withLinks(members)) {
    const { type, mode, uid, gid, sizeBytes, linkName, deviceMajor, deviceMinor, xattrs } = node.entry;
    const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('hex')]).sort();
    const what = [type, mode, uid, gid, sizeBytes, linkName, deviceMajor, deviceMinor, attributes, node.digest];
    hash.update(JSON.stringify([path, linkTo ?? '', ...what]));
  }
  return hash.digest('hex');
}

/** The layer's tar. `latestMtime`: seconds since 1970 that later times are set to. */
export async function* copyLayer(members: readonly CopyMember[], latestMtime: number | undefined): AsyncGenerator<Uint8Array> {
  for (const { path, node, content, linkTo } of withLinks(members)) {
    const { entry } = node;
    const mtime = latestMtime === undefined ? entry.mtime : Math.min(entry.mtime, latestMtime);
    const init: EntryInit = { ...entry, mtime, name: entry.type === 'directory' ? `${path}/` : path };
    if (linkTo !== undefined) {
      yield tarHeader({ ...init, type: 'hardlink', sizeBytes: 0, linkName: linkTo, xattrs: new Map() });
      continue;
    }
    yield tarHeader(init);
    if (entry.type !== 'file') continue;
    yield* content();
    yield tarPadding(entry.sizeBytes);
  }
  yield tarEnd();
}

/** Further names of one file are links to the first. */
function withLinks(members: readonly CopyMember[]): readonly (CopyMember & { readonly linkTo?: string })[] {
  const first = new Map<object, string>();
  return members.map((each) => {
    const linkTo = first.get(each.node.file);
    if (linkTo === undefined) first.set(each.node.file, each.path);
    return linkTo === undefined ? each : { ...each, linkTo };
  });
}
