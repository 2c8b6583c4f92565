/**
 * What a server is told of layers: their trees planned once beforehand, so that what cannot be served right is not served at all.
 *
 * Knows: which parents an index leaves out, and that the layers below answer for them: in memory where they are lazy too.
 * Does not know: registries, or where the layers below are.
 */
import { inUserNamespace } from '@slipway/kernel';
import type { Descriptor } from '@slipway/oci';
import { type Below, findNode, type LayerNode, planLayerTree } from './layer-tree.ts';
import type { LayerIndex } from './read-index.ts';
import type { KnownBelow, ServedLayer } from './server-task.ts';

export interface PlannedLayer {
  readonly served: Omit<ServedLayer, 'target'>;
  readonly tocBytes: Uint8Array;
  /** Bytes of the layer's regular files. */
  readonly fileBytes: number;
}

/**
 * Plans layers that stand on each other, lowest first. `below` says what the layers under all of them have.
 * @throws EngineError `invalid-argument` / `E_LAZY_INDEX`, `E_LAYER_PATH`
 */
export function planLazyLayers(
  layers: readonly { readonly descriptor: Descriptor; readonly index: LayerIndex }[],
  below: (path: string) => Below,
): PlannedLayer[] {
  const trees: LayerNode[] = [];
  return layers.map(({ descriptor, index }) => {
    const known: Record<string, KnownBelow[string]> = {};
    const ask = (path: string): Below => {
      const found = belowIn(trees, path) ?? below(path);
      if (found.kind === 'directory') {
        const { mode, uid, gid, mtimeNs } = found;
        known[path] = { mode, uid, gid, mtimeNs: String(mtimeNs) };
      }
      return found;
    };
    const tree = planLayerTree(index.entries, { below: ask, withDevices: !inUserNamespace() });
    trees.push(tree);
    const { tocOffset, tocDigest, tocMember, tocBytes } = index;
    return { served: { descriptor, tocOffset, tocDigest, tocMember, below: known }, tocBytes, fileBytes: bytesOf(tree, new Set()) };
  });
}

/** The topmost of the trees that says anything of the path; undefined when none does. */
function belowIn(trees: readonly LayerNode[], path: string): Below | undefined {
  for (const tree of trees.toReversed()) {
    const found = findNode(tree, path);
    if (found?.type === 'directory') return { kind: 'directory', mode: found.mode, uid: found.uid, gid: found.gid, mtimeNs: found.mtimeNs };
    if (found?.type === 'whiteout') return { kind: 'absent' };
    if (found !== undefined) return { kind: 'other' };
    // A link, a file, a whiteout or an opaque directory on the way hides what is further below.
    const parts = path.split('/');
    for (let length = parts.length - 1; length >= 0; length--) {
      const parent = findNode(tree, parts.slice(0, length).join('/'));
      if (parent === undefined) continue;
      if (parent.type !== 'directory' && parent.type !== 'whiteout') return { kind: 'other' };
      if (parent.isOpaque || parent.type === 'whiteout') return { kind: 'absent' };
      break;
    }
  }
  return undefined;
}

function bytesOf(node: LayerNode, seen: Set<LayerNode>): number {
  if (seen.has(node)) return 0;
  seen.add(node);
  return [...(node.children?.values() ?? [])].reduce(
    (sum, child) => sum + bytesOf(child, seen),
    node.sizeBytes * Number(node.type === 'file'),
  );
}
