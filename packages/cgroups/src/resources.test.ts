import type { SpecResources } from '@slipway/oci';
import { describe, expect, test } from 'vitest';
import { type CgroupWrite, openCgroup, planCgroup } from './index.ts';
import { fakeNestedV1, fakeV2 } from './testing/fake-hosts.ts';

/** Everything that both versions can do. */
const EVERYTHING: SpecResources = {
  memory: { limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20, kernelTCP: -1, disableOOMKiller: false, useHierarchy: true },
  cpu: { shares: 1024, quota: 50_000, period: 100_000, burst: 10_000, idle: 0, cpus: '0-1', mems: '0' },
  pids: { limit: 0 },
  blockIO: {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 10 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1_048_576 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 0 }],
  },
  hugepageLimits: [{ pageSize: '2MB', limit: 4_194_305 }],
  rdma: { mlx5_0: { hcaHandles: 3 }, mlx5_1: { hcaHandles: 0, hcaObjects: 7 } },
};

/** `file value <- field`, and how it is read back. */
const lines = (writes: readonly CgroupWrite[]) =>
  writes.map(({ file, value, pointer, otherwise }) =>
    [
      `${file} = ${value}`,
      pointer.slice('/linux/resources/'.length),
      ...(otherwise === undefined ? [] : [`or ${otherwise.file} = ${otherwise.value}`]),
    ].join(' | '),
  );

const ALL_V2 = { controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma'] };

describe('everything in one document', () => {
  test('for v2', () => {
    expect(lines(planCgroup(EVERYTHING, fakeV2(ALL_V2).host).writes)).toEqual([
      'cpuset.cpus = 0-1 | cpu/cpus',
      'cpuset.mems = 0 | cpu/mems',
      'memory.max = 67108864 | memory/limit',
      'memory.swap.max = 33554432 | memory/swap',
      'memory.low = 33554432 | memory/reservation',
      'cpu.idle = 0 | cpu/idle',
      'cpu.weight = 100 | cpu/shares',
      'cpu.max = 50000 100000 | cpu/quota',
      'cpu.max.burst = 10000 | cpu/burst',
      'pids.max = 0 | pids/limit',
      'io.weight = default 4950 | blockIO/weight | or io.bfq.weight = default 500',
      'io.weight = 8:0 1 | blockIO/weightDevice/0 | or io.bfq.weight = 8:0 10',
      'io.max = 8:0 rbps=1048576 | blockIO/throttleReadBpsDevice/0',
      'io.max = 8:16 wiops=max | blockIO/throttleWriteIOPSDevice/0',
      'hugetlb.2MB.max = 4194305 | hugepageLimits/0/limit',
      'hugetlb.2MB.rsvd.max = 4194305 | hugepageLimits/0/limit',
      'rdma.max = mlx5_0 hca_handle=3 | rdma/mlx5_0',
      'rdma.max = mlx5_1 hca_handle=0 hca_object=7 | rdma/mlx5_1',
    ]);
  });

  test('for v1, with what only v1 has', () => {
    const { host } = fakeNestedV1();
    const hierarchies = [...host.hierarchies, ...['blkio', 'hugetlb', 'net_cls', 'net_prio', 'rdma'].map(hierarchy)];
    const network = { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 5 }] };
    const memory = { ...EVERYTHING.memory, swappiness: 0, disableOOMKiller: true };
    const cpu = { ...EVERYTHING.cpu, realtimeRuntime: 950_000, realtimePeriod: 1_000_000 };
    const blockIO = { leafWeight: 20, weightDevice: [{ major: 8, minor: 0, weight: 10, leafWeight: 30 }] };

    expect(lines(planCgroup({ ...EVERYTHING, memory, cpu, blockIO, network }, { ...host, hierarchies }).writes)).toEqual([
      'cpuset.cpus = 0-1 | cpu/cpus',
      'cpuset.mems = 0 | cpu/mems',
      'memory.use_hierarchy = 1 | memory/useHierarchy',
      'memory.limit_in_bytes = 67108864 | memory/limit',
      'memory.memsw.limit_in_bytes = 100663296 | memory/swap',
      'memory.soft_limit_in_bytes = 33554432 | memory/reservation',
      'memory.kmem.tcp.limit_in_bytes = -1 | memory/kernelTCP',
      'memory.swappiness = 0 | memory/swappiness',
      'memory.oom_control = 1 | memory/disableOOMKiller',
      'cpu.idle = 0 | cpu/idle',
      'cpu.shares = 1024 | cpu/shares',
      'cpu.cfs_period_us = 100000 | cpu/period',
      'cpu.cfs_quota_us = 50000 | cpu/quota',
      'cpu.cfs_burst_us = 10000 | cpu/burst',
      'cpu.rt_period_us = 1000000 | cpu/realtimePeriod',
      'cpu.rt_runtime_us = 950000 | cpu/realtimeRuntime',
      'pids.max = 0 | pids/limit',
      'blkio.leaf_weight = 20 | blockIO/leafWeight',
      'blkio.bfq.weight_device = 8:0 10 | blockIO/weightDevice/0 | or blkio.weight_device = 8:0 10',
      'blkio.leaf_weight_device = 8:0 30 | blockIO/weightDevice/0',
      'hugetlb.2MB.limit_in_bytes = 4194305 | hugepageLimits/0/limit',
      'hugetlb.2MB.rsvd.limit_in_bytes = 4194305 | hugepageLimits/0/limit',
      'net_cls.classid = 1048577 | network/classID',
      'net_prio.ifpriomap = eth0 5 | network/priorities/0',
      'rdma.max = mlx5_0 hca_handle=3 | rdma/mlx5_0',
      'rdma.max = mlx5_1 hca_handle=0 hca_object=7 | rdma/mlx5_1',
    ]);
  });

  test('on a hybrid host each controller is spelled as the version it is in', () => {
    const { host } = fakeNestedV1();
    const unified = { ...hierarchy('unified'), version: 'v2', controllers: ['hugetlb', 'io'] } as const;
    const { writes } = planCgroup({ ...EVERYTHING, rdma: {} }, { ...host, mode: 'hybrid', hierarchies: [...host.hierarchies, unified] });

    expect(lines(writes).filter((line) => /pids|huge|io\./.test(line))).toEqual([
      'pids.max = 0 | pids/limit',
      'io.weight = default 4950 | blockIO/weight | or io.bfq.weight = default 500',
      'io.weight = 8:0 1 | blockIO/weightDevice/0 | or io.bfq.weight = 8:0 10',
      'io.max = 8:0 rbps=1048576 | blockIO/throttleReadBpsDevice/0',
      'io.max = 8:16 wiops=max | blockIO/throttleWriteIOPSDevice/0',
      'hugetlb.2MB.max = 4194305 | hugepageLimits/0/limit',
      'hugetlb.2MB.rsvd.max = 4194305 | hugepageLimits/0/limit',
    ]);
  });
});

