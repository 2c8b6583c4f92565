import { MemoryControlFiles } from '@slipway/kernel';
import { expect, test } from 'vitest';
import { readUsage } from './index.ts';

function filesIn(dir: string, contents: Readonly<Record<string, string>>): MemoryControlFiles {
  const files = new MemoryControlFiles({});
  for (const [name, text] of Object.entries(contents)) files.put(`${dir}/${name}`, text);
  return files;
}

test('v2: microseconds become nanoseconds, swap becomes memory plus swap, devices one entry an operation', () => {
  const files = filesIn('/g', {
    'cpu.stat': 'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 1\nthrottled_usec 7\n',
    'memory.current': '100\n',
    'memory.peak': '300\n',
    'memory.max': 'max\n',
    'memory.swap.current': '50\n',
    'memory.swap.max': '4096\n',
    'memory.stat': 'anon 60\nfile 40\n',
    'memory.events': 'max 2\noom_kill 3\n',
    'pids.current': '2\n',
    'pids.max': 'max\n',
    'cpuset.cpus.effective': '0-1\n',
    'io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
  });

  expect(readUsage({ unified: '/g' }, files)).toEqual({
    cpu: { total: 30_000, user: 20_000, kernel: 10_000, periods: 4, throttledPeriods: 1, throttledTime: 7000 },
    cpus: '0-1',
    memory: {
      cache: 40,
      usage: { limit: 2 ** 63, usage: 100, max: 300, failcnt: 2 },
      swap: { limit: 4096, usage: 150 },
      kernel: {},
      kernelTcp: {},
      raw: { anon: 60, file: 40 },
    },
    pids: { current: 2 },
    blockIo: {
      bytes: [
        { major: 8, minor: 0, op: 'Read', value: 1 },
        { major: 8, minor: 0, op: 'Write', value: 2 },
      ],
      operations: [
        { major: 8, minor: 0, op: 'Read', value: 3 },
        { major: 8, minor: 0, op: 'Write', value: 4 },
      ],
    },
    oomKills: 3,
  });
});

test('a group that has gone gives nothing, and no error', () => {
  expect(readUsage({ memory: '/gone', cpuacct: '/gone' }, new MemoryControlFiles({})).cpu.total).toBeUndefined();
});
