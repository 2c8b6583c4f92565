/**
 * Stacks of layers that were looked through, kept for the next question: the snapshots of an image never change.
 *
 * Knows: where a stack's directories are, and how many stacks are kept.
 * Does not know: what is asked of them.
 */
import { LayerTree, scanLayers } from '@slipway/layers';
import { committedDirectories } from '@slipway/snapshots';

export interface LayerXray {
  /** Chain id of the topmost layer. */
  readonly stack: string;
  /** Lowest first. */
  readonly directories: readonly string[];
  readonly tree: LayerTree;
  readonly truncated: boolean;
}

const MOST = 4;

export class Xrays {
  readonly #snapshots: string;
  /** The one that was asked for longest ago first. */
  readonly #kept = new Map<string, Promise<LayerXray>>();

  /** @param snapshots root of the engine's snapshotter */
  constructor(snapshots: string) {
    this.#snapshots = snapshots;
  }

  /** @throws `not-found` / `E_SNAPSHOT_NOT_FOUND`; as scanLayers */
  async open(stack: string): Promise<LayerXray> {
    const directories = committedDirectories(this.#snapshots, stack).toReversed();
    const kept = this.#kept.get(stack) ?? this.#scan(stack, directories);
    this.#kept.delete(stack);
    this.#kept.set(stack, kept);
    for (const oldest of [...this.#kept.keys()].slice(0, -MOST)) this.#kept.delete(oldest);
    return await kept;
  }

  async #scan(stack: string, directories: readonly string[]): Promise<LayerXray> {
    try {
      const { entries, truncated } = await scanLayers(directories);
      return { stack, directories, tree: new LayerTree(entries), truncated };
    } catch (error) {
      this.#kept.delete(stack);
      throw error;
    }
  }
}