// @proves runtime-spec: config-linux.md#unified/no-conversion
test.each<[string, SpecResources]>([
  ['memory/disableOOMKiller', { memory: { disableOOMKiller: true } }],
  ['memory/swappiness', { memory: { swappiness: 0 } }],
  ['memory/useHierarchy', { memory: { useHierarchy: false } }],
  ['memory/kernelTCP', { memory: { kernelTCP: 1 } }],
  ['cpu/realtimeRuntime', { cpu: { realtimeRuntime: 1 } }],
  ['cpu/realtimePeriod', { cpu: { realtimePeriod: 1 } }],
  ['blockIO/leafWeight', { blockIO: { leafWeight: 10 } }],
  ['blockIO/weightDevice/0/leafWeight', { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } }],
  ['network/classID', { network: { classID: 1 } }],
  ['network/priorities', { network: { priorities: [{ name: 'lo', priority: 1 }] } }],
])('v2 has nothing for %s, which is refused by name', (field, resources) => {
  expect(() => planCgroup(resources, fakeV2(ALL_V2).host)).toThrow(
    expect.objectContaining({ code: 'E_CGROUP_RESOURCE', subject: `/linux/resources/${field}` }),
  );
});

test('a limit on kernel memory is a warning: no kernel has it any more', () => {
  for (const { host } of [fakeV2(), fakeNestedV1()]) {
    expect(planCgroup({ memory: { kernel: 1 << 20 } }, host)).toEqual({
      writes: [],
      warnings: [expect.stringContaining('/linux/resources/memory/kernel is ignored')],
    });
  }
});

test('an idle group has no shares', () => {
  expect(lines(planCgroup({ cpu: { idle: 1, shares: 512 } }, fakeV2().host).writes)).toEqual(['cpu.idle = 1 | cpu/idle']);
});

