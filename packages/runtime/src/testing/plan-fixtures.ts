/**
 * A host and documents for planner tests.
 *
 * Knows: a plain machine with cgroup v2 and every right, and how to say what differs.
 * Does not know: the machine the tests run on.
 */
import type { RuntimeSpec } from '@slipway/oci';
import type { CgroupLayout, Host } from '../plan/host.ts';

export const V2: CgroupLayout = { layout: 'v2', hierarchies: [{ name: 'unified', directory: 'cgroup', data: [], version: 2 }] };

export const HYBRID: CgroupLayout = {
  layout: 'hybrid',
  hierarchies: [
    { name: 'cpu,cpuacct', directory: 'cpu,cpuacct', data: ['cpu', 'cpuacct'], version: 1 },
    { name: 'memory', directory: 'memory', data: ['memory'], version: 1 },
    { name: 'name=systemd', directory: 'systemd', data: ['name=systemd'], version: 1 },
    { name: 'unified', directory: 'unified', data: [], version: 2 },
  ],
};

const EVERY_CAPABILITY = Array.from({ length: 41 }, (_, number) => number);

/** Root of the machine, with every right unless said otherwise. */
export function fakeHost(changes: Partial<Host> = {}): Host {
  return {
    inUserNamespace: false,
    capabilities: EVERY_CAPABILITY,
    lastCapability: 40,
    hardLimits: { 7: 20_000n },
    oomScoreAdj: 0,
    cgroups: V2,
    hasKcore: true,
    uid: 0,
    gid: 0,
    securityModules: [],
    id: 'c1',
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    procsFiles: ['/sys/fs/cgroup/c1/cgroup.procs'],
    cgroupDirs: { unified: '/sys/fs/cgroup/c1' },
    ...changes,
  };
}

/** Everything the machine may withhold from us here. */
export const WITHOUT_SYS_RESOURCE = { capabilities: EVERY_CAPABILITY.filter((number) => number !== 24) };

/** The least document that makes a container. */
export function smallSpec(changes: Partial<RuntimeSpec> = {}): RuntimeSpec {
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process: { cwd: '/', args: ['/bin/true'], env: ['PATH=/bin'] },
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
    ...changes,
  };
}
