/**
 * Pulling: from a reference to unpacked snapshots, before anything is recorded.
 *
 *     resolve ──▶ index ──▶ manifest ──▶ config ──▶ layer ─▶ layer ─▶ layer      fetched side by side
 *                                                     └─ unpack ─┴─ unpack ─┴─▶   in order, each as soon as it is here
 *
 * Knows: the order of fetching and unpacking, and what is here already.
 * Does not know: names and records (registries.ts), HTTP (packages/registry-client).
 */
import type { ContentStore } from '@slipway/content';
import { chainIds, type Descriptor, formatReference, isIndexType, isManifestType, type Platform, type Reference } from '@slipway/oci';
import type { RegistryClient, Repository, SharedFetches } from '@slipway/registry-client';
import type { LoadProgress } from './image-store.ts';
import type { LazyLayers } from './lazy-layers.ts';
import type { PullOptions, PullProgress } from './registry-port.ts';
import { type DocumentSource, type SelectedImage, selectManifest, wrongPlatform } from './select-manifest.ts';
import type { LayerUnpacker } from './unpack-image.ts';

/** Layers of one image that are fetched at the same time. */
const SIDE_BY_SIDE = 4;

export interface PullParts {
  readonly content: ContentStore;
  readonly unpacker: LayerUnpacker;
  readonly client: RegistryClient;
  readonly fetches: SharedFetches;
  readonly platform: Platform;
  /** Settles once no collection that began before is still running. */
  readonly settled: Promise<unknown>;
  readonly lazy: LazyLayers;
}

export interface PulledImage extends SelectedImage {
  /** What the reference means. */
  readonly target: Descriptor;
  readonly warnings: readonly string[];
}

/** Inside a hold of the store. @throws as RegistryClient.resolve, selectManifest, fetchBlob and unpackLayer */
export async function pullImage(parts: PullParts, reference: Reference, options: PullOptions): Promise<PulledImage> {
  const { client, content, platform, settled } = parts;
  const { credentials, signal, localHeaders } = options;
  const { repository, isMirror, descriptor: target, bytes } = await client.resolve(reference, { credentials, signal, localHeaders });
  using _ending = repository;
  await settled;
  await keep(target, bytes, content);
  const selected = await selectManifest(target, platform, remoteDocuments(parts, repository, signal));
  if (selected === undefined) throw wrongPlatform(platform, formatReference(reference), 'image.pull');
  const { descriptor: manifest } = selected;
  options.onProgress?.({ phase: 'resolved', origin: repository.origin, isMirror, target, manifest, layers: selected.manifest.layers });
  const warnings =
    options.lazy === true ? await pullLazily(parts, selected, repository, options) : await pullWhole(parts, selected, repository, options);
  await parts.lazy.adopt();
  return { ...selected, target, warnings };
}

function pullWhole(parts: PullParts, image: SelectedImage, repository: Repository, options: PullOptions): Promise<readonly string[]> {
  return new LayerPull(parts, repository, options).run(image);
}

/** The layers below the first one that can be served are pulled as ever; all of them where none can, and why is a warning. */
async function pullLazily(
  parts: PullParts,
  image: SelectedImage,
  repository: Repository,
  options: PullOptions,
): Promise<readonly string[]> {
  const { credentials, signal } = options;
  const ordinary = async (reason: string) => [`not lazily: ${reason}`, ...(await pullWhole(parts, image, repository, options))];
  const reached = await parts.lazy.reach(image);
  if ('reason' in reached) return await ordinary(reached.reason);
  const { manifest, config } = image;
  const { from } = reached;
  const below = {
    ...image,
    manifest: { ...manifest, layers: manifest.layers.slice(0, from) },
    config: { ...config, diffIds: config.diffIds.slice(0, from) },
  };
  const warnings = await pullWhole(parts, below, repository, options);
  try {
    const who = { ...(credentials === undefined ? {} : { credentials }), ...(signal === undefined ? {} : { signal }) };
    await parts.lazy.serve(image, from, repository, who);
    return warnings;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return await ordinary(error instanceof Error ? error.message : String(error));
  }
}

/** Documents that are fetched where they are not here, and kept. */
function remoteDocuments({ content, fetches }: PullParts, repository: Repository, signal: AbortSignal | undefined): DocumentSource {
  return {
    read: async (descriptor, maxBytes) => {
      if ((await content.stat(descriptor.digest)) === undefined) {
        if (isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)) {
          const { bytes } = await repository.manifest(descriptor, signal);
          await keep(descriptor, bytes, content);
        } else {
          await fetchInto(content, repository, descriptor, { fetches, signal, maxBytes, onProgress: () => undefined });
        }
      }
      return await content.read(descriptor.digest, maxBytes);
    },
  };
}

