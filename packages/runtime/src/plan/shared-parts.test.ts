import { planCgroup } from '@slipway/cgroups';
import { DOCKER_DEFAULTS, type RuntimeSpec } from '@slipway/oci';
import { expect, test } from 'vitest';
import { fakeHost, HYBRID, smallSpec, WITHOUT_SYS_RESOURCE } from '../testing/plan-fixtures.ts';
import type { Host } from './host.ts';
import { plan } from './plan.ts';

const NAMESPACES = ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type }));

/** As the engine writes it: with the very lists of DOCKER_DEFAULTS, by which the planner knows what it has planned before. */
function usualSpec(changes: NonNullable<RuntimeSpec['linux']> = {}): RuntimeSpec {
  const { capabilities: bounding, mounts, maskedPaths, readonlyPaths, resources } = DOCKER_DEFAULTS;
  const capabilities = { bounding, effective: bounding, permitted: bounding, inheritable: [], ambient: [] };
  const bind = { destination: '/etc/hosts', type: 'bind', source: '/c/hosts', options: ['rbind', 'rw'] };
  return smallSpec({
    process: { cwd: '/', args: ['/bin/true'], env: ['PATH=/bin'], capabilities },
    mounts: [...mounts, bind],
    linux: { namespaces: NAMESPACES, maskedPaths, readonlyPaths, resources, ...changes },
  });
}

/** With none of the lists by which the planner recognises anything; but device rules that are not the customary ones get these besides. */
function copy(spec: RuntimeSpec): RuntimeSpec {
  const copied = structuredClone(spec);
  const { resources = {} } = spec.linux ?? {};
  return { ...copied, linux: { ...copied.linux, resources } };
}

const MACHINES: readonly Partial<Host>[] = [
  {},
  { cgroups: HYBRID, cgroupDirs: { memory: '/sys/fs/cgroup/memory/c1', unified: '/sys/fs/cgroup/unified/c1' } },
  { hasKcore: false, id: 'c2', startsAtOnce: true },
  { inUserNamespace: true },
  { capabilities: WITHOUT_SYS_RESOURCE.capabilities.filter((number) => number !== 27) },
];

const DOCUMENTS: readonly NonNullable<RuntimeSpec['linux']>[] = [
  {},
  { namespaces: NAMESPACES.filter(({ type }) => type !== 'cgroup') },
  { devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229 }] },
  { maskedPaths: DOCKER_DEFAULTS.maskedPaths.slice(1) },
];

test('what plans share is what each of them would have planned for itself, whichever came before', () => {
  for (const changes of [...DOCUMENTS, ...DOCUMENTS]) {
    for (const machine of MACHINES) {
      const host = fakeHost(machine);
      expect(plan(usualSpec(changes), host)).toEqual(plan(copy(usualSpec(changes)), host));
    }
  }
});

test('the usual operations are the same frozen objects in every plan, and those with something of the container are not', () => {
  const host = fakeHost();
  const [one, other] = [plan(usualSpec(), host).operations, plan(usualSpec(), host).operations];
  const shared = one.filter((operation) => other.includes(operation));
  expect(shared.map(({ op }) => op)).toEqual(expect.arrayContaining(['mount', 'device', 'symlink', 'mask', 'readonlyPath']));
  expect(shared.every(Object.isFrozen)).toBe(true);
  expect(shared.filter(({ op }) => ['bind', 'openSource', 'exec', 'joinCgroup'].includes(op))).toEqual([]);
});

test('the customary limits are planned for each machine', () => {
  const files = { kind: () => undefined } as never;
  const hierarchy = (name: string) =>
    ({ version: 'v1', name, controllers: [name], mountPoint: `/${name}`, own: `/${name}`, readOnly: false }) as const;
  const machine = (canSetDevices: boolean) => ({ mode: 'v1', hierarchies: [hierarchy('devices')], canSetDevices, files }) as const;
  const { resources } = DOCKER_DEFAULTS;
  for (const canSetDevices of [true, false, true]) {
    const host = machine(canSetDevices);
    expect(planCgroup(resources, host)).toBe(planCgroup(resources, host));
    expect(planCgroup(resources, host)).toEqual(planCgroup({ ...resources }, host));
  }
});
