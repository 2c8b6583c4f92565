import { hasCode } from '@slipway/errors';
import { expect, test } from 'vitest';
import { withRuntime } from './runtime-names.ts';
import { PLAIN_HOST, request } from './testing/requests.ts';

const runtimeOf = (asked: string | undefined, names: Parameters<typeof withRuntime>[1]) =>
  withRuntime(request({ host: { ...PLAIN_HOST, ...(asked === undefined ? {} : { runtime: asked }) } }), names).host.runtime;

test.each([
  [undefined, { foreign: ['crun'] }, undefined],
  [undefined, { foreign: ['crun'], fallback: 'crun' }, 'crun'],
  ['slipway', { foreign: ['crun'], fallback: 'crun' }, undefined],
  ['crun', { foreign: ['crun'] }, 'crun'],
  ['runc', { foreign: [] }, undefined],
  ['runc', { foreign: ['runc'] }, 'runc'],
  ['io.containerd.runc.v2', { foreign: ['runc'] }, undefined],
])('asked for %s with %j: %s', (asked, names, expected) => {
  expect(runtimeOf(asked, names)).toBe(expected);
});

test('a runtime that there is not is refused by name', () => {
  expect(() => runtimeOf('kata', { foreign: ['crun'] })).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_RUNTIME_UNKNOWN')));
});
