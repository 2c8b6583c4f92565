/**
 * One container's group across all hierarchies: made, limited, joined, read and removed as one thing.
 *
 * Knows: the order of a group's life, and how to undo a creation that fails half-way.
 * Does not know: who joins it, or why.
 *
 *     openCgroup ─▶ create ─▶ apply ─▶ (processes join procsFiles) ─▶ stats, freeze, kill … ─▶ remove
 */
import { EngineError } from '@slipway/errors';
import { isErrno } from '@slipway/kernel';
import { applyWrites, type CgroupDirectories } from './apply-writes.ts';
import { type CgroupPlace, cgroupDirectory, parseCgroupPath } from './cgroup-path.ts';
import type { CgroupPlan } from './control-writes.ts';
import { groupsBelow, makeGroup, removeGroup, tryRemove } from './directories.ts';
import { type CgroupHierarchy, type CgroupHost, findUnified } from './host.ts';
import { freezeMembers, isFreezing, isFrozen, killMembers, listMembers, signalMembers, thawMembers } from './members.ts';
import { type CgroupStats, readStats } from './stats.ts';
import { updateWrites } from './update-writes.ts';

/** A handle; holds no descriptors, so there is nothing to close. */
export interface Cgroup {
  /** Hierarchy name → host directory, for every hierarchy the group is (to be) in; the same object until one drops out. Record it to find the group again. */
  readonly directories: CgroupDirectories;
  /**
   * Makes the directories; hierarchies where this process may not are left out, unless `plan` writes there. All or nothing.
   *
   * @throws `failed-precondition` / `E_CGROUP_IN_USE` when processes are in it already; `unsupported` / `E_CGROUP_CONTROLLER` naming controller and hierarchy
   */
  create(plan?: CgroupPlan): void;
  /**
   * As `create`, but takes over `from`, which was made ahead of time under another name and may hold processes already: v1 lets
   * directories be renamed. To be undone with `kill` and `remove`, whether it fails or not.
   *
   * @throws the kernel's error; as `create`
   */
  adopt(from: Cgroup, plan?: CgroupPlan): void;
  /** As `create`, for directories that systemd has made, with whoever is in them. They are its to remove. */
  takeOver(plan?: CgroupPlan): void;
  /** Writes a plan's limits and checks that they arrived; see applyWrites for its errors. */
  apply(plan: CgroupPlan): void;
  /** As `apply`, for a group in use: when a limit is refused, those written before it get their old values back. */
  update(plan: CgroupPlan): void;
  /** `cgroup.procs` of every hierarchy: write a pid into each of them to join. */
  procsFiles(): readonly string[];
  /** Hands the group to a user namespace's root: it may make groups below, and move its processes among them, but not lift the limits. */
  delegate(uid: number, gid: number): void;
  freeze(): Promise<void>;
  thaw(): void;
  isFrozen(): boolean;
  /** A freeze was asked for, whether or not complete: the container counts as paused. */
  isFreezing(): boolean;
  stats(): CgroupStats;
  /** Those of groups below it too. */
  pids(): readonly number[];
  /** To every process of the group; returns to how many. */
  signal(signal: number): Promise<number>;
  /** SIGKILL for everything, until nothing is left. */
  kill(timeoutMs?: number): Promise<void>;
  /** Removes all directories, with those made below them. Processes must be gone or dying. Idempotent. */
  remove(timeoutMs?: number): Promise<void>;
}

/**
 * A container's group by its place; touches nothing yet.
 *
 * @throws `invalid-argument` / `E_CGROUP_PATH`
 */
export function openCgroup(host: CgroupHost, place: CgroupPlace): Cgroup {
  const path = parseCgroupPath(place);
  const directories = Object.fromEntries(host.hierarchies.map((each) => [each.name, cgroupDirectory(each, path)]));
  return new HostCgroup(host, directories);
}

/** A group that was made before, from the directories recorded then. */
export function reopenCgroup(host: CgroupHost, directories: CgroupDirectories): Cgroup {
  return new HostCgroup(host, directories);
}

/**
 * Files that a delegatee needs to write, besides the directory itself; those missing here are skipped.
 * @spec runtime-spec/config-linux.md#cgroup-ownership
 */
const DELEGATED_FILES = ['cgroup.procs', 'tasks', 'cgroup.threads', 'cgroup.subtree_control', 'memory.oom.group', 'memory.reclaim'];

class HostCgroup implements Cgroup {
  #directories: CgroupDirectories;
  readonly #host: CgroupHost;

  constructor(host: CgroupHost, directories: CgroupDirectories) {
    this.#host = host;
    this.#directories = directories;
  }

  get directories(): CgroupDirectories {
    return this.#directories;
  }

  adopt(from: Cgroup, plan?: CgroupPlan): void {
    for (const [name, directory] of Object.entries(from.directories)) {
      const own = this.#directories[name];
      if (own !== undefined) this.#host.files.rename(directory, own);
    }
    this.#create(plan, new Set(Object.keys(from.directories)));
  }

  create(plan?: CgroupPlan): void {
    this.#create(plan, new Set());
  }

  takeOver(plan?: CgroupPlan): void {
    if (plan !== undefined) this.#offerControllers(plan);
    this.#create(plan, new Set(Object.keys(this.#directories)));
  }