async function keep({ digest, size }: Descriptor, bytes: Uint8Array, content: ContentStore): Promise<void> {
  if ((await content.stat(digest)) !== undefined) return;
  await using ingest = await content.ingest({ expected: { digest, sizeBytes: size } });
  await ingest.write(bytes);
  await ingest.commit();
}

interface FetchOptions {
  readonly fetches: SharedFetches;
  readonly signal: AbortSignal | undefined;
  readonly maxBytes?: number;
  readonly onProgress: (bytes: number) => void;
}

/** One blob into the store, under a name by which a later attempt goes on. */
async function fetchInto(content: ContentStore, repository: Repository, descriptor: Descriptor, options: FetchOptions) {
  const { digest, size } = descriptor;
  const { maxBytes, fetches, signal, onProgress } = options;
  const limit = maxBytes === undefined ? {} : { maxBytes };
  const openSink = () => content.ingest({ ref: `pull/${digest}`, expected: { digest, sizeBytes: size }, ...limit });
  // Keyed by size, too: a descriptor that lies about it must not fail another's pull.
  return await fetches.join(`${digest}/${size}`, (shared) => repository.fetchBlob(descriptor, { openSink, ...shared }), {
    signal,
    onProgress,
  });
}

/** All layers of one image. */
class LayerPull {
  readonly #parts: PullParts;
  readonly #repository: Repository;
  readonly #options: PullOptions;
  /** One layer's failure ends the others. */
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  /** By digest: an image may have the same layer twice. */
  readonly #downloads = new Map<string, Promise<void>>();
  #free = SIDE_BY_SIDE;
  readonly #waiting: (() => void)[] = [];

  constructor(parts: PullParts, repository: Repository, options: PullOptions) {
    this.#parts = parts;
    this.#repository = repository;
    this.#options = options;
    this.#signal = options.signal === undefined ? this.#ending.signal : AbortSignal.any([this.#ending.signal, options.signal]);
  }

  async run({ manifest, config }: SelectedImage): Promise<readonly string[]> {
    for (const layer of manifest.layers) {
      if (this.#downloads.has(layer.digest)) continue;
      const download = this.#inTurn(() => this.#download(layer));
      download.catch(() => undefined); // looked at below
      this.#downloads.set(layer.digest, download);
    }
    const byChain = new Map(chainIds(config.diffIds).map((chainId, index) => [chainId, manifest.layers[index]]));
    const onProgress = (progress: LoadProgress) => {
      const layer = progress.phase === 'unpack' ? byChain.get(progress.chainId) : undefined;
      if (progress.phase === 'unpack' && layer !== undefined) this.#tell({ ...progress, layer });
    };
    const whenHere = (layer: Descriptor) => this.#downloads.get(layer.digest) ?? Promise.resolve();
    const all = Promise.all(this.#downloads.values());
    const unpacked = this.#parts.unpacker.ensure({ manifest, config } as SelectedImage, { onProgress, whenHere, signal: this.#signal });
    unpacked.catch(() => undefined); // a download that fails is told first
    try {
      await all;
      return await unpacked;
    } catch (error) {
      this.#ending.abort(error);
      // Nothing of it may still be at work once the store is no longer held.
      await Promise.allSettled([...this.#downloads.values(), unpacked]);
      throw error;
    }
  }

  async #download(layer: Descriptor): Promise<void> {
    const { content, fetches } = this.#parts;
    const info = await content.stat(layer.digest);
    if (info !== undefined && info.sizeBytes === layer.size) {
      return this.#tell({ phase: 'download', layer, state: 'exists', bytes: layer.size });
    }
    this.#tell({ phase: 'download', layer, state: 'started', bytes: 0 });
    const onProgress = (bytes: number) => this.#tell({ phase: 'download', layer, state: 'progress', bytes });
    const { isShared, value } = await fetchInto(content, this.#repository, layer, { fetches, signal: this.#signal, onProgress });
    this.#tell({ phase: 'download', layer, state: 'verified', bytes: layer.size, ...value, isShared });
  }

  /** At most so many at once, those below first: they are unpacked first. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      this.#signal.throwIfAborted();
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #tell(progress: PullProgress): void {
    this.#options.onProgress?.(progress);
  }
}
