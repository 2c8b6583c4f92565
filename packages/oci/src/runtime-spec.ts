/**
 * The OCI runtime document (config.json), as far as this engine acts on it.
 *
 * Knows: field names and shapes, as the specification spells them.
 * Does not know: which values are allowed (validate-spec.ts), nor what happens for them (packages/runtime).
 *
 * @spec runtime-spec/config.md, runtime-spec/config-linux.md
 */

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process?: SpecProcess;
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly SpecMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hooks?: Readonly<Record<string, readonly SpecHook[]>>;
  readonly linux?: SpecLinux;
}

export interface SpecProcess {
  readonly terminal?: boolean;
  /** Character cells. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly cwd: string;
  readonly env?: readonly string[];
  readonly args?: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number; readonly umask?: number; readonly additionalGids?: readonly number[] };
  readonly capabilities?: SpecCapabilities;
  /** Values beyond 2^53 are bigint (see parseSpecJson); rlimitValue gives what the kernel takes. */
  readonly rlimits?: readonly { readonly type: string; readonly soft: number | bigint; readonly hard: number | bigint }[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
  /** Times in nanoseconds. */
  readonly scheduler?: {
    readonly policy: string;
    readonly nice?: number;
    readonly priority?: number;
    readonly flags?: readonly string[];
    readonly runtime?: number | bigint;
    readonly deadline?: number | bigint;
    readonly period?: number | bigint;
  };
  readonly ioPriority?: { readonly class: string; readonly priority?: number };
  /** Lists such as `0-3,7`; of further processes only. */
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
}

export interface SpecCapabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface SpecMount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly SpecIdMapping[];
  readonly gidMappings?: readonly SpecIdMapping[];
}

export interface SpecIdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface SpecHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface SpecLinux {
  readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
  readonly uidMappings?: readonly SpecIdMapping[];
  readonly gidMappings?: readonly SpecIdMapping[];
  readonly devices?: readonly SpecDevice[];
  readonly cgroupsPath?: string;
  readonly resources?: SpecResources;
  readonly rootfsPropagation?: string;
  readonly seccomp?: SpecSeccomp;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  /** Clock → what its readings are ahead of the host's. */
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: number; readonly nanosecs?: number }>>;
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] };
  readonly memoryPolicy?: { readonly mode: string; readonly nodes?: string; readonly flags?: readonly string[] };
  /** Name on the host → name in the container; absent: the same. */
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>;
  readonly [other: string]: unknown;
}

export interface SpecDevice {
  readonly type: 'c' | 'b' | 'u' | 'p';
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Limits of one container. @spec runtime-spec/config-linux.md#control-groups */
export interface SpecResources {
  readonly devices?: readonly {
    readonly allow: boolean;
    readonly type?: string;
    readonly major?: number;
    readonly minor?: number;
    readonly access?: string;
  }[];
  /** Bytes; -1 lifts a limit. `swap` is memory plus swap. */
  readonly memory?: { readonly limit?: number; readonly reservation?: number; readonly swap?: number; readonly [other: string]: unknown };
  /** `quota` and `period` in microseconds; `shares` 2..262144. */
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
    readonly [other: string]: unknown;
  };
  readonly pids?: { readonly limit: number };
  /** cgroup v2 file → value, written as it stands. */
  readonly unified?: Readonly<Record<string, string>>;
  readonly [other: string]: unknown;
}

export interface SpecSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  /** Socket of the agent that decides calls with SCMP_ACT_NOTIFY; `listenerMetadata` is handed to it as it stands. */
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    /** Values are 64 bits wide; beyond 2^53 they are bigint. */
    readonly args?: readonly {
      readonly index: number;
      readonly value: number | bigint;
      readonly valueTwo?: number | bigint;
      readonly op: string;
    }[];
  }[];
}
