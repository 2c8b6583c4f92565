import { EngineError } from '@slipway/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultSpec } from './default-spec.ts';
import { DOCKER_DEFAULTS } from './docker-defaults.ts';
import type { RuntimeSpec } from './runtime-spec.ts';
import { planSeccompProfile } from './seccomp-profile.ts';
import { formatSpecJson, parseSpecJson } from './spec-json.ts';
import { validateProcess } from './validate-process.ts';
import { findSpecIssues, validateSpec } from './validate-spec.ts';

/** JSON pointer → value put there; undefined takes away; a pointer ending in `/-` appends. */
type Change = Readonly<Record<string, unknown>>;

function issuesAfter(changes: Change): string[] {
  const spec = structuredClone(defaultSpec());
  for (const [pointer, value] of Object.entries(changes)) bend(spec, pointer.split('/').slice(1), value);
  return findSpecIssues(spec).map(({ path, message }) => `${path} ${message}`);
}

function bend(target: object, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) bend(Reflect.get(target, key) as object, rest, value);
  else if (key === '-') (target as unknown[]).push(value);
  else if (value === undefined) Reflect.deleteProperty(target, key);
  else Reflect.set(target, key, value);
}

test('the documents that `spec` writes are sound', () => {
  expect(findSpecIssues(defaultSpec())).toEqual([]);
  expect(findSpecIssues(defaultSpec({ rootless: true, hostUid: 1000, hostGid: 1000 }))).toEqual([]);
});

// @attack A19: twin
test('a document as an engine writes it is sound', () => {
  const { capabilities: names, mounts, maskedPaths, readonlyPaths, deviceRules } = DOCKER_DEFAULTS;
  const spec: RuntimeSpec = {
    ociVersion: '1.2.0',
    process: {
      cwd: '/',
      args: ['sh', '-c', ''],
      env: ['PATH=/bin', 'EMPTY='],
      user: { uid: 1000, gid: 1000, additionalGids: [5] },
      capabilities: { bounding: names, effective: names, permitted: names },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 18_446_744_073_709_551_615n }],
      oomScoreAdj: 0,
    },
    root: { path: '/var/lib/x/merged' },
    hostname: 'web',
    mounts: [...mounts, { destination: '/data', type: 'bind', source: '/srv', options: ['rbind', 'ro', 'rprivate'] }],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      resources: { devices: deviceRules, memory: { limit: 67_108_864, swap: -1 }, cpu: { shares: 0, quota: 0 }, pids: { limit: -1 } },
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0', 'net/ipv4/conf/eth0.1/forwarding': '1' },
      cgroupsPath: '/docker/abc',
      maskedPaths,
      readonlyPaths,
      seccomp: planSeccompProfile(names),
    },
  };
  expect(findSpecIssues(spec)).toEqual([]);
  expect(validateSpec(parseSpecJson(formatSpecJson(spec)))).toEqual(spec);
});

