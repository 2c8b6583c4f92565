/**
 * What callers can ask of an OCI runtime: the lifecycle of one bundle, and processes inside it.
 *
 * Knows: the promises of create, start, state, kill, delete and exec.
 * Does not know: images, networks, logs' meaning or restarts; that is the engine's.
 *
 *     create ──▶ created ──start──▶ running ──(its process ends)──▶ stopped ──delete──▶ gone
 *                   └───────────────kill──────────────────────────────▲
 */
import type { Operation, OperationRecord, Supervision } from '@slipway/launcher';
import type { RuntimeSpec, SpecProcess, SpecResources } from '@slipway/oci';

/** `paused` is ours; the other four are the spec's. @spec runtime-spec/runtime.md#state */
export type ContainerStatus = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** @spec runtime-spec/runtime.md#state */
export interface ContainerState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: ContainerStatus;
  /** Of the container's process, in the caller's pid namespace; 0 when stopped. */
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Wall clock, RFC 3339. */
  readonly created: string;
  /** cgroup directories that hold the container: hierarchy name (`memory`, `unified` …) → host path. */
  readonly cgroups: Readonly<Record<string, string>>;
}

/** One operation of a birth as it happened, for the journal and the birth stepper. */
export interface BirthOperation {
  readonly operation: Operation;
  readonly record: OperationRecord;
}

export interface CreateRequest {
  /** `[A-Za-z0-9_+.-]{1,128}`, starting with a letter or digit. */
  readonly id: string;
  /** Directory with config.json and, unless root.path is absolute, the rootfs. */
  readonly bundle: string;
  /** What config.json says, from whoever has just written it there; absent: it is read and validated. */
  readonly spec?: RuntimeSpec;
  readonly supervision: Supervision;
  /** One of several runtimes, by name; absent: ours. Read by chooseRuntime alone. */
  readonly runtime?: string;
  /**
   * A file system to mount on root.path first of all, inside the container's own mount namespace: the engine's overlay never
   * shows in the host's mount table and goes when the last process goes. Absent: root.path holds the root file system already.
   */
  readonly rootfsMount?: { readonly fsType: string; readonly source: string; readonly data: readonly string[] };
  /** Written after the process exists, as runc's --pid-file. */
  readonly pidFile?: string;
  /** What the process's terminal measures from its first moment on, whatever the document says; without a terminal it does not count. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** Every operation as it ends; must not throw. */
  readonly onOperation?: (birth: BirthOperation) => void;
  /** Told the whole plan, before the first operation; answers the indexes to stop before. Must not throw. */
  readonly breakpoints?: (operations: readonly Operation[]) => readonly number[];
  readonly onStop?: (stop: {
    readonly index: number;
    readonly pid: number;
    readonly operation: Operation;
  }) => Promise<'continue' | 'step' | 'skip' | 'abort'>;
}

export interface ExecRequest {
  readonly process: SpecProcess;
  readonly supervision: Supervision;
  readonly pidFile?: string;
  /** Start it in a paused container, too, where it waits with the others. */
  readonly ignorePaused?: boolean;
  /** Groups below the container's own, which exist: controller → path; the path of `''` holds for those not named. */
  readonly cgroups?: Readonly<Record<string, string>>;
  readonly onOperation?: (birth: BirthOperation) => void;
  /**
   * Called while the process waits before its execve, so that a caller can attach to its shim before there is any output.
   * With shim supervision only; when it fails, the process is ended.
   */
  readonly onReady?: () => Promise<void>;
}

export interface StartedProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly shimPid?: number;
  /** Of a container's first process: see {@link ContainerState.cgroups}. */
  readonly cgroups?: Readonly<Record<string, string>>;
  /** In foreground supervision only. */
  readonly exit?: Promise<number>;
}

/** How the runtime finds its files; several roots live side by side. */
export interface RuntimeOptions {
  /** State directory, e.g. /run/slipway/runtime; made 0700 when missing. */
  readonly root: string;
  /** What a withheld right made us leave out, in a sentence (design: clamping). */
  readonly onWarning?: (message: string) => void;
}

export interface Runtime {
  /** Tells that a `create` will follow soon: what takes the kernel a while and needs no bundle begins beside the caller's other work. */
  expectCreate(): void;
  /**
   * Brings a bundle to `created`: namespaces, mounts, cgroup exist and the process waits before its execve.
   * config.json is read once, here; later changes to it have no effect.
   *
   * @throws `invalid-argument` with every issue of the document by path; `already-exists`; `unsupported` naming field and
   *   kernel feature; always leaving the host as before
   */
  create(request: CreateRequest): Promise<StartedProcess>;
  /**
   * `create` and `start` in one: as nobody looks at the container in between, its process does not wait there for anybody either.
   * Output that nobody has attached for by now is in the shim's log alone.
   *
   * @throws as both
   */
  run(request: CreateRequest): Promise<StartedProcess>;
  /**
   * The container's process, where `create` could not know it yet.
   *
   * @throws `failed-precondition` unless created
   */
  start(id: string): Promise<StartedProcess | undefined>;
  /** @throws `not-found` */
  state(id: string): Promise<ContainerState>;
  /** Every container under this root; one with unreadable state is listed as `stopped` with pid 0, never skipped in silence. */
  list(): Promise<readonly ContainerState[]>;
  /** Signals the container's process by pidfd; `all` signals every process of its cgroup. `signal` is a number. */
  kill(id: string, signal: number, options?: { readonly all?: boolean }): Promise<void>;
  /** Removes what create made. `force` kills first, and is quiet about a container that is not there. */
  delete(id: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Freezer: v1 freezer.state, v2 cgroup.freeze. */
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /**
   * Changes limits of a container that has not stopped: fields given here replace the document's, those left out stay as they are, and
   * what arrived is read back. Lists (`devices`, throttles …) are replaced as a whole. From then on {@link spec} shows them. When one
   * limit is refused, those written before it get their old values back.
   *
   * @throws `invalid-argument` with every issue, against the limits that stand already; `unsupported` naming field and controller
   */
  update(id: string, resources: SpecResources): Promise<void>;
  /** Starts a further process in a running container. Absent fields of `process` take the container's own. */
  exec(id: string, request: ExecRequest): Promise<StartedProcess>;
  /** The validated spec the container was created from, with the limits it was updated to. */
  spec(id: string): Promise<RuntimeSpec>;
  /** Pids in the container's cgroup, in the caller's pid namespace. */
  pids(id: string): Promise<readonly number[]>;
  /** Gives back what is kept ready for a next container. Containers go on. */
  close(): Promise<void>;
}
