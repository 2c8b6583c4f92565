/**
 * What is told of layers that lie upon each other: sums, directories, searches, differences.
 *
 * Knows: how a tree is read, and that answers are bounded. Pure.
 * Does not know: how the tree came to be (layer-tree.ts), or who asks.
 */
import { type LayerEntry, type LayerTree, type TreeNode, walkNodes } from './layer-tree.ts';

export interface LayerSums {
  readonly entries: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly fileBytes: number;
  readonly wastedBytes: number;
}

export interface WastedEntry {
  /** From `/`. */
  readonly path: string;
  readonly layer: number;
  readonly sizeBytes: number;
  readonly coveredBy: number;
  readonly deleted: boolean;
}

export interface TreeSums {
  /** Lowest first. */
  readonly layers: readonly LayerSums[];
  /** The largest first. */
  readonly wasted: readonly WastedEntry[];
}

type Below = Omit<LayerSums, 'entries' | 'fileBytes'> & { readonly bytes: number };

export interface ListedEntry {
  readonly name: string;
  readonly entry: LayerEntry;
  /** Of a directory. */
  readonly below?: Below;
}

export function sumLayers(tree: LayerTree, count: number, most: number): TreeSums {
  const layers = Array.from({ length: count }, newSums);
  const wasted: WastedEntry[] = [];
  for (const { node, path } of walkNodes(tree.root, '')) {
    for (const entry of node.entries) {
      const sums = layers[entry.layer];
      if (sums !== undefined) add(sums, tree, entry);
      const sizeBytes = tree.wastedBytes(entry);
      if (sizeBytes > 0)
        wasted.push({ path, layer: entry.layer, sizeBytes, coveredBy: entry.coveredBy ?? 0, deleted: entry.isDeleted ?? false });
    }
  }
  return { layers, wasted: wasted.toSorted((a, b) => b.sizeBytes - a.sizeBytes).slice(0, most) };
}

/**
 * One directory, by name.
 * @param layer only what this one has; absent: what a container sees, and what it no longer sees
 */
export function listDirectory(tree: LayerTree, path: string, layer?: number): readonly ListedEntry[] {
  const node = tree.find(path);
  if (node === undefined) return [];
  const listed = [...node.children.values()].flatMap((child) => {
    const entry = shownEntry(child, layer);
    if (entry === undefined) return [];
    return [{ name: child.name, entry, ...(child.children.size > 0 ? { below: sumBelow(tree, child, layer) } : {}) }];
  });
  return listed.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every entry of every layer whose path has `text` in it, in any case; by path, the lowest layer first. */
export function findEntries(tree: LayerTree, text: string): readonly ListedEntry[] {
  const wanted = text.toLowerCase();
  const found: ListedEntry[] = [];
  for (const { node, path } of walkNodes(tree.root, '')) {
    if (!path.toLowerCase().includes(wanted)) continue;
    for (const entry of node.entries) if (entry.mark !== 'kept') found.push({ name: path, entry });
  }
  return found.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.entry.layer - b.entry.layer));
}

export interface TreeDifference {
  readonly path: string;
  readonly from?: LayerEntry;
  readonly to?: LayerEntry;
}

/** Paths that a container of one sees and one of the other does not, or that are not the same entry of a layer that both have. By path. */
export function differTrees(one: LayerTree, other: LayerTree, sharedLayers: number) {
  const differences: TreeDifference[] = [];
  let same = 0;
  const visit = (a: TreeNode | undefined, b: TreeNode | undefined, path: string): void => {
    const [from, to] = [a?.visible, b?.visible];
    if (path !== '' && (from ?? to) !== undefined) {
      const isShared = from !== undefined && from.layer === to?.layer && from.layer < sharedLayers;
      if (isShared) same += 1;
      else differences.push({ path, ...(from ? { from } : {}), ...(to ? { to } : {}) });
    }
    const names = new Set([...(a?.children.keys() ?? []), ...(b?.children.keys() ?? [])]);
    for (const name of [...names].sort()) visit(a?.children.get(name), b?.children.get(name), `${path}/${name}`);
  };
  visit(one.root, other.root, '');
  return { differences, same };
}

/** In all layers together: what is seen; of what is not, the latest that was. */
function shownEntry(node: TreeNode, layer: number | undefined): LayerEntry | undefined {
  if (layer !== undefined) return node.entries.find((entry) => entry.layer === layer);
  return node.visible ?? node.entries.at(-1);
}

function sumBelow(tree: LayerTree, node: TreeNode, layer: number | undefined): Below {
  const sums = newSums();
  for (const { node: inner } of walkNodes(node, ''))
    for (const entry of inner.entries) if (layer === undefined || entry.layer === layer) add(sums, tree, entry);
  const { added, changed, removed, fileBytes, wastedBytes } = sums;
  return { added, changed, removed, bytes: fileBytes, wastedBytes };
}

function newSums() {
  return { entries: 0, added: 0, changed: 0, removed: 0, fileBytes: 0, wastedBytes: 0 };
}

function add(sums: ReturnType<typeof newSums>, tree: LayerTree, entry: LayerEntry): void {
  sums.entries += 1;
  if (entry.mark !== 'kept') sums[entry.mark] += 1;
  sums.fileBytes += entry.ownBytes;
  sums.wastedBytes += tree.wastedBytes(entry);
}
