import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '@slipway/errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfigText, readConfig } from './config.ts';
import { formatText } from './log.ts';
import { lockRoot } from './root-lock.ts';

let base = '';
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'slipwayd-config-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const read = (args: readonly string[], env: Record<string, string> = {}) => {
  const request = readConfig(args, env, '1.2.3');
  return request.kind === 'run' ? request.config : request.text;
};

test('nothing asked: the usual places, and no socket', () => {
  expect(read([])).toEqual({
    root: '/var/lib/slipway',
    state: '/run/slipway',
    cgroupParent: 'slipway',
    keepReady: 'namespaces',
    runtimes: {},
    registryMirrors: [],
    addHosts: [],
    lazyPulls: false,
    insecureRegistries: [],
    snapshotter: 'overlay',
    logLevel: 'info',
    logFormat: 'text',
  });
});

test('what waits for the next container is all of it that can, or a process alone', () => {
  expect(read(['--keep-ready', 'process'])).toMatchObject({ keepReady: 'process' });
  expect(() => read(['--keep-ready', 'nothing'])).toThrow(/invalid keep-ready "nothing"/);
});

test('runtimes: a flag each, or a list; the default one is among them', () => {
  expect(read(['--runtime', 'runc=/usr/sbin/runc', '--runtime', 'crun=/usr/bin/crun', '--default-runtime', 'crun'])).toMatchObject({
    runtimes: { runc: '/usr/sbin/runc', crun: '/usr/bin/crun' },
    defaultRuntime: 'crun',
  });
  expect(read([], { SLIPWAY_RUNTIME: 'a=/a,b=/b' })).toMatchObject({ runtimes: { a: '/a', b: '/b' } });
  for (const wrong of [
    ['--runtime', 'runc'],
    ['--runtime', 'runc=runc'],
    ['--runtime', 'slipway=/x'],
    ['--default-runtime', 'kata'],
  ])
    expect(() => read(wrong)).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONFIG')));
});

test('a registry is served where flag, variable or file say so', () => {
  const file = join(base, 'registry.toml');
  writeFileSync(file, 'registry-listen = "127.0.0.1:5000"\n');
  expect(read(['--config', file])).toMatchObject({ registryListen: '127.0.0.1:5000' });
  expect(read(['--config', file], { SLIPWAY_REGISTRY_LISTEN: '[::1]:1' })).toMatchObject({ registryListen: '[::1]:1' });
});

test('mirrors and insecure registries: a flag each, or a list', () => {
  const flags = ['--registry-mirror', 'http://127.0.0.1:5000', '--registry-mirror', 'quay.io=https://m.example'];
  expect(read(flags)).toMatchObject({
    registryMirrors: [
      { registry: 'docker.io', url: new URL('http://127.0.0.1:5000') },
      { registry: 'quay.io', url: new URL('https://m.example') },
    ],
  });
  expect(
    read([], { SLIPWAY_REGISTRY_MIRROR: 'a=https://a.example,b=https://b.example', SLIPWAY_INSECURE_REGISTRY: 'r.lan,r.lan:5000' }),
  ).toMatchObject({
    registryMirrors: [{ registry: 'a' }, { registry: 'b' }],
    insecureRegistries: ['r.lan', 'r.lan:5000'],
  });
  expect(read(['--registry-mirror', 'http://m.lan', '--insecure-registry', 'm.lan'])).toMatchObject({ insecureRegistries: ['m.lan'] });
  expect(() => read(['--registry-mirror', 'http://m.lan'])).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_REGISTRY_MIRROR')));
  expect(() => read(['--insecure-registry', 'http://m.lan'])).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONFIG')));
});

test('a file, then the environment, then a flag', () => {
  const file = join(base, 'config.toml');
  writeFileSync(file, 'root = "/file"\nstate = "/file"\ncgroup-parent = "file"\n');
  expect(read(['--config', file, '--root', '/flag/'], { SLIPWAY_ROOT: '/env', SLIPWAY_STATE: '/env' })).toMatchObject({
    root: '/flag',
    state: '/env',
    cgroupParent: 'file',
  });
});

test.each([
  [['--root', 'relative'], /--root "relative" is not an absolute path/],
  [['--registry-listen', '5000'], /"5000" is not HOST:PORT/],
  [['--log-level', 'loud'], /invalid log-level "loud"/],
  [['--cgroup-driver', 'systemd'], /invalid cgroup-driver "systemd"/],
  [['--unknown'], /'--unknown'/],
  [['extra'], /extra/],
  [['--config', '/no/such/file.toml'], /cannot read the configuration file/],
])('%j is refused in a sentence', (args, says) => {
  expect(() => read(args)).toThrow(says);
  expect(() => read(args)).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONFIG')));
});

test.each([
  ['root = ', /is not TOML/],
  ['colour = "red"\nroot = "/r"', /unknown keys: colour/],
  ['[root]\na = 1', /root must be a single value/],
])('a configuration file with %j is refused', (text, says) => {
  expect(() => parseConfigText(text, 'config.toml')).toThrow(says);
});

test('help and version are printed', () => {
  expect(read(['--help'])).toContain('--docker-socket PATH');
  expect(read(['--version'])).toBe('slipwayd 1.2.3');
});

test('messages for people are one line', () => {
  const line = JSON.stringify({ level: 30, time: Date.parse('2026-01-01T04:05:06.789Z'), msg: 'up', pid: 7, root: '/r' });
  expect(formatText(line)).toBe('04:05:06.789 info  up pid=7 root=/r\n');
});

test('a root has one daemon; the lock of a dead one is taken over', () => {
  const release = lockRoot(base);
  expect(() => lockRoot(base)).toThrow(new RegExp(`in use by the slipwayd with pid ${process.pid}`));
  release();
  lockRoot(base)();
  writeFileSync(join(base, 'slipwayd.lock'), '4194304\n and what a longer number left');
  lockRoot(base)();
});
