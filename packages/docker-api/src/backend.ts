/**
 * What these routes need from an engine, and nothing more; `@slipway/engine` satisfies it.
 *
 * Knows: the engine's words.
 * Does not know: the engine.
 */
import type { Readable } from 'node:stream';
import type { SpanContext } from '@slipway/journal';
import type { ImageConfig, Platform } from '@slipway/oci';
import type { Credentials } from '@slipway/registry-client/credentials';

export interface BackendBind {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly propagation?: string;
  readonly createSource: boolean;
}

export interface BackendResources {
  readonly memoryBytes?: number;
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  readonly nanoCpus?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
}

export interface BackendHost {
  readonly binds: readonly BackendBind[];
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly network: 'none' | 'host';
  readonly hostNamespaces: readonly ('pid' | 'ipc' | 'uts' | 'cgroup')[];
  readonly autoRemove: boolean;
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  readonly runtime?: string;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined';
  readonly resources: BackendResources;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly shmSizeBytes?: number;
  readonly oomScoreAdj?: number;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly extraHosts: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly groupAdd: readonly string[];
}

export interface BackendRequest {
  readonly image: string;
  readonly rootOf?: string;
  readonly name?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly tty: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  readonly stopTimeoutSeconds?: number;
  readonly host: BackendHost;
  readonly api: string;
}

export interface BackendExit {
  readonly code: number;
  readonly oomKilled: boolean;
  readonly at: string;
}

/** What a container's root is mounted of. */
export interface BackendRootfs {
  readonly snapshotter: 'overlay' | 'native';
  readonly mount?: { readonly data: readonly string[] };
  readonly upperDirectory: string;
  /** Bottom first. */
  readonly lower: readonly { readonly directory: string }[];
}

export interface BackendContainer {
  readonly id: string;
  readonly name: string;
  readonly request: BackendRequest;
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user: string;
    readonly hostname: string;
    readonly stopSignal: number;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly imageId: string;
  readonly rootfs?: BackendRootfs;
  readonly createdAt: string;
  readonly status: 'created' | 'running' | 'paused' | 'exited' | 'removing' | 'dead';
  readonly pid?: number;
  readonly startedAt?: string;
  readonly exit?: BackendExit;
  readonly error?: string;
}

export interface BackendImage {
  readonly id: string;
  readonly references: readonly string[];
  readonly repoDigests: readonly string[];
  readonly manifestDigest?: string;
  readonly config: ImageConfig;
  /** Bottom layer first. */
  readonly layers: readonly BackendImageLayer[];
  readonly sizeBytes: number;
}

export interface BackendImageLayer {
  readonly chainId: string;
  readonly sizeBytes: number;
  /** The blob. */
  readonly descriptor: { readonly size: number };
  /** Bytes of the blob that are here, of a layer that is read before it has come; absent for one that is whole. */
  readonly hereBytes?: number;
}

/** A blob of a registry. */
export interface BackendLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface BackendPullOptions {
  readonly platform?: Platform;
  /** Containers may start before the layers have come. Default: the engine's. */
  readonly lazy?: boolean;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackendPullProgress) => void;
}

export type BackendPullProgress =
  | { readonly phase: 'resolved'; readonly layers: readonly BackendLayer[] }
  | {
      readonly phase: 'download';
      readonly layer: BackendLayer;
      readonly state: 'exists' | 'started' | 'progress' | 'verified';
      readonly bytes: number;
    }
  | { readonly phase: 'unpack'; readonly layer: BackendLayer; readonly state: 'exists' | 'started' | 'done' };

export interface BackendPullReport {
  readonly digest: string;
  readonly isNew: boolean;
  readonly warnings: readonly string[];
}

export interface BackendPushOptions {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackendPushProgress) => void;
}

export type BackendPushProgress =
  | { readonly phase: 'layers'; readonly layers: readonly BackendLayer[] }
  | {
      readonly phase: 'upload';
      readonly layer: BackendLayer;
      readonly state: 'started' | 'progress' | 'exists' | 'mounted' | 'uploaded';
      readonly bytes: number;
      readonly from?: string;
    };