describe('unified', () => {
  // @proves runtime-spec: config-linux.md#unified/written
  test('files are written line by line, and read back as far as they can be', () => {
    const unified = {
      'memory.high': '1M',
      'io.max': '8:0 rbps=1\n8:16 wiops=120\n',
      'cpuset.cpus': '0-1',
      'cpu.max': '5000 10000',
      'pids.max': 'max',
      'memory.future': 'so be it',
    };
    expect(planCgroup({ unified }, fakeV2(ALL_V2).host).writes.map(({ file, value, readBack }) => [file, value, readBack])).toEqual([
      ['memory.high', '1M', { as: 'bytes', value: 1_048_576n }],
      ['io.max', '8:0 rbps=1', { as: 'entry', text: '8:0 rbps=1' }],
      ['io.max', '8:16 wiops=120', { as: 'entry', text: '8:16 wiops=120' }],
      ['cpuset.cpus', '0-1', { as: 'list', text: '0-1' }],
      ['cpu.max', '5000 10000', undefined],
      ['pids.max', 'max', { as: 'bytes', value: 'max' }],
      ['memory.future', 'so be it', undefined],
    ]);
  });

  // @proves runtime-spec: config-linux.md#unified/missing-controller
  test('a controller that is not there is an error', () => {
    expect(() => planCgroup({ unified: { 'io.max': '8:0 rbps=1' } }, fakeV2().host)).toThrow(
      expect.objectContaining({ code: 'E_CGROUP_CONTROLLER', subject: '/linux/resources/unified/io.max' }),
    );
    expect(() => planCgroup({ unified: { 'memory.max': '1' } }, fakeNestedV1().host)).toThrow(
      expect.objectContaining({ code: 'E_CGROUP_CONTROLLER' }),
    );
  });
});

describe('writing on v2', () => {
  const open = (resources: SpecResources) => {
    const fake = fakeV2();
    const group = openCgroup(fake.host, { cgroupsPath: '/a', id: 'x' });
    const plan = planCgroup(resources, fake.host);
    group.create(plan);
    return { ...fake, group, plan };
  };

  // @proves runtime-spec: config-linux.md#memory/check-before-update
  // On v2 the kernel would kill processes rather than refuse the limit.
  // @attack A25: attack
  test('with checkBeforeUpdate a limit below what is used is refused, and the old one stays', () => {
    const { group, plan, files } = open({ memory: { limit: 1 << 20, checkBeforeUpdate: true } });
    files.put('/sys/fs/cgroup/a/memory.current', String(2 << 20));

    expect(() => group.update(plan)).toThrow(
      expect.objectContaining({ kind: 'failed-precondition', code: 'E_CGROUP_VALUE', subject: '/linux/resources/memory/limit' }),
    );
    expect(files.read('/sys/fs/cgroup/a/memory.max')).toBe('max');
    files.put('/sys/fs/cgroup/a/memory.current', '4096');
    group.update(plan);
    expect(files.read('/sys/fs/cgroup/a/memory.max')).toBe(String(1 << 20));
  });

  test('a missing file is no error where it would hold the default, and is one where it would not', () => {
    const { group, files, host } = open({});
    expect(files.kind('/sys/fs/cgroup/a/cpu.max.burst')).toBeUndefined();
    group.apply(planCgroup({ cpu: { burst: 0 } }, host));
    expect(() => group.apply(planCgroup({ cpu: { burst: 1 } }, host))).toThrow(expect.objectContaining({ code: 'E_CGROUP_CONTROLLER' }));
  });

  test('a controller that only a limit needs is handed down for it', () => {
    const fake = fakeV2(ALL_V2);
    const group = openCgroup(fake.host, { cgroupsPath: '/a', id: 'x' });
    group.create();
    expect(fake.files.read('/sys/fs/cgroup/cgroup.subtree_control')).not.toContain('rdma');
    fake.files.put('/sys/fs/cgroup/a/rdma.max', '');
    expect(() => group.update(planCgroup({ rdma: { mlx5_0: { hcaHandles: 3 } } }, fake.host))).not.toThrow();
    expect(fake.files.read('/sys/fs/cgroup/cgroup.subtree_control')).toContain('rdma');
  });
});

function hierarchy(name: string) {
  const mountPoint = `/sys/fs/cgroup/${name}`;
  return { version: 'v1', name, controllers: [name], mountPoint, own: mountPoint, readOnly: false } as const;
}
