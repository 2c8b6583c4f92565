/**
 * Everything observable, as events in one ordered, append-only stream per lab machine.
 *
 * Knows: the shape of every event. The browser, the engine and labd all import this file; it imports nothing.
 * Does not know: who produces them, where they are kept (ring.ts), or what a picture makes of them (world.ts).
 *
 * Times are CLOCK_MONOTONIC milliseconds with a fraction (one clock for host, machine and kernel trace); a journal's first event
 * (`epoch`) ties them to the wall clock.
 * Strings that come out of containers (names, argv, paths, comm) are untrusted: bounded by producers, escaped by consumers.
 */

/** Who acts in a span of the call chain; each has one colour everywhere. */
export type Actor = 'client' | 'api' | 'engine' | 'store' | 'registry' | 'network' | 'shim' | 'runtime' | 'launcher' | 'kernel';

/** Where a fact comes from, shown on every picture. */
export type Provenance = 'live' | 'recorded' | 'simulated';

export type NamespaceName = 'user' | 'mnt' | 'pid' | 'net' | 'ipc' | 'uts' | 'cgroup' | 'time';

/** Namespace kind → inode number, as `readlink /proc/PID/ns/*` shows it. */
export type NamespaceInodes = Readonly<Partial<Record<NamespaceName, number>>>;

/** An interval with a parent. Sent when it opens (no `endMs`) and again, whole, when it closes. */
export interface Span {
  readonly id: string;
  readonly parent?: string;
  /** All spans of one request share it; the id of the outermost span. */
  readonly trace: string;
  readonly actor: Actor;
  /** What was asked, e.g. `POST /containers/create`, `snapshot.prepare`, `mount /proc`. */
  readonly name: string;
  /** How the message travelled: `HTTP over unix socket`, `function call`, `binary plan over pipe`, `system call`. */
  readonly protocol?: string;
  readonly startMs: number;
  readonly endMs?: number;
  readonly container?: string;
  readonly pid?: number;
  /** Redacted and bounded (8 KiB each) by the producer. JSON or text. */
  readonly request?: string;
  readonly response?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** Launcher operations only. */
  readonly operation?: {
    readonly index: number;
    readonly op: string;
    readonly phase: string;
    /** JSON pointer of the config.json field that asked for it. */
    readonly pointer: string;
    readonly reason: string;
    readonly errno: number;
    /** The operation's arguments, as JSON. */
    readonly args: string;
    /** When most of it was done in truth, ahead of its turn: while the engine waited for somebody to ask for a container, say. */
    readonly ahead?: { readonly startMs: number; readonly endMs: number };
  };
  /** Repository path and line of the code that did it, e.g. `packages/engine/src/create.ts:40`. */
  readonly source?: string;
}

/** The engine's view of one container; sent whole whenever something about it changes. */
export interface ContainerFact {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly status: 'created' | 'running' | 'paused' | 'exited' | 'removed';
  /** In the machine's pid namespace; absent unless a process exists. */
  readonly pid?: number;
  readonly shimPid?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  readonly createdAt: string;
  /** Via which door it came: `docker`, `cri`, `runc`, … */
  readonly api: string;
  /** Bytes; absent: unlimited. */
  readonly memoryLimitBytes?: number;
  /** CPUs, e.g. 0.5. */
  readonly cpus?: number;
  readonly pidsLimit?: number;
  readonly network?: string;
  /** Machine paths of its cgroup directories, by hierarchy (`memory`, `pids`, `unified` …). */
  readonly cgroups?: Readonly<Record<string, string>>;
  readonly hostname?: string;
}

/** One process of the machine, in the machine's pid namespace. */
export interface ProcessFact {
  readonly pid: number;
  readonly ppid: number;
  /** Field 22 of /proc/PID/stat: with the pid, the process's identity. */
  readonly startTime: string;
  readonly comm: string;
  /** At most 32 arguments of 256 bytes. */
  readonly argv: readonly string[];
  readonly uid: number;
  /** Pid in the innermost pid namespace, where that differs. */
  readonly innerPid?: number;
  readonly namespaces: NamespaceInodes;
  /** Path in the cgroup hierarchy that the engine's limits live in (memory on v1), as the machine sees it. */
  readonly cgroup?: string;
  readonly container?: string;
  /** What the process is to the engine. */
  /**
   * `spare`: a launcher that the engine started ahead of the next container, whose shim it becomes.
   * `workbench`: whoever answers the page's questions from inside the machine, and steps through births.
   */
  readonly role?: 'init' | 'exec' | 'shim' | 'spare' | 'engine' | 'shell' | 'workbench';
  readonly state?: string;
  /** Absent where the kernel did not tell. */
  readonly rights?: ProcessRights;
  /** Where its file system begins; absent: at the machine's own root. */
  readonly root?: ProcessRoot;
  /** /proc/PID/uid_map as the host reads it, for processes in a user namespace below the machine's; empty: not written yet. */
  readonly uidMap?: string;
}

