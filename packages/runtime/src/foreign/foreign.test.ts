import { expect, test } from 'vitest';
import { lastError } from './command.ts';
import { planForeign } from './plan.ts';

test.each([
  ['{"level":"warning","msg":"w"}\n{"level":"error","msg":"runc run failed: no"}\n', 'runc run failed: no'],
  ['time="x" level=error msg="a \\"quoted\\" word"\n', 'a "quoted" word'],
  ['{"msg":"cgroups in hybrid mode not supported"}\n', 'cgroups in hybrid mode not supported'],
  ['first\nlast words\n', 'last words'],
  ['{"level":"info","msg":"fine"}\n', '{"level":"info","msg":"fine"}'],
  ['', undefined],
])('of %j the error is %j', (text, error) => {
  expect(lastError(text)).toBe(error);
});

const ops = (given: Parameters<typeof planForeign>[0]) => planForeign(given).operations.map(({ op }) => op);

test('a first process waits, and sees its root file system where the host does not', () => {
  const mount = { fsType: 'overlay', source: 'overlay', data: ['lowerdir=/l'] };
  const given = {
    args: ['/usr/sbin/runc', 'run', 'x'],
    process: { cwd: '/', terminal: true },
    holdBack: true,
    rootfs: { path: '/b/rootfs', mount },
  };
  expect(ops(given)).toEqual([
    ...['openRoot', 'clone', 'newSession', 'rootPropagation', 'bindRoot', 'mount', 'console', 'pivotRoot', 'awaitStart', 'exec'],
  ]);
  expect(planForeign(given).operations.find(({ op }) => op === 'mount')).toMatchObject({ destination: '/b/rootfs', data: ['lowerdir=/l'] });
});

test('a further process needs no namespace of its own', () => {
  expect(ops({ args: ['/usr/sbin/runc', 'exec', 'x'], process: { cwd: '/' }, holdBack: true })).toEqual([
    ...['openRoot', 'clone', 'newSession', 'awaitStart', 'exec'],
  ]);
});
