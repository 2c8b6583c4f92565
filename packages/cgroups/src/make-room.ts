/**
 * Making the top of a delegated v2 subtree able to hold groups with limits.
 *
 * Knows: v2's rule that a group hands controllers to its children only while no process is in it (the real root is exempt).
 * Does not know: v1, which has no such rule.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint"
 */
import { isErrno } from '@slipway/kernel';
import { enableControllers } from './directories.ts';
import { type CgroupHost, findUnified } from './host.ts';

/** Child that the processes move to. */
const NURSERY = 'init';
/** Bounds the race with processes that are entering. */
const ROUNDS = 5;

/**
 * Moves the processes at the top of a cgroup namespace (this one among them) into a child called `init`, and offers the top's controllers to
 * its children, so that no further process can land there. An engine calls it once, at its start, inside a machine. Does nothing on v1 or
 * at the real root. Returns how many were moved.
 *
 * @throws the kernel's error where the subtree is not delegated to this process
 */
export function makeRoomForGroups(host: CgroupHost): number {
  const unified = findUnified(host);
  const { files } = host;
  // The real root has no cgroup.type.
  if (host.mode !== 'v2' || unified === undefined || files.kind(`${unified.mountPoint}/cgroup.type`) === undefined) return 0;
  const nursery = `${unified.mountPoint}/${NURSERY}`;
  let moved = 0;
  // Whoever enters between the move and the offer makes the kernel refuse the offer.
  for (let round = 0; round < ROUNDS; round++) {
    const pids = pidsIn(unified.mountPoint, host);
    if (pids.length === 0 && round > 0) break;
    if (pids.length > 0 && files.kind(nursery) === undefined) files.mkdir(nursery);
    moved += pids.filter((pid) => move(pid, nursery, host)).length;
    enableControllers(unified.mountPoint, files);
  }
  return moved;
}

function pidsIn(group: string, { files }: CgroupHost): string[] {
  const text = files.read(`${group}/cgroup.procs`, 4 * 1024 * 1024);
  return text.split('\n').filter((pid) => Number(pid) > 0);
}

/** False for a process that ended meanwhile. */
function move(pid: string, group: string, { files }: CgroupHost): boolean {
  try {
    files.write(`${group}/cgroup.procs`, pid);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}
