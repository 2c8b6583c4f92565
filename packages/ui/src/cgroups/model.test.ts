import type { CgroupRow } from '@slipway/journal';
import { expect, test } from 'vitest';
import { gaugesOf, gaugeTop } from './model.ts';

const ROW: CgroupRow = {
  path: '/slipway/c1',
  name: 'c1',
  depth: 2,
  sample: {
    path: '/slipway/c1',
    version: 'v1',
    memoryBytes: 32 * 1024 ** 2,
    memoryLimitBytes: 64 * 1024 ** 2,
    cpuFraction: 0.034,
    pids: 3,
  },
  history: [
    { atMs: 1, memoryBytes: 100, pids: 1 },
    { atMs: 2, memoryBytes: 200, cpuFraction: 0.034, pids: 3 },
  ],
};

test('values read as a person would say them, and no limit is said to be none', () => {
  const [memory, cpu, pids] = gaugesOf(ROW);
  expect(memory).toMatchObject({ text: '32 MiB', limitText: 'limit 64 MiB' });
  expect(cpu).toMatchObject({ text: '3.4 %', limitText: 'no limit' });
  expect(cpu?.points).toEqual([{ atMs: 2, value: 0.034 }]);
  expect(pids).toMatchObject({ text: '3' });
});

test('a controller that is not there is a dash and no zero', () => {
  const { memoryBytes: _gone, ...sample } = ROW.sample;
  expect(gaugesOf({ ...ROW, sample })[0]).toMatchObject({ text: '—' });
  expect(gaugesOf({ ...ROW, sample })[0]).not.toHaveProperty('value');
});

test('the limit is in the picture when it is near, and does not flatten it when it is far', () => {
  expect(gaugeTop({ points: [{ atMs: 0, value: 10 }], limit: 100 })).toBeCloseTo(112);
  expect(gaugeTop({ points: [{ atMs: 0, value: 10 }], limit: 10_000 })).toBeCloseTo(12.5);
});
