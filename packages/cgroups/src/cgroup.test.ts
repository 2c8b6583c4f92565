import { parseCgroupMemberships, parseMountinfo } from '@slipway/kernel';
import { describe, expect, test } from 'vitest';
import { detectCgroups, makeRoomForGroups, openCgroup, planCgroup, weightOfShares } from './index.ts';
import { fakeMachineTop, fakeNestedV1, fakeV2 } from './testing/fake-hosts.ts';

describe('planning for v2', () => {
  // @proves runtime-spec: config-linux.md#memory/limits config-linux.md#cpu/limits config-linux.md#pids/limit
  test('translates units, shares and memory-plus-swap', () => {
    const { host } = fakeV2();
    const plan = planCgroup(
      {
        memory: { limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20 },
        cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: '0-1' },
        pids: { limit: -1 },
      },
      host,
    );
    expect(plan.writes.map(({ file, value, pointer }) => [file, value, pointer])).toEqual([
      ['cpuset.cpus', '0-1', '/linux/resources/cpu/cpus'],
      ['memory.max', '67108864', '/linux/resources/memory/limit'],
      ['memory.swap.max', '33554432', '/linux/resources/memory/swap'],
      ['memory.low', '33554432', '/linux/resources/memory/reservation'],
      ['cpu.weight', '100', '/linux/resources/cpu/shares'],
      ['cpu.max', '50000 100000', '/linux/resources/cpu/quota'],
      ['pids.max', 'max', '/linux/resources/pids/limit'],
    ]);
  });

  test.each([
    [2, 1],
    [1024, 100],
    [262_144, 10_000],
    [512, 59],
  ])('%i shares weigh %i', (shares, weight) => expect(weightOfShares(shares)).toBe(weight));
});

describe('planning for v1', () => {
  // @proves runtime-spec: config-linux.md#allowed-device-list/order
  test('keeps the order that the kernel insists on', () => {
    const { host } = fakeNestedV1();
    const plan = planCgroup(
      {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
          { allow: true, type: 'c', major: 136 },
        ],
        memory: { limit: 1 << 20, swap: 1 << 21 },
      },
      host,
    );
    expect(plan.writes.map(({ hierarchy, file, value }) => [hierarchy, file, value])).toEqual([
      ['devices', 'devices.deny', 'a'],
      ['devices', 'devices.allow', 'c 1:3 rw'],
      ['devices', 'devices.allow', 'c 136:* rwm'],
      ['memory', 'memory.limit_in_bytes', '1048576'],
      ['memory', 'memory.memsw.limit_in_bytes', '2097152'],
    ]);
  });

  test('device rules are left out, with a word, where they cannot be set', () => {
    const { host } = fakeNestedV1({ userNamespace: true });
    expect(planCgroup({ devices: [{ allow: false }, { allow: true }] }, host)).toEqual({
      writes: [],
      warnings: [expect.stringContaining('device rules left out')],
    });
  });

  test('a limit without its controller is refused, naming both', () => {
    const { host } = fakeNestedV1();
    const without = { ...host, hierarchies: host.hierarchies.filter(({ name }) => name !== 'pids') };
    const plan = () => planCgroup({ pids: { limit: 5 } }, without);
    expect(plan).toThrow(/\/linux\/resources\/pids\/limit needs the cgroup controller "pids".*mounted: memory, cpu,cpuacct/);
    expect(() => planCgroup({ memory: { limit: 1 << 20 } }, { ...host, hierarchies: [], mode: 'none' })).toThrow(
      /no cgroup file system is mounted/,
    );
  });
});

