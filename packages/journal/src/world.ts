/**
 * The state every panel draws: what a journal says about one machine at one moment.
 *
 * Knows: the shape of that state and its bounds.
 * Does not know: how an event changes it (reduce.ts), how a panel arranges it (view-*.ts).
 *
 * Everything is an immutable array; what an event does not touch stays the same object, so that `===` tells what changed.
 */
import type {
  CgroupSample,
  CheckFact,
  ContainerFact,
  DiskFact,
  JournalBody,
  KernelProcessEvent,
  KernelSyscallEvent,
  LayersFact,
  ProcessFact,
  Span,
} from './types.ts';

/** Why something changed, as near as the journal can tell: the learner's last command, or the last request that began. */
export interface Cause {
  readonly kind: 'command' | 'request';
  /** The command line, or the span's name. */
  readonly label: string;
  readonly atMs: number;
  /** Set for requests; for commands once a request followed. */
  readonly trace?: string;
}

/** When a thing came and went. Times are the journal's. */
export interface Life {
  /** 0: it was there before anybody looked. */
  readonly appearedAtMs: number;
  /** Set for a few seconds after it went; then it leaves the world. */
  readonly goneAtMs?: number;
  readonly appearedBy?: Cause;
  readonly goneBy?: Cause;
}

export interface WorldProcess extends Life {
  /** `pid:startTime`, unique across pid reuse. */
  readonly key: string;
  readonly fact: ProcessFact;
}

export interface WorldContainer extends Life {
  readonly fact: ContainerFact;
  readonly changedAtMs: number;
}

export interface CgroupPoint {
  readonly atMs: number;
  readonly memoryBytes?: number;
  readonly cpuFraction?: number;
  readonly pids?: number;
}

export interface WorldCgroup extends Life {
  readonly sample: CgroupSample;
  /** Oldest first, the newest equal to `sample`. */
  readonly history: readonly CgroupPoint[];
}

export interface UpperChange {
  readonly path: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly atMs: number;
}

export interface WorldLayers {
  readonly fact: LayersFact;
  readonly changedAtMs: number;
  /** Newest last. */
  readonly changes: readonly UpperChange[];
}

export interface WorldDisk {
  readonly fact: DiskFact;
  readonly changedAtMs: number;
  /** What of the file system is in use, oldest first, the newest as `fact` says. */
  readonly history: readonly { readonly atMs: number; readonly usedBytes: number }[];
}

/** Every span of one request, in the order they began. */
export interface WorldTrace {
  readonly id: string;
  readonly spans: readonly Span[];
  /** Spans beyond the bound, not held. */
  readonly omitted: number;
}

export type KernelType = 'kernel.exec' | 'kernel.fork' | 'kernel.exit' | 'kernel.syscall' | 'kernel.oom';

export interface WorldKernelEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly type: KernelType;
  readonly event: KernelProcessEvent | KernelSyscallEvent;
}

interface Entry {
  readonly seq: number;
  readonly atMs: number;
}
export type WorldNotice = Omit<Extract<JournalBody, { readonly type: 'notice' }>, 'type'> & Entry;
export type WorldCommand = Omit<Extract<JournalBody, { readonly type: 'command' }>, 'type'> & Entry;
export type WorldGap = Omit<Extract<JournalBody, { readonly type: 'gap' }>, 'type'> & Entry;
export interface WorldCheck extends CheckFact {
  readonly changedAtMs: number;
}
export type WorldMachine = Omit<Extract<JournalBody, { readonly type: 'epoch' }>, 'type'> & { readonly atMs: number };

export interface World {
  /** Last event taken in; 0: none. */
  readonly seq: number;
  /** The latest time any event carried. */
  readonly atMs: number;
  /** Absent until the journal's epoch was seen. */
  readonly machine?: WorldMachine;
  /** In order of appearance; removed ones stay, with `goneAtMs`, until there are too many. */
  readonly containers: readonly WorldContainer[];
  /** In order of pid; ended ones stay for a while (lingering.ts). */
  readonly processes: readonly WorldProcess[];
  readonly processesTruncated: boolean;
  readonly cgroups: readonly WorldCgroup[];
  readonly layers: readonly WorldLayers[];
  /** One entry for each engine that told of its disk, in order of appearance. */
  readonly disks: readonly WorldDisk[];
  /** In the order they began. */
  readonly traces: readonly WorldTrace[];
  readonly tracesOmitted: number;
  /** Newest last. */
  readonly kernel: readonly WorldKernelEvent[];
  readonly commands: readonly WorldCommand[];
  readonly checks: readonly WorldCheck[];
  readonly notices: readonly WorldNotice[];
  readonly gaps: readonly WorldGap[];
  readonly lastCause?: Cause;
}

/** Most entries the world holds of each kind; the oldest go first. */
export const LIMITS = {
  containers: 500,
  /** Ended processes or cgroups, those of containers and the machine's own each. */
  gone: 100,
  historyPoints: 60,
  upperChanges: 100,
  disks: 8,
  traces: 200,
  spansPerTrace: 2000,
  kernel: 500,
  commands: 200,
  checks: 500,
  notices: 200,
  gaps: 100,
  /** How long an ended process or a removed cgroup of the machine itself stays visible, and one of a container; see lingering.ts. */
  lingerMs: 8000,
  containerLingerMs: 20_000,
  /** A command or request older than this is no longer given as a cause. */
  causeMs: 5000,
} as const;

const EMPTY: World = Object.freeze({
  seq: 0,
  atMs: 0,
  containers: [],
  processes: [],
  processesTruncated: false,
  cgroups: [],
  layers: [],
  disks: [],
  traces: [],
  tracesOmitted: 0,
  kernel: [],
  commands: [],
  checks: [],
  notices: [],
  gaps: [],
});

/** The world before the first event. */
export function emptyWorld(): World {
  return EMPTY;
}
