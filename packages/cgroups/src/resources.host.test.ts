/** Every field of `linux.resources` on the machine at hand, v1 or hybrid: what arrives in the kernel, and what is refused by name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { SpecResources } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, expect } from 'vitest';
import { type Cgroup, detectCgroups, findController, openCgroup, planCgroup } from './index.ts';

const PARENT = `/slipway-resources-${process.pid}`;
const opened: Cgroup[] = [];

function made(name: string, resources: SpecResources): Cgroup {
  const host = detectCgroups();
  const group = openCgroup(host, { cgroupsPath: `${PARENT}/${name}`, id: name });
  opened.push(group);
  const plan = planCgroup(resources, host);
  group.create(plan);
  group.update(plan);
  return group;
}

/** A control file's content, wherever the group has it. */
function control(group: Cgroup, file: string): string {
  const path = Object.values(group.directories)
    .map((directory) => `${directory}/${file}`)
    .find((each) => existsSync(each));
  return path === undefined ? 'missing' : readFileSync(path, 'utf8').trim();
}

afterEach(async () => {
  const groups = [...opened.splice(0), openCgroup(detectCgroups(), { cgroupsPath: PARENT, id: 'x' })];
  for (const group of groups) await group.remove();
});

const isV1 = () => findController(detectCgroups(), 'memory')?.version === 'v1';

/** Of a real disk: the kernel takes limits for nothing else. */
function disk(): { major: number; minor: number } {
  const name = readdirSync('/sys/block').find((each) => /^([vsx]?d|nvme|loop)/.test(each.replace(/^(vd|sd|xvd)/, 'd'))) ?? '';
  const [major = 0, minor = 0] = readFileSync(`/sys/block/${name}/dev`, 'utf8').trim().split(':').map(Number);
  return { major, minor };
}

hostTest('memory: swappiness, OOM killer, hierarchy and TCP buffers arrive', ['root', 'linux'], async () => {
  if (!isV1()) return expect(() => made('m', { memory: { swappiness: 1 } })).toThrow(/swappiness/);
  const memory = { limit: 64 << 20, swappiness: 7, disableOOMKiller: true, useHierarchy: true, kernelTCP: 1 << 20 };
  const group = made('memory', { memory });

  expect(['memory.swappiness', 'memory.use_hierarchy', 'memory.kmem.tcp.limit_in_bytes'].map((file) => control(group, file))).toEqual([
    '7',
    '1',
    String(1 << 20),
  ]);
  expect(control(group, 'memory.oom_control')).toMatch(/^oom_kill_disable 1$/m);
  group.update(planCgroup({ memory: { disableOOMKiller: false } }, detectCgroups()));
  expect(control(group, 'memory.oom_control')).toMatch(/^oom_kill_disable 0$/m);
  const flat = () => group.update(planCgroup({ memory: { useHierarchy: false } }, detectCgroups()));
  expect(flat).toThrow(expect.objectContaining({ code: 'E_CGROUP_VALUE', subject: '/linux/resources/memory/useHierarchy' }));
});

hostTest('cpu: burst, idle and shares arrive, and can be taken back in any order', ['root', 'linux'], async () => {
  const group = made('cpu', { cpu: { quota: 50_000, period: 100_000, burst: 40_000, shares: 2048 } });
  const update = (cpu: NonNullable<SpecResources['cpu']>) => group.update(planCgroup({ cpu }, detectCgroups()));
  const burst = () => control(group, isV1() ? 'cpu.cfs_burst_us' : 'cpu.max.burst');

  expect(burst()).toBe('40000');
  // Neither value fits the other's old one in one of the two directions.
  update({ quota: 20_000, period: 100_000, burst: 10_000 });
  update({ quota: 90_000, period: 100_000, burst: 90_000 });
  expect(burst()).toBe('90000');
  update({ idle: 1 });
  expect(control(group, 'cpu.idle')).toBe('1');
  update({ idle: 0, shares: 512 });
  expect(control(group, isV1() ? 'cpu.shares' : 'cpu.weight')).toBe(isV1() ? '512' : '59');
});

