/**
 * What every snapshotter promises.
 *
 * Knows: the life of a snapshot.
 * Does not know: how the bytes are kept (overlay.ts, native.ts), or what an image is.
 */
import type { TreeUsage } from '@slipway/kernel';
import type { Mount } from './mount.ts';

export type SnapshotKind = 'active' | 'view' | 'committed';

export interface SnapshotInfo {
  /** Key of an active snapshot or view, name of a committed one. */
  readonly name: string;
  readonly kind: SnapshotKind;
  /** Name of the committed snapshot below; `''` for none. */
  readonly parent: string;
  readonly createdAtMs: number;
  /** Its files are not this snapshotter's, see {@link Snapshotter.adopt}. */
  readonly isAdopted: boolean;
}

/** Where a snapshot's files are, for those who unpack into it or watch it. */
export interface SnapshotDirectories {
  /** What this snapshot adds: overlay's upper directory, or the whole tree. */
  readonly own: string;
  /** Directories of the snapshots below, topmost first; empty where `own` holds their files itself. */
  readonly lowers: readonly string[];
  /** How a file of a snapshot below is hidden in `own`. */
  readonly whiteouts: 'overlay' | 'remove';
}

/**
 * Committed snapshots in the making, each on one that is committed or was added here before: the layers of an image, filled in turn, which
 * need not wait for the disk one by one. Nothing of them is in the record before they are committed; what a crash leaves is swept when the
 * store is opened.
 */
export interface SnapshotStack extends AsyncDisposable {
  /**
   * Makes the directory that is to be filled. `name` shows everywhere else once it is committed.
   * @throws `already-exists` / `E_SNAPSHOT_EXISTS`; `not-found` / `E_SNAPSHOT_NOT_FOUND` when the parent is neither committed nor added
   */
  add(parent: string, name: string): Promise<SnapshotDirectories>;
  /**
   * Commits some that were added and filled, parents first: all of them, durably, or none. Others may be filled meanwhile. A name that
   * somebody else has committed since stays theirs.
   */
  commit(names: readonly string[]): Promise<void>;
  /** Removes what was not committed; nobody may be filling it any more. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * File-system states as a tree.
 *
 *     prepare('', k1) ──write files──▶ commit('layer-1', k1)
 *                                          ├─ prepare('layer-1', k2) ──▶ commit('layer-2', k2)
 *                                          │                                 └─ prepare('layer-2', container)
 *                                          └─ view('layer-1', looking)
 *
 * Words used by every method:
 * - a **key** names an *active* snapshot or a *view*: it has mounts, and is never a parent;
 * - a **name** names a *committed* snapshot: immutable, may be a parent, is never mounted itself;
 * - both share one namespace, so a key and a name may not be equal.
 *
 * A snapshot with children cannot be removed. Nothing here mounts anything: callers get mounts and decide in which mount
 * namespace they perform them. Every change is durable when its promise resolves; after a crash, a snapshot is as before
 * the call or as after it.
 *
 * Every implementation passes `describeSnapshotter` in testing/suite.ts.
 */
export interface Snapshotter {
  readonly driver: 'overlay' | 'native';
  /**
   * Opens an active snapshot on top of `parent` (`''` for an empty directory).
   * @throws `already-exists` / `E_SNAPSHOT_EXISTS` when the key is taken; `not-found` / `E_SNAPSHOT_NOT_FOUND` when the parent is not committed
   */
  prepare(parent: string, key: string): Promise<readonly Mount[]>;
  /** As {@link prepare}, read-only; it cannot be committed. */
  view(parent: string, key: string): Promise<readonly Mount[]>;
  /** The mounts of an active snapshot or view, again. @throws `not-found`; `failed-precondition` / `E_SNAPSHOT_COMMITTED` */
  mounts(key: string): Promise<readonly Mount[]>;
  /**
   * Freezes `key` under `name`; afterwards the key no longer exists. The caller must have unmounted it, or later writes
   * would change a committed snapshot.
   * @throws `not-found`; `already-exists` when `name` is taken, leaving the key as it was; `failed-precondition` for a view
   */
  commit(name: string, key: string): Promise<void>;
  /** Begins a stack of committed snapshots; nothing is on the disk until one is added. */
  stack(): SnapshotStack;
  /**
   * Takes `directory`, absolute, as the committed snapshot `name` on top of `parent`: what it adds stands in `fs` below it, in the form that
   * a snapshot of this driver has. Somebody else keeps it and never changes it; it is read, and neither written, counted nor removed.
   * @throws `unsupported` / `E_SNAPSHOT_ADOPT` for copies, which have everything of their own; `not-found`, `already-exists` as prepare
   */
  adopt(name: string, parent: string, directory: string): Promise<void>;
  /** Of an adopted one only the name goes. @throws `not-found`; `failed-precondition` / `E_SNAPSHOT_HAS_CHILDREN` while another snapshot names this one as parent */
  remove(keyOrName: string): Promise<void>;
  /** @throws `not-found` */
  stat(keyOrName: string): Promise<SnapshotInfo>;
  /** As {@link stat}; undefined when there is none. */
  find(keyOrName: string): Promise<SnapshotInfo | undefined>;
  /** Oldest first. */
  list(): Promise<readonly SnapshotInfo[]>;
  /** What the snapshot itself takes on disk, its parents not included; nothing for an adopted one. */
  usage(keyOrName: string): Promise<TreeUsage>;
  /** @throws `not-found` */
  directories(keyOrName: string): Promise<SnapshotDirectories>;
  close(): Promise<void>;
}