describe('each fault is found at its place', () => {
  const seccomp = (part: object) => ({ '/linux/seccomp': { defaultAction: 'SCMP_ACT_ALLOW', ...part } });
  const log = { names: ['read'], action: 'SCMP_ACT_LOG' };
  const cases: [string, Change, string][] = [
    // @proves runtime-spec: config.md#specification-version/semver
    ['no version', { '/ociVersion': undefined }, '/ociVersion is missing'],
    ['a version of the future', { '/ociVersion': '2.0.0' }, '/ociVersion "2.0.0" is not supported'],
    // @proves runtime-spec: config.md#root/required
    ['no root', { '/root': undefined }, '/root is missing'],
    // @proves runtime-spec: config.md#process/cwd
    ['a relative cwd', { '/process/cwd': 'tmp' }, '/process/cwd "tmp" is not an absolute path'],
    // @proves runtime-spec: config.md#process/args
    ['no program', { '/process/args': [] }, '/process/args is empty'],
    ['an argument with NUL', { '/process/args': ['sh', 'a\0b'] }, '/process/args/1 holds a NUL'],
    ['an environment entry without name', { '/process/env': ['=x'] }, '/process/env/0 "=x" has no name'],
    ['the uid that means unchanged', { '/process/user/uid': 4294967295 }, '/process/user/uid is 4294967295'],
    ['a fractional uid', { '/process/user/uid': 1.5 }, '/process/user/uid is 1.5, needs to be a whole number'],
    ['a uid as text', { '/process/user/uid': '0' }, '/process/user/uid is "0", needs to be a whole number'],
    ['a misspelt capability', { '/process/capabilities/bounding': ['net_admin'] }, '/process/capabilities/bounding/0 "net_admin" is not'],
    // @proves runtime-spec: config.md#posix-process/rlimit-unknown config.md#posix-process/rlimit-fields
    ['an unknown rlimit', { '/process/rlimits/0/type': 'RLIMIT_FUN' }, '/process/rlimits/0/type "RLIMIT_FUN"'],
    // @proves runtime-spec: config.md#posix-process/rlimit-once
    [
      'an rlimit twice',
      { '/process/rlimits/-': { type: 'RLIMIT_NOFILE', soft: 1, hard: 1 } },
      '/process/rlimits/1/type "RLIMIT_NOFILE" is set twice',
    ],
    ['soft above hard', { '/process/rlimits/0/soft': 2048 }, '/process/rlimits/0/soft is 2048, above'],
    ['an oom score out of range', { '/process/oomScoreAdj': 1001 }, '/process/oomScoreAdj is 1001'],
    // @proves runtime-spec: config.md#mounts/destination
    ['a mount that goes nowhere', { '/mounts/0/destination': undefined }, '/mounts/0/destination is missing'],
    ['a bind without source', { '/mounts/-': { destination: '/x', options: ['bind'] } }, '/mounts/7/source is missing'],
    [
      'two propagations',
      { '/mounts/-': { destination: '/x', source: '/y', options: ['bind', 'shared', 'private'] } },
      '/mounts/7/options holds more than one',
    ],
    // @proves runtime-spec: config-linux.md#namespaces/twice
    ['a namespace twice', { '/linux/namespaces/-': { type: 'pid' } }, '/linux/namespaces/5/type "pid" is asked for twice'],
    // @proves runtime-spec: config-linux.md#namespaces/type config.md#valid-values/invalid
    ['an unknown namespace', { '/linux/namespaces/-': { type: 'air' } }, '/linux/namespaces/5/type "air" is not known'],
    // @proves runtime-spec: config-linux.md#namespaces/path-absolute
    ['a relative namespace path', { '/linux/namespaces/0/path': 'proc/1' }, '/linux/namespaces/0/path "proc/1"'],
    ['a host name without uts', { '/linux/namespaces': [{ type: 'mount' }] }, '/hostname needs a uts namespace'],
    ['a host name with a line break', { '/hostname': 'a\nb' }, '/hostname holds a line break'],
    ['masks without a mount namespace', { '/linux/namespaces': [{ type: 'uts' }] }, '/linux/maskedPaths needs a mount namespace'],
    [
      'id maps without user namespace',
      { '/linux/uidMappings': [{ containerID: 0, hostID: 1, size: 1 }] },
      '/linux/uidMappings needs a user namespace',
    ],
    ['a user namespace without ids', { '/linux/namespaces/-': { type: 'user' } }, '/linux/uidMappings is missing'],
    // @proves runtime-spec: config-linux.md#devices/fields
    ['a device without numbers', { '/linux/devices': [{ type: 'c', path: '/dev/x' }] }, '/linux/devices/0/major is missing'],
    ['a cgroup path that climbs', { '/linux/cgroupsPath': '/a/../../b' }, '/linux/cgroupsPath "/a/../../b" climbs'],
    ['a cgroup path with a line break', { '/linux/cgroupsPath': '/a\nb' }, '/linux/cgroupsPath holds a line break'],
    ['memory no process fits into', { '/linux/resources/memory': { limit: 4096 } }, '/linux/resources/memory/limit is 4096 bytes, too low'],
    [
      'swap below memory',
      { '/linux/resources/memory': { limit: 2 ** 24, swap: 2 ** 23 } },
      '/linux/resources/memory/swap is 8388608, below',
    ],
    ['a cpu period out of range', { '/linux/resources/cpu': { period: 999 } }, '/linux/resources/cpu/period is 999'],
    // @proves runtime-spec: config-linux.md#cpu/burst-and-quota
    [
      'a burst above the quota',
      { '/linux/resources/cpu': { quota: 5000, burst: 6000 } },
      '/linux/resources/cpu/burst is 6000, above the quota',
    ],
    // @proves runtime-spec: config-linux.md#block-io/weight-device
    [
      'a device without weights',
      { '/linux/resources/blockIO': { weightDevice: [{ major: 8, minor: 0 }] } },
      '/linux/resources/blockIO/weightDevice/0 needs a weight',
    ],
    // @proves runtime-spec: config-linux.md#block-io/rate
    [
      'a throttle without rate',
      { '/linux/resources/blockIO': { throttleReadBpsDevice: [{ major: 8, minor: 0 }] } },
      '/linux/resources/blockIO/throttleReadBpsDevice/0/rate is missing',
    ],
    // @proves runtime-spec: config-linux.md#rdma/one-of-two
    ['an RDMA device without limits', { '/linux/resources/rdma': { mlx5: {} } }, '/linux/resources/rdma/mlx5 needs hcaHandles'],
    // @proves runtime-spec: config-linux.md#network/priority-fields
    [
      'a priority for no interface',
      { '/linux/resources/network': { priorities: [{ priority: 1 }] } },
      '/linux/resources/network/priorities/0/name is missing',
    ],
    // @proves runtime-spec: config-linux.md#huge-page-limits/fields
    [
      'a huge page limit without size',
      { '/linux/resources/hugepageLimits': [{ limit: 1 }] },
      '/linux/resources/hugepageLimits/0/pageSize is missing',
    ],
    // @proves runtime-spec: config-linux.md#allowed-device-list/allow
    ['a device rule that says nothing', { '/linux/resources/devices': [{ access: 'r' }] }, '/linux/resources/devices/0/allow is missing'],
    // @proves runtime-spec: config-linux.md#masked-paths/absolute
    ['a relative masked path', { '/linux/maskedPaths': ['proc/kcore'] }, '/linux/maskedPaths/0 "proc/kcore" is not an absolute path'],
    // @proves runtime-spec: config-linux.md#readonly-paths/absolute
    ['a relative read-only path', { '/linux/readonlyPaths': ['proc'] }, '/linux/readonlyPaths/0 "proc" is not an absolute path'],
    // @proves runtime-spec: config-linux.md#rootfs-mount-propagation/unknown
    ['an unknown propagation', { '/linux/rootfsPropagation': 'loud' }, '/linux/rootfsPropagation "loud"'],
    // @proves runtime-spec: config-linux.md#user-namespace-mappings/fields
    [
      'an id map without size',
      { '/linux/namespaces/-': { type: 'user' }, '/linux/uidMappings': [{ containerID: 0, hostID: 1 }] },
      '/linux/uidMappings/0/size is missing',
    ],
    // @proves runtime-spec: config.md#posix-platform-mounts/id-mappings-both
    [
      'half an id-mapped mount',
      { '/mounts/-': { destination: '/x', source: '/y', options: ['bind'], uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] } },
      '/mounts/7 has uidMappings only',
    ],
    // @proves runtime-spec: config.md#posix-platform-mounts/id-mappings-unsupported
    [
      'an id-mapped tmpfs',
      { '/mounts/-': { destination: '/x', type: 'tmpfs', uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] } },
      '/mounts/7 is not a bind mount',
    ],
    // @proves runtime-spec: config.md#annotations/map
    ['annotations as a list', { '/annotations': ['a'] }, '/annotations is'],
    // @proves runtime-spec: config.md#annotations/keys
    ['an annotation without key', { '/annotations': { '': 'a' } }, '/annotations holds an empty key'],
    // @proves runtime-spec: config.md#process/console-size-both
    ['a console without width', { '/process/consoleSize': { height: 24 } }, '/process/consoleSize/width is missing'],
    // @proves runtime-spec: config.md#root/path
    ['a root without path', { '/root/path': undefined }, '/root/path is missing'],
    ['a cpu list that is none', { '/linux/resources/cpu': { cpus: '3-1' } }, '/linux/resources/cpu/cpus "3-1"'],
    ['a unified key that is a path', { '/linux/resources/unified': { '../x': '1' } }, '/linux/resources/unified/..~1x "../x"'],
    [
      'a sysctl of the host',
      { '/linux/sysctl': { 'kernel.core_pattern': '|/x' } },
      '/linux/sysctl/kernel.core_pattern "kernel.core_pattern" is not namespaced',
    ],
    ['a sysctl that climbs', { '/linux/sysctl': { 'net.ipv4/../../kernel/core_pattern': 'x' } }, 'is not the name of a sysctl'],
    [
      'a second sysctl in a value',
      { '/linux/sysctl': { 'kernel.shm_rmid_forced': '1\nkernel.core_pattern=|/x' } },
      '/linux/sysctl/kernel.shm_rmid_forced holds a line break',
    ],
    [
      'a net sysctl on the host’s network',
      { '/linux/sysctl': { 'net.ipv4.ip_forward': '1' }, '/linux/namespaces': [{ type: 'uts' }, { type: 'mount' }] },
      '/linux/sysctl/net.ipv4.ip_forward needs a network namespace',
    ],
    // @attack A19: attack
    ['an unknown seccomp action', seccomp({ defaultAction: 'SCMP_ACT_MAYBE' }), '/linux/seccomp/defaultAction "SCMP_ACT_MAYBE"'],
    ['an unknown architecture', seccomp({ architectures: ['SCMP_ARCH_PDP11'] }), '/linux/seccomp/architectures/0 "SCMP_ARCH_PDP11"'],
    [
      'a seventh argument',
      seccomp({ syscalls: [{ ...log, args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] }),
      '/linux/seccomp/syscalls/0/args/0/index is 6',
    ],
    // @proves runtime-spec: config-linux.md#seccomp/default-errno
    ['an errno for an action that has none', seccomp({ defaultErrnoRet: 1 }), '/linux/seccomp/defaultErrnoRet has no meaning'],
    [
      'an agent that is not there',
      seccomp({ syscalls: [{ ...log, action: 'SCMP_ACT_NOTIFY' }] }),
      '/linux/seccomp/listenerPath is missing',
    ],
    // @proves runtime-spec: config-linux.md#seccomp/default-action
    ['a filter without default', seccomp({ defaultAction: undefined }), '/linux/seccomp/defaultAction is missing'],
    // @proves runtime-spec: config-linux.md#seccomp/rule-names
    ['a rule without calls', seccomp({ syscalls: [{ ...log, names: [] }] }), '/linux/seccomp/syscalls/0/names needs at least one'],
    // @proves runtime-spec: config-linux.md#seccomp/rule-action
    ['a rule without action', seccomp({ syscalls: [{ names: ['read'] }] }), '/linux/seccomp/syscalls/0/action is missing'],
    // @proves runtime-spec: config-linux.md#seccomp/rule-errno
    [
      'an errno for a rule that has none',
      seccomp({ syscalls: [{ ...log, errnoRet: 1 }] }),
      '/linux/seccomp/syscalls/0/errnoRet has no meaning',
    ],
    // @proves runtime-spec: config-linux.md#seccomp/argument-fields
    [
      'a comparison without operator',
      seccomp({ syscalls: [{ ...log, args: [{ index: 0, value: 0 }] }] }),
      '/linux/seccomp/syscalls/0/args/0/op is missing',
    ],
    // @proves runtime-spec: config-linux.md#seccomp/listener-metadata
    ['metadata for nobody', seccomp({ listenerMetadata: 'x' }), '/linux/seccomp/listenerMetadata needs a listenerPath'],
    ['too many rules', seccomp({ syscalls: Array(10_001).fill(log) }), '/linux/seccomp/syscalls has more than 10000 rules'],
    // @proves runtime-spec: config.md#posix-platform-hooks/path
    ['a relative hook', { '/hooks': { prestart: [{ path: 'x' }] } }, '/hooks/prestart/0/path "x"'],
    // @proves runtime-spec: config.md#posix-platform-hooks/timeout
    ['a hook that never times out', { '/hooks': { poststop: [{ path: '/x', timeout: 0 }] } }, '/hooks/poststop/0/timeout is 0'],
    // @proves runtime-spec: config.md#annotations/values
    ['an annotation that is no text', { '/annotations': { a: 1 } }, '/annotations/a is 1, needs to be a string'],
  ];
  test.each(cases)('%s', (_name, change, expected) => {
    expect(issuesAfter(change).join('\n')).toContain(expected);
  });
});