/** What a process may do, from /proc/PID/status. */
export interface ProcessRights {
  /** CapEff, sixteen hexadecimal digits. */
  readonly effective: string;
  readonly noNewPrivileges: boolean;
  /** Seccomp filters on it; absent on kernels before 5.9. */
  readonly seccompFilters?: number;
}

export interface ProcessRoot {
  /** Root directory as its own mount namespace names it: other than `/` after chroot. */
  readonly directory: string;
  /** The file system mounted at `/` is read-only. Only told of processes with a mount namespace of their own, where something is mounted at `/`. */
  readonly readOnly?: boolean;
}

export interface CgroupSample {
  /** As the machine sees it, e.g. `/slipway/3f2a…`. */
  readonly path: string;
  readonly container?: string;
  readonly version: 'v1' | 'v2';
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly memoryPeakBytes?: number;
  readonly oomKills?: number;
  /** How often memory had to be taken back because the limit was reached; killing is the last resort. */
  readonly memoryLimitHits?: number;
  /** Total CPU time in microseconds. */
  readonly cpuUsageUs?: number;
  /** Share of one CPU since the sample before, 1 = a whole CPU. */
  readonly cpuFraction?: number;
  readonly cpuQuota?: number;
  readonly throttledUs?: number;
  /** Quota periods in which it had to wait. */
  readonly throttledPeriods?: number;
  readonly pids?: number;
  readonly pidsLimit?: number;
  /** How often a fork was refused because of the limit. */
  readonly pidsLimitHits?: number;
  /** Its own cpuset, e.g. `0-1`; absent: none of its own. */
  readonly cpus?: string;
  readonly frozen?: boolean;
  /** Processes directly in it; told only where `cpus` or `frozen` is. */
  readonly members?: number;
  /** Control file → content as read (bounded), so that a panel can show the evidence line. */
  readonly files?: Readonly<Record<string, string>>;
}

export type UpperEntryKind = 'file' | 'directory' | 'symlink' | 'device' | 'whiteout' | 'opaque';

/** What stands in a container's writable layer. */
export interface UpperEntry {
  /** Absolute, as the container sees it. */
  readonly path: string;
  readonly kind: UpperEntryKind;
  readonly sizeBytes: number;
  /** Made by the runtime so that something can be mounted there (a directory: and holds nothing else); nobody in the container wrote it. */
  readonly mountPoint?: boolean;
  /** Something of the same name stands in a layer below. Told of overlays mounted by hand only. */
  readonly covers?: boolean;
}

/** An overlay that somebody mounted in the machine's own mount namespace; an engine's are in {@link LayersFact}. Paths are the machine's. */
export interface OverlayMount {
  readonly mountPoint: string;
  /** Top first, as the mount's options have them. */
  readonly lower: readonly string[];
  /** Absent: nothing can be written. */
  readonly upper?: string;
  readonly work?: string;
  /** The mount's line from /proc/1/mountinfo, as evidence. */
  readonly mountLine: string;
  /** What stands in the upper directory, at most 200 entries; opaque directories are not told from others. */
  readonly entries: readonly UpperEntry[];
  readonly truncated?: boolean;
}

export interface LayersFact {
  readonly container: string;
  readonly snapshotter: 'overlay' | 'native';
  /** Bottom first. `directory` is the machine's path. */
  readonly lower: readonly {
    readonly digest: string;
    readonly directory: string;
    readonly sizeBytes?: number;
    readonly createdBy?: string;
  }[];
  readonly upperDirectory: string;
  /** The mount line from /proc/PID/mountinfo, as evidence. */
  readonly mountLine?: string;
  /** At most 500 entries, sorted by path. */
  readonly upper: readonly UpperEntry[];
  readonly truncated?: boolean;
}

/**
 * What an engine takes on its disk. Bytes are blocks that files have (st_blocks) and that the file system has left (statfs), measured; none
 * is a sum of sizes that documents tell.
 */
