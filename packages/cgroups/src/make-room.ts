/**
 * Making the top of a delegated v2 subtree able to hold groups with limits.
 *
 * Knows: v2's rule that a group hands controllers to its children only while no process is in it (the real root is exempt).
 * Does not know: v1, which has no such rule.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint"
 */
import { isErrno } from '@slipway/kernel';
import { type CgroupHost, findUnified } from './host.ts';

/** Child that the processes move to. */
const NURSERY = 'init';

/**
 * Moves the processes at the top of a cgroup namespace (this one among them) into a child called `init`. An engine calls it once, at
 * its start, inside a machine. Does nothing on v1, at the real root, or where the top is empty. Returns how many were moved.
 *
 * @throws the kernel's error where the subtree is not delegated to this process
 */
export function makeRoomForGroups(host: CgroupHost): number {
  const unified = findUnified(host);
  const { files } = host;
  // The real root has no cgroup.type.
  if (host.mode !== 'v2' || unified === undefined || files.kind(`${unified.mountPoint}/cgroup.type`) === undefined) return 0;
  const pids = files
    .read(`${unified.mountPoint}/cgroup.procs`, 4 * 1024 * 1024)
    .split('\n')
    .filter((pid) => Number(pid) > 0);
  if (pids.length === 0) return 0;
  const nursery = `${unified.mountPoint}/${NURSERY}`;
  if (files.kind(nursery) === undefined) files.mkdir(nursery);
  return pids.filter((pid) => move(pid, nursery, host)).length;
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
