/**
 * Limits → writes to control files: pure, and the same whoever asks.
 *
 * Knows: which controller a limit needs, and that a limit nobody can apply is an error and never a silence.
 * Does not know: v2's device program (device-program.ts), directories (cgroup.ts joins them), nor the kernel's answer (apply.ts compares it).
 *
 * @spec runtime-spec/config-linux.md#control-groups
 */
import { EngineError } from '@slipway/errors';
import type { SpecResources } from '@slipway/oci';
import type { CgroupPlan, CgroupWrite, WantedWrite } from './control-writes.ts';
import { type CgroupHost, findController, findUnified } from './host.ts';
import { planV1 } from './plan-v1.ts';
import { planV2 } from './plan-v2.ts';

/** Fields whose meaning this engine does not implement on any version; asked for, they are refused. */
const NOT_SUPPORTED = ['network', 'rdma'] as const;

/**
 * Plans `linux.resources` for this host.
 *
 * @throws EngineError `unsupported` / `E_CGROUP_CONTROLLER` naming controller and hierarchy for a limit this host cannot apply,
 *   `E_CGROUP_RESOURCE` for a field without an implementation
 */
export function planCgroup(resources: SpecResources | undefined, host: CgroupHost): CgroupPlan {
  if (resources === undefined) return { writes: [], warnings: [] };
  for (const field of NOT_SUPPORTED) if (!isEmpty(resources[field])) throw notSupported(field);
  const wanted = host.mode === 'v2' ? planV2(resources) : planV1(resources);
  const leavesOut = !host.canSetDevices && (resources.devices?.length ?? 0) > 0;
  const warnings = leavesOut ? [...wanted.warnings, DEVICES_LEFT_OUT] : wanted.warnings;
  const writes = wanted.writes.filter(({ controller }) => controller !== 'devices' || host.canSetDevices);
  return { writes: [...writes.map((write) => placeWrite(write, host)), ...planUnified(resources, host)], warnings };
}

const DEVICES_LEFT_OUT = 'device rules left out: in a user namespace the kernel itself refuses new device nodes';

function placeWrite(write: WantedWrite, host: CgroupHost): CgroupWrite {
  const hierarchy = findController(host, write.controller);
  if (hierarchy !== undefined) return { ...write, hierarchy: hierarchy.name };
  throw new EngineError(
    'unsupported',
    `${write.pointer} needs the cgroup controller ${JSON.stringify(write.controller)}, which ${missingFrom(host)}`,
    {
      code: 'E_CGROUP_CONTROLLER',
      op: 'cgroup.plan',
      subject: write.pointer,
      hint:
        host.mode === 'v2'
          ? 'enable it in cgroup.subtree_control of the parent groups'
          : `mount the controller, or leave out ${write.pointer}`,
    },
  );
}

function missingFrom(host: CgroupHost): string {
  const unified = findUnified(host);
  if (host.mode === 'none') return 'no mounted hierarchy has (no cgroup file system is mounted)';
  if (host.mode === 'v2')
    return `the hierarchy at ${unified?.mountPoint} does not offer here (it has: ${unified?.controllers.join(' ') || 'none'})`;
  return `no mounted hierarchy has (mounted: ${host.hierarchies.map(({ name }) => name).join(', ')})`;
}

/** File → value of cgroup v2, written as they stand. */
function planUnified(resources: SpecResources, host: CgroupHost): CgroupWrite[] {
  const entries = Object.entries(resources.unified ?? {});
  const unified = findUnified(host);
  if (entries.length > 0 && unified === undefined) {
    throw new EngineError('unsupported', '/linux/resources/unified needs cgroup v2, and this host has v1 only', {
      code: 'E_CGROUP_CONTROLLER',
      op: 'cgroup.plan',
      subject: '/linux/resources/unified',
    });
  }
  return entries.map(([file, value]) => {
    const controller = file.slice(0, file.indexOf('.'));
    const pointer = `/linux/resources/unified/${file}`;
    const write = { controller, file, value, pointer, hierarchy: 'unified' };
    return controller === 'cgroup' || unified?.controllers.includes(controller)
      ? write
      : placeWrite({ controller, file, value, pointer }, onlyUnified(host));
  });
}

function onlyUnified(host: CgroupHost): CgroupHost {
  return { ...host, mode: 'v2', hierarchies: host.hierarchies.filter(({ version }) => version === 'v2') };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}

function notSupported(field: string): EngineError {
  return new EngineError('unsupported', `/linux/resources/${field} is not supported by this engine`, {
    code: 'E_CGROUP_RESOURCE',
    op: 'cgroup.plan',
    subject: `/linux/resources/${field}`,
    hint: 'leave the field out, or use another OCI runtime',
  });
}