export interface BackendPushReport {
  readonly name: string;
  readonly manifest: BackendLayer;
}

export interface BackendAttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** A client's hold on a process's streams. */
export interface BackendAttachment {
  readonly ended: Promise<void>;
  onOutput(listener: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void): void;
  write(bytes: Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
  pauseOutput(paused: boolean): void;
  close(): void;
}

export interface BackendLogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly time: string;
  readonly content: Uint8Array;
}

export interface BackendLogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tail?: number;
  readonly since?: string;
  readonly until?: string;
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

export interface BackendExecConfig {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly privileged: boolean;
}

export interface BackendExec {
  readonly id: string;
  readonly container: string;
  readonly config: BackendExecConfig;
  readonly status: 'created' | 'running' | 'exited';
  readonly pid: number;
  readonly exitCode: number | undefined;
}

export interface BackendEvent {
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeNs: bigint;
}

export interface BackendUsage {
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly memoryPeakBytes?: number;
  readonly cpuUsageUs?: number;
  readonly throttledUs?: number;
  readonly pids?: number;
  readonly pidsLimit?: number;
}

export interface Backend {
  create(request: BackendRequest, parent?: SpanContext): Promise<{ readonly id: string }>;
  start(ref: string, parent?: SpanContext): Promise<boolean>;
  stop(ref: string, options?: { readonly timeoutSeconds?: number; readonly signal?: string }, parent?: SpanContext): Promise<boolean>;
  restart(ref: string, options?: { readonly timeoutSeconds?: number; readonly signal?: string }, parent?: SpanContext): Promise<void>;
  kill(ref: string, signal: string | undefined, parent?: SpanContext): Promise<void>;
  pause(ref: string, parent?: SpanContext): Promise<void>;
  unpause(ref: string, parent?: SpanContext): Promise<void>;
  remove(ref: string, options: { readonly force: boolean }, parent?: SpanContext): Promise<void>;
  update(ref: string, resources: BackendResources, parent?: SpanContext): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  resize(ref: string, rows: number, columns: number): void;
  /** Synchronous up to the registration, so that nothing that happens afterwards is missed. */
  /** After `signal` it never resolves. */
  wait(ref: string, condition: 'not-running' | 'next-exit' | 'removed', signal?: AbortSignal): Promise<BackendExit>;
  inspect(ref: string): BackendContainer;
  list(): readonly BackendContainer[];
  attach(ref: string, options: BackendAttachOptions): Promise<BackendAttachment>;
  logs(ref: string, options: BackendLogOptions): AsyncGenerator<BackendLogLine>;
  top(ref: string, psArgs: string): Promise<{ readonly titles: readonly string[]; readonly rows: readonly (readonly string[])[] }>;
  stats(ref: string): Promise<{ readonly readAt: string; readonly usage?: BackendUsage }>;
  createExec(ref: string, config: BackendExecConfig): { readonly id: string };
  startExec(
    id: string,
    options: { readonly attach?: BackendAttachOptions; readonly size?: { readonly rows: number; readonly columns: number } },
    parent?: SpanContext,
  ): Promise<BackendAttachment | undefined>;
  inspectExec(id: string): BackendExec;
  execsOf(ref: string): readonly string[];
  resizeExec(id: string, rows: number, columns: number): void;
  images(): Promise<readonly BackendImage[]>;
  findImage(reference: string): Promise<BackendImage | undefined>;
  loadImages(
    archive: AsyncIterable<Uint8Array>,
    parent?: SpanContext,
  ): Promise<readonly { readonly id: string; readonly references: readonly string[] }[]>;
  removeImage(
    reference: string,
    options: { readonly force: boolean },
  ): Promise<{ readonly untagged: readonly string[]; readonly deleted: readonly string[] }>;
  tagImage(reference: string, name: string): Promise<void>;
  pullImage(reference: string, options: BackendPullOptions, parent?: SpanContext): Promise<BackendPullReport>;
  pushImage(name: string, options: BackendPushOptions, parent?: SpanContext): Promise<BackendPushReport>;
  lookAtRegistry(
    reference: string,
    options: { readonly credentials?: Credentials },
    parent?: SpanContext,
  ): Promise<{ readonly descriptor: BackendLayer; readonly platforms: readonly Platform[] }>;
  remoteTags(name: string, options: { readonly credentials?: Credentials; readonly signal?: AbortSignal }): Promise<readonly string[]>;
  logIn(domain: string, credentials: Credentials): Promise<void>;
  saveImages(references: readonly string[]): Promise<AsyncIterable<Uint8Array>>;
  importImage(archive: AsyncIterable<Uint8Array>, options: BackendImport, parent?: SpanContext): Promise<{ readonly id: string }>;
  pruneImages(wanted: (image: BackendImage) => boolean): Promise<BackendPruned>;
  commit(ref: string, options: BackendCommit, parent?: SpanContext): Promise<{ readonly id: string }>;
  imageConfig(ref: string): Promise<ImageConfig>;
  setImageConfig(ref: string, config: ImageConfig): Promise<void>;
  export(ref: string): Promise<Readable>;
  changes(ref: string): Promise<readonly { readonly path: string; readonly kind: 'added' | 'modified' | 'deleted' }[]>;
  statPath(ref: string, path: string): Promise<BackendPathStat>;
  readPath(ref: string, path: string): Promise<{ readonly stat: BackendPathStat; readonly tar: Readable }>;
  writePath(
    ref: string,
    to: { readonly path: string; readonly archive: AsyncIterable<Uint8Array>; readonly keepKinds: boolean },
    parent?: SpanContext,
  ): Promise<void>;
  diskUsage(): Promise<BackendDiskUsage>;
  pastEvents(): readonly BackendEvent[];
  onEvent(listener: (event: BackendEvent) => void): () => void;
}

