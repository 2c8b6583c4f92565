import { expect, test } from 'vitest';
import { argumentsText, diffPlans, withWrites } from './plan-diff.ts';

let index = 0;
const operation = (op: string, pointer: string, ...values: string[]) => ({
  index: index++,
  op,
  phase: 'mounts' as const,
  pointer,
  reason: '',
  args: values.map((value, at) => ({ name: `a${at}`, value })),
  plannedAt: [],
});
const told = (rows: ReturnType<typeof diffPlans>) =>
  rows.map(({ change, operation: { op }, before }) => `${change} ${op}${before ? ` was ${before.args[0]?.value}` : ''}`);

const clone = operation('clone', '/linux/namespaces', 'pid mount');
const proc = operation('mount', '/mounts/0', '/proc');
const host = operation('hostname', '/hostname', 'web');
const exec = operation('exec', '/process/args', 'sh');

test('the same plan has no change', () => {
  expect(told(diffPlans([clone, proc], [clone, proc]))).toEqual(['same clone', 'same mount']);
});

test('what came, went and changed is told at its place', () => {
  const after = [operation('clone', '/linux/namespaces', 'pid mount uts'), host, operation('mount', '/mounts/1', '/data'), exec];
  expect(told(diffPlans([clone, proc, exec], after))).toEqual([
    'changed clone was pid mount',
    'gone mount',
    'new hostname',
    'new mount',
    'same exec',
  ]);
});

test('operations nobody asked for are told apart by what they act on', () => {
  const link = (path: string) => operation('symlink', '', path, '/proc/self/fd');
  expect(told(diffPlans([link('/dev/fd'), link('/dev/stdin')], [link('/dev/stdin')]))).toEqual(['gone symlink', 'same symlink']);
});

test('limits stand before the process joins its cgroup', () => {
  const join = operation('joinCgroup', '/linux/cgroupsPath', '/sys/fs/cgroup/x');
  const write = { pointer: '/linux/resources/memory/limit', path: '/sys/fs/cgroup/memory/x/memory.limit_in_bytes', value: '67108864' };
  expect(withWrites([clone, join, exec], [write]).map(({ op, pointer }) => `${op} ${pointer}`)).toEqual([
    'clone /linux/namespaces',
    'writeLimit /linux/resources/memory/limit',
    'joinCgroup /linux/cgroupsPath',
    'exec /process/args',
  ]);
});

test('against nothing, everything is new', () => {
  expect(told(diffPlans([], [host]))).toEqual(['new hostname']);
  expect(diffPlans([], [])).toEqual([]);
});

test('numbers of an operation are named, switches only where they are on', () => {
  const args = [
    { name: 'slot', value: '0' },
    { name: 'path', value: '/dev/null' },
    { name: 'directory', value: 'false' },
    { name: 'create', value: 'true' },
    { name: 'hard', value: '"1024"' },
    { name: 'value', value: '67108864' },
    { name: 'flags', value: '{"noSuid":true,"atime":"strictatime"}' },
    { name: 'none', value: '{}' },
    { name: 'data', value: '["mode=755","size=65536k"]' },
    { name: 'cut', value: '["/sys/fs…' },
  ];
  expect(argumentsText({ args })).toBe(
    'slot=0 /dev/null create hard=1024 67108864 noSuid,atime=strictatime mode=755,size=65536k ["/sys/fs…',
  );
});
