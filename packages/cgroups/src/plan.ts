/**
 * Limits → writes to control files: pure, and the same whoever asks.
 *
 * Knows: which controller a limit needs, and that a limit nobody can apply is an error and never a silence.
 * Does not know: v2's device program (device-program.ts), directories (cgroup.ts joins them), nor the kernel's answer (apply.ts compares it).
 *
 * @spec runtime-spec/config-linux.md#control-groups
 */
import { EngineError } from '@slipway/errors';
import { DOCKER_DEFAULTS, type SpecResources } from '@slipway/oci';
import type { CgroupPlan, CgroupWrite, ReadBack, WantedPlan, WantedWrite } from './control-writes.ts';
import { type CgroupHost, findController, findUnified } from './host.ts';
import { planV1 } from './plan-v1.ts';
import { planV2 } from './plan-v2.ts';

/**
 * Plans `linux.resources` for this host.
 *
 * @throws EngineError `unsupported` / `E_CGROUP_CONTROLLER` naming controller and hierarchy for a limit this host cannot apply,
 *   `E_CGROUP_RESOURCE` for a field that this version of cgroups has no file for
 */
export function planCgroup(resources: SpecResources | undefined, host: CgroupHost): CgroupPlan {
  if (resources === undefined) return { writes: [], warnings: [] };
  if (resources !== DOCKER_DEFAULTS.resources) return planResources(resources, host);
  const plan = usualPlans.get(host) ?? planResources(resources, host);
  usualPlans.set(host, plan);
  return plan;
}

/** Of what most containers get. */
const usualPlans = new WeakMap<CgroupHost, CgroupPlan>();

function planResources(resources: SpecResources, host: CgroupHost): CgroupPlan {
  const wanted = host.mode === 'v2' ? planV2(resources) : planHybrid(resources, host);
  const leavesOut = !host.canSetDevices && (resources.devices?.length ?? 0) > 0;
  const warnings = leavesOut ? [...wanted.warnings, DEVICES_LEFT_OUT] : wanted.warnings;
  const writes = wanted.writes.filter(({ controller }) => controller !== 'devices' || host.canSetDevices);
  return { writes: [...writes.map((write) => placeWrite(write, host)), ...planUnified(resources, host)], warnings };
}

/** Which controllers a part of the document needs, as v2 calls them. */
const CONTROLLERS: Readonly<Record<string, readonly string[]>> = {
  memory: ['memory'],
  cpu: ['cpu', 'cpuset'],
  pids: ['pids'],
  blockIO: ['io'],
  hugepageLimits: ['hugetlb'],
  rdma: ['rdma'],
};

/** A controller is in one hierarchy only, and spelled as that one's version has it. */
function planHybrid(resources: SpecResources, host: CgroupHost): WantedPlan {
  const isUnified = (controller: string) => findUnified(host)?.controllers.includes(controller === 'blkio' ? 'io' : controller) === true;
  const moved = Object.keys(CONTROLLERS).filter((part) => CONTROLLERS[part]?.some(isUnified));
  const v1 = planV1(resources);
  if (moved.length === 0) return v1;
  const v2 = planV2(Object.fromEntries(moved.map((part) => [part, resources[part]])));
  return {
    writes: [
      ...v1.writes.filter(({ controller }) => !isUnified(controller)),
      ...v2.writes.filter(({ controller }) => isUnified(controller)),
    ],
    warnings: [...new Set([...v1.warnings, ...v2.warnings])],
  };
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

/**
 * File → value of cgroup v2, written as they stand.
 * @spec runtime-spec/config-linux.md#unified
 */
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
  return entries.flatMap(([file, value]) => planUnifiedFile(file, value, host));
}

/** The kernel reads one line at a time of files that hold several. */
function planUnifiedFile(file: string, value: string, host: CgroupHost): CgroupWrite[] {
  const controller = file.slice(0, file.indexOf('.'));
  const pointer = `/linux/resources/unified/${file}`;
  const lines = value.split('\n').filter((line) => line.trim() !== '');
  return (lines.length === 0 ? [value] : lines).map((line) => {
    const readBack = unifiedReadBack(file, line.trim());
    const write = { controller, file, value: line, pointer, ...(readBack === undefined ? {} : { readBack }) };
    const isCore = controller === 'cgroup' || findUnified(host)?.controllers.includes(controller) === true;
    return isCore ? { ...write, hierarchy: 'unified' } : placeWrite(write, onlyUnified(host));
  });
}

/** As far as a value tells how the kernel will show it; files and values that are not known here are written all the same. */
function unifiedReadBack(file: string, line: string): ReadBack | undefined {
  if (/^cpuset\.(cpus|mems)(\.exclusive)?$/.test(file)) return { as: 'list', text: line };
  if (/^\S+( \S+=\S+)+$/.test(line)) return { as: 'entry', text: line };
  if (line === 'max') return { as: 'bytes', value: 'max' };
  const [, digits, unit = ''] = /^([0-9]+)([KMGT]?)$/i.exec(line) ?? [];
  if (digits === undefined) return undefined;
  return { as: 'bytes', value: BigInt(digits) << BigInt({ K: 10, M: 20, G: 30, T: 40 }[unit.toUpperCase()] ?? 0) };
}

function onlyUnified(host: CgroupHost): CgroupHost {
  return { ...host, mode: 'v2', hierarchies: host.hierarchies.filter(({ version }) => version === 'v2') };
}
