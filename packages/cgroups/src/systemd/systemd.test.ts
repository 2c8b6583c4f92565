/** What systemd is asked for a container: the unit's name and place, and its limits as properties. */
import { expect, test } from 'vitest';
import type { CgroupHost } from '../host.ts';
import { planCgroup } from '../plan.ts';
import { parseScopeName } from './scope-name.ts';
import { planProperties } from './scope-properties.ts';
import { requireSystemd } from './scopes.ts';

const NO_LIMIT = (1n << 64n) - 1n;
const FIELDS = { readOnly: false, own: '/sys/fs/cgroup/x', mountPoint: '/sys/fs/cgroup' } as const;
const UNIFIED = { ...FIELDS, version: 'v2', name: 'unified', controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'] } as const;
const HOST = { mode: 'v2', hierarchies: [UNIFIED], canSetDevices: true } as unknown as CgroupHost;

test.each([
  ['machine.slice:libpod:one', 'libpod-one.scope', '/machine.slice/libpod-one.scope'],
  [':docker:one', 'docker-one.scope', '/system.slice/docker-one.scope'],
  ['a-b-c.slice::one', 'one.scope', '/a.slice/a-b.slice/a-b-c.slice/one.scope'],
  ['-.slice:x:one.scope', 'x-one.scope', '/x-one.scope'],
  ['', 'slipway-id.scope', '/system.slice/slipway-id.scope'],
])('the path %j names the scope %s', (cgroupsPath, unit, path) => {
  expect(parseScopeName({ cgroupsPath, id: 'id' })).toMatchObject({ unit, path });
});

test.each([
  ['/a/b', /SLICE:PREFIX:NAME/],
  ['a.slice:b', /SLICE:PREFIX:NAME/],
  ['a.slice:b:c:d', /SLICE:PREFIX:NAME/],
  ['a.slice:b:', /SLICE:PREFIX:NAME/],
  ['a.slice:b:c.slice', /holds no processes/],
  ['a.slice:b:c/../d', /no name of a unit/],
  ['a.slice:b:c\nd', /no name of a unit/],
  [`a.slice:b:${'c'.repeat(250)}`, /no name of a unit/],
  ['../a.slice:b:c', /no name of a slice/],
  ['a--b.slice:b:c', /no name of a slice/],
  ['a:b:c', /no name of a slice/],
])('the path %j is refused', (cgroupsPath, message) => {
  expect(() => parseScopeName({ cgroupsPath, id: 'id' })).toThrow(
    expect.objectContaining({ code: 'E_CGROUP_PATH', message: expect.stringMatching(message) }),
  );
});

test('limits that systemd has a word for become properties, whichever field they came from', () => {
  const plan = planCgroup(
    {
      memory: { limit: 1 << 20, swap: 3 << 20, reservation: -1 },
      cpu: { quota: 12_345, period: 100_000, shares: 1024, cpus: '0-1,9', mems: '0' },
      pids: { limit: -1 },
      blockIO: { weight: 500 },
      unified: { 'memory.high': '4096', 'memory.oom.group': '1' },
    },
    HOST,
  );

  expect(Object.fromEntries(planProperties(plan))).toEqual({
    MemoryMax: { type: 't', value: 1n << 20n },
    MemorySwapMax: { type: 't', value: 2n << 20n },
    MemoryLow: { type: 't', value: NO_LIMIT },
    MemoryHigh: { type: 't', value: 4096n },
    // Rounded up to systemd's step.
    CPUQuotaPerSecUSec: { type: 't', value: 130_000n },
    CPUQuotaPeriodUSec: { type: 't', value: 100_000n },
    CPUWeight: { type: 't', value: 100n },
    AllowedCPUs: { type: 'ay', value: [0b11, 0b10] },
    AllowedMemoryNodes: { type: 'ay', value: [1] },
    TasksMax: { type: 't', value: NO_LIMIT },
  });
  expect(planProperties(planCgroup({ cpu: { idle: 1 } }, HOST))).toEqual([['CPUWeight', { type: 't', value: 0n }]]);
});

test('on a host with hierarchies of v1 the driver is refused', () => {
  expect(() => requireSystemd({ ...HOST, mode: 'hybrid' })).toThrow(
    expect.objectContaining({ kind: 'unsupported', code: 'E_CGROUP_DRIVER', message: expect.stringContaining('cgroup v2 alone') }),
  );
});
