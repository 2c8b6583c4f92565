/**
 * Places that images come from and go to.
 *
 * Knows: what every place can do. Each has a file of its own.
 * Does not know: how an image gets from one to another (copy.ts).
 */
import type { Descriptor, Digest, Platform } from '@slipway/oci';

/** A manifest or an index, byte for byte. */
export interface ManifestBytes {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export interface ImageSource {
  /** What the image is called there, for people; empty where it has no name. */
  readonly name: string;
  /** The image's own, or one that its index names. */
  manifest(digest?: Digest): Promise<ManifestBytes>;
  /** Not checked yet: copy.ts holds the bytes against the descriptor. */
  blob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>>;
  /** Other tags of the repository; undefined where there is no such thing. */
  tags(): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

/** What becomes of layers on the way in. */
export type LayerForm = 'as-they-are' | 'gzip' | 'zstd' | 'plain';

export interface ImageDestination {
  /** Families of manifests that can be kept there, the preferred one first. */
  readonly accepts: readonly ManifestFamily[];
  readonly layers: LayerForm;
  hasBlob(descriptor: Descriptor): Promise<boolean>;
  /** Takes bytes that have been checked by the time they end; a failure of theirs must leave no blob. */
  putBlob(descriptor: Descriptor, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** @param child one that an index names; absent: this is the image */
  putManifest(manifest: ManifestBytes, child?: Digest): Promise<void>;
  /** Nothing is the image there before this. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

export type ManifestFamily = 'oci' | 'docker';

/** Flags of one side of a copy: `--src-…` or `--dest-…`, or without a prefix. */
export interface SideOptions {
  readonly tlsVerify: boolean;
  /** `USER:PASSWORD`. */
  readonly credentials?: string;
  readonly anonymous: boolean;
  readonly authFile?: string;
  readonly certificates?: string;
  readonly daemonHost?: string;
}

export interface DestinationOptions extends SideOptions {
  /** What becomes of layers in a directory; everywhere else the place says what it wants. */
  readonly directoryLayers: LayerForm;
  /** How plain layers are packed where they are. */
  readonly packing: 'gzip' | 'zstd';
  /** A layout takes plain layers as they are, too. */
  readonly acceptPlain: boolean;
  /** More names for an archive. */
  readonly moreNames: readonly string[];
}

/** What holds for the whole command. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: Platform;
  /** What registries are told of who asks. */
  readonly userAgent: string;
  /** For whatever has to be kept on the way. */
  readonly temporary: () => string;
}
