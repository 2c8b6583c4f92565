import { hasCode } from '@slipway/errors';
import { DOCKER_DEFAULTS } from '@slipway/oci';
import { expect, test } from 'vitest';
import type { ResourceRequest } from './container.ts';
import { planUpdate } from './plan-update.ts';
import { PLAIN_HOST } from './testing/requests.ts';

const MIB = 1024 * 1024;
const update = (resources: ResourceRequest, asked: ResourceRequest) => planUpdate({ ...PLAIN_HOST, resources }, asked);
const { deviceRules: devices } = DOCKER_DEFAULTS;

test('what is left out stays; only the controllers that change are told, whole', () => {
  expect(update({ memoryBytes: 64 * MIB, pidsLimit: 5 }, { memoryReservationBytes: 32 * MIB })).toEqual({
    resources: { memoryBytes: 64 * MIB, memoryReservationBytes: 32 * MIB, pidsLimit: 5 },
    document: { devices, memory: { limit: 64 * MIB, reservation: 32 * MIB }, pids: { limit: 5 } },
    changes: { memory: { limit: 64 * MIB, reservation: 32 * MIB } },
  });
});

test('-1 lifts a limit: it is told once, and no longer asked for', () => {
  const all = { memoryBytes: 64 * MIB, memorySwapBytes: 96 * MIB, cpuQuotaUs: 5000, cpuShares: 512, pidsLimit: 5 };
  expect(update(all, { memoryBytes: -1, cpuQuotaUs: -1, pidsLimit: -1 })).toEqual({
    resources: { cpuShares: 512 },
    document: { devices, cpu: { shares: 512 } },
    changes: { memory: { limit: -1 }, cpu: { shares: 512, quota: -1 }, pids: { limit: -1 } },
  });
});

test('unlimited swap beside a memory limit is a wish, not a lifted limit', () => {
  const { resources, changes } = update({ memoryBytes: 64 * MIB }, { memorySwapBytes: -1 });
  expect([resources, changes]).toEqual([{ memoryBytes: 64 * MIB, memorySwapBytes: -1 }, { memory: { limit: 64 * MIB, swap: -1 } }]);
});

test('CPUs become quota and period', () => {
  expect(update({ nanoCpus: 1e9 }, { nanoCpus: 5e8 }).changes).toEqual({ cpu: { quota: 50_000, period: 100_000 } });
});

test.each<[ResourceRequest, ResourceRequest]>([
  [{ nanoCpus: 1e9 }, { cpuQuotaUs: 5000 }],
  [{ cpuQuotaUs: 5000 }, { nanoCpus: 1e9 }],
  [{ memoryBytes: 64 * MIB, memorySwapBytes: 64 * MIB }, { memoryBytes: 128 * MIB }],
  [{ memoryBytes: 64 * MIB }, { memorySwapBytes: 32 * MIB }],
  [{}, { memoryBytes: 1 }],
  [{}, { cpusetCpus: 'all' }],
])('with %j, %j is refused', (resources, asked) => {
  expect(() => update(resources, asked)).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONTAINER_LIMIT')));
});
