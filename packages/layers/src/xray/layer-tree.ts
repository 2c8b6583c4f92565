/**
 * Layers upon each other: what each adds, changes and removes, and which bytes a later one covers.
 *
 *     layer 2      /opt (whiteout)     /etc/motd
 *     layer 1      /opt/big            /etc/motd     ← both covered: stored, and never seen
 *
 * Knows: overlay's rules. Pure.
 * Does not know: where the entries come from, images.
 */
import type { ScannedLayerEntry } from './scanned-entry.ts';

/** `kept`: a directory that a layer names again as it was. `removed`: a whiteout. */
type LayerMark = 'added' | 'changed' | 'removed' | 'kept';

export interface LayerEntry extends ScannedLayerEntry {
  readonly mark: LayerMark;
  /** The later layer that covers or deletes it. */
  coveredBy?: number;
  /** By a whiteout, or with a directory above it. */
  isDeleted?: boolean;
  /** Of the file, at the first of its names; 0 at the others. */
  readonly ownBytes: number;
}

export interface TreeNode {
  readonly name: string;
  readonly children: Map<string, TreeNode>;
  /** Lowest layer first. */
  readonly entries: LayerEntry[];
  /** What a container of the image finds here. */
  visible: LayerEntry | undefined;
}

/** The names of one file in one layer: its bytes are wasted once all of them are covered. */
interface HardLinks {
  names: number;
  covered: number;
}

export class LayerTree {
  readonly root: TreeNode = newNode('');
  readonly #hardLinks = new Map<string, HardLinks>();

  /** @param entries layer by layer, the lowest first; a directory before what is in it */
  constructor(entries: Iterable<ScannedLayerEntry>) {
    for (const entry of entries) this.#apply(entry);
  }

  /** Undefined when no layer has it. */
  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.root;
    for (const name of path.split('/').filter((part) => part !== '')) node = node?.children.get(name);
    return node;
  }

  /** Bytes of this entry that nobody can see any more. */
  wastedBytes(entry: LayerEntry): number {
    if (entry.coveredBy === undefined) return 0;
    const links = this.#hardLinks.get(keyOf(entry));
    return links === undefined || links.covered === links.names ? entry.ownBytes : 0;
  }

  #apply(scanned: ScannedLayerEntry): void {
    const node = this.#ensure(scanned.path);
    const entry: LayerEntry = { ...scanned, mark: markOf(scanned, node.visible), ownBytes: this.#ownBytes(scanned) };
    const isMerged = scanned.kind === 'directory' && node.visible?.kind === 'directory';
    if (isMerged && scanned.opaque) for (const child of node.children.values()) this.#cover(child, entry, true);
    if (!isMerged) this.#cover(node, entry, scanned.kind === 'whiteout');
    node.entries.push(entry);
    node.visible = scanned.kind === 'whiteout' ? undefined : entry;
  }

  #ownBytes(entry: ScannedLayerEntry): number {
    if (entry.inode === undefined) return entry.sizeBytes;
    const links = this.#hardLinks.get(keyOf(entry));
    if (links === undefined) this.#hardLinks.set(keyOf(entry), { names: 1, covered: 0 });
    else links.names += 1;
    return links === undefined ? entry.sizeBytes : 0;
  }

  /** A node and everything below it: what was seen until now is seen no more. */
  #cover(node: TreeNode, by: LayerEntry, isDeleted: boolean): void {
    if (node.visible !== undefined) {
      node.visible.coveredBy = by.layer;
      node.visible.isDeleted = isDeleted;
      const links = this.#hardLinks.get(keyOf(node.visible));
      if (links !== undefined) links.covered += 1;
      node.visible = undefined;
    }
    // What is below a directory that gave way to something else is deleted, not replaced.
    for (const child of node.children.values()) this.#cover(child, by, true);
  }

  #ensure(path: string): TreeNode {
    let node = this.root;
    for (const name of path.split('/')) {
      const child = node.children.get(name) ?? newNode(name);
      node.children.set(name, child);
      node = child;
    }
    return node;
  }
}

/** Every node below, a directory before what is in it, with its path. */
export function* walkNodes(node: TreeNode, path: string): Generator<{ readonly node: TreeNode; readonly path: string }> {
  for (const child of node.children.values()) {
    const inner = `${path}/${child.name}`;
    yield { node: child, path: inner };
    yield* walkNodes(child, inner);
  }
}

function markOf(entry: ScannedLayerEntry, before: LayerEntry | undefined): LayerMark {
  if (entry.kind === 'whiteout') return 'removed';
  if (before === undefined) return 'added';
  if (entry.kind !== 'directory' || before.kind !== 'directory') return 'changed';
  const isSame = entry.mode === before.mode && entry.uid === before.uid && entry.gid === before.gid && entry.opaque !== true;
  return isSame ? 'kept' : 'changed';
}

function keyOf({ layer, inode }: ScannedLayerEntry): string {
  return `${layer}:${inode ?? ''}`;
}

function newNode(name: string): TreeNode {
  return { name, children: new Map(), entries: [], visible: undefined };
}