test('overlapping id ranges are found on both sides', () => {
  const issues = issuesAfter({
    '/linux/namespaces/-': { type: 'user' },
    '/linux/uidMappings': [
      { containerID: 0, hostID: 1000, size: 10 },
      { containerID: 5, hostID: 2000, size: 1 },
    ],
    '/linux/gidMappings': [
      { containerID: 0, hostID: 1000, size: 10 },
      { containerID: 10, hostID: 1009, size: 1 },
      { containerID: 20, hostID: 4_294_967_290, size: 10 },
    ],
  });
  expect(issues).toEqual([
    '/linux/uidMappings/1/containerID overlaps the range at /linux/uidMappings/0',
    '/linux/gidMappings/2/size is 10, which runs past the last id',
    '/linux/gidMappings/1/hostID overlaps the range at /linux/gidMappings/0',
  ]);
});

test('every fault is listed, and the message names the first and counts the others', () => {
  const validate = () => validateSpec({ ociVersion: '1.0.0', root: { path: '' }, process: { cwd: 'x', args: [] } });
  expect(validate).toThrow(EngineError);
  expect(validate).toThrow(
    expect.objectContaining({ kind: 'invalid-argument', code: 'E_SPEC_INVALID', message: 'config.json: /root/path is empty (and 2 more)' }),
  );
});

