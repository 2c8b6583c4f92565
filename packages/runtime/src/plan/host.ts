/**
 * What the planner has to know about the machine, as plain data.
 *
 * Knows: the facts that change a plan.
 * Does not know: how they are found out (detect-host.ts), so that any machine can be planned for anywhere.
 */

/** Facts of the machine and of ourselves; they do not change while we run. */
export interface HostFacts {
  /** We are in a user namespace other than the first one: device nodes must be bound, some rights are only ours inside. */
  readonly inUserNamespace: boolean;
  /** Capability numbers we hold (effective). */
  readonly capabilities: readonly number[];
  /** The highest capability number this kernel has. */
  readonly lastCapability: number;
  /** Our own hard limits by rlimit number; absent: unknown, so nothing is refused beforehand. */
  readonly hardLimits: Readonly<Record<number, bigint>>;
  /** Our own oom_score_adj. */
  readonly oomScoreAdj: number;
  readonly cgroups: CgroupLayout;
  /** Our own, effective. */
  readonly uid: number;
  readonly gid: number;
  /** newuidmap and newgidmap, where they are installed. */
  readonly idMapHelpers?: readonly [string, string];
  /** Of `apparmor` and `selinux` those that this kernel runs. */
  readonly securityModules: readonly string[];
  /** /proc/kcore exists, so that /dev/core gets its customary link. */
  readonly hasKcore: boolean;
}

/** How cgroups are mounted where we are. */
export interface CgroupLayout {
  readonly layout: 'v1' | 'hybrid' | 'v2' | 'none';
  /** v1 and hybrid: one entry per mounted hierarchy, in the order of the mount table. */
  readonly hierarchies: readonly CgroupHierarchy[];
}

export interface CgroupHierarchy {
  /** Key of the hierarchy in {@link BundleFacts.cgroupDirs}: `memory`, `cpu,cpuacct`, `name=systemd`, `unified`. */
  readonly name: string;
  /** Directory below /sys/fs/cgroup: `memory`, `cpu,cpuacct`, `systemd`, `unified`. */
  readonly directory: string;
  /** Mount data that selects it: `memory`, `cpu,cpuacct`, `name=systemd`; empty for cgroup2. */
  readonly data: readonly string[];
  readonly version: 1 | 2;
}

/** Facts of one bundle. */
export interface BundleFacts {
  readonly id: string;
  /** Absolute; relative bind sources start here. */
  readonly bundle: string;
  /** Absolute host path of the root directory, symbolic links resolved. */
  readonly rootfs: string;
  /** `cgroup.procs` files to join, host paths. */
  readonly procsFiles: readonly string[];
  /** Hierarchy name → host directory of the container's cgroup, for binds where it has no cgroup namespace of its own. */
  readonly cgroupDirs: Readonly<Record<string, string>>;
  /** A file system to mount as the root, in place of the directory itself. */
  readonly rootfsMount?: { readonly fsType: string; readonly source: string; readonly data: readonly string[] };
  /** In character cells, of the terminal that the process's is shown on. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** The process goes on to its execve without waiting for `start`. */
  readonly startsAtOnce?: boolean;
  /** The process that will make the child stands in the v1 groups already; see nursery.ts. */
  readonly bornInGroups?: boolean;
}

export type Host = HostFacts & BundleFacts;

/** A running container, for a further process in it. */
export interface ContainerFacts {
  readonly id: string;
  readonly bundle: string;
  /** Of its first process, in our pid namespace. */
  readonly pid: number;
  /** Namespaces of the container that are not ours, by kind. */
  readonly namespaces: readonly JoinableNamespace[];
  /** Wait before the execve until the starter says so. */
  readonly holdBack?: boolean;
  readonly procsFiles: readonly string[];
  readonly noNewKeyring?: boolean;
}

export interface JoinableNamespace {
  readonly kind: 'user' | 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'time';
  /** `/proc/PID/ns/…` or where it is bound. */
  readonly hostPath: string;
}
