import { expect, test } from 'vitest';
import { mergeResources } from './update.ts';

test('new limits replace the old ones field by field, lists as a whole', () => {
  const old = {
    memory: { limit: 1 << 20, swap: 2 << 20 },
    pids: { limit: 5 },
    devices: [{ allow: false }],
    unified: { 'memory.high': '1' },
  };

  expect(
    mergeResources(old, { memory: { limit: 3 << 20 }, devices: [{ allow: true }], cpu: { shares: 2 }, unified: { 'memory.low': '2' } }),
  ).toEqual({
    memory: { limit: 3 << 20, swap: 2 << 20 },
    pids: { limit: 5 },
    devices: [{ allow: true }],
    cpu: { shares: 2 },
    unified: { 'memory.high': '1', 'memory.low': '2' },
  });
});

test('lifting the memory limit lifts that of memory plus swap, unless it is given too', () => {
  const old = { memory: { limit: 1 << 20, swap: 2 << 20 } };

  expect(mergeResources(old, { memory: { limit: -1 } })).toEqual({ memory: { limit: -1, swap: -1 } });
  expect(mergeResources({ memory: { limit: 1 << 20 } }, { memory: { limit: -1 } })).toEqual({ memory: { limit: -1 } });
  expect(mergeResources(old, { memory: { limit: -1, swap: 0 } })).toEqual({ memory: { limit: -1, swap: 0 } });
});
