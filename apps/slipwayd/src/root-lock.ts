/**
 * One daemon per root: a lock file that names its holder.
 *
 * Knows: that a killed daemon leaves its lock behind, and that its pid may have been given to another process since.
 * Does not know: what the root holds.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { EngineError } from '@slipway/errors';
import { findProcStat, isErrno, isSameProcess, readBootId } from '@slipway/kernel';

interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

/**
 * Takes the lock of `root`. Returns how to give it back.
 *
 * @throws failed-precondition / E_ROOT_LOCKED naming the daemon that has it
 */
export function lockRoot(root: string): () => void {
  const path = `${root}/slipwayd.lock`;
  const own = `${path}.${process.pid}`;
  const holder: Holder = { pid: process.pid, startTime: findProcStat('self')?.startTime ?? '', bootId: readBootId() };
  writeFileSync(own, JSON.stringify(holder), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (tryLink(own, path)) return () => rmSync(path, { force: true });
      const other = readHolder(path);
      if (other !== undefined && isAlive(other)) throw locked(root, other.pid);
      rmSync(path, { force: true });
    }
    throw locked(root, 0);
  } finally {
    rmSync(own, { force: true });
  }
}

/** link(2) fails when the name exists: of two daemons that start together only one gets it. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startTime, bootId }: Partial<Holder> = value;
    return typeof pid === 'number' && typeof startTime === 'string' && typeof bootId === 'string' ? { pid, startTime, bootId } : undefined;
  } catch {
    return undefined; // torn, or given back at this moment
  }
}

function isAlive({ pid, startTime, bootId }: Holder): boolean {
  return bootId === readBootId() && isSameProcess(pid, startTime);
}

function locked(root: string, pid: number): EngineError {
  return new EngineError('failed-precondition', `the root "${root}" is in use by the slipwayd with pid ${pid}`, {
    code: 'E_ROOT_LOCKED',
    op: 'daemon.start',
    subject: root,
    hint: 'stop that one first, or give this one another --root and --state',
  });
}
