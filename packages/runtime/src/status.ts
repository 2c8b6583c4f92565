/**
 * The state of a container, derived each time from what the kernel says.
 *
 * Knows: that a recorded pid names the process only together with its start time and the boot.
 * Does not know: which operation is allowed in which state (lifecycle.ts).
 */
import { type CgroupHost, reopenCgroup } from '@slipway/cgroups';
import { isSameProcess, readBootId } from '@slipway/kernel';
import type { ContainerRecord } from './container-record.ts';
import type { ContainerStore } from './container-store.ts';
import type { ContainerState, ContainerStatus } from './runtime.ts';

/** The recorded process, if it is of this boot and has not ended. */
export function livingProcess(record: ContainerRecord): ContainerRecord['process'] {
  const { process, bootId } = record;
  if (process === undefined || bootId !== readBootId()) return undefined;
  return isSameProcess(process.pid, process.startTime) ? process : undefined;
}

export function statusOf(record: ContainerRecord, store: ContainerStore, cgroups: () => CgroupHost): ContainerStatus {
  if (record.process === undefined) return 'creating';
  if (livingProcess(record) === undefined) return 'stopped';
  if (store.isHeldBack(record.id)) return 'created';
  return reopenCgroup(cgroups(), record.cgroups).isFreezing() ? 'paused' : 'running';
}

export function describeState(record: ContainerRecord, status: ContainerStatus): ContainerState {
  const alive = status !== 'stopped' && status !== 'creating';
  return {
    ociVersion: record.spec.ociVersion,
    id: record.id,
    status,
    pid: alive ? (record.process?.pid ?? 0) : 0,
    bundle: record.bundle,
    ...(record.spec.annotations === undefined ? {} : { annotations: record.spec.annotations }),
    created: record.created,
    cgroups: record.cgroups,
  };
}
