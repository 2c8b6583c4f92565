import type { CgroupSample } from '@slipway/journal';
import { expect, test } from 'vitest';
import { type Dial, dialsOf, limitCommand, placeOf, stepFrom, stopAt } from './cockpit-model.ts';
import { signalsOf, sourceText } from './signals.ts';

const MIB = 1024 ** 2;
const MACHINE: CgroupSample = { path: '/', version: 'v1', memoryLimitBytes: 1024 * MIB, pidsLimit: 2000, cpuQuota: 2 };
const V1: CgroupSample = {
  path: '/slipway/c1',
  container: 'c1',
  version: 'v1',
  memoryBytes: 30 * MIB,
  memoryLimitBytes: 64 * MIB,
  pids: 3,
  files: {
    'memory.usage_in_bytes': String(30 * MIB),
    'memory.limit_in_bytes': String(64 * MIB),
    'memory.failcnt': '12',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2',
    'cpu.cfs_quota_us': '-1',
    'cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 7000000',
    'pids.max': 'max',
    'freezer.state': 'THAWED',
    'cgroup.events': 'populated 1\nfrozen 0',
  },
};
const V2: CgroupSample = {
  path: '/mine',
  version: 'v2',
  files: {
    'memory.max': 'max',
    'memory.events': 'low 0\nhigh 0\nmax 3\noom 0\noom_kill 0',
    'cpu.max': 'max 100000',
    'cpu.pressure': 'some avg10=1.53 avg60=0.87 avg300=0.21 total=99\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0',
    'pids.max': '50',
  },
};

const dial = (sample: CgroupSample, name: Dial['name'], directories?: Record<string, string>): Dial => {
  const found = dialsOf(sample, MACHINE, directories).find((each) => each.name === name);
  if (!found) throw new Error(`no dial ${name}`);
  return found;
};

test('a handle rests at round values below the machine’s own limit, and at the limit there is', () => {
  const memory = dial(V1, 'memory');
  expect(memory.stops.at(-1)).toBe(1024 * MIB);
  expect(memory.stops).toContain(64 * MIB);
  const odd = dial({ ...V1, memoryLimitBytes: 70 * MIB }, 'memory');
  expect(odd.stops.slice(odd.stops.indexOf(64 * MIB), odd.stops.indexOf(96 * MIB) + 1)).toEqual([64 * MIB, 70 * MIB, 96 * MIB]);
});

test('places and stops are each other’s inverse, and the far end is no limit', () => {
  for (const name of ['memory', 'cpu', 'pids'] as const) {
    const each = dial(V1, name);
    for (const stop of each.stops) expect(stopAt(each, placeOf(each, stop))).toBe(stop);
    expect(stopAt(each, placeOf(each, undefined))).toBeUndefined();
    expect(stopAt(each, -1)).toBe(each.stops[0]);
  }
  const memory = dial(V1, 'memory');
  expect(placeOf(memory, 80 * MIB)).toBeGreaterThan(placeOf(memory, 64 * MIB));
  expect(placeOf(memory, 80 * MIB)).toBeLessThan(placeOf(memory, 96 * MIB));
});

test('keys step from stop to stop, from "no limit" too, and end at the smallest', () => {
  const memory = dial(V1, 'memory');
  expect(stepFrom(memory, 64 * MIB, 1)).toBe(96 * MIB);
  expect(stepFrom(memory, undefined, -1)).toBe(1024 * MIB);
  expect(stepFrom(memory, 1024 * MIB, 1)).toBeUndefined();
  expect(stepFrom(memory, 4 * MIB, -5)).toBe(4 * MIB);
});

test('the command writes the file of this host’s version, in its words', () => {
  const directories = { memory: '/sys/fs/cgroup/memory/slipway/c1', cpu: '/sys/fs/cgroup/cpu/slipway/c1' };
  expect(limitCommand(dial(V1, 'memory', directories), 96 * MIB)).toBe(
    `echo ${96 * MIB} > /sys/fs/cgroup/memory/slipway/c1/memory.limit_in_bytes`,
  );
  expect(limitCommand(dial(V1, 'memory', directories), undefined)).toContain('echo -1 > ');
  expect(limitCommand(dial(V1, 'cpu', directories), 0.5)).toBe('echo 50000 > /sys/fs/cgroup/cpu/slipway/c1/cpu.cfs_quota_us');
  expect(limitCommand(dial(V1, 'pids'), undefined)).toBe('echo max > /sys/fs/cgroup/pids/slipway/c1/pids.max');
  expect(limitCommand(dial(V2, 'cpu'), 0.25)).toBe("echo '25000 100000' > /sys/fs/cgroup/mine/cpu.max");
  expect(limitCommand(dial(V2, 'memory'), undefined)).toBe('echo max > /sys/fs/cgroup/mine/memory.max');
});

test('what cannot be set has no command: the machine’s own group, a controller that is not there, a path that could press keys', () => {
  expect(limitCommand(dial({ ...V1, path: '/' }, 'memory'), MIB)).toBeUndefined();
  expect(limitCommand(dial({ ...V1, files: {} }, 'memory'), MIB)).toBeUndefined();
  for (const memory of ['/sys/a\rrm', '/sys/$(id)', '/sys/../x', '/a b']) {
    expect(limitCommand(dial(V1, 'memory', { memory }), MIB)).toBeUndefined();
  }
});

test('each figure has its file on both versions, the live one’s value, and an alarm where something waited or died', () => {
  const find = (sample: CgroupSample, group: string, label: string) =>
    signalsOf(sample).find((signal) => signal.group === group && signal.label === label);
  expect(find(V1, 'memory', 'limit reached')).toEqual({
    group: 'memory',
    label: 'limit reached',
    v1: { file: 'memory.failcnt' },
    v2: { file: 'memory.events', key: 'max' },
    live: 'v1',
    value: '12',
    alarming: true,
  });
  expect(find(V1, 'cpu', 'time throttled')).toMatchObject({ live: 'v1', value: '7 ms', alarming: true });
  expect(find(V1, 'memory', 'processes killed')).toMatchObject({ value: '2', alarming: true });
  expect(find(V1, 'cpu', 'quota')).toMatchObject({ value: 'none' });
  expect(find(V1, 'freezer', 'frozen')).toMatchObject({ live: 'v1', value: 'THAWED' });
  expect(find(V2, 'memory', 'limit reached')).toMatchObject({ live: 'v2', value: '3' });
  expect(find(V2, 'cpu', 'pressure')).toMatchObject({ live: 'v2', value: 'some 1.53 %, full 0 %' });
});

test('what this host does not tell is said to be missing: no value, no live version', () => {
  const pressure = signalsOf(V1).find((signal) => signal.label === 'pressure' && signal.group === 'memory');
  expect(pressure).toEqual({ group: 'memory', label: 'pressure', v2: { file: 'memory.pressure' }, alarming: false });
  expect(sourceText(pressure?.v1)).toBe('none');
});
