/**
 * What the engine needs from below and outside, in one place.
 *
 * Knows: the shape of the image store's side and of the context that every operation gets.
 * Does not know: who implements them; the composition root (apps/slipwayd) does.
 */
import type { ImageLayer, ImageStore, NewImage } from '@slipway/images';
import type { JournalBody, Tracer } from '@slipway/journal';
import type { ImageConfig } from '@slipway/oci';
import type { Runtime } from '@slipway/runtime';
import type { Rootfs } from './container.ts';
import type { ContainerTable } from './container-table.ts';
import type { EventLog } from './events.ts';
import type { ExecTable } from './exec-table.ts';

/** One image as clients see it. */
export interface EngineImage {
  /** Digest of the image config. */
  readonly id: string;
  /** Full names with tag; empty for an image without a name. */
  readonly references: readonly string[];
  /** Full names with the digest under which a registry has it. */
  readonly repoDigests: readonly string[];
  /** Digest of the manifest, where it has one. */
  readonly manifestDigest?: string;
  readonly config: ImageConfig;
  /** Bottom layer first. */
  readonly layers: readonly ImageLayer[];
  /** Of all layers, unpacked or as stored. */
  readonly sizeBytes: number;
}

export interface LoadedImage {
  readonly id: string;
  readonly references: readonly string[];
}

/** The image store, as far as containers and clients need it. */
export interface ImagePort {
  list(): Promise<readonly EngineImage[]>;
  /** By name as typed, id or id prefix; undefined when there is none. */
  find(reference: string): Promise<EngineImage | undefined>;
  /** Reads an OCI layout or docker-archive tar. */
  load(archive: AsyncIterable<Uint8Array>): Promise<readonly LoadedImage[]>;
  /** Takes a name away, and the image with its last name. */
  remove(
    reference: string,
    options: { readonly force: boolean },
  ): Promise<{ readonly untagged: readonly string[]; readonly deleted: readonly string[] }>;
  /** A new writable root named `key`. @throws already-exists */
  prepareRootfs(key: string, imageId: string): Promise<Rootfs>;
  /** Quiet when there is none. */
  removeRootfs(key: string): Promise<void>;
  /** One more name for an image. */
  tag(reference: string, name: string): Promise<void>;
  /** Lets containers be created from an image that is not recorded, by its id, as long as it is lent. Its layers must be unpacked. */
  lend(image: NewImage): { readonly id: string; release(): void };
  /** For those who make images, or look into trees. */
  readonly making: ImageMaking;
  /** Pulling and pushing; its promises are those of ImageStore. */
  readonly registries: Pick<ImageStore, 'pull' | 'push' | 'look' | 'remoteTags' | 'logIn'>;
}

/** What the store offers to whoever makes images; its promises are those of ImageStore. */
export type ImageMaking = Pick<
  ImageStore,
  | 'add'
  | 'adoptRootfs'
  | 'cache'
  | 'changes'
  | 'collectGarbage'
  | 'holding'
  | 'ingestLayer'
  | 'packRootfs'
  | 'save'
  | 'snapshots'
  | 'unpack'
  | 'viewOf'
  | 'workerCacheDir'
  | 'writableOf'
>;

export interface EnginePaths {
  /** What must last: container records, logs. */
  readonly root: string;
  /** What may go at reboot: shim directories. */
  readonly state: string;
  /** Where a builder keeps its own, where there is one: its bytes are the engine's, too. */
  readonly builds?: string;
}

/** Which runtimes a container may ask for. */
export interface RuntimeNames {
  /** Beside the engine's own. */
  readonly foreign: readonly string[];
  /** Of containers that ask for none; absent: the engine's own. */
  readonly fallback?: string;
}

/** Where the shim of a container's process has its files. */
export function shimDirectory({ paths }: Pick<EngineContext, 'paths'>, id: string): string {
  return `${paths.state}/shims/${id.slice(0, 32)}`;
}

/** Everything an engine operation works with. */
export interface EngineContext {
  readonly runtime: Runtime;
  readonly runtimes: RuntimeNames;
  readonly images: ImagePort;
  readonly tracer: Tracer;
  readonly containers: ContainerTable;
  readonly execs: ExecTable;
  readonly events: EventLog;
  readonly paths: EnginePaths;
  /** Writes to the journal, with the time it happened (CLOCK_MONOTONIC milliseconds; absent: now). */
  readonly emit: (body: JournalBody, atMs?: number) => void;
  /** Something worth a log line and a notice. */
  readonly warn: (message: string) => void;
  /** The upper directory of this container may have changed. */
  readonly layersChanged: (id: string) => void;
}
