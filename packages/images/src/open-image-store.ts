/**
 * The image store: content, snapshots and records behind one interface.
 *
 * Knows: the order in which blobs, snapshots and records come into being and go, so that a crash in between leaves garbage
 *   and never a record of something that is not there.
 * Does not know: how each of them works.
 */
import { type ContentStore, openContentStore } from '@slipway/content';
import { EngineError, hasCode } from '@slipway/errors';
import { ensurePrivateDirectory, isErrno } from '@slipway/kernel';
import { type Digest, formatReference, parseReference } from '@slipway/oci';
import { openNativeSnapshotter, openOverlaySnapshotter, type Snapshotter } from '@slipway/snapshots';
import { ArchiveFiles } from './archive-files.ts';
import { type ArchiveImage, readArchiveImages } from './archive-images.ts';
import { collectBlobs, collectSnapshots } from './collect-garbage.ts';
import { ImageCatalog } from './image-catalog.ts';
import type {
  GarbageReport,
  Image,
  ImageStore,
  ImageStoreOptions,
  LoadOptions,
  LoadReport,
  PreparedRootfs,
  RemoveReport,
} from './image-store.ts';
import { type ImageEntry, ImageTable } from './image-table.ts';
import { type SelectedImage, selectManifest, wrongPlatform } from './select-manifest.ts';
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
  const content = await openContentStore(`${root}/content`);
  return new LocalImageStore(options, { content, snapshots, table: new ImageTable(`${root}/images.db`) });
}

interface Selected extends SelectedImage {
  readonly names: readonly string[];
}

class LocalImageStore implements ImageStore {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly #options: ImageStoreOptions;
  readonly #table: ImageTable;
  readonly #catalog: ImageCatalog;
  readonly #unpacker: LayerUnpacker;
  /** Loads, removals and garbage collection take turns: what one has read must not be another's garbage. */
  readonly #turns = new Turnstile();

  constructor(options: ImageStoreOptions, parts: { content: ContentStore; snapshots: Snapshotter; table: ImageTable }) {
    this.#options = options;
    this.content = parts.content;
    this.snapshots = parts.snapshots;
    this.#table = parts.table;
    this.#catalog = new ImageCatalog(parts.table, parts.content);
    this.#unpacker = new LayerUnpacker({
      ...parts,
      compileCacheDir: `${options.root}/worker-cache`,
      onLayer: (chainId, bytes) => parts.table.recordLayer(chainId, bytes),
    });
  }

  loadArchive(archive: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Promise<LoadReport> {
    return this.#turns.take(async () => {
      try {
        return await this.#load(archive, options);
      } catch (error) {
        throw isErrno(error, 'ENOSPC', 'EDQUOT') ? diskFull(error) : error;
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
      const reference = parseReference(name);
      if (reference.digest !== undefined) {
        throw new EngineError('invalid-argument', `${JSON.stringify(name)} names a digest, which cannot be given`, {
          code: 'E_REFERENCE_INVALID',
          op: 'image.tag',
          subject: name,
        });
      }
      this.#table.setName(formatReference(reference), (await this.get(nameOrId)).id);
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
    const image = await this.get(nameOrId);
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

  collectGarbage(): Promise<GarbageReport> {
    return this.#turns.take(() => this.#sweep());
  }

  async close(): Promise<void> {
    await this.#turns.take(async () => {
      this.#table.close();
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
    for (const image of selected) warnings.push(...(await this.#unpacker.ensure(image, onProgress)));
    const report = selected.map(({ manifest, names }) => ({
      id: manifest.config.digest,
      names,
      isNew: this.#table.find(manifest.config.digest) === undefined,
    }));
    this.#table.record(selected.map(toEntry), Date.now());
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
      const image = await selectManifest(target, this.#options.platform, this.content);
      if (image === undefined) continue;
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

  /** Records first, then what they do not reach. */
  async #sweep(): Promise<GarbageReport> {
    const images = await this.list();
    const snapshots = await collectSnapshots(images, this.snapshots, (name) => this.#table.forgetLayer(name));
    return { snapshots, ...(await collectBlobs(images, this.content)) };
  }
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

function diskFull(cause: unknown): EngineError {
  return new EngineError('failed-precondition', 'no space left for the image', {
    code: 'E_DISK_FULL',
    op: 'image.load',
    hint: 'Remove images or containers that are not needed, then load it again.',
    cause,
  });
}
