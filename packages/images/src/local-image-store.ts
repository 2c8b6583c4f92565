/**
 * The image store: content, snapshots and records behind one interface.
 *
 * Knows: the order in which blobs, snapshots and records come into being and go, so that a crash in between leaves garbage
 *   and never a record of something that is not there.
 * Does not know: how each of them works.
 */
import { type ContentStore, openContentStore } from '@slipway/content';
import { EngineError, hasCode } from '@slipway/errors';
import { ensurePrivateDirectory, failPoint, isDiskFull, removeStoredFile, writeFileAtomic } from '@slipway/kernel';
import { chainIds, type Digest, formatReference, parseReference, type Reference } from '@slipway/oci';
import type { Credentials } from '@slipway/registry-client';
import { openNativeSnapshotter, openOverlaySnapshotter, type Snapshotter } from '@slipway/snapshots';
import { ArchiveFiles } from './archive-files.ts';
import { type ArchiveImage, readArchiveImages } from './archive-images.ts';
import { collectBlobs, collectSnapshots } from './collect-garbage.ts';
import { diskFull } from './disk-full.ts';
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
import { type ImageEntry, ImageTable } from './image-table.ts';
import { LazyLayers } from './lazy-layers.ts';
import { describeNew, ingestLayer, writeDocuments } from './make-image.ts';
import { Registries } from './registries.ts';
import type { PullOptions, PullReport, PushOptions, PushReport, RemoteImage } from './registry-port.ts';
import { RootfsTrees } from './rootfs-trees.ts';
import { type SavedImage, saveArchive } from './save-archive.ts';
import { type SelectedImage, selectManifest, wrongPlatform } from './select-manifest.ts';
import { SHARED_NOTE, SharedImages } from './shared/shared-images.ts';
import { StepCache } from './step-cache.ts';
import { StepTable } from './step-table.ts';
import { requireBlob, storedDocuments } from './stored-documents.ts';
import { Turnstile } from './turnstile.ts';
import { LayerUnpacker, UNPACK_KEY_PREFIX } from './unpack-image.ts';

/** Opens (and makes, 0700) the store below `options.root`, and sweeps what a crash left. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { root } = options;
  await ensurePrivateDirectory(root);
  const open = options.snapshotter === 'native' ? openNativeSnapshotter : openOverlaySnapshotter;
  const snapshots = await open({ root: `${root}/snapshots` });
  for (const { name, kind } of await snapshots.list()) {
    if (kind === 'active' && name.startsWith(UNPACK_KEY_PREFIX)) await snapshots.remove(name);
  }
  await ensurePrivateDirectory(`${root}/worker-cache`);
  const shared = await openShared(options);
  const content = await openContentStore(`${root}/content`, shared === undefined ? {} : { shared: shared.blobs });
  const table = new ImageTable(`${root}/images.db`);
  const lazy = new LazyLayers({
    root: `${root}/lazy`,
    content,
    snapshots,
    compileCacheDir: `${root}/worker-cache`,
    settings: options.registries ?? {},
    onLayer: (chainId, bytes) => table.recordLayer(chainId, bytes),
    onNotice: options.onLazy ?? (() => undefined),
  });
  await lazy.recover();
  return new LocalImageStore(options, { content, snapshots, shared, lazy, table, steps: new StepTable(`${root}/build-steps.db`) });
}

/**
 * Which ones are used is written down for those who look at the store beside its engine. What this kernel cannot use is left out, and the
 * store is as it would be without.
 * @throws `invalid-argument` / `E_SHARED_IMAGES`
 */
async function openShared({ root, shared, snapshotter, onLazy }: ImageStoreOptions): Promise<SharedImages | undefined> {
  const noted = `${root}/${SHARED_NOTE}`;
  await removeStoredFile(noted);
  if (shared === undefined || snapshotter === 'native') return undefined;
  const images = await SharedImages.open(shared);
  const refusal = await images.refusedBy(`${root}/worker-cache`);
  if (refusal !== undefined) {
    onLazy?.({ kind: 'trouble', message: `shared images are not used, and are pulled like any other: ${refusal}` });
    return undefined;
  }
  await writeFileAtomic(noted, shared);
  return images;
}

interface Selected extends SelectedImage {
  readonly names: readonly string[];
}

interface StoreParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly shared: SharedImages | undefined;
  readonly lazy: LazyLayers;
  readonly table: ImageTable;
  readonly steps: StepTable;
}