export interface BackendImport {
  readonly reference?: string;
  readonly comment?: string;
  readonly changes: readonly string[];
}

export interface BackendCommit extends BackendImport {
  readonly author?: string;
  readonly pause: boolean;
  readonly createdBy?: string;
  readonly timestampSeconds?: number;
}

export interface BackendPruned {
  readonly untagged: readonly string[];
  readonly deleted: readonly string[];
  readonly freedBytes: number;
}

/** What stands at a path of a container; `mode` is st_mode. */
export interface BackendPathStat {
  readonly name: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly linkTarget: string;
}

export interface BackendDiskUsage {
  readonly layerBytes: number;
  readonly sharedBytes: ReadonlyMap<string, number>;
  readonly containers: ReadonlyMap<string, { readonly writtenBytes: number; readonly rootBytes: number }>;
}

export interface BackendBuild {
  readonly context: AsyncIterable<Uint8Array>;
  readonly dockerfile: string;
  readonly names: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly network: 'none' | 'host';
  readonly limits: Pick<BackendHost, 'resources' | 'ulimits' | 'shmSizeBytes' | 'extraHosts'>;
  /** By registry domain. */
  readonly credentials: ReadonlyMap<string, Credentials>;
  /** By id. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly onOutput: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What these routes need of a builder; `@slipway/builder` satisfies it. */
export interface BackendBuilder {
  build(request: BackendBuild, parent?: SpanContext): Promise<{ readonly id: string }>;
  /** Forgets what is kept of earlier builds. */
  prune(): Promise<{ readonly blobBytes: number }>;
  usage(): { readonly steps: number; readonly blobBytes: number };
}

/** What `docker version` and `docker info` say about the machine; read once by whoever starts the server. */
export interface SystemFacts {
  readonly version: string;
  readonly gitCommit: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  /** Docker's name for the processor: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly hostName: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly rootDirectory: string;
  readonly storageDriver: string;
  readonly cgroupDriver: string;
  /** 1 or 2. */
  readonly cgroupVersion: number;
  readonly securityOptions: readonly string[];
  /** Name → program; the engine's own is one of them. */
  readonly runtimes: Readonly<Record<string, string>>;
  readonly defaultRuntime: string;
  /** Names this daemon's state, so that two runs can be told apart. */
  readonly id: string;
}
