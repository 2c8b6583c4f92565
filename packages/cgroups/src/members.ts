/**
 * The processes of a group: listing, freezing, signalling and killing them all.
 *
 * Knows: that processes fork while they are counted, so killing has to freeze first (v1) or be the kernel's own act (v2).
 * Does not know: which of them is the container's first process.
 */
import { EngineError } from '@slipway/errors';
import { type ControlFiles, delay, isErrno, monotonicMs, signalProcess } from '@slipway/kernel';
import type { CgroupDirectories } from './apply-writes.ts';
import { groupsBelow } from './directories.ts';

const SIGKILL = 9;

/** Pids in the group and all groups below it, ascending, in the reader's pid namespace (those outside it are left out). */
export function listMembers(directories: CgroupDirectories, files: ControlFiles): number[] {
  const pids = new Set<number>();
  for (const directory of Object.values(directories)) {
    for (const group of groupsBelow(directory, files)) for (const pid of readProcs(group, files)) pids.add(pid);
  }
  return [...pids].sort((a, b) => a - b);
}

function readProcs(group: string, files: ControlFiles): number[] {
  try {
    return files
      .read(`${group}/cgroup.procs`, 4 * 1024 * 1024)
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch (error) {
    // EOPNOTSUPP: a threaded v2 group, whose processes are listed by the domain above it.
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return [];
    throw error;
  }
}

/** The file that stops a group, and what has to be written; v1's where both exist. Undefined: this group cannot be frozen. */
function freezer(directories: CgroupDirectories, files: ControlFiles): { file: string; freeze: string; thaw: string } | undefined {
  for (const directory of Object.values(directories)) {
    const file = `${directory}/freezer.state`;
    if (files.kind(file) !== undefined) return { file, freeze: 'FROZEN', thaw: 'THAWED' };
  }
  const file = `${directories['unified']}/cgroup.freeze`;
  return files.kind(file) === undefined ? undefined : { file, freeze: '1', thaw: '0' };
}

/** Stops every process of the group; resolves when all stand still. @throws `unsupported` / `E_CGROUP_CONTROLLER`, `unavailable` / `E_CGROUP_FREEZE` */
export async function freezeMembers(directories: CgroupDirectories, files: ControlFiles, timeoutMs = 2000): Promise<void> {
  const control = requireFreezer(directories, files);
  const deadline = monotonicMs() + timeoutMs;
  for (let turn = 1; ; turn++) {
    // v1 stays FREEZING when processes fork meanwhile; writing again sweeps up the new ones.
    files.write(control.file, control.freeze);
    if (isFrozen(directories, files)) return;
    if (monotonicMs() >= deadline) break;
    await delay(Math.min(turn, 10));
  }
  files.write(control.file, control.thaw);
  throw new EngineError('unavailable', 'the processes of the cgroup could not be frozen in time', {
    code: 'E_CGROUP_FREEZE',
    op: 'cgroup.freeze',
    hint: 'a process may be in uninterruptible sleep; try again',
  });
}

export function thawMembers(directories: CgroupDirectories, files: ControlFiles): void {
  const control = requireFreezer(directories, files);
  files.write(control.file, control.thaw);
}

/** True once every process stands still; false for a group that cannot be frozen. */
export function isFrozen(directories: CgroupDirectories, files: ControlFiles): boolean {
  const control = freezer(directories, files);
  if (control === undefined) return false;
  if (control.freeze === 'FROZEN') return files.read(control.file).trim() === 'FROZEN';
  return /^frozen 1$/m.test(files.read(`${directories['unified']}/cgroup.events`));
}

/** Whether a freeze was asked for, even if it is not complete. */
export function isFreezing(directories: CgroupDirectories, files: ControlFiles): boolean {
  const control = freezer(directories, files);
  if (control === undefined) return false;
  const state = files.read(control.file).trim();
  return control.freeze === 'FROZEN' ? state !== 'THAWED' : state === '1';
}

/**
 * Signals every process of the group. Frozen while it happens where possible, so that none slips away by forking.
 * Returns how many were signalled.
 */
export async function signalMembers(directories: CgroupDirectories, files: ControlFiles, signal: number): Promise<number> {
  const wasFrozen = isFreezing(directories, files);
  const canFreeze = freezer(directories, files) !== undefined;
  if (canFreeze && !wasFrozen) await freezeMembers(directories, files).catch(ignoreSlowFreeze);
  try {
    return listMembers(directories, files).filter((pid) => signalProcess(pid, signal)).length;
  } finally {
    // SIGKILL reaches a frozen v1 process only once it is thawed.
    if (canFreeze && (!wasFrozen || signal === SIGKILL)) thawMembers(directories, files);
    if (signal === SIGKILL) thawBelow(directories, files);
  }
}

/** Whoever has the subtree may have frozen a v1 group of their own in it; its members outlast even SIGKILL until that is thawed. */
function thawBelow(directories: CgroupDirectories, files: ControlFiles): void {
  for (const directory of Object.values(directories)) {
    if (files.kind(`${directory}/freezer.state`) === undefined) continue;
    for (const group of groupsBelow(directory, files)) {
      try {
        files.write(`${group}/freezer.state`, 'THAWED');
      } catch (error) {
        if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
      }
    }
  }
}

/**
 * Kills every process of the group, those in groups below it, and those they fork meanwhile; resolves when none is left.
 *
 * @throws `unavailable` / `E_CGROUP_BUSY` when some are still there after `timeoutMs`
 */
export async function killMembers(directories: CgroupDirectories, files: ControlFiles, timeoutMs = 10_000): Promise<void> {
  const deadline = monotonicMs() + timeoutMs;
  const kill = `${directories['unified']}/cgroup.kill`;
  const hasKill = directories['unified'] !== undefined && files.kind(kill) !== undefined;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    if (listMembers(directories, files).length === 0) return;
    if (hasKill) files.write(kill, '1');
    // Members that v2's kill does not reach: in v1 hierarchies of a hybrid host, they may stand in another v2 group. A frozen v1 group dies only thawed.
    if (!hasKill || isFreezing(directories, files) || pauseMs > 8) await signalMembers(directories, files, SIGKILL);
    if (monotonicMs() >= deadline) break;
    await delay(pauseMs);
  }
  const left = listMembers(directories, files);
  if (left.length === 0) return;
  throw new EngineError('unavailable', `${left.length} processes of the cgroup did not die (first: ${left[0]})`, {
    code: 'E_CGROUP_BUSY',
    op: 'cgroup.kill',
    hint: 'they may be in uninterruptible sleep, waiting for a file system or device',
  });
}

function ignoreSlowFreeze(error: unknown): void {
  if (!(error instanceof EngineError) || error.code !== 'E_CGROUP_FREEZE') throw error;
}

function requireFreezer(directories: CgroupDirectories, files: ControlFiles): { file: string; freeze: string; thaw: string } {
  const control = freezer(directories, files);
  if (control !== undefined) return control;
  throw new EngineError('unsupported', 'this cgroup cannot be frozen: it is in no v1 freezer hierarchy, and not in v2', {
    code: 'E_CGROUP_CONTROLLER',
    op: 'cgroup.freeze',
    hint: 'mount the freezer controller, or cgroup v2',
  });
}
