/**
 * Image → snapshots: one committed snapshot for each layer, named by chain id, made once whoever asks.
 *
 * Layers are applied one above the other, without waiting for the disk in between: they are committed in groups, behind the one that is
 * being applied.
 *
 * Knows: chain ids, and waiting for an unpack that is already running.
 * Does not know: names, archives, or containers.
 */
import type { ContentStore } from '@slipway/content';
import { hasCode } from '@slipway/errors';
import { failPoint } from '@slipway/kernel';
import { type NextLayer, openUnpackSession, type UnpackReport, type UnpackSession, unpackLayer } from '@slipway/layers';
import { type ChainId, chainIds, type Descriptor, type DiffId, type LayerCompression, layerCompression } from '@slipway/oci';
import type { SnapshotStack, Snapshotter } from '@slipway/snapshots';
import { BlobsAhead } from './blobs-ahead.ts';
import { GroupCommit } from './group-commit.ts';
import type { LoadProgress, NewLayer } from './image-store.ts';
import type { LayerSize } from './image-table.ts';
import type { SelectedImage } from './select-manifest.ts';
import type { SharedImages } from './shared/shared-images.ts';

/** Keys of snapshots that arrive piece by piece begin so; any found when the store opens is a crash's. */
export const UNPACK_KEY_PREFIX = 'unpacking/';

/** Workers that are started before there is something to do. */
const MOST_READY = 2;

/** How long an applied layer may wait for others that share its sync: somebody else may be waiting for it. */
const GATHER_MS = 100;

export interface LayerUnpackerParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  /** Layers that need no unpacking. */
  readonly shared?: Pick<SharedImages, 'find'>;
  /** Directory of the unpack workers' own, see WorkerRequest. */
  readonly compileCacheDir: string;
  /** Told the sizes of layers' files, before their snapshots are committed. */
  readonly onLayers: (sizes: readonly LayerSize[]) => void;
}

/** How a stack is unpacked. */
export interface UnpackOptions {
  readonly onProgress: (progress: LoadProgress) => void;
  /** Awaited before a layer is read: for layers that are still arriving. */
  readonly whenHere?: (descriptor: Descriptor) => Promise<unknown>;
  readonly signal?: AbortSignal;
}

interface LayerTask {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  readonly chainId: ChainId;
  /** Name of the snapshot below, `''` for none. */
  readonly parent: ChainId | '';
  /** undefined for the topmost. */
  readonly above: LayerTask | undefined;
}

/** One stack that is being unpacked. */
interface Unpacking {
  readonly session: LazySession;
  readonly stack: SnapshotStack;
  readonly commits: GroupCommit<LayerSize>;
  readonly blobs: BlobsAhead<LayerTask>;
}

interface UnpackedLayer {
  readonly warnings: readonly string[];
  /** Settles once its snapshot is committed. */
  readonly durable: Promise<void>;
}

/** The worker of one stack of layers: started before its first layer is here, and not at all for a stack that is unpacked. */
class LazySession {
  readonly #options: { readonly compileCacheDir: string; readonly signal?: AbortSignal };
  #session: UnpackSession | undefined;

  constructor(compileCacheDir: string, signal: AbortSignal | undefined) {
    this.#options = { compileCacheDir, ...(signal === undefined ? {} : { signal }) };
  }

  open(): UnpackSession {
    this.#session ??= openUnpackSession(this.#options);
    return this.#session;
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}

export class LayerUnpacker {
  readonly #parts: LayerUnpackerParts;
  readonly #running = new Map<ChainId, Promise<void>>();
  /** Layers that are waited for. */
  #waiting = 0;

  constructor(parts: LayerUnpackerParts) {
    this.#parts = parts;
  }

  /** Makes sure every layer has its snapshot. @returns warnings @throws as unpackLayer; snapshots of complete layers stay */
  ensure({ manifest, config }: SelectedImage, options: UnpackOptions): Promise<string[]> {
    const layers = manifest.layers.flatMap((descriptor, index) => {
      const diffId = config.diffIds[index];
      return diffId === undefined ? [] : [{ descriptor, diffId }];
    });
    return this.ensureLayers(layers, options);
  }

