/**
 * The changes between two whole trees, for snapshots that are copies.
 *
 * Both are walked side by side in the same order, twice: hard links are known only at the end, and when one name of a file has to be in
 * the layer, all of its names have to.
 *
 * Knows: what makes two entries the same, content included, as a program may change bytes and set the time back.
 * Does not know: tar.
 */
import { type ConfinedDirectory, confinedFile } from '@slipway/kernel/worker';
import type { Change } from './change.ts';
import { keptXattrs } from './kept-xattrs.ts';
import { lowerView, madeForMounts } from './overlay-changes.ts';
import { lookAt, type WalkedEntry, walkTree } from './walk.ts';

interface Comparison {
  readonly changed: Set<string>;
  /** Directory → names that are gone from it. */
  readonly removed: Map<string, string[]>;
}

const CHUNK_BYTES = 256 * 1024;

/** In archive order; the directories above a change are part of it. */
export function* comparedChanges(own: ConfinedDirectory, lower: ConfinedDirectory, mountPoints: readonly string[]): Generator<Change> {
  const { changed, removed } = compare(own, lower);
  for (const path of madeForMounts(own, lowerView([lower]), mountPoints)) changed.delete(path);
  const root = lookAt(own, '.', '');
  const lowerRoot = lookAt(lower, '.', '');
  if (root !== undefined && lowerRoot !== undefined && !sameRights(root, lowerRoot)) yield { kind: 'entry', entry: root };
  yield* whiteoutsIn('', removed);
  for (const entry of walkTree(own)) {
    if (!changed.has(entry.path)) continue;
    if (entry.name.startsWith('.wh.'))
      yield { kind: 'left-out', path: entry.path, why: 'in a layer its name would mean that another file is hidden' };
    else yield { kind: 'entry', entry };
    yield* whiteoutsIn(entry.path, removed);
  }
}

function* whiteoutsIn(directory: string, removed: Comparison['removed']): Generator<Change> {
  for (const name of removed.get(directory) ?? []) yield { kind: 'whiteout', path: directory === '' ? name : `${directory}/${name}` };
}

function compare(own: ConfinedDirectory, lower: ConfinedDirectory): Comparison {
  const changed = new Set<string>();
  const removed: Comparison['removed'] = new Map();
  const links = new Map<string, string[]>();
  let gone = '';
  for (const { mine, theirs } of sideBySide(walkTree(own), walkTree(lower))) {
    if (mine !== undefined && isLinked(mine)) appendTo(links, inode(mine), mine.path);
    if (mine === undefined) {
      const path = theirs?.path ?? '';
      // Below something that is gone, or that is no directory any more, nothing has to be said.
      if (gone !== '' && path.startsWith(`${gone}/`)) continue;
      gone = path;
      const slash = path.lastIndexOf('/');
      appendTo(removed, path.slice(0, Math.max(0, slash)), path.slice(slash + 1));
      addWithParents(path.slice(0, Math.max(0, slash)), changed);
    } else if (theirs === undefined || !isSame(mine, theirs)) {
      addWithParents(mine.path, changed);
      if (theirs?.stat.isDirectory() && !mine.stat.isDirectory()) gone = mine.path;
    }
  }
  for (const paths of links.values()) if (paths.some((path) => changed.has(path))) for (const path of paths) addWithParents(path, changed);
  return { changed, removed };
}

interface Pair {
  readonly mine?: WalkedEntry;
  readonly theirs?: WalkedEntry;
}

/** Joins two walks by path. */
function* sideBySide(mine: Iterator<WalkedEntry>, theirs: Iterator<WalkedEntry>): Generator<Pair> {
  let [a, b] = [mine.next(), theirs.next()];
  while (a.done !== true || b.done !== true) {
    const order = a.done === true ? 1 : b.done === true ? -1 : comparePaths(a.value.path, b.value.path);
    if (order < 0) {
      yield { mine: a.value };
      a = mine.next();
    } else if (order > 0) {
      yield { theirs: b.value };
      b = theirs.next();
    } else {
      yield { mine: a.value, theirs: b.value };
      [a, b] = [mine.next(), theirs.next()];
    }
  }
}

/** The order of a walk: component by component, a directory before what is in it. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (part !== other) return part < other ? -1 : 1;
  }
  return left.length - right.length;
}

function isSame(a: WalkedEntry, b: WalkedEntry): boolean {
  const [x, y] = [a.stat, b.stat];
  if (!sameRights(a, b) || x.rdev !== y.rdev || x.mtimeNs !== y.mtimeNs || !sameXattrs(a, b)) return false;
  if (x.isSymbolicLink()) return a.parent.readLink(a.name) === b.parent.readLink(b.name);
  return !x.isFile() || (x.size === y.size && sameContent(a, b));
}

function sameRights({ stat: a }: WalkedEntry, { stat: b }: WalkedEntry): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

function sameXattrs(a: WalkedEntry, b: WalkedEntry): boolean {
  const [x, y] = [keptXattrs(a.xattrs), keptXattrs(b.xattrs)];
  return x.size === y.size && [...x].every(([key, value]) => Buffer.from(y.get(key) ?? []).equals(value));
}

function sameContent(a: WalkedEntry, b: WalkedEntry): boolean {
  const left = a.parent.openFile(a.name);
  try {
    const right = b.parent.openFile(b.name);
    try {
      for (let at = 0; ; at += CHUNK_BYTES) {
        const [x, y] = [confinedFile.read(left, CHUNK_BYTES, at), confinedFile.read(right, CHUNK_BYTES, at)];
        if (!Buffer.from(x).equals(y)) return false;
        if (x.byteLength < CHUNK_BYTES) return true;
      }
    } finally {
      confinedFile.close(right);
    }
  } finally {
    confinedFile.close(left);
  }
}

function isLinked({ stat }: WalkedEntry): boolean {
  return stat.nlink > 1n && !stat.isDirectory();
}

function inode({ stat }: WalkedEntry): string {
  return `${stat.dev}:${stat.ino}`;
}

function addWithParents(path: string, paths: Set<string>): void {
  for (let at = path; at !== '' && !paths.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) paths.add(at);
}

function appendTo(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
