/**
 * packages/cgroups against a real v2 hierarchy, from a session that systemd offers two controllers.
 *
 * Knows: that hierarchy's files and rules. Does not know: containers.
 */
import { deepEqual, equal, throws } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cgroup, detectCgroups, makeRoomForGroups, openCgroup, planCgroup } from '@slipway/cgroups';
import { check, control, until } from './report.ts';

const TOP = '/sys/fs/cgroup/checks';

export async function checkCgroups(): Promise<void> {
  const host = detectCgroups();
  await check('the host is seen as v2, with every controller of the hierarchy’s top', () => {
    equal(host.mode, 'v2');
    deepEqual([...(host.hierarchies[0]?.controllers ?? [])].filter((name) => /^(cpuset|cpu|io|memory|pids)$/.test(name)).sort(), [
      ...['cpu', 'cpuset', 'io', 'memory', 'pids'],
    ]);
    equal(makeRoomForGroups(host), 0);
  });

  await check('limits whose controllers the session is not offered arrive all the same, at absolute and relative paths', async () => {
    const limits = {
      memory: { limit: 64 << 20, swap: 96 << 20 },
      cpu: { quota: 50_000, period: 100_000, shares: 512 },
      pids: { limit: 32 },
    };
    for (const cgroupsPath of ['/checks/limits', 'checks-relative/limits']) {
      await withGroup(cgroupsPath, (group) => {
        const plan = planCgroup({ ...limits, cpu: { ...limits.cpu, cpus: '0' } }, host);
        group.create(plan);
        group.apply(plan);
        const directory = group.directories['unified'] ?? '';
        const files = ['memory.max', 'memory.swap.max', 'cpu.max', 'pids.max', 'cpuset.cpus'];
        deepEqual(
          files.map((file) => control(directory, file)),
          ['67108864', '33554432', '50000 100000', '32', '0'],
        );
        const { memoryLimitBytes, cpuQuota, pidsLimit, pids } = group.stats();
        deepEqual({ memoryLimitBytes, cpuQuota, pidsLimit, pids }, { memoryLimitBytes: 67_108_864, cpuQuota: 0.5, pidsLimit: 32, pids: 0 });
        throws(() => group.apply(planCgroup({ cpu: { cpus: '4000' } }, host)), { code: 'E_CGROUP_VALUE' });
      });
    }
  });

  await check('a group is frozen, thawed, and killed whole while it forks', () =>
    withGroup('/checks/life', async (group) => {
      group.create();
      group.apply(planCgroup({ pids: { limit: 100 } }, host));
      start(group, 'while :; do sleep 0.2 & done');
      await until('children', () => group.pids().length > 5);
      await group.freeze();
      equal(group.isFrozen(), true);
      const before = group.stats().cpuUsageUs;
      await sleep(300);
      equal(group.stats().cpuUsageUs, before);
      group.thaw();
      await until('it goes on', () => (group.stats().cpuUsageUs ?? 0) > (before ?? 0));
      await group.freeze();
      await group.kill();
      deepEqual(group.pids(), []);
    }),
  );

  await check('every kind of limit that v2 has arrives, and is read back', () =>
    withGroup('/checks/every', (group) => {
      const disk = { major: 254, minor: 0 };
      const plan = planCgroup(
        {
          memory: { limit: 64 << 20, swap: 64 << 20, reservation: 32 << 20, checkBeforeUpdate: true, useHierarchy: true },
          cpu: { quota: 50_000, period: 100_000, burst: 20_000, shares: 2048, idle: 0, cpus: '0', mems: '0' },
          pids: { limit: 0 },
          blockIO: { throttleReadBpsDevice: [{ ...disk, rate: 1 << 20 }], throttleWriteIOPSDevice: [{ ...disk, rate: 100 }] },
          hugepageLimits: [{ pageSize: '2MB', limit: 5 << 20 }],
          unified: { 'memory.high': '48M', 'memory.oom.group': '1', 'io.max': '254:0 wbps=2097152' },
        },
        host,
      );
      group.create(plan);
      group.update(plan);
      const directory = group.directories['unified'] ?? '';
      const files = [
        'memory.swap.max',
        'memory.low',
        'memory.high',
        'memory.oom.group',
        'cpu.max.burst',
        'cpu.weight',
        'pids.max',
        'io.max',
      ];
      deepEqual(
        [...files, 'hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max'].map((file) => control(directory, file)),
        [
          ...['0', '33554432', '50331648', '1', '20000', '174', '0'],
          '254:0 rbps=1048576 wbps=2097152 riops=max wiops=100',
          ...['4194304', '4194304'],
        ],
      );
      group.update(planCgroup({ cpu: { idle: 1 }, blockIO: { throttleReadBpsDevice: [{ ...disk, rate: 0 }] } }, host));
      deepEqual([control(directory, 'cpu.idle'), control(directory, 'io.max')], ['1', '254:0 rbps=max wbps=2097152 riops=max wiops=100']);
      throws(() => group.update(planCgroup({ rdma: { mlx5_0: { hcaHandles: 1 } } }, host)), { code: 'E_CGROUP_VALUE' });
    }),
  );

  await check('with checkBeforeUpdate a limit below what is used is refused; without it the kernel kills', () =>
    withGroup('/checks/below', async (group) => {
      group.create();
      start(group, 'dd if=/dev/zero bs=32M count=1 2>/dev/null | sleep 1000');
      await until('memory is used', () => (group.stats().memoryBytes ?? 0) > 16 << 20);
      const limit = { limit: 1 << 20 };
      throws(() => group.update(planCgroup({ memory: { ...limit, checkBeforeUpdate: true } }, host)), { code: 'E_CGROUP_VALUE' });
      equal(group.stats().memoryLimitBytes, undefined);
      equal(group.stats().oomKills, 0);
      group.update(planCgroup({ memory: limit }, host));
      await until('somebody is killed', () => (group.stats().oomKills ?? 0) > 0);
    }),
  );
}

/** Whatever happens in `body`, the group and those made above it are gone afterwards. */
async function withGroup(cgroupsPath: string, body: (group: Cgroup) => Promise<void> | void): Promise<void> {
  const group = openCgroup(detectCgroups(), { cgroupsPath, id: 'check' });
  try {
    await body(group);
  } finally {
    await group.kill();
    const parent = openCgroup(detectCgroups(), { cgroupsPath: cgroupsPath.replace(/\/[^/]+$/, ''), id: 'check' });
    await parent.remove();
  }
  equal(existsSync(TOP), false);
}

function start(group: Cgroup, script: string): void {
  const joins = group.procsFiles().map((file) => `echo 0 > ${file}`);
  spawn('/bin/sh', ['-c', [...joins, script].join('\n')], { stdio: 'ignore' });
}
