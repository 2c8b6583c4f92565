/**
 * `update`: other limits for a container that runs.
 *
 * Knows: how new limits and those of the document become one.
 * Does not know: control files (packages/cgroups).
 */
import { planCgroup, reopenCgroup } from '@slipway/cgroups';
import { type SpecResources, validateResources } from '@slipway/oci';
import type { Parts } from './create.ts';
import { withDefaultDevices } from './device-rules.ts';
import { requireAllowed } from './lifecycle.ts';
import { statusOf } from './status.ts';

export async function updateContainer(id: string, resources: SpecResources, parts: Parts): Promise<void> {
  const record = await parts.store.require(id);
  requireAllowed(id, 'update', statusOf(record, parts.store, parts.cgroups));
  const merged = validateResources(mergeResources(record.spec.linux?.resources ?? {}, resources));
  const limits = planCgroup(withDefaultDevices(onlyChanged(merged, resources)), parts.cgroups());
  for (const warning of limits.warnings) parts.warn(warning);
  reopenCgroup(parts.cgroups(), record.cgroups).update(limits);
  await parts.store.write({ ...record, spec: { ...record.spec, linux: { ...record.spec.linux, resources: merged } } });
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

function definedOf(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
