/**
 * `update`: other limits for a container that runs.
 *
 * Knows: how new limits and those of the document become one.
 * Does not know: control files (packages/cgroups).
 */
import { planCgroup, planDeviceProgram, reopenCgroup } from '@slipway/cgroups';
import { Rollback } from '@slipway/errors';
import { type SpecResources, validateResources } from '@slipway/oci';
import type { ContainerRecord } from './container-record.ts';
import { withDefaultDevices } from './device-rules.ts';
import { requireAllowed } from './lifecycle.ts';
import type { Parts } from './parts.ts';
import { updateScope } from './scope.ts';
import { statusOf } from './status.ts';

const ALL: DeviceRules = [{ allow: true, access: 'rwm' }];

export async function updateContainer(id: string, resources: SpecResources, parts: Parts): Promise<void> {
  const record = await parts.store.require(id);
  requireAllowed(id, 'update', statusOf(record, parts.store, parts.cgroups));
  const merged = validateResources(mergeResources(record.spec.linux?.resources ?? {}, resources));
  const changed = withDefaultDevices(allowingAll(onlyChanged(merged, resources))) ?? {};
  const limits = planCgroup(changed, parts.cgroups());
  for (const warning of limits.warnings) parts.warn(warning);
  const rollback = new Rollback();
  try {
    if (changed.devices !== undefined) await exchangeDevices(record, changed.devices, { parts, rollback });
    if (record.scope !== undefined)
      await updateScope(record.scope, limits, planCgroup(record.spec.linux?.resources, parts.cgroups()), rollback);
    reopenCgroup(parts.cgroups(), record.cgroups).update(limits);
    await parts.store.write({ ...record, spec: { ...record.spec, linux: { ...record.spec.linux, resources: merged } } });
    rollback.disarm();
  } catch (failure) {
    await rollback.unwind(failure);
  }
}

type DeviceRules = NonNullable<SpecResources['devices']>;

/** On v2; v1's lists are among the writes. */
async function exchangeDevices(
  { cgroups, spec }: ContainerRecord,
  devices: DeviceRules,
  { parts, rollback }: { readonly parts: Parts; readonly rollback: Rollback },
): Promise<void> {
  const program = planDeviceProgram(devices, parts.cgroups());
  if (program === undefined) return;
  const group = cgroups['unified'] ?? '';
  const before = planDeviceProgram(withDefaultDevices(allowingAll(spec.linux?.resources ?? {}))?.devices ?? ALL, parts.cgroups());
  await parts.launcher.guardDevices(group, program);
  rollback.defer('put the device program back', async () => before && (await parts.launcher.guardDevices(group, before)));
}

/** Field by field below each controller; lists as a whole. */
export function mergeResources(old: SpecResources, changes: SpecResources): SpecResources {
  const merged: Record<string, unknown> = { ...old };
  for (const [controller, fields] of Object.entries(changes)) {
    if (fields === undefined || fields === null) continue;
    merged[controller] = isObject(fields) && isObject(old[controller]) ? { ...old[controller], ...definedOf(fields) } : fields;
  }
  return withSwapLifted(merged, changes);
}

/** Without a memory limit there is no bound on memory plus swap either, unless one is given. */
function withSwapLifted(merged: SpecResources, { memory }: SpecResources): SpecResources {
  if (memory?.limit !== -1 || memory.swap !== undefined || merged.memory?.swap === undefined) return merged;
  return { ...merged, memory: { ...merged.memory, swap: -1 } };
}

/** Controllers that nobody mentioned are not written to. Of the others all fields are, since they depend on each other. */
function onlyChanged(merged: SpecResources, changes: SpecResources): SpecResources {
  return Object.fromEntries(Object.entries(merged).filter(([controller]) => changes[controller] !== undefined));
}

/** An empty list takes the rules away, which has to be said: those before it stand until then. */
function allowingAll(changed: SpecResources): SpecResources {
  return changed.devices?.length === 0 ? { ...changed, devices: ALL } : changed;
}

function definedOf(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
