/**
 * The changes that overlay's upper directory holds.
 *
 *     c 0 0, or an empty file with overlay.whiteout   a whiteout
 *     overlay.opaque=y on a directory                 an opaque directory
 *     anything else                                   as it stands
 *
 * Knows: overlay's marks in both of their name spaces, and what a runtime left where something was mounted.
 * Does not know: tar.
 *
 * @see https://docs.kernel.org/filesystems/overlayfs.html
 */

import type { Xattrs } from '@slipway/kernel/trees';
import type { ConfinedDirectory, EntryStat } from '@slipway/kernel/worker';
import { isWhiteout, LayerStack } from '../layer-stack.ts';
import type { Change } from './change.ts';
import { cannotPack, lookAt, type WalkedEntry, walkTree } from './walk.ts';

export interface OverlayTree {
  readonly upper: ConfinedDirectory;
  /** Topmost first. */
  readonly lowers: readonly ConfinedDirectory[];
  /** Below the root, without a leading slash: where a runtime mounts something, and may have made an empty file or directory for that. */
  readonly mountPoints: readonly string[];
}

const NAMESPACES = ['trusted.overlay.', 'user.overlay.'];

/** In archive order. @throws EngineError `unsupported` / `E_LAYER_PACK` for marks that refer to another layer's path */
export function* overlayChanges({ upper, lowers, mountPoints }: OverlayTree): Generator<Change> {
  const below = lowerView(lowers);
  const root = lookAt(upper, '.', '');
  if (root !== undefined && !sameRights(root.stat, lowers[0]?.statSelf())) yield { kind: 'entry', entry: root };
  const made = madeForMounts(upper, below, mountPoints);
  for (const entry of walkTree(upper)) {
    if (made.has(entry.path)) continue;
    yield* changesOf(entry);
  }
}

/** What the layers below show at a path. */
export type LowerView = (path: string) => EntryStat | undefined;

export function lowerView(lowers: readonly ConfinedDirectory[]): LowerView {
  const [first] = lowers;
  if (first === undefined) return () => undefined;
  const stack = new LayerStack(first, lowers, { isHidden: () => false, isStale: () => false, onImplicit: () => undefined });
  return (path) => stack.lowerStat(path.slice(0, Math.max(0, path.lastIndexOf('/'))), path.slice(path.lastIndexOf('/') + 1));
}

function* changesOf(entry: WalkedEntry): Generator<Change> {
  const { path, name, stat, xattrs } = entry;
  if (overlayMark(xattrs, 'redirect') !== undefined) throw cannotPack(path, 'overlay keeps it under another name (redirect_dir)');
  if (overlayMark(xattrs, 'metacopy') !== undefined) throw cannotPack(path, 'overlay keeps only its metadata here (metacopy)');
  if (isWhiteout(stat) || (stat.isFile() && stat.size === 0n && overlayMark(xattrs, 'whiteout') !== undefined)) {
    yield { kind: 'whiteout', path };
  } else if (name.startsWith('.wh.')) {
    yield { kind: 'left-out', path, why: 'in a layer its name would mean that another file is hidden' };
  } else {
    yield { kind: 'entry', entry };
    if (stat.isDirectory() && Buffer.from(overlayMark(xattrs, 'opaque') ?? []).toString() === 'y') yield { kind: 'opaque', path };
  }
}

function overlayMark(xattrs: Xattrs, mark: string): Uint8Array | undefined {
  return NAMESPACES.map((namespace) => xattrs.get(namespace + mark)).find((value) => value !== undefined);
}

/** Mount points as a runtime makes them, and directories that hold nothing else and are as the layers below have them. */
export function madeForMounts(upper: ConfinedDirectory, below: LowerView, mountPoints: readonly string[]): ReadonlySet<string> {
  const made = new Set<string>();
  for (const path of mountPoints) if (below(path) === undefined && isEmptyAt(upper, path, made)) made.add(path);
  const above = [...new Set(mountPoints.flatMap(ancestors))].sort((a, b) => b.length - a.length);
  for (const path of above) {
    const lower = below(path);
    const own = withDirectory(upper, path, (directory) => directory.statSelf());
    if (own === undefined || (lower !== undefined && !sameRights(own, lower))) continue;
    if (hasMadeBelow(path, made) && isEmptyAt(upper, path, made)) made.add(path);
  }
  return made;
}

/** Takes out what {@link madeForMounts} found, the innermost first. */
export function removeMade(upper: ConfinedDirectory, made: ReadonlySet<string>): void {
  for (const path of [...made].sort((a, b) => b.length - a.length)) {
    const slash = path.lastIndexOf('/');
    withDirectory(upper, path.slice(0, Math.max(0, slash)), (parent) => parent.remove(path.slice(slash + 1)));
  }
}

function hasMadeBelow(path: string, made: ReadonlySet<string>): boolean {
  return [...made].some((inner) => inner.startsWith(`${path}/`));
}

/** An empty file, or a directory with nothing in it but what is in `made`. */
function isEmptyAt(root: ConfinedDirectory, path: string, made: ReadonlySet<string>): boolean {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const found = withDirectory(root, path.slice(0, Math.max(0, slash)), (parent) => {
    const stat = parent.stat(name);
    if (stat?.isFile()) return stat.size === 0n;
    if (!stat?.isDirectory()) return false;
    const directory = parent.findChild(name);
    const names = directory?.list() ?? [];
    directory?.close();
    return names.every((inner) => made.has(`${path}/${inner}`));
  });
  return found ?? false;
}

function withDirectory<T>(root: ConfinedDirectory, path: string, use: (directory: ConfinedDirectory) => T): T | undefined {
  let directory: ConfinedDirectory | undefined = root.self();
  for (const name of path === '' ? [] : path.split('/')) {
    const next: ConfinedDirectory | undefined = directory.findChild(name);
    directory.close();
    if (next === undefined) return undefined;
    directory = next;
  }
  const result = use(directory);
  directory.close();
  return result;
}

function ancestors(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

function sameRights(a: EntryStat, b: EntryStat | undefined): boolean {
  return b === undefined
    ? a.uid === 0n && a.gid === 0n && (a.mode & 0o7777n) === 0o755n
    : a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