hostTest(
  'cpu: time for realtime tasks arrives where the kernel hands it out, and is refused by name elsewhere',
  ['root', 'linux'],
  async () => {
    const cpu = { realtimeRuntime: 1000, realtimePeriod: 500_000 };
    const subject = expect.stringMatching(/^\/linux\/resources\/cpu\/realtime(Runtime|Period)$/);
    // Each group above has to have been given some before.
    expect(() => made('realtime', { cpu })).toThrow(expect.objectContaining({ subject }));
  },
);

hostTest('block io: weights and limits of a device arrive, and a device that is not there is refused', ['root', 'linux'], async () => {
  const device = disk();
  const blockIO = {
    weight: 300,
    throttleReadBpsDevice: [{ ...device, rate: 1_048_576 }],
    throttleWriteIOPSDevice: [{ ...device, rate: 50 }],
  };
  if (findController(detectCgroups(), 'blkio') === undefined) return expect(() => made('b', { blockIO })).toThrow(/"io"|"blkio"/);
  const group = made('io', { blockIO });
  const name = `${device.major}:${device.minor}`;

  expect(control(group, 'blkio.bfq.weight')).toBe('300');
  expect(control(group, 'blkio.throttle.read_bps_device')).toBe(`${name} 1048576`);
  expect(control(group, 'blkio.throttle.write_iops_device')).toBe(`${name} 50`);
  group.update(planCgroup({ blockIO: { throttleReadBpsDevice: [{ ...device, rate: 0 }] } }, detectCgroups()));
  expect(control(group, 'blkio.throttle.read_bps_device')).toBe('');
  const refused = (fields: object) => () => group.update(planCgroup({ blockIO: fields }, detectCgroups()));
  expect(refused({ throttleReadBpsDevice: [{ major: 4000, minor: 0, rate: 1 }] })).toThrow(
    expect.objectContaining({ code: 'E_CGROUP_VALUE', subject: '/linux/resources/blockIO/throttleReadBpsDevice/0' }),
  );
  expect(refused({ leafWeight: 20 })).toThrow(
    expect.objectContaining({ code: 'E_CGROUP_CONTROLLER', subject: '/linux/resources/blockIO/leafWeight' }),
  );
});

// Of the last three many hosts have no hierarchy.
// @attack A25: attack, twin
// @proves runtime-spec: config-linux.md#pids/zero
hostTest('pids, huge pages, network and rdma arrive, or are refused naming controller and hierarchy', ['root', 'linux'], async () => {
  expect(control(made('pids', { pids: { limit: 0 } }), 'pids.max')).toBe('0');
  const host = detectCgroups();
  const hugetlb = findController(host, 'hugetlb');
  const hugepages = { hugepageLimits: [{ pageSize: '2MB', limit: 5 << 20 }] };
  if (hugetlb === undefined) expect(() => planCgroup(hugepages, host)).toThrow(/"hugetlb", which/);
  else
    expect(control(made('huge', hugepages), hugetlb.version === 'v2' ? 'hugetlb.2MB.max' : 'hugetlb.2MB.limit_in_bytes')).toBe('4194304');
  const others: readonly [string, SpecResources][] = [
    ['net_cls', { network: { classID: 1 } }],
    ['net_prio', { network: { priorities: [{ name: 'lo', priority: 1 }] } }],
    ['rdma', { rdma: { mlx5_0: { hcaHandles: 1 } } }],
  ];
  for (const [controller, resources] of others) {
    if (findController(host, controller) !== undefined) continue;
    expect(() => planCgroup(resources, host), controller).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: expect.stringMatching(/E_CGROUP_(CONTROLLER|RESOURCE)/) }),
    );
  }
});