  /** As {@link ensure}, for a stack of layers that is no image yet. Bottom layer first. */
  async ensureLayers(layers: readonly NewLayer[], options: UnpackOptions): Promise<string[]> {
    const warnings: string[] = [];
    await using stack = this.#parts.snapshots.stack();
    await using blobs = new BlobsAhead<LayerTask>(this.#parts.content);
    const session = new LazySession(this.#parts.compileCacheDir, options.signal);
    const commits = new GroupCommit<LayerSize>(GATHER_MS, (group) => this.#commit(group, stack));
    const durable: Promise<void>[] = [];
    try {
      for (const task of planTasks(layers)) {
        const unpacked = await this.#ensureLayer(task, { session, stack, commits, blobs }, options);
        warnings.push(...unpacked.warnings);
        durable.push(unpacked.durable);
      }
      await Promise.all([session.close(), commits.settle()]);
      await Promise.all(durable);
      return warnings;
    } finally {
      await session.close();
      await commits.settle();
    }
  }

  async #ensureLayer(task: LayerTask, unpacking: Unpacking, options: UnpackOptions): Promise<UnpackedLayer> {
    const { chainId, diffId } = task;
    const { onProgress, whenHere, signal } = options;
    const running = this.#running.get(chainId);
    // Its failure is the other caller's; this one then tries for itself.
    if (running !== undefined) await running.catch(() => undefined);
    if ((await this.#parts.snapshots.find(chainId)) !== undefined || (await this.#adopt(task))) {
      onProgress({ phase: 'unpack', diffId, chainId, state: 'exists' });
      return { warnings: [], durable: Promise.resolve() };
    }
    // Ready when the layer is; but of many who wait for the same layers, most will have nothing to unpack.
    if (this.#running.size + ++this.#waiting <= MOST_READY) unpacking.session.open();
    await Promise.resolve(whenHere?.(task.descriptor)).finally(() => this.#waiting--);
    signal?.throwIfAborted();
    const again = this.#running.get(chainId);
    if (again !== undefined) return this.#ensureLayer(task, unpacking, options);
    onProgress({ phase: 'unpack', diffId, chainId, state: 'started' });
    const applied = this.#apply(task, unpacking, signal);
    const durable = applied
      .then(({ fileBytes }) => unpacking.commits.add({ chainId, fileBytes }))
      .then(() => onProgress({ phase: 'unpack', diffId, chainId, state: 'done' }))
      .finally(() => this.#running.delete(chainId));
    durable.catch(() => undefined); // looked at once the layers above are applied
    this.#running.set(chainId, durable);
    return { warnings: (await applied).warnings, durable };
  }

  async #apply(task: LayerTask, { session, stack, blobs }: Unpacking, signal: AbortSignal | undefined): Promise<UnpackReport> {
    const { descriptor, diffId, chainId, parent, above } = task;
    const { own, lowers, whiteouts } = await stack.add(parent, chainId);
    const [blob, next] = await Promise.all([blobs.open(task), above && this.#findNext(above, blobs)]);
    try {
      const layer = { blob, compression: compressionOf(descriptor), expected: { blobDigest: descriptor.digest, diffId } };
      const worker = { session: session.open(), ...(next && { next }), ...(signal && { signal }) };
      const applied = unpackLayer({ ...layer, target: own, lowers, whiteouts, ...worker });
      if (next !== undefined && above?.above !== undefined) void blobs.find(above.above);
      const report = await applied;
      failPoint('layer.applied');
      return report;
    } finally {
      await blobs.release(task);
    }
  }

  /** A layer that will have to be unpacked, if its blob is here. */
  async #findNext(layer: LayerTask, blobs: BlobsAhead<LayerTask>): Promise<NextLayer | undefined> {
    const { snapshots, shared } = this.#parts;
    const { chainId, descriptor } = layer;
    if (this.#running.has(chainId) || shared?.find(chainId) !== undefined || (await snapshots.find(chainId)) !== undefined)
      return undefined;
    const blob = await blobs.find(layer);
    return blob && { blob, blobDigest: descriptor.digest, compression: compressionOf(descriptor) };
  }

  async #commit(group: readonly LayerSize[], stack: SnapshotStack): Promise<void> {
    // Before the snapshots are there: once they are, nobody unpacks the layers again and learns their sizes.
    this.#parts.onLayers(group);
    failPoint('layer.sized');
    await stack.commit(group.map(({ chainId }) => chainId));
  }

  /** True for a layer that stands unpacked among the shared ones. */
  async #adopt({ chainId, parent }: LayerTask): Promise<boolean> {
    const { shared, snapshots, onLayers } = this.#parts;
    const layer = shared?.find(chainId);
    if (layer === undefined) return false;
    onLayers([layer]);
    await snapshots.adopt(chainId, parent, layer.directory).catch((error: unknown) => {
      if (!hasCode(error, 'E_SNAPSHOT_EXISTS')) throw error;
    });
    return true;
  }
}

/** Bottom layer first. */
function planTasks(layers: readonly NewLayer[]): readonly LayerTask[] {
  const chains = chainIds(layers.map(({ diffId }) => diffId));
  const tasks: LayerTask[] = [];
  for (const [index, { descriptor, diffId }] of [...layers.entries()].reverse()) {
    const chainId = chains[index];
    if (chainId !== undefined) tasks.unshift({ descriptor, diffId, chainId, parent: chains[index - 1] ?? '', above: tasks[0] });
  }
  return tasks;
}

function compressionOf({ mediaType }: Descriptor): LayerCompression {
  return layerCompression(mediaType) ?? 'none';
}