describe('finding the hierarchies', () => {
  test('a container’s partial view: the own group lies below the mount, whatever the host calls it', () => {
    const { host } = fakeNestedV1();
    expect(host.mode).toBe('v1');
    expect(host.hierarchies.find(({ name }) => name === 'cpu,cpuacct')).toMatchObject({
      controllers: ['cpu', 'cpuacct'],
      own: '/sys/fs/cgroup/cpu,cpuacct/inner',
    });
  });

  test('v2, also where the own group is outside the view', () => {
    expect(fakeV2({ membership: '0::/user.slice' }).host.hierarchies).toMatchObject([
      { name: 'unified', own: '/sys/fs/cgroup/user.slice' },
    ]);
    expect(fakeV2({ membership: '0::/../other' }).host.hierarchies).toMatchObject([{ own: '/sys/fs/cgroup' }]);
    expect(detectCgroups({ mounts: [], memberships: [], userNamespace: false }).mode).toBe('none');
  });
});

describe('where a group lies', () => {
  // @attack A23: twin
  // @proves runtime-spec: config-linux.md#cgroups-path/absolute config-linux.md#cgroups-path/same-place
  test('absolute paths start at the mount, relative ones at the own group, v2’s at its parent', () => {
    const v1 = fakeNestedV1().host;
    expect(openCgroup(v1, { cgroupsPath: '/a//b/.', id: 'x' }).directories['memory']).toBe('/sys/fs/cgroup/memory/a/b');
    expect(openCgroup(v1, { cgroupsPath: 'a', id: 'x' }).directories['memory']).toBe('/sys/fs/cgroup/memory/inner/a');
    expect(openCgroup(v1, { id: 'x' }).directories['memory']).toBe('/sys/fs/cgroup/memory/inner/x');
    expect(openCgroup(fakeV2({ membership: '0::/own' }).host, { id: 'x' }).directories).toEqual({ unified: '/sys/fs/cgroup/x' });
    expect(openCgroup(fakeV2().host, { id: 'x' }).directories).toEqual({ unified: '/sys/fs/cgroup/x' });
  });
});

describe('a group on v2', () => {
  // @proves runtime-spec: config-linux.md#unified/controllers
  test('is made with controllers enabled on the way down, limited, read and removed', async () => {
    const { host, files } = fakeV2();
    const group = openCgroup(host, { cgroupsPath: '/slipway/web', id: 'web' });
    const plan = planCgroup({ memory: { limit: 64 << 20 }, cpu: { quota: 20_000 }, pids: { limit: 16 } }, host);
    group.create(plan);
    group.apply(plan);

    expect(files.read('/sys/fs/cgroup/slipway/cgroup.subtree_control')).toBe('cpuset cpu memory pids');
    expect(group.procsFiles()).toEqual(['/sys/fs/cgroup/slipway/web/cgroup.procs']);
    expect(group.stats()).toMatchObject({
      version: 'v2',
      memoryBytes: 4096,
      memoryLimitBytes: 64 << 20,
      memoryPeakBytes: 8192,
      oomKills: 2,
      cpuUsageUs: 1500,
      throttledUs: 20,
      cpuQuota: 0.2,
      pids: 3,
      pidsLimit: 16,
    });
    expect(group.stats().files['memory.max']).toBe('67108864');

    await group.remove();
    expect(files.kind('/sys/fs/cgroup/slipway/web')).toBeUndefined();
  });

  test('a controller that cannot be enabled is named when a limit needs it, and does no harm otherwise', () => {
    const { host } = fakeV2({ refused: ['memory'] });
    const group = openCgroup(host, { cgroupsPath: '/a/b', id: 'x' });
    group.create();
    group.apply(planCgroup({ pids: { limit: 5 } }, host));
    expect(() => group.apply(planCgroup({ memory: { limit: 1 << 20 } }, host))).toThrow(
      /cannot apply \/linux\/resources\/memory\/limit: memory.max of the unified hierarchy does not exist/,
    );
  });

  test('limits of controllers that the own session is not offered are planned: groups are made from the mount point down', () => {
    const { files } = fakeV2({ membership: '0::/session' });
    files.put('/sys/fs/cgroup/session/cgroup.controllers', 'memory pids');
    const mounts = parseMountinfo('31 1 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');
    const host = detectCgroups({ files, mounts, memberships: parseCgroupMemberships('0::/session'), userNamespace: false });
    const group = openCgroup(host, { id: 'x' });
    const plan = planCgroup({ cpu: { quota: 50_000 } }, host);
    group.create(plan);
    group.apply(plan);
    expect(files.read('/sys/fs/cgroup/x/cpu.max')).toBe('50000 100000');
  });

  test('processes at the top of a machine make room, and none can follow them', () => {
    const { host, files } = fakeMachineTop('1\n17\n');
    expect(makeRoomForGroups(host)).toBe(2);
    expect(files.writes.map(({ path, text }) => [path, text])).toEqual([
      ['/sys/fs/cgroup/init/cgroup.procs', '1'],
      ['/sys/fs/cgroup/init/cgroup.procs', '17'],
      ...['cpuset', 'cpu', 'memory', 'pids'].map((name) => ['/sys/fs/cgroup/cgroup.subtree_control', `+${name}`]),
    ]);
  });

  test('a top that was left already hands its controllers down; the real root is left alone', () => {
    const { host, files } = fakeMachineTop('');
    expect(makeRoomForGroups(host)).toBe(0);
    expect(files.read('/sys/fs/cgroup/cgroup.subtree_control')).toBe('cpuset cpu memory pids');
    expect(files.kind('/sys/fs/cgroup/init')).toBeUndefined();
    const root = fakeV2();
    expect(makeRoomForGroups(root.host)).toBe(0);
    expect(root.files.writes).toEqual([]);
  });
});

