/**
 * Lab machines as their user sees them: one learner, one machine.
 *
 * Knows: the promises of making, entering, resetting and deleting a machine.
 * Does not know: terminals, lessons or learners; labd maps those to machine ids.
 *
 * A machine is a container of our own runtime with its own user namespace, so that its root is nobody on the host, a
 * delegated cgroup subtree with limits, a disk of fixed size, and an engine (slipwayd) of its own inside.
 */

/** A running machine. */
export interface MachineHandle {
  readonly id: string;
  /** Pid of the machine's pid 1, on the host. */
  readonly initHostPid: number;
  /** Hierarchy name (`memory`, `unified`, …) → host path of the machine's cgroup directory. */
  readonly cgroupPrefix: Readonly<Record<string, string>>;
  /** Host directory seen as /run/slipway-lab inside; labd listens on `journal.sock` in it. */
  readonly labDir: string;
  /** Absent when the machine was found again rather than made. */
  readonly createdInMs?: number;
}

/** How much of the host one machine may use. */
export interface MachineLimits {
  readonly memoryBytes: number;
  /** CPUs, may be a fraction. */
  readonly cpus: number;
  readonly pids: number;
}

/** What to start so that `argv` runs inside the machine, on the caller's terminal or pipes. */
export interface EnterCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Machines {
  /** The machine of this id: found again if it runs, else made. Concurrent calls share one creation. */
  ensure(id: string): Promise<MachineHandle>;
  /** Deletes the machine and makes a new one; its processes, containers and files are gone. */
  reset(id: string): Promise<MachineHandle>;
  /** Deletes without trace: processes, mounts, cgroups, disk, id range. Quiet when there is none. */
  remove(id: string): Promise<void>;
  list(): Promise<readonly MachineHandle[]>;
  /**
   * With the caller's terminal, or with its pipes as they are where `pipes` is set.
   * @throws `not-found` when the machine does not run
   */
  enterCommand(id: string, argv: readonly string[], options?: { readonly pipes?: boolean }): Promise<EnterCommand>;
  /** Runs a program in the machine to its end; output bounded to 1 MiB a stream. */
  run(
    id: string,
    argv: readonly string[],
    options?: { readonly timeoutMs?: number },
  ): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;
  /** Removes every machine of this state directory; one that cannot be removed keeps none of the others. */
  removeAll(): Promise<void>;
}
