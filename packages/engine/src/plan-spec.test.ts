import { hasCode } from '@slipway/errors';
import { DOCKER_DEFAULTS, findSpecIssues } from '@slipway/oci';
import { expect, test } from 'vitest';
import type { HostRequest } from './container.ts';
import { planMounts } from './plan-mounts.ts';
import { planResources, planRlimits } from './plan-resources.ts';
import { outlineSpec, planCapabilities, planSpec } from './plan-spec.ts';
import { PLAIN_HOST, request } from './testing/requests.ts';

const ETC = { hosts: '/r/hosts', hostname: '/r/hostname', resolvConf: '/r/resolv.conf' };
const host = (changes: Partial<HostRequest>): HostRequest => ({ ...PLAIN_HOST, ...changes });

function spec(changes: Partial<HostRequest> = {}) {
  const process = { args: ['sleep', '1'], env: ['A=1'], cwd: '/', user: '', hostname: 'h', stopSignal: 15, labels: {} };
  const container = { id: 'a'.repeat(64), name: 'web', request: request({ host: host(changes) }), process };
  const user = { uid: 0, gid: 0, additionalGids: [0], home: '/root' };
  return planSpec(outlineSpec(container, ETC), { user, rootfs: '/r/rootfs' });
}

test('an ordinary container is a valid document with the usual namespaces, hidden paths and files of its own', () => {
  const plain = spec();
  expect(findSpecIssues(plain)).toEqual([]);
  expect(plain.linux?.namespaces?.map(({ type }) => type)).toEqual(['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup']);
  expect(plain.linux?.maskedPaths).toEqual(DOCKER_DEFAULTS.maskedPaths);
  expect(plain.process?.env).toEqual(['A=1', 'HOME=/root']);
  expect(plain.mounts?.filter(({ type }) => type === 'bind').map(({ destination }) => destination)).toEqual([
    '/etc/resolv.conf',
    '/etc/hostname',
    '/etc/hosts',
  ]);
});

test('a privileged one has every capability, nothing hidden, every device, and /sys writable', () => {
  const privileged = spec({ privileged: true });
  expect(privileged.linux?.maskedPaths).toBeUndefined();
  expect(privileged.process?.capabilities?.bounding).toContain('CAP_SYS_ADMIN');
  expect(privileged.linux?.resources?.devices).toEqual([{ allow: true, access: 'rwm' }]);
  expect(privileged.mounts?.find(({ destination }) => destination === '/sys')?.options).not.toContain('ro');
});

test('the host’s network means no network namespace', () => {
  expect(spec({ network: 'host' }).linux?.namespaces).not.toContainEqual({ type: 'network' });
});

test.each([
  { name: 'nothing asked', changes: {}, has: 'CAP_CHOWN', lacks: 'CAP_NET_ADMIN' },
  { name: 'one added', changes: { capAdd: ['net_admin'] }, has: 'CAP_NET_ADMIN', lacks: 'CAP_SYS_ADMIN' },
  { name: 'all dropped, one added', changes: { capDrop: ['ALL'], capAdd: ['CAP_KILL'] }, has: 'CAP_KILL', lacks: 'CAP_CHOWN' },
  { name: 'all added, one dropped', changes: { capAdd: ['all'], capDrop: ['SYS_ADMIN'] }, has: 'CAP_NET_ADMIN', lacks: 'CAP_SYS_ADMIN' },
])('capabilities: $name', ({ changes, has, lacks }) => {
  const { bounding, effective } = planCapabilities(host(changes), 0);
  expect(bounding).toContain(has);
  expect(bounding).not.toContain(lacks);
  expect(effective).toEqual(bounding);
  expect(planCapabilities(host(changes), 1000).effective).toEqual([]);
});

test('an unknown capability is refused by name', () => {
  expect(() => planCapabilities(host({ capAdd: ['CAP_FLY'] }), 0)).toThrow(/unknown capability: 'CAP_FLY'/);
});

test('half a CPU is a quota of half a period', () => {
  expect(planResources(host({ resources: { nanoCpus: 500_000_000 } })).cpu).toEqual({ quota: 50_000, period: 100_000 });
});

test.each([
  ['less than 6 MiB', { memoryBytes: 6 * 1024 * 1024 - 1 }],
  ['swap below memory', { memoryBytes: 2e7, memorySwapBytes: 1e7 }],
  ['swap without memory', { memorySwapBytes: 1e7 }],
  ['CPUs and a quota', { nanoCpus: 1e9, cpuQuotaUs: 5000 }],
  ['too few CPUs', { nanoCpus: 1e6 }],
  ['a strange cpuset', { cpusetCpus: '0;1' }],
  ['too many shares', { cpuShares: 300_000 }],
])('a limit is refused: %s', (_name, resources) => {
  expect(() => planResources(host({ resources }))).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONTAINER_LIMIT')));
});

test('six MiB is enough', () => {
  expect(planResources(host({ resources: { memoryBytes: 6 * 1024 * 1024 } })).memory).toEqual({ limit: 6_291_456 });
});

test('ulimits: names and their order are checked', () => {
  expect(planRlimits([{ name: 'nofile', soft: 10, hard: -1 }])).toEqual([{ type: 'RLIMIT_NOFILE', soft: 10, hard: -1 }]);
  expect(() => planRlimits([{ name: 'nofile', soft: 20, hard: 10 }])).toThrow(/soft limit/);
  expect(() => planRlimits([{ name: 'nofiles', soft: 1, hard: 1 }])).toThrow(/invalid ulimit type/);
});

const bind = (destination: string, source = '/src') => ({ source, destination, readOnly: true, createSource: false });

test('binds come after the standard mounts, parents before children, and take the place of the engine’s own files', () => {
  const mounts = planMounts(host({ binds: [bind('/a/b/c'), bind('/a'), bind('/etc/hosts')] }), ETC).map(({ destination }) => destination);
  expect(mounts.slice(-3)).toEqual(['/a', '/etc/hosts', '/a/b/c']);
  expect(mounts.filter((destination) => destination === '/etc/hosts')).toHaveLength(1);
});

test.each(['/', '/proc', '/proc/sys', '/sys/fs', '/x/../proc/1', 'relative', '/a/..'])('a mount at %j is refused', (destination) => {
  expect(() => planMounts(host({ binds: [bind(destination)] }), ETC)).toThrow(/invalid mount destination/);
  expect(() => planMounts(host({ tmpfs: { [destination]: '' } }), ETC)).toThrow(/invalid mount destination/);
});

test('a tmpfs option that there is none of is refused before anything is made', () => {
  for (const options of ['foo=1', 'size', 'bar'])
    expect(() => planMounts(host({ tmpfs: { '/t': options } }), ETC)).toThrow(/invalid tmpfs option/);
  expect(() => planMounts(host({ tmpfs: { '/t': 'rw,exec,size=1m,mode=700,uid=5' } }), ETC)).not.toThrow();
});

test('the same place twice is refused', () => {
  expect(() => planMounts(host({ binds: [bind('/a'), bind('/a/')] }), ETC)).toThrow(/duplicate mount point: '\/a'/);
});