describe('a group on nested v1', () => {
  test('inherits cpuset’s lists on the way down, and leaves out a hierarchy that is not ours to write', () => {
    const { host, files } = fakeNestedV1({ readOnly: ['pids'] });
    const group = openCgroup(host, { cgroupsPath: '/a/b', id: 'x' });
    group.create();
    expect([files.read('/sys/fs/cgroup/cpuset/a/cpuset.cpus'), files.read('/sys/fs/cgroup/cpuset/a/b/cpuset.mems')]).toEqual(['0-3', '0']);
    expect(Object.keys(group.directories)).toEqual(['memory', 'cpu,cpuacct', 'cpuset', 'devices']);
    expect(group.stats()).toMatchObject({ version: 'v1', cpuUsageUs: 2500 });
  });

  test('that hierarchy is named when a limit needs it, and nothing is left of the attempt', () => {
    const { host, files } = fakeNestedV1({ readOnly: ['pids'] });
    const plan = planCgroup({ pids: { limit: 5 } }, host);
    expect(() => openCgroup(host, { cgroupsPath: '/a/b', id: 'x' }).create(plan)).toThrow(
      /"pids", and this process may not make groups in the pids hierarchy/,
    );
    for (const name of ['memory', 'cpu,cpuacct', 'cpuset', 'devices']) expect(files.kind(`/sys/fs/cgroup/${name}/a`), name).toBeUndefined();
  });
});

test('a group made ahead of time is taken over under its new name, and the rest is made', () => {
  const { host, files } = fakeNestedV1({});
  const some = { ...host, hierarchies: host.hierarchies.filter(({ name }) => name === 'memory' || name === 'pids') };
  const ahead = openCgroup(some, { cgroupsPath: '/a/next', id: 'x' });
  ahead.create();
  files.write('/sys/fs/cgroup/pids/a/next/cgroup.procs', '42');
  const group = openCgroup(host, { cgroupsPath: '/a/box', id: 'x' });
  group.adopt(ahead, planCgroup({}, host));
  expect(files.read('/sys/fs/cgroup/pids/a/box/cgroup.procs')).toBe('42');
  expect(files.kind('/sys/fs/cgroup/memory/a/next')).toBeUndefined();
  expect(Object.keys(group.directories)).toEqual(host.hierarchies.map(({ name }) => name));
  for (const directory of Object.values(group.directories)) expect(files.kind(directory), directory).toBe('directory');
});
