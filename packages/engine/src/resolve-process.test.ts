import { hasCode } from '@slipway/errors';
import type { ExecutionDefaults } from '@slipway/oci';
import { expect, test } from 'vitest';
import { resolveProcess } from './resolve-process.ts';
import { request } from './testing/requests.ts';

const ID = `0123456789ab${'c'.repeat(52)}`;
const image = (changes: Partial<ExecutionDefaults> = {}): ExecutionDefaults => ({
  exposedPorts: [],
  env: [],
  volumes: [],
  labels: {},
  ...changes,
});

test.each([
  { name: 'the image’s own', entry: ['/e'], cmd: ['c'], asked: {}, expected: ['/e', 'c'] },
  { name: 'a command replaces the image’s', entry: ['/e'], cmd: ['c'], asked: { command: ['x', 'y'] }, expected: ['/e', 'x', 'y'] },
  { name: 'a new entrypoint discards the image’s command', entry: ['/e'], cmd: ['c'], asked: { entrypoint: ['/n'] }, expected: ['/n'] },
  { name: 'an empty entrypoint means none', entry: ['/e'], cmd: ['c'], asked: { entrypoint: [''], command: ['x'] }, expected: ['x'] },
])('arguments: $name', ({ entry, cmd, asked, expected }) => {
  expect(resolveProcess(request(asked), image({ entrypoint: entry, cmd }), ID).args).toEqual(expected);
});

test('without any command the creation is refused', () => {
  expect(() => resolveProcess(request(), image(), ID)).toThrow(/no command specified/);
});

test('the request’s environment wins over the image’s, a bare name takes one away', () => {
  const asked = request({ command: ['x'], env: ['A=2', 'GONE'], tty: true });
  expect(resolveProcess(asked, image({ env: ['A=1', 'B=1', 'GONE=1', 'PATH=/opt'] }), ID).env).toEqual([
    'PATH=/opt',
    'HOSTNAME=0123456789ab',
    'TERM=xterm',
    'A=2',
    'B=1',
  ]);
});

test.each([
  ['a NUL in the environment', { env: ['A=\0'] }],
  ['a host name with a newline', { hostname: 'a\nb' }],
  ['a relative working directory', { workingDir: 'tmp' }],
  ['an unknown signal', { stopSignal: 'SIGNOPE' }],
])('%s is refused', (_name, changes) => {
  const attempt = () => resolveProcess(request({ command: ['x'], ...changes }), image(), ID);
  expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONTAINER_CONFIG')));
});

test('an image’s junk stop signal is ignored, as its bytes are not the user’s wish', () => {
  expect(resolveProcess(request({ command: ['x'] }), image({ stopSignal: 'SIGNOPE; rm' }), ID).stopSignal).toBe(15);
});