  /** `adopted`: hierarchies in which the directory is ours already, with whoever is in it. */
  #create(plan: CgroupPlan | undefined, adopted: ReadonlySet<string>): void {
    const made: string[] = [];
    const kept: Record<string, string> = {};
    try {
      for (const hierarchy of this.#host.hierarchies) {
        const directory = this.#directories[hierarchy.name];
        if (directory === undefined) continue;
        if (adopted.has(hierarchy.name)) {
          kept[hierarchy.name] = directory;
          continue;
        }
        const paths = this.#make(hierarchy, directory, plan);
        if (paths === undefined) continue;
        made.push(...paths);
        kept[hierarchy.name] = directory;
        if (!paths.includes(directory)) this.#refuseOccupied(directory);
      }
      if (Object.keys(kept).length < Object.keys(this.#directories).length) this.#directories = kept;
    } catch (error) {
      for (const path of made.toReversed()) tryRemove(path, this.#host.files);
      throw error;
    }
  }

  apply(plan: CgroupPlan): void {
    this.#requireDirectories(plan);
    applyWrites(plan.writes, { directories: this.#directories, files: this.#host.files });
  }

  update(plan: CgroupPlan): void {
    this.#requireDirectories(plan);
    this.#offerControllers(plan);
    updateWrites(plan.writes, { directories: this.#directories, files: this.#host.files });
  }

  procsFiles(): readonly string[] {
    return Object.values(this.#directories).map((directory) => `${directory}/cgroup.procs`);
  }

  delegate(uid: number, gid: number): void {
    const { files } = this.#host;
    for (const directory of Object.values(this.#directories)) {
      files.chown(directory, uid, gid);
      for (const file of DELEGATED_FILES) {
        if (files.kind(`${directory}/${file}`) !== undefined) files.chown(`${directory}/${file}`, uid, gid);
      }
    }
  }

  async freeze(): Promise<void> {
    await freezeMembers(this.#directories, this.#host.files);
  }

  thaw(): void {
    thawMembers(this.#directories, this.#host.files);
  }

  isFrozen(): boolean {
    return isFrozen(this.#directories, this.#host.files);
  }

  isFreezing(): boolean {
    return isFreezing(this.#directories, this.#host.files);
  }

  stats(): CgroupStats {
    return readStats(this.#directories, this.#host.files);
  }

  pids(): readonly number[] {
    return listMembers(this.#directories, this.#host.files);
  }

  async signal(signal: number): Promise<number> {
    return await signalMembers(this.#directories, this.#host.files, signal);
  }

  async kill(timeoutMs?: number): Promise<void> {
    await killMembers(this.#directories, this.#host.files, timeoutMs);
  }

  async remove(timeoutMs?: number): Promise<void> {
    await Promise.all(Object.values(this.#directories).map((directory) => removeGroup(directory, this.#host.files, timeoutMs)));
  }

  /** Limits that the group was made without may need controllers that its parents do not hand down yet. */
  #offerControllers(plan: CgroupPlan): void {
    const unified = findUnified(this.#host);
    const directory = this.#directories['unified'];
    const needed = plan.writes.filter(({ hierarchy }) => hierarchy === 'unified').map(({ controller }) => controller);
    if (unified !== undefined && directory !== undefined && needed.length > 0) makeGroup(unified, directory, this.#host.files, needed);
  }

  #requireDirectories(plan: CgroupPlan): void {
    const missing = plan.writes.find((write) => this.#directories[write.hierarchy] === undefined);
    if (missing !== undefined) throw notWritable(missing);
  }

  /** Undefined: not permitted here, and not needed. */
  #make(hierarchy: CgroupHierarchy, directory: string, plan: CgroupPlan | undefined): string[] | undefined {
    try {
      const needed = (plan?.writes ?? []).filter((write) => write.hierarchy === hierarchy.name).map(({ controller }) => controller);
      return makeGroup(hierarchy, directory, this.#host.files, needed);
    } catch (cause) {
      if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw cause;
      const needed = plan?.writes.find((write) => write.hierarchy === hierarchy.name);
      if (needed === undefined) return undefined;
      throw notWritable(needed, cause);
    }
  }

  /** Two containers in one group would share limits, and killing one would kill both. */
  #refuseOccupied(directory: string): void {
    if (listMembers({ directory }, this.#host.files).length === 0) return;
    throw new EngineError('failed-precondition', `cgroup ${JSON.stringify(directory)} already holds processes`, {
      code: 'E_CGROUP_IN_USE',
      op: 'cgroup.create',
      subject: '/linux/cgroupsPath',
      hint: 'give the container a cgroup path of its own',
    });
  }
}

/** Whether any hierarchy has the group, e.g. before deleting a container whose state is damaged. */
export function cgroupExists(host: CgroupHost, directories: CgroupDirectories): boolean {
  return Object.values(directories).some((directory) => groupsBelow(directory, host.files).length > 0);
}

function notWritable(
  write: { readonly controller: string; readonly hierarchy: string; readonly pointer: string },
  cause?: unknown,
): EngineError {
  const message = `${write.pointer} needs the cgroup controller ${JSON.stringify(write.controller)}, and this process may not make groups in the ${write.hierarchy} hierarchy`;
  return new EngineError('unsupported', message, {
    code: 'E_CGROUP_CONTROLLER',
    op: 'cgroup.create',
    subject: write.pointer,
    hint: 'delegate a subtree of that hierarchy to this user, or leave out the limit',
    cause,
  });
}
