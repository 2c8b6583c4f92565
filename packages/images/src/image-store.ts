/**
 * What the engine can ask about images.
 *
 *     loadArchive ──▶ blobs in the content store ──▶ one committed snapshot per layer ──▶ a record with names
 *     prepareRootfs ──▶ an active snapshot on top ──▶ mounts
 *
 * Knows: the promises.
 * Does not know: registries, containers, or who holds a snapshot made here.
 */
import type { ContentStore } from '@slipway/content';
import type { WorkerMount } from '@slipway/kernel/trees';
import type { ChainId, Descriptor, DiffId, Digest, ImageConfig, Platform } from '@slipway/oci';
import type { Credentials } from '@slipway/registry-client';
import type { Mount, SnapshotDirectories, Snapshotter } from '@slipway/snapshots';
import type { LazyNotice, PullOptions, PullReport, PushOptions, PushReport, RegistrySettings, RemoteImage } from './registry-port.ts';

/** One layer of an image, as it stands in the store. */
export interface ImageLayer {
  readonly diffId: DiffId;
  /** Name of the committed snapshot that holds this layer and those below. */
  readonly chainId: ChainId;
  /** The blob. */
  readonly descriptor: Descriptor;
  /** Bytes of the layer's regular files. */
  readonly sizeBytes: number;
  /** The build step that made it, where the image says so. */
  readonly createdBy?: string;
  /** Bytes of the blob that are here, of a layer that is read before it has come; absent for one that is whole. */
  readonly hereBytes?: number;
}

/** An image that is here, unpacked. */
export interface Image {
  /** Digest of the image config: docker's image id. */
  readonly id: Digest;
  /** Full names, `docker.io/library/busybox:latest`, sorted; empty for a dangling image. */
  readonly names: readonly string[];
  /** Names with the digest that a registry has it under, `docker.io/library/busybox@sha256:…`: of what was pulled, or was pushed. */
  readonly repoDigests: readonly string[];
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  /** Bottom layer first. */
  readonly layers: readonly ImageLayer[];
  /** Bytes of all layers' regular files. */
  readonly sizeBytes: number;
  readonly loadedAtMs: number;
}

export interface LoadOptions {
  /** Name for images that the archive does not name. */
  readonly name?: string;
  /**
   * What to do when a name already means another image. `move` is what docker does: the name moves, the report says so,
   * and the other image stays, without it. `refuse` fails the whole load. Default: `move`.
   */
  readonly onNameTaken?: 'move' | 'refuse';
  /** Must not throw. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export type LoadProgress =
  | { readonly phase: 'read'; readonly path: string; readonly sizeBytes: number }
  | { readonly phase: 'unpack'; readonly diffId: DiffId; readonly chainId: ChainId; readonly state: 'started' | 'done' | 'exists' };

export interface LoadReport {
  readonly images: readonly { readonly id: Digest; readonly names: readonly string[]; readonly isNew: boolean }[];
  /** Names that meant another image before. */
  readonly moved: readonly { readonly name: string; readonly from: Digest; readonly to: Digest }[];
  /** What was left out or could not be kept, in sentences. */
  readonly warnings: readonly string[];
}

/** A layer that is a blob here. */
export interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
}

/** An image to be made of layers that are here. */
export interface NewImage {
  /** Its `diffIds` are those of `layers`, whatever it says. */
  readonly config: ImageConfig;
  /** Bottom layer first. */
  readonly layers: readonly NewLayer[];
  /** As typed; a name that meant another image moves. */
  readonly names: readonly string[];
}

export interface PackOptions {
  /** Absolute paths inside the root where a runtime mounted something, see OverlayTree. */
  readonly mountPoints: readonly string[];
  /** Seconds since 1970: later times are set to this one. */
  readonly latestMtime?: number;
  /** Take what a runtime made for mounts out of it, see {@link ImageStore.adoptRootfs}; nothing may be mounted on it. */
  readonly settle?: boolean;
}

/** What {@link ImageStore.packRootfs} made. */
export interface PackedRootfs {
  /** Absent when nothing was changed. */
  readonly layer: NewLayer | undefined;
  /** Bytes of its regular files. */
  readonly fileBytes: number;
  readonly warnings: readonly string[];
}

/** One path that differs from the image. */
export interface RootfsChange {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted';
}

