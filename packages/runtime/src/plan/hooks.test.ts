import { expect, test } from 'vitest';
import { fakeHost, smallSpec } from '../testing/plan-fixtures.ts';
import { plan } from './plan.ts';

const hook = (path: string) => ({ path, args: [path], env: [], timeoutMs: 0 });
const state = (status: string): [string, string] => [
  `{"ociVersion":"1.2.0","id":"c1","status":"${status}","pid":`,
  ',"bundle":"/bundle","annotations":{"a":"b"}}',
];

test('hooks stand where the specification wants them, each by its field', () => {
  const hooks = {
    prestart: [{ path: '/p' }],
    createRuntime: [{ path: '/r', args: ['r', 'x'], env: ['A=b'], timeout: 3 }],
    createContainer: [{ path: '/c' }],
    startContainer: [{ path: '/s1' }, { path: '/s2' }],
    poststart: [{ path: '/later' }],
    poststop: [{ path: '/last' }],
  };
  const { operations } = plan(smallSpec({ hooks, annotations: { a: 'b' } }), fakeHost());

  expect(
    operations
      .filter(({ op }) => /hook|start$|pivot|bindRoot/i.test(op) || op === 'findExecutable' || op === 'exec')
      .map(({ reason: _reason, ...operation }) => operation),
  ).toEqual([
    { phase: 'mounts', pointer: '/root/path', op: 'bindRoot', hostPath: '/bundle/rootfs' },
    { phase: 'hooks', pointer: '/hooks/prestart/0', op: 'runtimeHook', hook: hook('/p') },
    {
      phase: 'hooks',
      pointer: '/hooks/createRuntime/0',
      op: 'runtimeHook',
      hook: { path: '/r', args: ['r', 'x'], env: ['A=b'], timeoutMs: 3000 },
    },
    { phase: 'hooks', pointer: '/hooks/createContainer/0', op: 'containerHook', hook: hook('/c'), state: state('creating') },
    { phase: 'root', pointer: '/root/path', op: 'pivotRoot' },
    { phase: 'rights', pointer: '/process/args/0', op: 'findExecutable', name: '/bin/true', path: '/bin' },
    { phase: 'start', pointer: '', op: 'awaitStart' },
    { phase: 'start', pointer: '/hooks/startContainer/0', op: 'containerHook', hook: hook('/s1'), state: state('created') },
    { phase: 'start', pointer: '/hooks/startContainer/1', op: 'containerHook', hook: hook('/s2'), state: state('created') },
    { phase: 'start', pointer: '/hooks/startContainer', op: 'confirmStart' },
    { phase: 'start', pointer: '/process/args', op: 'exec', args: ['/bin/true'], env: ['PATH=/bin'] },
  ]);
});

test('hooks that come after the birth change nothing of it', () => {
  const hooks = { poststart: [{ path: '/x' }], poststop: [{ path: '/y' }] };

  expect(plan(smallSpec({ hooks }), fakeHost())).toEqual(plan(smallSpec(), fakeHost()));
});
