/**
 * Which devices may be used, on a host with cgroup v2: a program for the container's cgroup.
 *
 * Knows: when there is one, and that it has to be there before the first process is.
 * Does not know: how rules become a program, nor v1's lists (packages/cgroups).
 *
 * @spec runtime-spec/config-linux.md#allowed-device-list
 */
import { planDeviceProgram as compileProgram } from '@slipway/cgroups';
import type { RuntimeSpec } from '@slipway/oci';
import { withDefaultDevices } from '../device-rules.ts';
import { type Draft, unsupported } from './draft.ts';
import type { Host } from './host.ts';

const POINTER = '/linux/resources/devices';

/** @throws `unsupported` where the container can have no cgroup to hold the program */
export function planDeviceProgram(draft: Draft, spec: RuntimeSpec, host: Host): void {
  const rules = withDefaultDevices(spec.linux?.resources)?.devices;
  const program = compileProgram(rules, { mode: host.cgroups.layout, canSetDevices: !host.inUserNamespace });
  if (program === undefined) return;
  const cgroup = host.cgroupDirs['unified'];
  if (cgroup === undefined) {
    throw unsupported(POINTER, 'device rules need a cgroup, and this process may not make one here', 'delegate a subtree to this user');
  }
  const reason = 'the kernel asks this program before any device is opened or made';
  draft.add('identity', { pointer: POINTER, reason }, { op: 'deviceProgram', cgroup, program });
}
