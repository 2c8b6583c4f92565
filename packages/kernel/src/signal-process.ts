/**
 * Signals to a process by pid.
 *
 * Knows: kill(2) and that a process may be gone.
 * Does not know: whether the pid is still the process that was meant; check with isSameProcess, or signal by pidfd
 *   (packages/launcher) where a stranger could have taken the pid.
 */
import { isErrno } from './confined.ts';

/** Whether the signal was delivered; false when there is no such process. @throws EPERM */
export function signalProcess(pid: number, signal: number): boolean {
  // 0 and negative pids mean whole groups, up to every process of the host.
  if (!Number.isInteger(pid) || pid <= 0) throw new RangeError(`${pid} is not the pid of one process`);
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}