/** A tree for a worker: a directory, or an overlay to be mounted for it alone. */
export type TreeRoot = string | WorkerMount;

/** What a build step made. */
export interface CachedStep {
  /** Absent: the step changed no file. */
  readonly layer?: NewLayer;
  /** RFC 3339. */
  readonly created: string;
}

/** Results of build steps, by what went into them. Layers that it names are kept. */
export interface BuildCache {
  find(key: string): CachedStep | undefined;
  put(key: string, step: CachedStep): void;
  /** Forgets everything. @returns what was collected afterwards */
  prune(): Promise<GarbageReport>;
  /** Bytes of its blobs, and how many steps there are. */
  usage(): { readonly steps: number; readonly blobBytes: number };
}

export interface RemoveReport {
  readonly untagged: readonly string[];
  /** Set when the image itself went with its last name. */
  readonly deleted?: Digest;
}

/** A root file system ready to be mounted. */
export interface PreparedRootfs {
  readonly image: Image;
  readonly key: string;
  /** To be mounted in order at one place. */
  readonly mounts: readonly Mount[];
  readonly directories: SnapshotDirectories;
}

/** Images by name and id. Everything here survives a crash; one process per root. */
export interface ImageStore {
  /** Blobs, for those who show or serve them; deleting there is this store's business. */
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  /**
   * Loads every image of an OCI layout or docker-archive tar, plain or compressed. All or nothing: on failure neither
   * names nor images have changed, and what was read is removed again.
   *
   * @throws EngineError `invalid-argument` / `E_ARCHIVE_INVALID`, `E_TAR_…`, `E_DOCUMENT_INVALID`, `E_BLOB_DIGEST`, `E_LAYER_…`, `E_IMAGE_PLATFORM`;
   *   `already-exists` / `E_NAME_TAKEN`; `failed-precondition` / `E_DISK_FULL`
   */
  loadArchive(archive: AsyncIterable<Uint8Array>, options?: LoadOptions): Promise<LoadReport>;
  /**
   * Pulls an image: `busybox`, `host:port/path:tag`, `name@sha256:…`. Layers that are here are not fetched again; several pulls share a fetch.
   * What a failed or ended pull has fetched is used by the next one, unless a collection comes between.
   *
   * @throws EngineError as the registry refuses (`E_REGISTRY_…`) or lies (`E_BLOB_…`, `E_DOCUMENT_INVALID`), as {@link loadArchive} for
   *   layers that cannot be unpacked; `failed-precondition` / `E_DISK_FULL`; the signal's reason when it aborts
   */
  pull(reference: string, options?: PullOptions): Promise<PullReport>;
  /** Pushes the image of this name to where the name says. @throws as the registry refuses; `not-found` / `E_IMAGE_NOT_FOUND` */
  push(name: string, options?: PushOptions): Promise<PushReport>;
  /** What a registry has under a reference, without pulling it. @throws as the registry refuses */
  look(reference: string, options?: Pick<PullOptions, 'credentials' | 'signal'>): Promise<RemoteImage>;
  /** Tags of a repository in its registry. @throws as the registry refuses */
  remoteTags(name: string, options?: Pick<PullOptions, 'credentials' | 'signal'>): Promise<readonly string[]>;
  /** Asks a registry (`docker.io`, `localhost:5000`) whether it takes these. @throws `permission-denied` / `E_REGISTRY_DENIED` */
  logIn(domain: string, credentials: Credentials): Promise<void>;
  /** Newest first. */
  list(): Promise<readonly Image[]>;
  /**
   * Finds an image by name (`busybox`, `busybox@sha256:…`), id (`sha256:…`) or a unique beginning of the id's hex digits; names come first.
   * @throws `not-found` / `E_IMAGE_NOT_FOUND`; `invalid-argument` / `E_IMAGE_AMBIGUOUS`
   */
  get(nameOrId: string): Promise<Image>;
  /** As {@link get}; undefined when there is none. */
  find(nameOrId: string): Promise<Image | undefined>;
  /** Gives an image one more name; a name that meant another image moves. */
  tag(nameOrId: string, name: string): Promise<void>;
  /**
   * Removes a name, and with the last one the image. By id: the image with all its names, refused with
   * `failed-precondition` / `E_IMAGE_NAMED` when it has several, unless `force`. Snapshots that containers still stand on stay until they are gone.
   */
  remove(nameOrId: string, options?: { readonly force?: boolean }): Promise<RemoveReport>;
  /** Opens a writable root file system under `key`. @throws as {@link get}; `already-exists` / `E_SNAPSHOT_EXISTS` */
  prepareRootfs(nameOrId: string, key: string): Promise<PreparedRootfs>;
  /** The mounts of one prepared earlier. @throws `not-found` / `E_SNAPSHOT_NOT_FOUND` */
  rootfs(key: string): Promise<{ readonly mounts: readonly Mount[]; readonly directories: SnapshotDirectories }>;
  /** Throws a root file system away; it must not be mounted any more. Quiet when there is none. */
  removeRootfs(key: string): Promise<void>;
  /** Nothing is collected while `work` runs: for whoever makes layers that no image names yet. */
  holding<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Makes an image: writes its documents, unpacks layers that were not unpacked yet, gives it its names. To be called inside {@link holding}.
   * An image without names is dangling, as with docker.
   * @throws as {@link loadArchive} for layers that cannot be unpacked; `invalid-argument` / `E_REFERENCE_INVALID`
   */
  add(image: NewImage): Promise<Image>;
  /** Makes sure that a stack of layers is unpacked. @returns name of the topmost snapshot, `''` for none */
  unpack(layers: readonly NewLayer[]): Promise<string>;
  /** Packs what a prepared root file system adds to its image. Inside {@link holding}. @throws as packTree */
  packRootfs(key: string, options: PackOptions): Promise<PackedRootfs>;
  /**
   * Makes a root file system that was packed with `settle` the snapshot of its layer, which then need not be unpacked. `layers` with
   * that layer on top. The key no longer exists afterwards, but for a layer that was unpacked already.
   */
  adoptRootfs(key: string, layers: readonly NewLayer[], packed: PackedRootfs): Promise<void>;
  /** Takes an uncompressed tar as a layer. Inside {@link holding}. */
  ingestLayer(tar: AsyncIterable<Uint8Array>): Promise<NewLayer>;
  /** What differs from the image, in order of paths. */
  changes(key: string, options: Pick<PackOptions, 'mountPoints'>): Promise<readonly RootfsChange[]>;
  /** The whole tree of a snapshot, read-only, without anything mounted in it. */
  viewOf(keyOrName: string): Promise<TreeRoot>;
  /** The whole tree of a prepared root file system, to be written to; it must not be mounted anywhere else. */
  writableOf(key: string): Promise<TreeRoot>;
  readonly cache: BuildCache;
  /** An image that is not recorded, for a root file system on top: nothing is written. Its id is what `add` would give it. */
  describe(image: NewImage): Image;
  /** As {@link prepareRootfs}, on an image from {@link describe}; its layers are unpacked. */
  prepareRootfsOn(image: Image, key: string): Promise<PreparedRootfs>;
  /** Directory for compiled sources of workers, see WorkerRequest. */
  readonly workerCacheDir: string;
  /** Images as one archive, see save-archive.ts. A name takes that name along, an id none. @throws `not-found` / `E_IMAGE_NOT_FOUND` before the first byte */
  save(namesOrIds: readonly string[]): Promise<AsyncIterable<Uint8Array>>;
  /** Removes blobs and snapshots that no image and no root file system needs. Run after every load and removal by itself. */
  collectGarbage(): Promise<GarbageReport>;
  close(): Promise<void>;
}

export interface GarbageReport {
  readonly blobs: number;
  readonly blobBytes: number;
  readonly snapshots: number;
}

export interface ImageStoreOptions {
  /** Absolute; holds `content/`, `snapshots/`, `worker-cache/` and `images.db`. Made 0700. */
  readonly root: string;
  /** Default: `overlay`. */
  readonly snapshotter?: 'overlay' | 'native';
  /** Which manifest of an index to take. */
  readonly platform: Platform;
  /** Directory of images that are here without taking room, see shared/shared-images.ts; of overlay only. Absent: none. */
  readonly shared?: string;
  /** Default: no mirrors, https only. */
  readonly registries?: RegistrySettings;
  /** Whether a pull that does not say so reads layers before they have come. Default: false. */
  readonly lazyPulls?: boolean;
  /** Must not throw. */
  readonly onLazy?: (notice: LazyNotice) => void;
}