export interface DiskFact {
  /** Directory of the engine: one machine may have several engines. */
  readonly root: string;
  readonly snapshotter: 'overlay' | 'native';
  /** Of the whole file system, on which others may write, too. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Blobs as registries have them, most of them compressed. */
  readonly blobBytes: number;
  /** One directory each, however many images and containers stand on it. Of the native snapshotter: a copy of all that is below, too. */
  readonly layers: readonly {
    readonly chainId: string;
    readonly diskBytes: number;
    /** Names of images that have it; empty: kept for builds. */
    readonly images: readonly string[];
    /** Its directory is on another disk, read-only and one for many machines: it takes nothing here. */
    readonly elsewhere?: boolean;
  }[];
  readonly containers: readonly {
    readonly id: string;
    readonly name: string;
    readonly image: string;
    /** Its writable layer; of the native snapshotter: a whole copy. */
    readonly diskBytes: number;
    /** Blocks of everything that it sees: the layers that it stands on, and its own. */
    readonly seenBytes: number;
  }[];
  /** Directories of snapshots that are neither: layers being unpacked, steps being built. */
  readonly pendingBytes: number;
  /** What builds keep between builds beside layers: cache mounts. */
  readonly buildBytes: number;
  /** There are more layers or containers than are listed. */
  readonly truncated?: boolean;
}

/** One task's state, as the continuous checks see it. */
export interface CheckFact {
  readonly lesson: string;
  readonly task: string;
  readonly status: 'open' | 'passed' | 'regressed';
  /** What was seen and what was expected, in a sentence; absent when passed. */
  readonly saw?: string;
}

/** Kernel fact from tracefs; pids are the machine's where they could be translated, else the host's with `hostPidOnly`. */
export interface KernelProcessEvent {
  readonly pid: number;
  readonly hostPid: number;
  readonly hostPidOnly?: boolean;
  readonly comm: string;
  /** exec: the file executed. */
  readonly filename?: string;
  /** fork: the child. */
  readonly childPid?: number;
  readonly childHostPid?: number;
  /** fork: kinds of namespaces made with the child (clone's CLONE_NEW flags); absent where none. */
  readonly namespaces?: readonly NamespaceName[];
  readonly container?: string;
}

export interface KernelSyscallEvent extends KernelProcessEvent {
  readonly syscall: string;
  /** Arguments as the tracepoint prints them (hex), by name. */
  readonly args: Readonly<Record<string, string>>;
  /** What it returned: negative is an errno. Absent where the end of the call is not recorded. */
  readonly result?: number;
}

/** What happened, without when and in which order. Discriminated by `type`. */
export type JournalBody =
  | {
      readonly type: 'epoch';
      readonly wallMs: number;
      readonly machine: string;
      readonly kernel: string;
      readonly cgroupMode: 'v1' | 'v2' | 'hybrid';
      readonly engine: string;
    }
  | { readonly type: 'span'; readonly span: Span }
  | { readonly type: 'container'; readonly container: ContainerFact }
  /** A whole picture of the machine's processes; replaces the one before. */
  | { readonly type: 'processes'; readonly processes: readonly ProcessFact[]; readonly truncated?: boolean }
  /** A whole picture of the machine's cgroups; replaces the one before. */
  | { readonly type: 'cgroups'; readonly samples: readonly CgroupSample[]; readonly truncated?: boolean }
  | { readonly type: 'layers'; readonly layers: LayersFact }
  | { readonly type: 'disk'; readonly disk: DiskFact }
  /** A whole picture of the overlays that were mounted by hand; replaces the one before. */
  | { readonly type: 'overlays'; readonly mounts: readonly OverlayMount[]; readonly truncated?: boolean }
  | { readonly type: 'kernel.exec'; readonly event: KernelProcessEvent }
  | { readonly type: 'kernel.fork'; readonly event: KernelProcessEvent }
  | { readonly type: 'kernel.exit'; readonly event: KernelProcessEvent }
  | { readonly type: 'kernel.syscall'; readonly event: KernelSyscallEvent }
  /** The out-of-memory killer chose this process. */
  | { readonly type: 'kernel.oom'; readonly event: KernelProcessEvent }
  | { readonly type: 'check'; readonly check: CheckFact }
  /** A command line the learner ran, as the terminal's shell reported it. */
  | { readonly type: 'command'; readonly terminal: string; readonly line: string }
  /** A sentence worth showing: engine warnings, clamped settings, a machine reset. */
  | { readonly type: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** Events were lost here (`count` where known): a picture must not pretend to be whole. */
  | { readonly type: 'gap'; readonly reason: string; readonly count?: number };

/** Where the body was observed: inside the machine (its root could forge it) or from the host. */
export type Origin = 'machine' | 'host';

/** One entry of a journal. */
export type JournalEvent = JournalBody & {
  /** 1, 2, 3 … without holes within one journal. */
  readonly seq: number;
  /** When it happened, CLOCK_MONOTONIC milliseconds. Nearly, but not strictly, ascending with `seq`. */
  readonly atMs: number;
  readonly origin: Origin;
};
