/**
 * What a container is to the engine: what was asked for, what became of it, and what others may see of it.
 *
 * Knows: the engine's own words, shared by every protocol above it.
 * Does not know: Docker's or CRI's field names, nor the OCI document made from it (plan-spec.ts).
 */

import type { ImageConfig } from '@slipway/oci';

/** A host directory or file shown inside the container. */
export interface BindRequest {
  /** Absolute host path. */
  readonly source: string;
  /** Absolute path inside. */
  readonly destination: string;
  readonly readOnly: boolean;
  /** `rprivate` when absent. */
  readonly propagation?: string;
  /** Make the source as a directory when it is missing (Docker's `-v`); otherwise a missing source is refused. */
  readonly createSource: boolean;
}

/** Limits as asked for; absent means unlimited or the kernel's default. */
export interface ResourceRequest {
  /** Bytes. */
  readonly memoryBytes?: number;
  /** Memory plus swap in bytes; -1: unlimited swap. */
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  /** 10⁻⁹ CPUs; excludes cpuQuotaUs. */
  readonly nanoCpus?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** -1 or absent: unlimited. */
  readonly pidsLimit?: number;
}

/** `none`: a loopback of its own; `host`: the engine's own network namespace. */
export type NetworkMode = 'none' | 'host';

/** What surrounds the process: isolation, rights, limits, file systems. */
export interface HostRequest {
  readonly binds: readonly BindRequest[];
  /** Path inside → mount options, e.g. `size=64m`. */
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly network: NetworkMode;
  /** Namespaces shared with the engine instead of the container's own. */
  readonly hostNamespaces: readonly ('pid' | 'ipc' | 'uts' | 'cgroup')[];
  readonly autoRemove: boolean;
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  /** An OCI runtime by name; absent: the engine's own. */
  readonly runtime?: string;
  /** `CAP_…`, or `ALL`. */
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined';
  readonly resources: ResourceRequest;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly shmSizeBytes?: number;
  /** Absent: 0, which is clamped to the engine's own score where that is higher. */
  readonly oomScoreAdj?: number;
  readonly sysctls: Readonly<Record<string, string>>;
  /** `name:address` lines for /etc/hosts. */
  readonly extraHosts: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** Group names or numbers. */
  readonly groupAdd: readonly string[];
}

/** Everything a client asks for when it creates a container. */
export interface ContainerRequest {
  /** As typed: a reference or an id; `scratch` is an empty root. */
  readonly image: string;
  /**
   * A container that does not run, whose root file system this one uses, too: what it writes stays there when it is gone, and it has no
   * image of its own.
   */
  readonly rootOf?: string;
  /** Absent: a name is made up. */
  readonly name?: string;
  /** Absent: the image's. An empty list resets it. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly tty: boolean;
  /** The terminal's first size in character cells. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `SIGTERM` style or a number; absent: the image's, else SIGTERM. */
  readonly stopSignal?: string;
  readonly stopTimeoutSeconds?: number;
  readonly host: HostRequest;
  /** Which door the request came through: `docker`, `cri` … */
  readonly api: string;
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'exited' | 'removing' | 'dead';

/** What the container's process is, after image and request were merged. */
export interface ResolvedProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** As asked or from the image; `''` is root. */
  readonly user: string;
  readonly hostname: string;
  readonly stopSignal: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** One layer below a container. */
export interface LowerLayer {
  /** Diff id. */
  readonly digest: string;
  readonly directory: string;
  readonly sizeBytes?: number;
  readonly createdBy?: string;
}

/** A container's writable root file system, before anything is mounted. */
export interface Rootfs {
  readonly snapshotter: 'overlay' | 'native';
  /** What to mount on the bundle's rootfs; absent for native, whose directory is the root. */
  readonly mount?: { readonly fsType: string; readonly source: string; readonly data: readonly string[] };
  /** The writable directory; for native the whole tree. */
  readonly upperDirectory: string;
  /** Bottom first; empty for native. */
  readonly lower: readonly LowerLayer[];
}

/** How and when the process last ended. */
export interface ExitFact {
  readonly code: number;
  readonly oomKilled: boolean;
  /** RFC 3339. */
  readonly at: string;
}

/** One container, durable: everything a new daemon needs to go on. */
export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly request: ContainerRequest;
  readonly process: ResolvedProcess;
  /** Digest of the image config. */
  readonly imageId: string;
  readonly createdAt: string;
  readonly status: ContainerStatus;
  /** What `commit` makes the image's configuration of; absent: the image's own, changed by the request. */
  readonly imageConfig?: ImageConfig;
  /** Absent only while the container is being created. */
  readonly rootfs?: Rootfs;
  /** The directory of the shim that holds (or held) the process; a new one for each start. */
  readonly shimDir?: string;
  readonly pid?: number;
  readonly shimPid?: number;
  /** Field 22 of /proc/PID/stat. */
  readonly startTime?: string;
  readonly startedAt?: string;
  readonly exit?: ExitFact;
  /** Why the last start failed. */
  readonly error?: string;
}

/** Name of the snapshot that a container writes into. */
export function snapshotKey({ id, request }: Pick<ContainerRecord, 'id' | 'request'>): string {
  return request.rootOf ?? id;
}
