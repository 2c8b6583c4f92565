/**
 * Image → snapshots: one committed snapshot for each layer, named by chain id, made once whoever asks.
 *
 * Knows: chain ids, and waiting for an unpack that is already running.
 * Does not know: names, archives, or containers.
 */
import { randomUUID } from 'node:crypto';
import type { ContentStore } from '@slipway/content';
import { hasCode } from '@slipway/errors';
import { failPoint } from '@slipway/kernel';
import { openUnpackSession, type UnpackSession, unpackLayer } from '@slipway/layers';
import { type ChainId, chainIds, type Descriptor, type DiffId, layerCompression } from '@slipway/oci';
import type { Snapshotter } from '@slipway/snapshots';
import type { LoadProgress, NewLayer } from './image-store.ts';
import type { SelectedImage } from './select-manifest.ts';

/** Keys of snapshots that are being unpacked into begin so; any found when the store opens is a crash's. */
export const UNPACK_KEY_PREFIX = 'unpacking/';

/** Workers that are started before there is something to do. */
const MOST_READY = 2;

export interface LayerUnpackerParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  /** Directory of the unpack workers' own, see WorkerRequest. */
  readonly compileCacheDir: string;
  /** Told the size of each layer's files, before its snapshot is committed. */
  readonly onLayer: (chainId: ChainId, fileBytes: number) => void;
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
  readonly session: LazySession;
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
  readonly #running = new Map<ChainId, Promise<readonly string[]>>();
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
    const chains = chainIds(layers.map(({ diffId }) => diffId));
    const warnings: string[] = [];
    const session = new LazySession(this.#parts.compileCacheDir, options.signal);
    try {
      for (const [index, { descriptor, diffId }] of layers.entries()) {
        const chainId = chains[index];
        if (chainId === undefined) continue;
        const task: LayerTask = { descriptor, diffId, chainId, parent: chains[index - 1] ?? '', session };
        warnings.push(...(await this.#ensureLayer(task, options)));
      }
      return warnings;
    } finally {
      await session.close();
    }
  }

  async #ensureLayer(task: LayerTask, options: UnpackOptions): Promise<readonly string[]> {
    const { chainId, diffId } = task;
    const { onProgress, whenHere, signal } = options;
    const running = this.#running.get(chainId);
    // Its failure is the other caller's; this one then tries for itself.
    if (running !== undefined) await running.catch(() => undefined);
    if ((await this.#parts.snapshots.find(chainId)) !== undefined) {
      onProgress({ phase: 'unpack', diffId, chainId, state: 'exists' });
      return [];
    }
    // Ready when the layer is; but of many who wait for the same layers, most will have nothing to unpack.
    if (this.#running.size + ++this.#waiting <= MOST_READY) task.session.open();
    await Promise.resolve(whenHere?.(task.descriptor)).finally(() => this.#waiting--);
    signal?.throwIfAborted();
    const again = this.#running.get(chainId);
    if (again !== undefined) return this.#ensureLayer(task, options);
    onProgress({ phase: 'unpack', diffId, chainId, state: 'started' });
    const unpack = this.#unpack(task, signal).finally(() => this.#running.delete(chainId));
    this.#running.set(chainId, unpack);
    const warnings = await unpack;
    onProgress({ phase: 'unpack', diffId, chainId, state: 'done' });
    return warnings;
  }

  async #unpack({ descriptor, diffId, chainId, parent, session }: LayerTask, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const { content, snapshots } = this.#parts;
    const key = `${UNPACK_KEY_PREFIX}${chainId}/${randomUUID()}`;
    await snapshots.prepare(parent, key);
    try {
      const { own, lowers, whiteouts } = await snapshots.directories(key);
      const blob = await content.open(descriptor.digest);
      try {
        const compression = layerCompression(descriptor.mediaType) ?? 'none';
        const expected = { blobDigest: descriptor.digest, diffId };
        const worker = { session: session.open(), ...(signal === undefined ? {} : { signal }) };
        const report = await unpackLayer({ blob, compression, expected, target: own, lowers, whiteouts, ...worker });
        failPoint('layer.applied');
        // Before the snapshot is there: once it is, nobody unpacks the layer again and learns its size.
        this.#parts.onLayer(chainId, report.fileBytes);
        failPoint('layer.sized');
        await this.#commit(chainId, key);
        return report.warnings;
      } finally {
        await blob.close();
      }
    } catch (error) {
      await snapshots.remove(key);
      throw error;
    }
  }

  async #commit(chainId: ChainId, key: string): Promise<void> {
    const { snapshots } = this.#parts;
    try {
      await snapshots.commit(chainId, key);
    } catch (error) {
      if (!hasCode(error, 'E_SNAPSHOT_EXISTS')) throw error;
      await snapshots.remove(key);
    }
  }
}
