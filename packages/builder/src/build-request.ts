/**
 * What a build is asked for, what it needs of the engine, and what it tells.
 *
 * Knows: the shapes.
 * Does not know: how anything is done.
 */
import type { Engine, HostRequest, ImageMaking, ImagePort } from '@slipway/engine';
import type { Tracer } from '@slipway/journal';
import type { Credentials } from '@slipway/registry-client/credentials';
import type { ProxyRules } from '@slipway/registry-client/proxy';

export interface BuildRequest {
  /** A tar of the context, compressed or not. */
  readonly context: AsyncIterable<Uint8Array>;
  /** Path of the Dockerfile in the context. */
  readonly dockerfile: string;
  /** Names of the image. */
  readonly names: readonly string[];
  /** Values of `ARG`s; `SOURCE_DATE_EPOCH` makes the result reproducible. */
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Stage to build, by name or number; absent: the last. */
  readonly target?: string;
  readonly noCache: boolean;
  /** Asks the registries for every base image, also for those that are here. */
  readonly pull: boolean;
  /** Of the containers that steps run in. */
  readonly network: 'none' | 'host';
  readonly limits?: StepLimits;
  /** For registries of base images, by domain. */
  readonly credentials?: ReadonlyMap<string, Credentials>;
  /** By id; what steps may mount, and what stays nowhere. */
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  /** Progress and output of steps, as text. */
  readonly onOutput: (text: string) => void;
  /** Ends the build. */
  readonly signal?: AbortSignal;
}

/** What the container of every step gets. */
export type StepLimits = Partial<Pick<HostRequest, 'resources' | 'ulimits' | 'shmSizeBytes' | 'extraHosts'>>;

/** The parts that a build works with. */
export interface BuilderParts {
  readonly engine: Pick<Engine, 'create' | 'attach' | 'start' | 'wait' | 'remove' | 'pullImage'>;
  readonly images: Pick<ImagePort, 'find' | 'lend'> & { readonly making: ImageMaking };
  readonly tracer: Tracer;
  /** For spooled contexts, files of mounts and caches that last; a directory of the daemon's own. */
  readonly directory: string;
  /** For secrets while a step runs; a directory of the daemon's own that goes at reboot, best in memory. */
  readonly secretsDirectory: string;
  /** `host[:port]` that `ADD` may fetch from although its address is not public. */
  readonly addHosts?: readonly string[];
  /** For what is fetched by `ADD`; absent: none. */
  readonly proxies?: ProxyRules | undefined;
}
