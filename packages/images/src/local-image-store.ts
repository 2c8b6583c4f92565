/**
 * The image store: content, snapshots and records behind one interface.
 *
 * Knows: the order in which blobs, snapshots and records come into being and go, so that a crash in between leaves garbage
 *   and never a record of something that is not there.
 * Does not know: how each of them works.
 */
import type { ContentStore } from '@slipway/content';
import { EngineError, hasCode } from '@slipway/errors';
import { failPoint } from '@slipway/kernel';
import { chainIds, type Digest, formatReference, parseReference, type Reference } from '@slipway/oci';
import type { Credentials } from '@slipway/registry-client';
import type { Snapshotter } from '@slipway/snapshots';
import { collectBlobs, collectSnapshots } from './collect-garbage.ts';
import { Holds } from './holds.ts';
import { ImageCatalog } from './image-catalog.ts';
import type {
  GarbageReport,
  Image,
  ImageStore,
  ImageStoreOptions,
  LoadOptions,
  LoadReport,
  NewImage,
  NewLayer,
  PackedRootfs,
  PackOptions,
  PreparedRootfs,
  RemoveReport,
  RootfsChange,
  TreeRoot,
} from './image-store.ts';
import type { ImageTable } from './image-table.ts';
import type { LazyLayers } from './lazy-layers.ts';
import { loadArchive } from './load-archive.ts';
import { describeNew, ingestLayer, writeDocuments } from './make-image.ts';
import { Registries } from './registries.ts';
import type { PullOptions, PullReport, PushOptions, PushReport, RemoteImage } from './registry-port.ts';
import { RootfsTrees } from './rootfs-trees.ts';
import { type SavedImage, saveArchive } from './save-archive.ts';
import type { SharedImages } from './shared/shared-images.ts';
import { StepCache } from './step-cache.ts';
import type { StepTable } from './step-table.ts';
import { Turnstile } from './turnstile.ts';
import { LayerUnpacker, UNPACK_KEY_PREFIX } from './unpack-image.ts';

/** What a store is made of, open. */
export interface StoreParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly shared: SharedImages | undefined;
  readonly lazy: LazyLayers;
  readonly table: ImageTable;
  readonly steps: StepTable;
}

/** What {@link openImageStore} opens. */
export class LocalImageStore implements ImageStore {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly workerCacheDir: string;
  readonly cache: StepCache;
  readonly #platform: ImageStoreOptions['platform'];
  readonly #table: ImageTable;
  readonly #steps: StepTable;
  readonly #catalog: ImageCatalog;
  readonly #unpacker: LayerUnpacker;
  readonly #trees: RootfsTrees;
  readonly #lazy: LazyLayers;
  readonly #registries: Registries;
  readonly #holds = new Holds(() => this.collectGarbage());
  /** Tags, removals and collections, all of them short, take turns: what one has read must not be another's garbage. */
  readonly #turns = new Turnstile();

