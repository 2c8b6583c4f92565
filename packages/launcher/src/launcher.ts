/**
 * What callers can ask of the launcher: perform a plan, and who stays behind as the process's parent.
 *
 * Knows: the promises a launch keeps.
 * Does not know: the bytes on the pipes (encode.ts, records.ts), nor what a plan is for.
 */
import type { OperationRecord, Plan } from './operations.ts';

/**
 * Who holds the process's standard streams, and who is its parent afterwards.
 *
 * - `shim`: a small process of ours becomes the parent, daemonised, a child subreaper. It holds the terminal or the pipes,
 *   writes the log, serves `shim.sock` for attaching, records the exit status durably, and outlives its starter.
 * - `detached`: streams are inherited file descriptors (or a console socket); the launcher exits once the plan has
 *   reached `awaitStart` (or `exec`), and the process is left to the caller's subreaper. This is `runc create`.
 * - `foreground`: as `detached`, but the launcher stays, forwards signals and exits with the process's code. This is `runc run`.
 */
export type Supervision =
  | {
      readonly mode: 'shim';
      /** Existing directory (0700) that belongs to this process alone; see {@link ShimFiles}. */
      readonly dir: string;
      readonly terminal: boolean;
      /** Keep a stdin pipe open for attachers; false: /dev/null. Ignored with a terminal. */
      readonly openStdin: boolean;
      /** Close stdin when the first attached client that sent data goes away. */
      readonly stdinOnce: boolean;
      /** Log file in CRI's format; absent: no log is kept. */
      readonly logPath?: string;
      /** The log is rotated once to `<logPath>.1` beyond this size in bytes. */
      readonly logMaxBytes: number;
    }
  | {
      readonly mode: 'detached' | 'foreground';
      readonly stdio: readonly [number, number, number];
      readonly consoleSocket?: string;
      readonly preserveFds?: number;
    };

/** Names inside a shim's directory. */
export const ShimFiles = {
  /** Unix stream socket: attach and resize (shim-client.ts). */
  socket: 'shim.sock',
  /**
   * `{"pid":…,"exitCode":…,"signal":…,"oomKilled":…,"exitedAtMs":…,"exitedAt":"RFC 3339"}`, written once, fsynced, renamed into place.
   * `exitedAtMs` is CLOCK_MONOTONIC, `signal` 0 when there was none. What the process wrote before its end is in the log by then.
   */
  exit: 'exit.json',
  /** `{"pid":…,"shimPid":…,"startTime":…}` once the process exists; startTime is field 22 of /proc/PID/stat. */
  pid: 'pid.json',
} as const;

export interface LaunchOptions {
  readonly supervision: Supervision;
  /**
   * Path of the exec fifo that `awaitStart` waits on. The launcher makes it when missing, since Node has no mkfifo, and lets anybody
   * write to it, because the process waits as the container's user: keep it in a directory that others cannot enter.
   * Whoever starts the process opens it for reading and takes one byte.
   */
  readonly startFifo?: string;
  /** Called for each operation as it ends, in order. Must not throw. */
  readonly onRecord?: (record: OperationRecord) => void;
  /** Step mode: the launcher stops before each of these indexes and asks. */
  readonly breakpoints?: readonly number[];
  readonly onStop?: (stop: { readonly index: number; readonly pid: number }) => Promise<'continue' | 'step' | 'skip' | 'abort'>;
  /** Runs the hook of a `runtimeHook` operation; when it throws, the launch fails with its error. Absent: such a plan fails. */
  readonly onHook?: (hook: { readonly index: number; readonly pid: number }) => Promise<void>;
  /** A process started before ({@link Launcher.prepare}); taken whatever becomes of the launch. For a shim only. */
  readonly prepared?: PreparedLauncher;
  /** The plan joins just the groups that `prepared` stands in: the child is to be born in them. */
  readonly bornInGroups?: boolean;
  /** Abort (and undo) a launch that has not finished after this time; a second more where the program itself is held up. */
  readonly timeoutMs?: number;
}

/** A process that has done everything up to `awaitStart`, or, where the plan has none, has been exec'ed. */
export interface Launched {
  /** In the caller's pid namespace. */
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names the process across pid reuse. */
  readonly startTime: string;
  /** The shim, where there is one. */
  readonly shimPid?: number;
  /** Resolves with the exit code (128+n for signal n) in `foreground` mode only. */
  readonly exit?: Promise<number>;
}

/** A launcher process that has no plan yet. */
export interface PreparedLauncher {
  /** Its cradle (native/cradle.c) stands in the groups it was given. */
  readonly standsInGroups: boolean;
  /** False once it has ended or was taken. */
  readonly isWaiting: boolean;
  /** Ends it; resolves when it and its cradle are gone. Does nothing once it was taken. */
  discard(): Promise<void>;
}

/** Performs plans. One implementation: native-launcher.ts, over the C program in native/. */
export interface Launcher {
  /**
   * Performs `plan`. On failure nothing of it is left: the child is dead and reaped, its mounts gone with its namespace.
   * cgroups, bundle and state are the caller's to undo.
   *
   * @throws EngineError naming the operation's `pointer` as subject, with `{index, op, call, errno}` as cause ({@link LaunchFailure})
   */
  launch(plan: Plan, options: LaunchOptions): Promise<Launched>;
  /**
   * Gives a cgroup of the second version, whose processes run already, another device program; see the operation `deviceProgram`.
   *
   * @throws EngineError as a launch with that operation
   */
  guardDevices(cgroup: string, program: Uint8Array): Promise<void>;
  /**
   * Starts a process for a later launch under a shim, since that takes longer than all that follows. It does not keep ours running and ends
   * with it. `procsFiles` are the v1 `cgroup.procs` files of the container to come: being there already saves it the kernel's wait.
   * `rehearsal` ({@link rehearsalOf} a plan like the one to come) says which namespaces and file systems to make meanwhile. A plan that asks
   * for others is launched as without.
   */
  prepare(procsFiles: readonly string[], rehearsal?: Plan): PreparedLauncher;
}

/** Why a launch stopped; found as `cause` of the EngineError. */
export interface LaunchFailure {
  readonly index: number;
  readonly op: string;
  readonly call: string;
  readonly errno: number;
  /** What a hook printed. */
  readonly output?: string;
}
