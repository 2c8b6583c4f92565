/**
 * Making and removing the directories of one group, in every hierarchy.
 *
 * Knows: what has to be prepared on the way down (v1: cpuset's inherited lists; v2: subtree_control), and that removal
 *   works from the leaves and may have to wait for dying processes.
 * Does not know: limits.
 */
import { EngineError } from '@slipway/errors';
import { type ControlFiles, delay, isErrno, monotonicMs } from '@slipway/kernel';
import type { CgroupHierarchy } from './host.ts';

/** v2 controllers worth having in every group: what most limits and samples need. Others come with the limits that need them. */
const V2_CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'];

/**
 * Makes `directory` and its missing parents below the hierarchy's mount point. Returns what was made, outermost first.
 *
 * @throws the kernel's error; what had been made until then is removed again
 */
export function makeGroup(hierarchy: CgroupHierarchy, directory: string, files: ControlFiles, needed: readonly string[] = []): string[] {
  const made: string[] = [];
  try {
    for (const path of pathsDown(hierarchy.mountPoint, directory)) {
      // Beside v1 hierarchies that have them all, v2 has none to hand down.
      if (hierarchy.version === 'v2' && hierarchy.controllers.length > 0)
        enableControllers(path.slice(0, path.lastIndexOf('/')), files, { needed, most: hierarchy.controllers });
      if (files.kind(path) !== 'directory') {
        files.mkdir(path);
        made.push(path);
      }
      if (hierarchy.controllers.includes('cpuset') && hierarchy.version === 'v1') inheritCpuset(path, files);
    }
    return made;
  } catch (error) {
    for (const path of made.toReversed()) tryRemove(path, files);
    throw error;
  }
}

/** Every directory from below the mount point down to `directory`. */
function pathsDown(mountPoint: string, directory: string): string[] {
  const names = directory.slice(mountPoint.length).split('/').filter(Boolean);
  return names.map((_, index) => `${mountPoint}/${names.slice(0, index + 1).join('/')}`);
}

/** A v1 cpuset without cpus and mems refuses processes; a new one starts empty. */
function inheritCpuset(path: string, files: ControlFiles): void {
  const parent = path.slice(0, path.lastIndexOf('/'));
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (files.kind(`${path}/${file}`) === undefined || files.read(`${path}/${file}`).trim() !== '') continue;
    const inherited = files.read(`${parent}/${file}`).trim();
    if (inherited !== '') files.write(`${path}/${file}`, inherited);
  }
}

interface Offer {
  /** Beside those that every group has. */
  readonly needed?: readonly string[];
  /** No group of the hierarchy has others. */
  readonly most?: readonly string[];
}

/** Offers controllers to the children of `parent`, one by one: a refused one must not keep back the others. */
export function enableControllers(parent: string, files: ControlFiles, { needed = [], most }: Offer = {}): void {
  const control = `${parent}/cgroup.subtree_control`;
  const enabled = findWords(control, files);
  if (enabled === undefined) return;
  const wanted = new Set([...V2_CONTROLLERS, ...needed].filter((name) => !enabled.includes(name) && most?.includes(name) !== false));
  if (wanted.size === 0) return;
  const offered = words(files.read(`${parent}/cgroup.controllers`));
  for (const controller of [...wanted].filter((name) => offered.includes(name))) {
    try {
      files.write(control, `+${controller}`);
    } catch {
      // EBUSY (processes in the parent), EACCES (not delegated) …: a limit that needs the controller names it when it is applied.
    }
  }
}

/** Removes a group with all groups below it; waits for dying processes at most this long. Quiet when it is missing. */
export async function removeGroup(directory: string, files: ControlFiles, timeoutMs = 5000): Promise<void> {
  const deadline = monotonicMs() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    const error = removeOnce(directory, files);
    if (error === undefined) return;
    if (monotonicMs() >= deadline) throw stillBusy(directory, error);
    await delay(pauseMs);
  }
}

/** Undefined when the tree is gone; EBUSY and a group made meanwhile are worth another try. */
function removeOnce(directory: string, files: ControlFiles): unknown {
  try {
    for (const path of groupsBelow(directory, files).toReversed()) files.rmdir(path);
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return files.kind(directory) === undefined ? undefined : error;
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return error;
    throw error;
  }
}

/** The group and all groups below it, parents first; empty when it is missing. */
export function groupsBelow(directory: string, files: ControlFiles): string[] {
  if (files.kind(directory) !== 'directory') return [];
  const found = [directory];
  // Grows while it is walked, level by level.
  for (const path of found) {
    for (const name of listOrNothing(path, files)) found.push(`${path}/${name}`);
  }
  return found;
}

function listOrNothing(path: string, files: ControlFiles): string[] {
  try {
    return files.listDirectories(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
}

/** For undo: a directory that is in use again is not ours to take away. */
export function tryRemove(path: string, files: ControlFiles): void {
  try {
    files.rmdir(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EBUSY', 'ENOTEMPTY')) throw error;
  }
}

function findWords(path: string, files: ControlFiles): readonly string[] | undefined {
  try {
    return words(files.read(path));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function words(text: string): string[] {
  return text.trim().split(/\s+/).filter(Boolean);
}

function stillBusy(directory: string, cause: unknown): EngineError {
  return new EngineError('unavailable', `cgroup ${JSON.stringify(directory)} cannot be removed: processes are still in it`, {
    code: 'E_CGROUP_BUSY',
    op: 'cgroup.remove',
    subject: directory,
    hint: 'kill the processes listed in its cgroup.procs',
    cause,
  });
}
