import type { RuntimeSpec, SpecLinux } from '@slipway/oci';
import { expect, test } from 'vitest';
import { fakeHost, smallSpec } from '../testing/plan-fixtures.ts';
import { plan } from './plan.ts';

const IDS = [{ containerID: 0, hostID: 100_000, size: 10 }];
const withLinux = (linux: SpecLinux): Partial<RuntimeSpec> => ({ linux: { namespaces: [{ type: 'mount' }], ...linux } });
/** Fields that our types do not name. */
const withMount = (mount: NonNullable<RuntimeSpec['mounts']>[number]): Partial<RuntimeSpec> => ({ mounts: [mount] });
const withUser = (changes: Partial<RuntimeSpec>): Partial<RuntimeSpec> => ({
  linux: { namespaces: [{ type: 'mount' }, { type: 'user' }], uidMappings: IDS, gidMappings: IDS },
  ...changes,
});

test.each<[string, Partial<RuntimeSpec>, string, string]>([
  // @proves runtime-spec: config.md#linux-process/apparmor
  ['an AppArmor profile', { process: { cwd: '/', args: ['x'], apparmorProfile: 'p' } }, '/process/apparmorProfile', 'unsupported'],
  // @proves runtime-spec: config.md#linux-process/selinux
  ['an SELinux label', { process: { cwd: '/', args: ['x'], selinuxLabel: 'p' } }, '/process/selinuxLabel', 'unsupported'],
  // @proves runtime-spec: config-linux.md#mount-label/label
  ['a mount label', withLinux({ mountLabel: 'p' }), '/linux/mountLabel', 'unsupported'],
  // @proves runtime-spec: config-linux.md#intelrdt/tasks config-linux.md#intelrdt/no-filesystem config-linux.md#intelrdt/schemata
  // @proves runtime-spec: config-linux.md#intelrdt/class config-linux.md#intelrdt/monitoring config-linux.md#intelrdt/values
  ['intelRdt', withLinux({ intelRdt: { closID: 'x' } }), '/linux/intelRdt', 'unsupported'],
  [
    'time offsets without a time namespace',
    withLinux({ timeOffsets: { monotonic: { secs: 1 } } }),
    '/linux/timeOffsets',
    'invalid-argument',
  ],
  ['a flag of a personality', withLinux({ personality: { domain: 'LINUX', flags: ['X'] } }), '/linux/personality/flags', 'unsupported'],
  [
    'a scheduling policy of other systems',
    { process: { cwd: '/', args: ['x'], scheduler: { policy: 'SCHED_ISO' } } },
    '/process/scheduler/policy',
    'unsupported',
  ],
  [
    'memory of nodes that are no list',
    withLinux({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '3-1' } }),
    '/linux/memoryPolicy/nodes',
    'invalid-argument',
  ],
  ['a network device without a namespace to go to', withLinux({ netDevices: { eth0: {} } }), '/linux/netDevices/eth0', 'invalid-argument'],
  [
    'a network device of an impossible name',
    withLinux({ namespaces: [{ type: 'mount' }, { type: 'network' }], netDevices: { eth0: { name: 'far-too-long-for-it' } } }),
    '/linux/netDevices/eth0',
    'invalid-argument',
  ],
  [
    'a mount namespace to join with a new user namespace',
    withLinux({ namespaces: [{ type: 'user' }, { type: 'mount', path: '/ns/mnt' }], uidMappings: IDS, gidMappings: IDS }),
    '/linux/namespaces/1/path',
    'unsupported',
  ],
  [
    'a filter that asks nobody',
    withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] } }),
    '/linux/seccomp/listenerPath',
    'invalid-argument',
  ],
  [
    'tmpcopyup of a proc',
    withMount({ destination: '/run', type: 'sysfs', options: ['tmpcopyup'] }),
    '/mounts/0/options',
    'invalid-argument',
  ],
  // @proves runtime-spec: config.md#linux-mount-options/idmap-none
  [
    'an id map without ids',
    withMount({ destination: '/d', source: '/d', options: ['bind', 'idmap'] }),
    '/mounts/0/options',
    'invalid-argument',
  ],
  ['sync of a bind', withMount({ destination: '/d', source: '/d', options: ['bind', 'sync'] }), '/mounts/0/options', 'invalid-argument'],
  ['data for a cgroup mount', withMount({ destination: '/c', type: 'cgroup2', options: ['x=1'] }), '/mounts/0/options', 'invalid-argument'],
  [
    'an unknown option of a bind',
    withMount({ destination: '/d', source: '/d', options: ['bind', 'size=1m'] }),
    '/mounts/0/options',
    'invalid-argument',
  ],
  [
    'a shared bind out of a user namespace',
    withUser(withMount({ destination: '/d', source: '/d', options: ['bind', 'rshared'] })),
    '/mounts/0/options',
    'unsupported',
  ],
  // @attack A04: attack
  ['a mount over /proc/self', withMount({ destination: '/proc/self', type: 'tmpfs' }), '/mounts/0/destination', 'invalid-argument'],
  [
    'a bind over /proc/sysrq-trigger',
    withMount({ destination: '//proc/./sysrq-trigger', source: '/x', options: ['bind'] }),
    '/mounts/0/destination',
    'invalid-argument',
  ],
  ['something else than proc at /proc', withMount({ destination: '/proc', type: 'tmpfs' }), '/mounts/0/destination', 'invalid-argument'],
  ['a destination that climbs', withMount({ destination: '/a/../../b', type: 'tmpfs' }), '/mounts/0/destination', 'invalid-argument'],
  [
    'sysfs in a user namespace on the host’s network',
    withUser(withMount({ destination: '/sys', type: 'sysfs' })),
    '/mounts/0',
    'invalid-argument',
  ],
  [
    'mounts without a mount namespace',
    { linux: { namespaces: [] }, mounts: [{ destination: '/x', type: 'tmpfs' }] },
    '/mounts',
    'invalid-argument',
  ],
  ['a host name without a uts namespace', { hostname: 'x' }, '/hostname', 'invalid-argument'],
  [
    'a user that is not mapped',
    withUser({ process: { cwd: '/', args: ['x'], user: { uid: 10, gid: 0 } } }),
    '/process/user/uid',
    'invalid-argument',
  ],
  [
    'a user namespace without maps',
    withLinux({ namespaces: [{ type: 'mount' }, { type: 'user' }] }),
    '/linux/uidMappings',
    'invalid-argument',
  ],
])('%s is refused by name', (_what, changes, subject, kind) => {
  expect(() => plan(smallSpec(changes), fakeHost())).toThrow(expect.objectContaining({ subject, kind }));
});

