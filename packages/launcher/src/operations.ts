/**
 * The vocabulary of a plan: every operation the launcher can perform, as data.
 *
 * Knows: names, arguments and phases.
 * Does not know: how a config.json becomes operations (packages/runtime), nor the bytes they travel as (encode.ts).
 */

/** Where in a birth an operation stands; phases come in this order. */
export type Phase =
  | 'prepare' // outside, before anything of the container exists: open the rootfs and bind sources by fd
  | 'clone' // the new process and its namespaces
  | 'identity' // id maps, cgroup membership, oom score: done from outside, on the child
  | 'mounts' // inside: file systems of the container
  | 'devices' // inside: device nodes, /dev links, console
  | 'settings' // inside: host name, loopback, sysctls; before /proc/sys may be made read-only
  | 'hooks' // programs of the caller, while the container is ready and its root not yet closed
  | 'root' // inside: masks, read-only paths, pivot_root
  | 'rights' // inside: limits, user, capabilities, no_new_privs, seccomp
  | 'start'; // inside: wait for start, execve

export type NamespaceKind = 'user' | 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'time';

/** One line of an id map: `size` ids from `containerId` inside are `hostId` and up outside. */
export interface IdMapping {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

/** What every operation carries, so that a picture can say who asked for it. */
export interface OperationOrigin {
  /** JSON pointer into config.json of the field that asked for it; `''` where the runtime itself needs it. */
  readonly pointer: string;
  /** One line in plain words: why this happens. */
  readonly reason: string;
}

/**
 * What is done, without who asked for it.
 *
 * Paths called `destination` or `path` (outside `prepare`) are *container* paths: absolute, and resolved by file descriptor
 * below the container's root directory, never by name from outside. `slot` numbers name file descriptors opened
 * in the `prepare` phase, from 0, each once.
 */
export type OperationBody =
  // prepare (outside)
  /** Opens the root directory (O_PATH|O_DIRECTORY) at a host path; every later container path is below it. */
  | { readonly op: 'openRoot'; readonly hostPath: string }
  /** open_tree(OPEN_TREE_CLONE) of a bind source at a host path, before the child loses the right to see it. */
  | { readonly op: 'openSource'; readonly slot: number; readonly hostPath: string; readonly recursive: boolean }
  /** Opens a namespace file for a later joinNamespace; pid namespaces are joined at once, since only children enter. */
  | { readonly op: 'openNamespace'; readonly slot: number; readonly kind: NamespaceKind; readonly hostPath: string }
  // clone (outside)
  /** clone3: a child in new namespaces of these kinds (none: the child stays in ours), born in the v2 `cgroup` (host path; absent: in ours). */
  | {
      readonly op: 'clone';
      readonly namespaces: readonly NamespaceKind[];
      readonly cgroup?: string;
      /**
       * Slots of namespaces to enter first, in this order, by a process in between: the child is made from inside them. So can the new
       * ones belong to a user namespace that is joined, or others be joined that a new one has no rights over. Absent: none.
       */
      readonly through?: readonly number[];
    }
  // identity (outside, on the child, before it continues)
  | { readonly op: 'idmap'; readonly uid: readonly IdMapping[]; readonly gid: readonly IdMapping[]; readonly denySetgroups: boolean }
  /** Writes the child's pid into each file, one per v1 hierarchy, unless it was born there. Host paths; the cgroups exist already. */
  | { readonly op: 'joinCgroup'; readonly procsFiles: readonly string[] }
  | { readonly op: 'oomScore'; readonly value: number }
  // inside
  | { readonly op: 'joinNamespace'; readonly slot: number; readonly kind: NamespaceKind }
  /** unshare(2) inside the child for kinds that must come after joinCgroup (cgroup). */
  | { readonly op: 'unshare'; readonly namespaces: readonly NamespaceKind[] }
  /** setresuid/setresgid(0), setgroups(empty) in the new user namespace. */
  | { readonly op: 'becomeRoot' }
  /** Fresh session keyring, so that none is shared with the caller. */
  | { readonly op: 'sessionKeyring'; readonly name: string }
  /** setsid(2), so that the container's first process leads a session of its own. */
  | { readonly op: 'newSession' }
  /** Propagation of the whole mount tree, before the first mount. */
  | { readonly op: 'rootPropagation'; readonly propagation: Propagation }
  /** Makes the root directory a mount of its own (bind onto itself), as pivot_root needs. */
  | {
      readonly op: 'bindRoot';
      /** Attach it there too far as names go: hooks look for the root directory at its path. Absent: over `/`, where no host path is looked up. */
      readonly hostPath?: string;
    }
  | MountOperation
  | BindOperation
  /** mknod below the root; refused if the destination's parent is reached through a symbolic link. */
  | {
      readonly op: 'device';
      readonly path: string;
      readonly type: 'c' | 'b' | 'p';
      readonly major: number;
      readonly minor: number;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** As `device`, but bound from the slot, for user namespaces where mknod is refused. */
  | { readonly op: 'bindDevice'; readonly path: string; readonly slot: number }
  | { readonly op: 'symlink'; readonly path: string; readonly target: string }
  /** Allocates the pty in the container's own devpts, makes it the controlling terminal and the standard streams, and binds it
   * on /dev/console where this plan made the root (a further process leaves the first one's console alone). 0 rows or columns: the
   * kernel's size. */
  | { readonly op: 'console'; readonly rows: number; readonly columns: number }
  /** Hides a path: a file under a verified null device, a directory under an empty read-only tmpfs. Absent: nothing to do. */
  | { readonly op: 'mask'; readonly path: string }
  /** Read-only bind of a path onto itself. Absent: nothing to do. */
  | { readonly op: 'readonlyPath'; readonly path: string }
  | { readonly op: 'pivotRoot' }
  /** Without a mount namespace or with --no-pivot: MS_MOVE + chroot. */
  | { readonly op: 'chroot' }
  /** After pivotRoot: remount `/` read-only. */
  | { readonly op: 'readonlyRoot' }
  | { readonly op: 'hostname'; readonly name: string }
  | { readonly op: 'domainname'; readonly name: string }
  /** Brings the loopback interface up in a new network namespace. */
  | { readonly op: 'loopbackUp' }
  /** Writes /proc/sys/<key with / for .>, on a procfs verified by its magic. */
  | { readonly op: 'sysctl'; readonly key: string; readonly value: string }
  | { readonly op: 'rlimit'; readonly resource: number; readonly soft: bigint; readonly hard: bigint }
  /** chdir; verified afterwards to lie below the root. Created (0755) when missing and `create`. */
  | { readonly op: 'workdir'; readonly path: string; readonly create: boolean }
  /** Finds argv[0] on PATH inside the container, so that "not found" (ENOENT) and "not executable" (EACCES) fail the creation. */
  | { readonly op: 'findExecutable'; readonly name: string; readonly path: string }
  | { readonly op: 'umask'; readonly mask: number }
  | { readonly op: 'noNewPrivileges' }
  /** Drops every capability number not listed from the bounding set. */
  | { readonly op: 'boundingSet'; readonly keep: readonly number[] }
  /** setgroups, setresgid, setresuid, keeping permitted capabilities across the change (PR_SET_KEEPCAPS). */
  | { readonly op: 'user'; readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] }
  /** capset + ambient set. Numbers are capability numbers. */
  | {
      readonly op: 'capabilities';
      readonly effective: readonly number[];
      readonly permitted: readonly number[];
      readonly inheritable: readonly number[];
      readonly ambient: readonly number[];
    }
  /** seccomp(SECCOMP_SET_MODE_FILTER) with a classic BPF program: 8 bytes an instruction, host byte order. */
  | { readonly op: 'seccomp'; readonly program: Uint8Array; readonly flags: number }
  /** Blocks until somebody opens the exec fifo for reading; answers at once, unless the plan has a `confirmStart`. */
  | { readonly op: 'awaitStart' }
  /** execve. The last operation; its record exists only when it failed. */
  | { readonly op: 'exec'; readonly args: readonly string[]; readonly env: readonly string[] }
  /** Asks the starter to run a hook in its own namespaces ({@link LaunchOptions.onHook}), and waits until that has ended. */
  | { readonly op: 'runtimeHook'; readonly hook: HookProgram }
  /**
   * Runs a hook here, in the namespaces and with the rights reached so far, working directory `/`, and waits for its end. On its stdin
   * comes `state[0]`, the pid of this process as the container sees it, `state[1]`.
   */
  | { readonly op: 'containerHook'; readonly hook: HookProgram; readonly state: readonly [string, string] }
  /** Tells whoever opened the exec fifo that nothing can fail any more. */
  | { readonly op: 'confirmStart' }
  // identity (outside)
  /** bpf(BPF_PROG_ATTACH): the kernel asks this extended BPF program (8 bytes an instruction) about devices, for every process of the
   * cgroup v2 directory and below. One that was attached by us before is exchanged in one step. */
  | { readonly op: 'deviceProgram'; readonly cgroup: string; readonly program: Uint8Array }
  | RemountOperation
  /** A new time namespace, entered by this very process. Lines for timens_offsets, empty: the host's clocks. */
  | {
      readonly op: 'timeNamespace';
      readonly offsets: readonly { readonly clock: string; readonly secs: number; readonly nanosecs: number }[];
    }
  /** sched_setattr(2), with its numbers. */
  | {
      readonly op: 'scheduler';
      readonly policy: number;
      readonly nice: number;
      readonly priority: number;
      readonly flags: number;
      readonly runtimeNs: bigint;
      readonly deadlineNs: bigint;
      readonly periodNs: bigint;
    }
  /** ioprio_set(2). */
  | { readonly op: 'ioPriority'; readonly class: number; readonly priority: number }
  /** sched_setaffinity(2), from outside on the child. */
  | { readonly op: 'cpuAffinity'; readonly cpus: readonly number[] }
  /** set_mempolicy(2). */
  | { readonly op: 'memoryPolicy'; readonly mode: number; readonly flags: number; readonly nodes: readonly number[] }
  /** personality(2). */
  | { readonly op: 'personality'; readonly persona: number }
  /** Writes a file of /proc/self/attr, on a procfs verified by its magic; the kernel's security module acts on it at execve. */
  | { readonly op: 'securityLabel'; readonly attribute: string; readonly value: string }
  /** Connects to a unix socket at a host path, outside, for a later seccompNotify. */
  | { readonly op: 'openListener'; readonly slot: number; readonly hostPath: string }
  /** As `seccomp`; the filter's descriptor goes to the slot's socket, with `state`: texts with the pid of this process outside between. */
  | {
      readonly op: 'seccompNotify';
      readonly program: Uint8Array;
      readonly flags: number;
      readonly slot: number;
      readonly state: readonly string[];
    }
  /** Moves a network device of ours into a network namespace, with its lasting addresses, and sets it up there. */
  | {
      readonly op: 'netDevice';
      readonly name: string;
      readonly target: string;
      /** The namespace, where the child has yet to join it; absent: the child's own. */
      readonly slot?: number;
    }
  /**
   * The launcher itself enters a user namespace, with a mount namespace of its own, and is root there: for an engine that is not root.
   * `hostPath` of one that exists; else a new one with these maps, written by ourselves or by the programs `helpers` (uid, gid).
   */
  | {
      readonly op: 'enterUserNamespace';
      readonly hostPath?: string;
      readonly uid: readonly IdMapping[];
      readonly gid: readonly IdMapping[];
      readonly denySetgroups: boolean;
      readonly helpers?: readonly [string, string];
    };

/** A program of the caller. @spec runtime-spec/config.md#posix-platform-hooks */
export interface HookProgram {
  /** Absolute; where it is looked up is the operation's to say. */
  readonly path: string;
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: readonly string[];
  /** 0: it may take as long as it likes. */
  readonly timeoutMs: number;
}

export type Propagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave' | 'unbindable' | 'runbindable';

/** Mount attributes as booleans; absent means "leave the kernel's default". */
export interface MountAttributes {
  readonly readOnly?: boolean;
  readonly noSuid?: boolean;
  readonly noDev?: boolean;
  readonly noExec?: boolean;
  readonly noSymFollow?: boolean;
  readonly atime?: 'relatime' | 'noatime' | 'strictatime';
  readonly noDirAtime?: boolean;
}

/** A new file system of `fsType`, made with fsopen/fsconfig/fsmount (or mount(2) on an O_PATH fd) and moved to its place. */
export interface MountOperation {
  readonly op: 'mount';
  readonly destination: string;
  readonly fsType: string;
  readonly source: string;
  readonly attributes: MountAttributes;
  /** File-system options: `size=64m`, `mode=755`, for overlay `lowerdir=…`, for cgroup `memory`. Never parsed by the launcher. */
  readonly data: readonly string[];
  readonly propagation?: Propagation;
  /** Begin with a copy of what the image has at the destination, its owners and modes included. */
  readonly copyUp?: boolean;
  /**
   * True for kernel file systems (proc, sysfs, cgroup, devpts, mqueue): the destination must be reached without any symbolic
   * link. False (tmpfs and others): links are followed, but only inside the root.
   */
  readonly refuseSymlinks: boolean;
}

/** Moves the tree opened in `slot` to `destination`, which is created (file or directory, like the source) when missing. */
export interface BindOperation {
  readonly op: 'bind';
  readonly slot: number;
  readonly destination: string;
  readonly attributes: MountAttributes;
  /** Of the mount and everything mounted below it, before `attributes` (mount_setattr AT_RECURSIVE). */
  readonly treeAttributes?: MountAttributes;
  readonly propagation?: Propagation;
  /** Attach an id-mapped view: ids on disk are shifted as the maps say; `recursive`: those of mounts below, too. */
  readonly idmap?: { readonly uid: readonly IdMapping[]; readonly gid: readonly IdMapping[]; readonly recursive: boolean };
}

/** Changes a mount that is there already; what is not said stays as it is. `data` is the file system's own (fsconfig). */
export interface RemountOperation {
  readonly op: 'remount';
  readonly destination: string;
  readonly attributes: MountAttributes;
  readonly treeAttributes?: MountAttributes;
  readonly data: readonly string[];
}

/** One planned step: what, in which phase, asked for by whom. */
export type Operation = OperationBody & OperationOrigin & { readonly phase: Phase };

/** What the runtime will do, in order. Pure data: can be printed, compared, taught. */
export interface Plan {
  readonly operations: readonly Operation[];
}

/** What the launcher measured of one operation. Times are CLOCK_MONOTONIC milliseconds with a fraction. */
export interface OperationRecord {
  /** Index into `plan.operations`. */
  readonly index: number;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 on success. */
  readonly errno: number;
  /** The call that failed, e.g. `openat2`; absent on success. */
  readonly call?: string;
  /** Set when step mode was told to leave the operation out. */
  readonly skipped?: boolean;
  /** When most of its work was done in truth, ahead of its turn; what was left to do is between `startMs` and `endMs`. */
  readonly ahead?: { readonly startMs: number; readonly endMs: number };
}
