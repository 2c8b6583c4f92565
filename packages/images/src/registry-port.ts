/**
 * What can be asked of registries, and what is told while it goes on.
 *
 * Knows: the words of pulling and pushing.
 * Does not know: HTTP (packages/registry-client), or clients' progress bars.
 */
import type { LazyEvent } from '@slipway/lazy';
import type { ChainId, Descriptor, DiffId, Digest, Platform } from '@slipway/oci';
import type { Credentials, Mirror, ProxyRules } from '@slipway/registry-client';

/** How registries are reached. */
export interface RegistrySettings {
  readonly mirrors?: readonly Mirror[];
  /** `host[:port]` that may be asked by plain http and whose certificates are not checked; loopback addresses always may. */
  readonly insecureRegistries?: readonly string[];
  /** Default: `/etc/docker/certs.d`. */
  readonly certificatesDirectory?: string;
  /** Absent: none. */
  readonly proxies?: ProxyRules | undefined;
}

export interface PullOptions {
  /** Default: the store's. */
  readonly platform?: Platform;
  readonly credentials?: Credentials;
  /** Do not wait for layers that can be read before they have come; where that cannot be, the report's warnings say why. Default: the store's. */
  readonly lazy?: boolean;
  /** Ends the pull; what has come stays for the next attempt. */
  readonly signal?: AbortSignal;
  /** Added to requests to a registry on this host, and to no other's: what its journal is told of who asks. */
  readonly localHeaders?: Readonly<Record<string, string>>;
  /** Must not throw. */
  readonly onProgress?: (progress: PullProgress) => void;
}

/** In order: resolved; then for each layer its download and its unpacking, layers side by side. */
export type PullProgress =
  | {
      readonly phase: 'resolved';
      /** Who answered: a mirror or the registry itself. */
      readonly origin: string;
      readonly isMirror: boolean;
      /** What the reference means: a manifest or an index. */
      readonly target: Descriptor;
      readonly manifest: Descriptor;
      readonly layers: readonly Descriptor[];
    }
  | {
      readonly phase: 'download';
      readonly layer: Descriptor;
      /** `exists`: it was here. `progress`: `bytes` of `layer.size` are here. `verified`: all are, and their digest is right. */
      readonly state: 'exists' | 'started' | 'progress' | 'verified';
      readonly bytes: number;
      /** With `verified`: bytes that an earlier attempt had left. */
      readonly resumedAt?: number;
      /** With `verified`: how often the connection had to be made anew. */
      readonly retries?: number;
      /** With `verified`: another pull fetched it. */
      readonly isShared?: boolean;
    }
  | {
      readonly phase: 'unpack';
      readonly layer: Descriptor;
      readonly diffId: DiffId;
      readonly chainId: ChainId;
      readonly state: 'exists' | 'started' | 'done';
    };

export interface PullReport {
  readonly id: Digest;
  /** Full name that it has; a reference by digest gives none. */
  readonly name?: string;
  /** Digest that the reference means: of an index, where there is one. */
  readonly digest: Digest;
  /** False when the name meant this very image before. */
  readonly isNew: boolean;
  readonly warnings: readonly string[];
}

export interface PushOptions {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  /** As {@link PullOptions}. */
  readonly localHeaders?: Readonly<Record<string, string>>;
  /** Must not throw. */
  readonly onProgress?: (progress: PushProgress) => void;
}

export type PushProgress =
  | { readonly phase: 'layers'; readonly origin: string; readonly layers: readonly Descriptor[] }
  | {
      readonly phase: 'upload';
      readonly layer: Descriptor;
      readonly state: 'started' | 'progress' | 'exists' | 'mounted' | 'uploaded';
      readonly bytes: number;
      /** With `mounted`: the repository that had it. */
      readonly from?: string;
    };

export interface PushReport {
  readonly name: string;
  readonly manifest: Descriptor;
}

/** An image as a registry has it, without pulling. */
export interface RemoteImage {
  readonly descriptor: Descriptor;
  /** Of every manifest of an index, or of the one manifest. */
  readonly platforms: readonly Platform[];
}

/** What happens to layers that are read before they have come, at any time. */
export type LazyNotice =
  | { readonly kind: 'event'; readonly digest: Digest; readonly sizeBytes: number; readonly chainId: ChainId; readonly event: LayerEvent }
  /** It is verified and an ordinary snapshot. */
  | { readonly kind: 'whole'; readonly digest: Digest; readonly chainId: ChainId }
  /** Something that people should hear of. */
  | { readonly kind: 'trouble'; readonly message: string };

export type LayerEvent = Extract<LazyEvent, { readonly layer: number }>;
