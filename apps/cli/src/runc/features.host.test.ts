/** What `features` promises, held against what the runtime does. */
import { execFileSync } from 'node:child_process';
import { parseMountOptions, validateSpec } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differs } from './testing/differences.ts';
import { RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks: readonly string[];
  readonly mountOptions: readonly string[];
  readonly linux: {
    readonly namespaces: readonly string[];
    readonly capabilities: readonly string[];
    readonly seccomp: Readonly<Record<'actions' | 'operators' | 'archs' | 'supportedFlags', readonly string[]>>;
    readonly mountExtensions?: { readonly idmap: { readonly enabled: boolean } };
    readonly memoryPolicy?: Readonly<Record<'modes' | 'flags', readonly string[]>>;
    readonly netDevices?: { readonly enabled: boolean };
  };
}

const IDS = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
const NEEDED = ['mount', 'uts'];

describe.each(RUNTIMES.filter((under) => !differs(under, 'no-features')))('features, by $name', (under) => {
  let runtime: TestRuntime;
  let features: Features;
  let text: string;
  beforeAll(async () => {
    runtime = new TestRuntime(under);
    text = (await runtime.must('features')).stdout;
    features = JSON.parse(text);
  });
  afterAll(() => runtime.dispose());

  // @proves runtime-spec: features.md#specification-version/min features.md#specification-version/max
  // @proves runtime-spec: features.md#specification-version/ordered
  hostTest('documents of the lowest and of the highest version run', ['root'], async () => {
    for (const ociVersion of [features.ociVersionMin, features.ociVersionMax])
      expect((await runtime.run({ ociVersion })).code, ociVersion).toBe(0);
    expect(features.ociVersionMin.localeCompare(features.ociVersionMax, 'en', { numeric: true })).toBeLessThanOrEqual(0);
  });

  // @proves runtime-spec: features.md#features-document/constant
  hostTest('the document is the same on a host without /sys', ['root'], async () => {
    const blind = 'umount --recursive --lazy /sys; exec "$0" features';

    expect(execFileSync('unshare', ['--mount', 'sh', '-c', blind, under.binary], { encoding: 'utf8' })).toBe(text);
  });

  // @proves runtime-spec: features.md#features-document/null
  test('nothing is null', () => {
    expect(text).not.toMatch(/:\s*null/);
  });

  // @proves runtime-spec: features-linux.md#namespaces/recognised
  hostTest('each namespace of the list can be had', ['root', 'user-namespaces'], async () => {
    for (const type of features.linux.namespaces) {
      const types = type === 'user' ? ['user', ...NEEDED, 'pid', 'network', 'ipc'] : [...new Set([...NEEDED, type])];
      const maps = type === 'user' ? { uidMappings: IDS, gidMappings: IDS } : {};
      const linux = { namespaces: types.map((each) => ({ type: each })), ...maps };
      expect((await runtime.run({ linux })).code, type).toBe(0);
    }
  });

  // @proves runtime-spec: features-linux.md#capabilities/recognised
  hostTest('each capability of the list has a bit', ['root'], async () => {
    const ids = { uidMappings: IDS, gidMappings: IDS };
    const namespaces = ['user', ...NEEDED, 'pid', 'network', 'ipc'].map((type) => ({ type }));
    // Root of a user namespace has them all, whatever this host withholds.
    const { capabilities } = features.linux;
    const line = 'grep CapBnd /proc/self/status';
    const sets = { bounding: capabilities, effective: capabilities, permitted: capabilities };
    const bits = await runtime.shell(line, { process: { capabilities: sets }, linux: { namespaces, ...ids } });

    expect(BigInt(`0x${bits.trim().split('\t')[1]}`)).toBe((1n << BigInt(capabilities.length)) - 1n);
  });

  // @proves runtime-spec: features-linux.md#seccomp/flags
  hostTest('each flag of a filter that is supported can be set', ['root'], async () => {
    for (const flag of features.linux.seccomp.supportedFlags ?? []) {
      const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', flags: [flag] };
      expect(await runtime.shell('grep Seccomp: /proc/self/status', { linux: { seccomp } }), flag).toBe('Seccomp:\t2\n');
    }
  });

  // @proves runtime-spec: features-linux.md#seccomp/recognised
  test('each action, operator and architecture passes as one', () => {
    const { actions, operators, archs } = features.linux.seccomp;
    const withRule = (action: string, op: string) => ({
      ociVersion: '1.0.0',
      root: { path: 'x' },
      linux: {
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          architectures: archs,
          listenerPath: '/x',
          syscalls: [{ names: ['read'], action, args: [{ index: 0, value: 1, op }] }],
        },
      },
    });
    for (const action of actions) expect(() => validateSpec(withRule(action, 'SCMP_CMP_EQ')), action).not.toThrow();
    for (const op of operators) expect(() => validateSpec(withRule('SCMP_ACT_LOG', op)), op).not.toThrow();
  });

  // @proves runtime-spec: features-linux.md#memorypolicy/recognised
  test('each mode and flag of a memory policy passes as one', () => {
    const withPolicy = (memoryPolicy: object) => ({ ociVersion: '1.3.0', root: { path: 'x' }, linux: { memoryPolicy } });
    const { modes = [], flags = [] } = features.linux.memoryPolicy ?? {};
    for (const mode of modes) {
      const nodes = /DEFAULT|LOCAL/.test(mode) ? {} : { nodes: '0' };
      expect(() => validateSpec(withPolicy({ mode, ...nodes })), mode).not.toThrow();
    }
    for (const flag of flags) expect(() => validateSpec(withPolicy({ mode: 'MPOL_BIND', nodes: '0', flags: [flag] })), flag).not.toThrow();
  });

  // @proves runtime-spec: features.md#mount-options/recognised features.md#mount-options/no-data
  test('each mount option has a meaning of its own, and is no data for a file system', () => {
    for (const option of features.mountOptions) {
      if (under.kind === 'ours') expect(parseMountOptions([option]).data, option).toEqual([]);
      expect(option).not.toContain('=');
    }
  });

  // @proves runtime-spec: features.md#hooks/supported
  hostTest('each hook of the list is called', ['root'], async () => {
    for (const kind of features.hooks) {
      const { code } = await runtime.run({ hooks: { [kind]: [{ path: '/bin/sh', args: ['sh', '-c', 'exit 7'] }] } });
      expect(code === 0, kind).toBe(kind === 'poststop');
    }
  });

  // @proves runtime-spec: features.md#specification-version/no-others
  // @proves runtime-spec: features-linux.md#mountextensions/idmap features-linux.md#netdevices/enabled
  test('the document has the specification’s properties and no other', () => {
    const known = ['ociVersionMin', 'ociVersionMax', 'hooks', 'mountOptions', 'linux', 'annotations', 'potentiallyUnsafeConfigAnnotations'];
    const linux = [
      'namespaces',
      'capabilities',
      'cgroup',
      'seccomp',
      'apparmor',
      'selinux',
      'intelRdt',
      'mountExtensions',
      'netDevices',
      'memoryPolicy',
    ];
    expect(Object.keys(features).filter((key) => !known.includes(key))).toEqual([]);
    expect(Object.keys(features.linux).filter((key) => !linux.includes(key))).toEqual([]);
    if (under.kind === 'ours')
      expect(features.linux).toMatchObject({ mountExtensions: { idmap: { enabled: true } }, netDevices: { enabled: true } });
  });
});
