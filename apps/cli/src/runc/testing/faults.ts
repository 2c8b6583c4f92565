/**
 * Documents with one fault each that the specification calls an error, and who takes them all the same.
 *
 * Knows: the fault, the statement, and, by its name in differences.ts, why another runtime does not mind.
 * Does not know: how a runtime is asked (faults.host.test.ts). The conformance page reads this table, too.
 */
import type { DIFFERENCES } from './differences.ts';

export interface Fault {
  /** Statements of tooling/runtime-spec. */
  readonly proves: readonly string[];
  readonly what: string;
  /** JSON pointer → value put there; undefined takes away; a pointer ending in `/-` appends. */
  readonly change: Readonly<Record<string, unknown>>;
  readonly difference?: keyof typeof DIFFERENCES;
}

const rule = { names: ['swapon'], action: 'SCMP_ACT_LOG' };
const filter = (part: object) => ({ '/linux/seccomp': { defaultAction: 'SCMP_ACT_ALLOW', ...part } });
const bind = { destination: '/mnt', source: '/etc', options: ['bind'] };
const ids = [{ containerID: 0, hostID: 300_000, size: 65_536 }];

export const FAULTS: readonly Fault[] = [
  {
    proves: ['config.md#specification-version/semver'],
    what: 'no version',
    change: { '/ociVersion': undefined },
    difference: 'no-version',
  },
  { proves: ['config.md#root/required'], what: 'no root', change: { '/root': undefined } },
  { proves: ['config.md#root/path'], what: 'a root without path', change: { '/root/path': undefined }, difference: 'root-is-bundle' },
  {
    proves: ['config.md#mounts/destination'],
    what: 'a mount that goes nowhere',
    change: { '/mounts/-': { ...bind, destination: undefined } },
  },
  {
    proves: ['config.md#linux-mount-options/idmap-none'],
    what: 'an id map without ids',
    change: { '/mounts/-': { ...bind, options: ['bind', 'idmap'] } },
    difference: 'no-id-mapped-mounts',
  },
  {
    proves: ['config.md#posix-platform-mounts/id-mappings-both'],
    what: 'half an id-mapped mount',
    change: { '/mounts/-': { ...bind, uidMappings: ids } },
    difference: 'no-id-mapped-mounts',
  },
  {
    proves: ['config.md#posix-platform-mounts/id-mappings-unsupported'],
    what: 'an id-mapped tmpfs',
    change: { '/mounts/-': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', uidMappings: ids, gidMappings: ids } },
    difference: 'no-id-mapped-mounts',
  },
  {
    proves: ['config.md#process/console-size-both'],
    what: 'a console without width',
    change: { '/process/consoleSize': { height: 24 } },
    difference: 'not-checked',
  },
  {
    proves: ['config.md#process/cwd'],
    what: 'a relative working directory',
    change: { '/process/cwd': 'tmp' },
    difference: 'relative-paths',
  },
  {
    proves: ['config.md#posix-process/rlimit-fields', 'config.md#posix-process/rlimit-unknown'],
    what: 'a resource limit that no kernel knows',
    change: { '/process/rlimits/0/type': 'RLIMIT_FUN' },
  },
  {
    proves: ['config.md#posix-process/rlimit-once'],
    what: 'a resource limit twice',
    change: { '/process/rlimits/-': { type: 'RLIMIT_NOFILE', soft: 512, hard: 512 } },
    difference: 'not-checked',
  },
  {
    proves: ['config.md#posix-platform-hooks/path'],
    what: 'a relative hook',
    change: { '/hooks': { prestart: [{ path: 'true' }] } },
    difference: 'relative-paths',
  },
  {
    proves: ['config.md#posix-platform-hooks/timeout'],
    what: 'a hook whose time is up at once',
    change: { '/hooks': { prestart: [{ path: '/bin/true', timeout: 0 }] } },
    difference: 'hook-without-time',
  },
  {
    proves: ['runtime.md#lifecycle/poststart-failure'],
    what: 'a poststart hook that fails',
    change: { '/hooks': { poststart: [{ path: '/bin/false' }] } },
    difference: 'poststart-unheard',
  },
  {
    proves: ['config.md#linux-process/selinux'],
    what: 'a process label where the kernel has no SELinux',
    change: { '/process/selinuxLabel': 'system_u:system_r:container_t:s0' },
  },
  {
    proves: ['config-linux.md#mount-label/label'],
    what: 'a mount label where the kernel has no SELinux',
    change: { '/linux/mountLabel': 'system_u:object_r:container_file_t:s0' },
    difference: 'no-mount-label',
  },
  {
    proves: ['config-linux.md#intelrdt/no-filesystem'],
    what: 'resource control on a machine without it',
    change: { '/linux/intelRdt': { closID: 'one', l3CacheSchema: 'L3:0=f' } },
    difference: 'no-resctrl',
  },
  {
    proves: ['config-linux.md#block-io/weight-device'],
    what: 'a block device without weights',
    change: { '/linux/resources/blockIO': { weightDevice: [{ major: 7, minor: 0 }] } },
    difference: 'devices-without-weight',
  },
  {
    proves: ['config-linux.md#huge-page-limits/fields'],
    what: 'a limit for huge pages of no size',
    change: { '/linux/resources/hugepageLimits': [{ limit: 4096 }] },
  },
  {
    proves: ['config-linux.md#network/priority-fields'],
    what: 'a network priority for no interface',
    change: { '/linux/resources/network': { priorities: [{ priority: 1 }] } },
  },
  {
    proves: ['config-linux.md#rdma/one-of-two'],
    what: 'an RDMA device without limits',
    change: { '/linux/resources/rdma': { mlx5_1: {} } },
    difference: 'rdma-without-limits',
  },
  {
    proves: ['config-linux.md#unified/missing-controller'],
    what: 'a key of a controller that is nowhere',
    change: { '/linux/resources/unified': { 'nosuch.max': '1' } },
  },
  {
    proves: ['config.md#annotations/map'],
    what: 'annotations as a list',
    change: { '/annotations': ['a'] },
    difference: 'annotations-as-list',
  },
  {
    proves: ['config.md#annotations/keys'],
    what: 'an annotation without key',
    change: { '/annotations': { '': 'a' } },
    difference: 'not-checked',
  },
  { proves: ['config.md#annotations/values'], what: 'an annotation that is no text', change: { '/annotations': { a: 1 } } },
  {
    proves: ['config-linux.md#namespaces/type', 'config.md#valid-values/invalid'],
    what: 'a namespace that no kernel knows',
    change: { '/linux/namespaces/-': { type: 'air' } },
  },
  {
    proves: ['config-linux.md#namespaces/path-absolute'],
    what: 'a relative namespace path',
    // It exists, seen from where the runtime is called.
    change: { '/linux/namespaces/2/path': '../../../../../../proc/self/ns/ipc' },
    difference: 'relative-namespace',
  },
  {
    proves: ['config-linux.md#namespaces/twice'],
    what: 'a namespace twice',
    change: { '/linux/namespaces/-': { type: 'uts' } },
    difference: 'namespace-twice',
  },
  {
    proves: ['config-linux.md#user-namespace-mappings/fields'],
    what: 'an id map without size',
    change: {
      '/linux/namespaces/-': { type: 'user' },
      '/linux/uidMappings': [{ containerID: 0, hostID: 300_000 }],
      '/linux/gidMappings': ids,
    },
  },
  {
    proves: ['config-linux.md#devices/fields'],
    what: 'a device without a type',
    change: { '/linux/devices': [{ path: '/dev/x', major: 1, minor: 3 }] },
  },
  {
    proves: ['config-linux.md#rootfs-mount-propagation/unknown'],
    what: 'an unknown propagation',
    change: { '/linux/rootfsPropagation': 'loud' },
    difference: 'unknown-propagation',
  },
  {
    proves: ['config-linux.md#masked-paths/absolute'],
    what: 'a relative masked path',
    change: { '/linux/maskedPaths': ['proc/kcore'] },
    difference: 'relative-masks',
  },
  {
    proves: ['config-linux.md#readonly-paths/absolute'],
    what: 'a relative read-only path',
    change: { '/linux/readonlyPaths': ['proc/sys'] },
    difference: 'relative-masks',
  },
  {
    proves: ['config-linux.md#allowed-device-list/allow'],
    what: 'a device rule that says nothing',
    change: { '/linux/resources/devices/-': { access: 'r' } },
    difference: 'not-checked',
  },
  {
    proves: ['config-linux.md#cpu/burst-and-quota'],
    what: 'a burst above the quota',
    change: { '/linux/resources/cpu': { quota: 5000, burst: 6000 } },
    difference: 'no-burst',
  },
  {
    proves: ['config-linux.md#block-io/rate'],
    what: 'a throttle without rate',
    change: { '/linux/resources/blockIO': { throttleReadBpsDevice: [{ major: 7, minor: 0 }] } },
    difference: 'not-checked',
  },
  {
    proves: ['config-linux.md#seccomp/default-action'],
    what: 'a filter without default',
    change: filter({ defaultAction: undefined }),
    difference: 'filter-without-default',
  },
  {
    proves: ['config-linux.md#seccomp/default-errno'],
    what: 'an error number for a default that has none',
    change: filter({ defaultErrnoRet: 1, syscalls: [rule] }),
    difference: 'errno-unused',
  },
  {
    proves: ['config-linux.md#seccomp/rule-names'],
    what: 'a rule without calls',
    change: filter({ syscalls: [{ ...rule, names: [] }] }),
    difference: 'not-checked',
  },
  { proves: ['config-linux.md#seccomp/rule-action'], what: 'a rule without action', change: filter({ syscalls: [{ names: ['swapon'] }] }) },
  {
    proves: ['config-linux.md#seccomp/rule-errno'],
    what: 'an error number for a rule that has none',
    change: filter({ syscalls: [{ ...rule, errnoRet: 1 }] }),
    difference: 'errno-unused',
  },
  {
    proves: ['config-linux.md#seccomp/argument-fields'],
    what: 'a comparison without operator',
    change: filter({ syscalls: [{ ...rule, args: [{ index: 0, value: 0 }] }] }),
  },
  {
    proves: ['config-linux.md#seccomp/listener-metadata'],
    what: 'metadata for no listener',
    change: filter({ listenerMetadata: 'x', syscalls: [rule] }),
    difference: 'not-checked',
  },
  {
    proves: ['config-linux.md#seccomp/listener-failure'],
    what: 'a listener that nobody answers at',
    change: filter({ listenerPath: '/nowhere/agent.sock', syscalls: [{ ...rule, action: 'SCMP_ACT_NOTIFY' }] }),
  },
];

/** The document with its fault. */
export function withFault(document: object, { change }: Pick<Fault, 'change'>): object {
  const changed = structuredClone(document);
  for (const [pointer, value] of Object.entries(change)) setAt(changed, pointer.split('/').slice(1), value);
  return changed;
}

function setAt(target: object, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) setAt(Reflect.get(target, key) as object, rest, value);
  else if (key === '-') (target as unknown[]).push(value);
  else if (value === undefined) Reflect.deleteProperty(target, key);
  else Reflect.set(target, key, value);
}
