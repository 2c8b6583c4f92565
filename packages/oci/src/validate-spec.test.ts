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
    ['no version', { '/ociVersion': undefined }, '/ociVersion is missing'],
    ['a version of the future', { '/ociVersion': '2.0.0' }, '/ociVersion "2.0.0" is not supported'],
    ['no root', { '/root': undefined }, '/root is missing'],
    ['a relative cwd', { '/process/cwd': 'tmp' }, '/process/cwd "tmp" is not an absolute path'],
    ['no program', { '/process/args': [] }, '/process/args is empty'],
    ['an argument with NUL', { '/process/args': ['sh', 'a\0b'] }, '/process/args/1 holds a NUL'],
    ['an environment entry without name', { '/process/env': ['=x'] }, '/process/env/0 "=x" has no name'],
    ['the uid that means unchanged', { '/process/user/uid': 4294967295 }, '/process/user/uid is 4294967295'],
    ['a fractional uid', { '/process/user/uid': 1.5 }, '/process/user/uid is 1.5, needs to be a whole number'],
    ['a uid as text', { '/process/user/uid': '0' }, '/process/user/uid is "0", needs to be a whole number'],
    ['a misspelt capability', { '/process/capabilities/bounding': ['net_admin'] }, '/process/capabilities/bounding/0 "net_admin" is not'],
    ['an unknown rlimit', { '/process/rlimits/0/type': 'RLIMIT_FUN' }, '/process/rlimits/0/type "RLIMIT_FUN"'],
    [
      'an rlimit twice',
      { '/process/rlimits/-': { type: 'RLIMIT_NOFILE', soft: 1, hard: 1 } },
      '/process/rlimits/1/type "RLIMIT_NOFILE" is set twice',
    ],
    ['soft above hard', { '/process/rlimits/0/soft': 2048 }, '/process/rlimits/0/soft is 2048, above'],
    ['an oom score out of range', { '/process/oomScoreAdj': 1001 }, '/process/oomScoreAdj is 1001'],
    ['a relative mount', { '/mounts/0/destination': 'proc' }, '/mounts/0/destination "proc"'],
    ['a bind without source', { '/mounts/-': { destination: '/x', options: ['bind'] } }, '/mounts/7/source is missing'],
    [
      'two propagations',
      { '/mounts/-': { destination: '/x', source: '/y', options: ['bind', 'shared', 'private'] } },
      '/mounts/7/options holds more than one',
    ],
    ['a namespace twice', { '/linux/namespaces/-': { type: 'pid' } }, '/linux/namespaces/5/type "pid" is asked for twice'],
    ['an unknown namespace', { '/linux/namespaces/-': { type: 'air' } }, '/linux/namespaces/5/type "air" is not known'],
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
    ['an unknown seccomp action', seccomp({ defaultAction: 'SCMP_ACT_MAYBE' }), '/linux/seccomp/defaultAction "SCMP_ACT_MAYBE"'],
    ['an unknown architecture', seccomp({ architectures: ['SCMP_ARCH_PDP11'] }), '/linux/seccomp/architectures/0 "SCMP_ARCH_PDP11"'],
    [
      'a seventh argument',
      seccomp({ syscalls: [{ ...log, args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] }),
      '/linux/seccomp/syscalls/0/args/0/index is 6',
    ],
    ['an errno for an action that has none', seccomp({ defaultErrnoRet: 1 }), '/linux/seccomp/defaultErrnoRet has no meaning'],
    [
      'an agent that is not there',
      seccomp({ syscalls: [{ ...log, action: 'SCMP_ACT_NOTIFY' }] }),
      '/linux/seccomp/listenerPath is missing',
    ],
    ['too many rules', seccomp({ syscalls: Array(10_001).fill(log) }), '/linux/seccomp/syscalls has more than 10000 rules'],
    ['a relative hook', { '/hooks': { prestart: [{ path: 'x' }] } }, '/hooks/prestart/0/path "x"'],
    ['a hook that never times out', { '/hooks': { poststop: [{ path: '/x', timeout: 0 }] } }, '/hooks/poststop/0/timeout is 0'],
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
