/**
 * Device rules of a container: the document's, then those without which no container works.
 *
 * Knows: the devices that every container gets (plan/devices.ts makes their nodes).
 * Does not know: how rules are enforced (packages/cgroups).
 *
 * @spec runtime-spec/config-linux.md#default-devices
 */
import { DOCKER_DEFAULTS, type SpecResources } from '@slipway/oci';

/** Making nodes and using the default devices; the first rule of the list, which denies everything, is the document's to write. */
const ALWAYS = DOCKER_DEFAULTS.deviceRules.filter(({ allow }) => allow);

/** A document without rules restricts nothing, and needs none. */
export function withDefaultDevices(resources: SpecResources | undefined): SpecResources | undefined {
  if (resources?.devices === undefined || resources.devices.length === 0) return resources;
  if (resources.devices === DOCKER_DEFAULTS.deviceRules) return resources; // they are among them
  return { ...resources, devices: [...resources.devices, ...ALWAYS] };
}