test('a process document of its own is checked with pointers from its root', () => {
  expect(() => validateProcess({ cwd: '/', args: ['sh'], user: { uid: -1, gid: 0 } })).toThrow(/\/user\/uid is -1/);
  expect(validateProcess({ cwd: '/', args: ['sh'] })).toEqual({ cwd: '/', args: ['sh'] });
});

test('whatever JSON is given, the answer is a list of issues and never a crash', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(findSpecIssues(value))));
  const keys = ['process', 'linux', 'mounts', 'hooks', 'root', 'annotations', 'hostname', 'ociVersion'];
  const inner = fc.dictionary(
    fc.constantFrom(
      'namespaces',
      'resources',
      'seccomp',
      'sysctl',
      'devices',
      'uidMappings',
      'user',
      'args',
      'capabilities',
      'rlimits',
      'memory',
    ),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), fc.oneof(inner, fc.jsonValue())), (value) => findSpecIssues(value).length > 0),
  );
});

test('64-bit numbers survive reading and writing', () => {
  const text = '{"process":{"rlimits":[{"hard":18446744073709551615,"soft":9007199254740993}]},"x":1.5,"y":-3}';
  expect(formatSpecJson(parseSpecJson(text) as RuntimeSpec)).toBe(text);
  expect(() => parseSpecJson('{')).toThrow(expect.objectContaining({ code: 'E_SPEC_INVALID' }));
});
