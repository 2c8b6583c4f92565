/**
 * `kill` and `delete`: signals for the right process, and nothing left of a container.
 *
 * Knows: that every process of the cgroup must be gone before its directories can be.
 * Does not know: how a cgroup is emptied (packages/cgroups).
 */
import { reopenCgroup } from '@slipway/cgroups';
import { EngineError, isKind } from '@slipway/errors';
import { delay, isSameProcess, signalSameProcess } from '@slipway/kernel';
import { cgroupOf, removeCgroup } from './create.ts';
import { runPoststop } from './hooks.ts';
import { requireAllowed } from './lifecycle.ts';
import type { Parts } from './parts.ts';
import { endScope } from './scope.ts';
import { livingProcess, statusOf } from './status.ts';

const SIGKILL = 9;
/** A killed process that is still there after this time is stuck in the kernel. */
const END_TIMEOUT_MS = 10_000;

export async function killContainer(id: string, signal: number, all: boolean, parts: Parts): Promise<void> {
  const record = await parts.store.require(id);
  const status = statusOf(record, parts.store, parts.cgroups);
  if (!all) requireAllowed(id, 'kill', status);
  const process = livingProcess(record);
  const cgroup = reopenCgroup(parts.cgroups(), record.cgroups);
  if (all) await cgroup.signal(signal);
  else if (process === undefined || !signalSameProcess(process, signal)) throw gone(id);
  // A frozen process would take the signal only when it is thawed.
  if (!all && signal === SIGKILL && status === 'paused') cgroup.thaw();
}

export async function deleteContainer(id: string, force: boolean, parts: Parts): Promise<void> {
  const stored = await parts.store.read(id).catch((error: unknown) => {
    if (force && isKind(error, 'not-found')) return undefined;
    throw error;
  });
  if (stored === undefined) return;
  if (stored.kind === 'damaged') return deleteDamaged(id, force, parts);
  const { record } = stored;
  const status = statusOf(record, parts.store, parts.cgroups);
  // A container whose creation never ended (its creator was killed) has no state to respect.
  const cgroup = reopenCgroup(parts.cgroups(), record.cgroups);
  if (!force && !(status === 'creating' && cgroup.pids().length === 0)) requireAllowed(id, 'delete', status);
  const process = livingProcess(record);
  if (process !== undefined) signalSameProcess(process, SIGKILL);
  await removeCgroup(cgroup);
  await endScope(record);
  if (process !== undefined) await untilEnded(id, process);
  await parts.store.remove(id);
  await runPoststop(record, parts.warn);
}

/** Nothing can be read, but an id leads to the customary cgroup; whatever runs there is the container's. */
async function deleteDamaged(id: string, force: boolean, parts: Parts): Promise<void> {
  if (!force) await parts.store.require(id);
  await removeCgroup(cgroupOf(id, { ociVersion: '1.0.0' }, parts));
  await parts.store.remove(id);
}

async function untilEnded(id: string, process: { readonly pid: number; readonly startTime: string }): Promise<void> {
  const deadline = performance.now() + END_TIMEOUT_MS;
  while (isSameProcess(process.pid, process.startTime)) {
    if (performance.now() > deadline) {
      throw new EngineError('unavailable', `process ${process.pid} does not end`, {
        code: 'E_PROCESS_STUCK',
        op: 'container.delete',
        subject: id,
        hint: 'it waits inside the kernel, for a disk or a network file system; try again once that answers',
      });
    }
    await delay(2);
  }
}

function gone(id: string): EngineError {
  return new EngineError('failed-precondition', 'container not running', { code: 'E_CONTAINER_STATE', op: 'container.kill', subject: id });
}