  constructor(options: ImageStoreOptions, parts: StoreParts) {
    this.#platform = options.platform;
    this.#lazy = parts.lazy;
    this.content = parts.content;
    this.snapshots = parts.snapshots;
    this.#table = parts.table;
    this.#steps = parts.steps;
    this.#catalog = new ImageCatalog(parts.table, parts.content, (chainId) => parts.lazy.arriving(chainId));
    this.cache = new StepCache(parts.steps, () => this.collectGarbage());
    this.workerCacheDir = `${options.root}/worker-cache`;
    this.#trees = new RootfsTrees({ ...parts, root: options.root, compileCacheDir: this.workerCacheDir });
    const { content, snapshots, shared } = parts;
    this.#unpacker = new LayerUnpacker({
      content,
      snapshots,
      ...(shared === undefined ? {} : { shared }),
      compileCacheDir: this.workerCacheDir,
      onLayers: (sizes) => parts.table.recordLayers(sizes),
    });
    this.#registries = new Registries({
      ...parts,
      unpacker: this.#unpacker,
      lazyPulls: options.lazyPulls ?? false,
      platform: options.platform,
      settings: options.registries ?? {},
      images: () => this.list(),
      get: (name) => this.get(name),
      holding: (work) => this.#holds.holding(work),
      settled: () => this.#settled(),
    });
  }

  pull(reference: string, options: PullOptions = {}): Promise<PullReport> {
    return this.#registries.pull(reference, options);
  }

  push(name: string, options: PushOptions = {}): Promise<PushReport> {
    return this.#registries.push(name, options);
  }

  look(reference: string, options: Pick<PullOptions, 'credentials' | 'signal'> = {}): Promise<RemoteImage> {
    return this.#registries.look(reference, options);
  }

  remoteTags(name: string, options: Pick<PullOptions, 'credentials' | 'signal'> = {}): Promise<readonly string[]> {
    return this.#registries.tags(name, options);
  }

  logIn(domain: string, credentials: Credentials): Promise<void> {
    return this.#registries.logIn(domain, credentials);
  }

  loadArchive(archive: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Promise<LoadReport> {
    const parts = { content: this.content, table: this.#table, unpacker: this.#unpacker, platform: this.#platform };
    return this.holding(async () => {
      try {
        return await loadArchive(parts, archive, options);
      } finally {
        this.#holds.postpone(); // what was read and is in no image goes once nobody holds
      }
    });
  }

  list(): Promise<readonly Image[]> {
    return this.#catalog.list();
  }

  get(nameOrId: string): Promise<Image> {
    return this.#catalog.get(nameOrId);
  }

  find(nameOrId: string): Promise<Image | undefined> {
    return this.#catalog.find(nameOrId);
  }

  tag(nameOrId: string, name: string): Promise<void> {
    return this.#turns.take(async () => {
      this.#table.setName(formatReference(parseTag(name)), (await this.get(nameOrId)).id);
    });
  }

  remove(nameOrId: string, { force = false }: { readonly force?: boolean } = {}): Promise<RemoveReport> {
    return this.#turns.take(async () => {
      const image = await this.get(nameOrId);
      const named = this.#catalog.nameOf(nameOrId, image);
      if (named === undefined && image.names.length > 1 && !force) {
        throw new EngineError('failed-precondition', `image ${nameOrId} has several names: ${image.names.join(', ')}`, {
          code: 'E_IMAGE_NAMED',
          op: 'image.remove',
          subject: nameOrId,
          hint: 'Remove it by name, or force the removal.',
        });
      }
      const untagged = named === undefined ? image.names : [named];
      const isGone = this.#table.removeNames(untagged, image.id);
      failPoint('image.untagged');
      await this.#sweep();
      return { untagged, ...(isGone ? { deleted: image.id } : {}) };
    });
  }

  async prepareRootfs(nameOrId: string, key: string): Promise<PreparedRootfs> {
    if (key.startsWith(UNPACK_KEY_PREFIX)) {
      throw new EngineError('invalid-argument', `key ${JSON.stringify(key)} is reserved`, {
        code: 'E_SNAPSHOT_KEY',
        op: 'image.prepareRootfs',
        subject: key,
      });
    }
    return this.prepareRootfsOn(await this.get(nameOrId), key);
  }

  describe(image: NewImage): Image {
    return describeNew(image, (chainId) => this.#table.layerBytes(chainId));
  }

  async prepareRootfsOn(image: Image, key: string): Promise<PreparedRootfs> {
    const mounts = await this.snapshots.prepare(image.layers.at(-1)?.chainId ?? '', key);
    return { image, key, mounts, directories: await this.snapshots.directories(key) };
  }

  async rootfs(key: string): Promise<Pick<PreparedRootfs, 'mounts' | 'directories'>> {
    return { mounts: await this.snapshots.mounts(key), directories: await this.snapshots.directories(key) };
  }

  async removeRootfs(key: string): Promise<void> {
    try {
      await this.snapshots.remove(key);
    } catch (error) {
      if (!hasCode(error, 'E_SNAPSHOT_NOT_FOUND')) throw error;
    }
  }

  holding<T>(work: () => Promise<T>): Promise<T> {
    return this.#holds.holding(async () => {
      // A collection that is under way has seen what there was before; what is made now it would take for garbage.
      await this.#settled();
      return await work();
    });
  }

  async add(image: NewImage): Promise<Image> {
    const names = image.names.map((name) => formatReference(parseTag(name)));
    const { manifest, descriptor, config } = await writeDocuments(image, this.content);
    await this.#unpacker.ensure({ manifest, descriptor, config }, { onProgress: () => undefined });
    const id = manifest.config.digest;
    failPoint('image.record');
    this.#table.record([{ id, manifest: descriptor, names }], Date.now());
    failPoint('image.recorded');
    return this.get(id);
  }

  async unpack(layers: readonly NewLayer[]): Promise<string> {
    await this.#unpacker.ensureLayers(layers, { onProgress: () => undefined });
    return chainIds(layers.map(({ diffId }) => diffId)).at(-1) ?? '';
  }

  packRootfs(key: string, options: PackOptions): ReturnType<ImageStore['packRootfs']> {
    return this.#trees.pack(key, options);
  }

  async adoptRootfs(key: string, layers: readonly NewLayer[], { fileBytes }: PackedRootfs): Promise<void> {
    const chain = chainIds(layers.map(({ diffId }) => diffId)).at(-1);
    if (chain === undefined || this.snapshots.driver !== 'overlay') return;
    try {
      this.#table.recordLayer(chain, fileBytes);
      await this.snapshots.commit(chain, key);
      failPoint('rootfs.adopted');
    } catch (error) {
      if (!hasCode(error, 'E_SNAPSHOT_EXISTS')) throw error;
    }
  }

  ingestLayer(tar: AsyncIterable<Uint8Array>): Promise<NewLayer> {
    return ingestLayer(tar, this.content);
  }

  changes(key: string, options: Pick<PackOptions, 'mountPoints'>): Promise<readonly RootfsChange[]> {
    return this.#trees.changes(key, options);
  }

  viewOf(keyOrName: string): Promise<TreeRoot> {
    return this.#trees.view(keyOrName);
  }

  writableOf(key: string): Promise<TreeRoot> {
    return this.#trees.writable(key);
  }

  async save(namesOrIds: readonly string[]): Promise<AsyncIterable<Uint8Array>> {
    const byId = new Map<Digest, SavedImage>();
    for (const text of namesOrIds) {
      const image = await this.get(text);
      await this.#lazy.requireWhole(image.layers);
      const name = this.#catalog.nameOf(text, image);
      const names = [...(byId.get(image.id)?.names ?? []), ...(name === undefined ? [] : [name])];
      byId.set(image.id, { image, names: [...new Set(names)] });
    }
    return this.#savedWhileHeld([...byId.values()]);
  }

  async *#savedWhileHeld(images: readonly SavedImage[]): AsyncGenerator<Uint8Array> {
    const sent = Promise.withResolvers<void>();
    const held = this.#holds.holding(() => sent.promise);
    try {
      yield* saveArchive(images, this.content);
    } finally {
      sent.resolve();
      await held;
    }
  }

  collectGarbage(): Promise<GarbageReport> {
    return this.#turns.take(() => this.#sweep());
  }

  async close(): Promise<void> {
    await this.#lazy.close();
    await this.#turns.take(async () => {
      this.#table.close();
      this.#steps.close();
      await this.snapshots.close();
    });
  }

  /** Resolves once no collection that has begun is still running. */
  #settled(): Promise<void> {
    return this.#turns.take(async () => undefined);
  }

  /** What no record reaches. Blobs go first: that takes no writing, and on a full disk makes the room for the rest. */
  async #sweep(): Promise<GarbageReport> {
    if (this.#holds.postpone()) return { blobs: 0, blobBytes: 0, snapshots: 0 };
    const images = await this.list();
    const blobs = await collectBlobs(images, this.content, this.cache.digests());
    const snapshots = await collectSnapshots(images, this.snapshots);
    for (const chainId of this.#table.layers()) {
      if ((await this.snapshots.find(chainId)) !== undefined) continue;
      this.#table.forgetLayer(chainId);
      await this.#lazy.forget(chainId);
    }
    failPoint('garbage.collected');
    return { snapshots, ...blobs };
  }
}

/** A name that can be given to an image. */
function parseTag(name: string): Reference {
  const reference = parseReference(name);
  if (reference.digest === undefined) return reference;
  throw new EngineError('invalid-argument', `${JSON.stringify(name)} names a digest, which cannot be given`, {
    code: 'E_REFERENCE_INVALID',
    op: 'image.tag',
    subject: name,
  });
}
