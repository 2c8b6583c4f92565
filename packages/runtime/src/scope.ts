/**
 * Containers whose groups are systemd's, with the driver `systemd`: the unit, from birth to end.
 *
 *     startScope ◀─ a process that is held ─▶ the container's first process is born beside it ─▶ the one that was held ends
 *
 * Knows: that systemd makes no scope without a process, and ends one when its last process has ended.
 * Does not know: how systemd is asked (packages/cgroups).
 */
import {
  type Cgroup,
  type CgroupPlan,
  parseScopeName,
  planProperties,
  requireSystemd,
  type ScopeName,
  setScopeLimits,
  startScope,
  stopScope,
} from '@slipway/cgroups';
import type { Rollback } from '@slipway/errors';
import { type HeldProcess, holdProcess } from '@slipway/kernel';
import type { RuntimeSpec } from '@slipway/oci';
import type { ContainerRecord } from './container-record.ts';
import type { Parts } from './parts.ts';

/** Which unit the container's group is to be; undefined with the driver `cgroupfs`. @throws EngineError `unsupported` / `E_CGROUP_DRIVER` */
export function scopeOf(id: string, spec: RuntimeSpec, { cgroups, cgroupDriver }: Parts): ScopeName | undefined {
  if (cgroupDriver !== 'systemd') return undefined;
  requireSystemd(cgroups());
  return parseScopeName({ id, cgroupsPath: spec.linux?.cgroupsPath });
}

/** The group is there then, and stays for as long as the process that is returned is not ended. */
export async function makeScope(scope: ScopeName, cgroup: Cgroup, limits: CgroupPlan, rollback: Rollback): Promise<HeldProcess> {
  const held = await holdProcess();
  rollback.defer('end the process that held the scope', () => held.end());
  await startScope(scope, held.pid, planProperties(limits));
  rollback.defer('stop the scope', () => stopScope(scope.unit));
  rollback.defer('empty the scope', () => cgroup.kill());
  cgroup.takeOver(limits);
  return held;
}

/** Tells systemd other limits for a scope that runs; `before` are told again on the way back. */
export async function updateScope(scope: string, limits: CgroupPlan, before: CgroupPlan, rollback: Rollback): Promise<void> {
  await setScopeLimits(scope, planProperties(limits));
  rollback.defer('tell systemd the old limits', () => setScopeLimits(scope, planProperties(before)));
}

/** For a group that is empty. Idempotent. */
export async function endScope({ scope }: ContainerRecord): Promise<void> {
  if (scope !== undefined) await stopScope(scope);
}