class LocalImageStore implements ImageStore {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly workerCacheDir: string;
  readonly cache: StepCache;
  readonly #options: ImageStoreOptions;
  readonly #table: ImageTable;
  readonly #steps: StepTable;
  readonly #catalog: ImageCatalog;
  readonly #unpacker: LayerUnpacker;
  readonly #trees: RootfsTrees;
  readonly #lazy: LazyLayers;
  readonly #registries: Registries;
  readonly #holds = new Holds(() => this.collectGarbage());
  /** Loads, removals and garbage collection take turns: what one has read must not be another's garbage. */
  readonly #turns = new Turnstile();

  constructor(options: ImageStoreOptions, parts: StoreParts) {
    this.#options = options;
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
      holding: (work) => this.holding(work),
      settled: () => this.#turns.take(async () => undefined),
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
    return this.#turns.take(async () => {
      try {
        return await this.#load(archive, options);
      } catch (error) {
        throw isDiskFull(error) ? diskFull('image.load', error) : error;
      } finally {
        await this.#sweep();
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
    return this.#holds.holding(work);
  }

  add(image: NewImage): Promise<Image> {
    return this.#turns.take(async () => {
      const names = image.names.map((name) => formatReference(parseTag(name)));
      const selected = await writeDocuments(image, this.content);
      await this.#unpacker.ensure(selected, { onProgress: () => undefined });
      failPoint('image.record');
      this.#table.record([toEntry({ ...selected, names })], Date.now());
      failPoint('image.recorded');
      return this.get(selected.manifest.config.digest);
    });
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
    const held = this.holding(() => sent.promise);
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

  async #load(archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<LoadReport> {
    const onProgress = options.onProgress ?? (() => undefined);
    const files = await ArchiveFiles.read(archive, this.content, (path, { sizeBytes }) => onProgress({ phase: 'read', path, sizeBytes }));
    const { images, namesByConfig } = await readArchiveImages(files, this.content);
    const selected = await this.#select(images, namesByConfig, options);
    const moved = this.#movedNames(selected);
    if (options.onNameTaken === 'refuse' && moved[0] !== undefined) throw nameTaken(moved[0].name);
    const warnings: string[] = [];
    for (const image of selected) warnings.push(...(await this.#unpacker.ensure(image, { onProgress })));
    const report = selected.map(({ manifest, names }) => ({
      id: manifest.config.digest,
      names,
      isNew: this.#table.find(manifest.config.digest) === undefined,
    }));
    failPoint('image.record');
    this.#table.record(selected.map(toEntry), Date.now());
    failPoint('image.recorded');
    return { images: report, moved, warnings };
  }

  /** The images of this platform, each once with all its names. @throws `E_IMAGE_PLATFORM` when there are none */
  async #select(
    images: readonly ArchiveImage[],
    namesByConfig: ReadonlyMap<Digest, readonly string[]>,
    options: LoadOptions,
  ): Promise<Selected[]> {
    const fallback = options.name === undefined ? [] : [formatReference(parseReference(options.name))];
    const byId = new Map<Digest, Selected>();
    for (const { target, names } of images) {
      const image = await selectManifest(target, this.#options.platform, storedDocuments(this.content));
      if (image === undefined) continue;
      for (const layer of image.manifest.layers) await requireBlob(layer, this.content);
      const id = image.manifest.config.digest;
      const all = new Set([...(byId.get(id)?.names ?? []), ...names, ...(namesByConfig.get(id) ?? [])]);
      byId.set(id, { ...image, names: [...all] });
    }
    if (byId.size === 0) throw wrongPlatform(this.#options.platform);
    return [...byId.values()].map((image) => (image.names.length > 0 ? image : { ...image, names: fallback }));
  }

  #movedNames(selected: readonly Selected[]): LoadReport['moved'] {
    return selected.flatMap(({ manifest, names }) =>
      names.flatMap((name) => {
        const from = this.#table.resolveName(name);
        const to = manifest.config.digest;
        return from === undefined || from === to ? [] : [{ name, from, to }];
      }),
    );
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

function toEntry({ manifest, descriptor, names }: Selected): ImageEntry {
  return { id: manifest.config.digest, manifest: descriptor, names };
}

function nameTaken(name: string): EngineError {
  return new EngineError('already-exists', `${name} is the name of another image`, {
    code: 'E_NAME_TAKEN',
    op: 'image.load',
    subject: name,
    hint: 'Remove that name first, or allow names to move.',
  });
}