// A document once reached kernel.core_pattern through "+" in a value and through keys that climb.
// @attack A39: attack
test.each([
  ['kernel.core_pattern', '|/x'],
  ['kernel/core_pattern', '|/x'],
  ['kernel.shm_rmid_forced', '1\nkernel.core_pattern=|/x'],
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv4/../../kernel/core_pattern', 'x'],
  ['fs.mqueue./../../kernel/core_pattern', 'x'],
  ['fs.mqueue', 'x'],
  ['vm.swappiness', '1'],
  ['kernel.hostname', 'x'],
])('sysctl %s = %j does not reach the host', (key, value) => {
  const spec = smallSpec({ linux: { namespaces: [{ type: 'mount' }, { type: 'ipc' }, { type: 'uts' }], sysctl: { [key]: value } } });

  expect(() => plan(spec, fakeHost())).toThrow(expect.objectContaining({ kind: 'invalid-argument', code: 'E_SPEC_INVALID' }));
});

test.each([
  ['kernel.shm_rmid_forced', 'ipc'],
  ['fs.mqueue.msg_max', 'ipc'],
  ['net.ipv4.conf.eth0/7.forwarding', 'network'],
  ['kernel.domainname', 'uts'],
])('sysctl %s is fine with a new %s namespace', (key, type) => {
  const spec = smallSpec({ linux: { namespaces: [{ type: 'mount' }, { type }], sysctl: { [key]: '1' } } });

  expect(plan(spec, fakeHost()).operations).toContainEqual(expect.objectContaining({ op: 'sysctl', key, value: '1' }));
});

// @proves runtime-spec: config.md#annotations/unknown-keys
test('empty fields ask for nothing', () => {
  const spec = smallSpec({ hooks: { prestart: [] }, process: { cwd: '/', args: ['x'], selinuxLabel: '' }, annotations: { any: 'thing' } });

  expect(() => plan(spec, fakeHost())).not.toThrow();
});
