/**
 * Getting the kernel ready to move a process between groups, ahead of time.
 *
 * A move takes the lock that keeps processes from gaining threads meanwhile (cgroup_threadgroup_rwsem). Forks take its cheap side, so
 * that the first move after a pause has to wait until every processor has passed a quiet state (an RCU grace period, some ten
 * milliseconds); moves that follow soon do not. Whoever is about to start a container lets that wait pass beside its other work, by
 * writing its own pid to the group that it is in already: a move that moves nothing.
 *
 * Knows: which group that is, and that being wrong about it would be worse than being slow.
 * Does not know: who is going to be moved.
 *
 * @see kernel kernel/cgroup/cgroup.c, cgroup_attach_lock(); kernel/rcu/sync.c
 */
import { writeControlFileAside } from '@slipway/kernel';
import type { CgroupHost } from './host.ts';

const PROCS_MAX_BYTES = 4 * 1024 * 1024;

/** Returns at once, and never fails: without it a move is slower and nothing else. One wait is under way at most. */
export function createMoveReadier(host: () => CgroupHost): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    const file = findOwnProcs(host());
    if (file === undefined) return;
    isUnderWay = true;
    void writeControlFileAside(file, '0')
      .catch(() => undefined) // not delegated to us: then the move itself waits
      .finally(() => {
        isUnderWay = false;
      });
  };
}

/** `cgroup.procs` of a group that holds this process, by the kernel's own list: we may have been moved since the host was looked at. */
function findOwnProcs({ hierarchies, files }: CgroupHost): string | undefined {
  return hierarchies
    .filter(({ readOnly }) => !readOnly)
    .map(({ own }) => `${own}/cgroup.procs`)
    .find((file) => {
      try {
        return files.read(file, PROCS_MAX_BYTES).split('\n').includes(String(process.pid));
      } catch {
        return false; // gone, or a threaded group: not one to write to
      }
    });
}
