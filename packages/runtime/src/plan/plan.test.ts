import type { Operation, OperationBody } from '@slipway/launcher';
import type { RuntimeSpec } from '@slipway/oci';
import { describe, expect, test } from 'vitest';
import { fakeHost, HYBRID, smallSpec, WITHOUT_SYS_RESOURCE } from '../testing/plan-fixtures.ts';
import type { Host } from './host.ts';
import { plan, planExec } from './plan.ts';

/** What is done, without who asked for it. */
function bodies(operations: readonly Operation[]): OperationBody[] {
  return operations.map(({ pointer: _pointer, reason: _reason, phase: _phase, ...body }) => body);
}

function planned(spec: RuntimeSpec, host: Host = fakeHost()): OperationBody[] {
  return bodies(plan(spec, host).operations);
}

const IDS = [{ containerID: 0, hostID: 1, size: 1 }];

const NO_CAPABILITIES = { effective: [], permitted: [], inheritable: [], ambient: [] };

const DEVICES: OperationBody[] = [
  { op: 'device', path: '/dev/null', type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0 },
  { op: 'device', path: '/dev/zero', type: 'c', major: 1, minor: 5, mode: 0o666, uid: 0, gid: 0 },
  { op: 'device', path: '/dev/full', type: 'c', major: 1, minor: 7, mode: 0o666, uid: 0, gid: 0 },
  { op: 'device', path: '/dev/random', type: 'c', major: 1, minor: 8, mode: 0o666, uid: 0, gid: 0 },
  { op: 'device', path: '/dev/urandom', type: 'c', major: 1, minor: 9, mode: 0o666, uid: 0, gid: 0 },
  { op: 'device', path: '/dev/tty', type: 'c', major: 5, minor: 0, mode: 0o666, uid: 0, gid: 0 },
];

const LINKS: OperationBody[] = [
  { op: 'symlink', path: '/dev/fd', target: '/proc/self/fd' },
  { op: 'symlink', path: '/dev/stdin', target: '/proc/self/fd/0' },
  { op: 'symlink', path: '/dev/stdout', target: '/proc/self/fd/1' },
  { op: 'symlink', path: '/dev/stderr', target: '/proc/self/fd/2' },
  { op: 'symlink', path: '/dev/ptmx', target: 'pts/ptmx' },
  { op: 'symlink', path: '/dev/core', target: '/proc/kcore' },
];

const RIGHTS: OperationBody[] = [
  { op: 'workdir', path: '/', create: true },
  { op: 'boundingSet', keep: [] },
  { op: 'user', uid: 0, gid: 0, additionalGids: [] },
  { op: 'capabilities', ...NO_CAPABILITIES },
  { op: 'umask', mask: 0o022 },
  { op: 'findExecutable', name: '/bin/true', path: '/bin' },
];

const START: OperationBody[] = [{ op: 'awaitStart' }, { op: 'exec', args: ['/bin/true'], env: ['PATH=/bin'] }];

test('the least container, whole', () => {
  expect(planned(smallSpec())).toEqual([
    { op: 'openRoot', hostPath: '/bundle/rootfs' },
    { op: 'clone', namespaces: ['mount', 'pid'], cgroup: '/sys/fs/cgroup/c1' },
    { op: 'sessionKeyring', name: '_ses.c1' },
    { op: 'newSession' },
    { op: 'rootPropagation', propagation: 'rslave' },
    { op: 'bindRoot' },
    ...DEVICES,
    ...LINKS,
    { op: 'pivotRoot' },
    ...RIGHTS,
    ...START,
  ]);
});

// @proves runtime-spec: config.md#process/terminal config.md#mounts/order
// @proves runtime-spec: config.md#linux-mount-options/recursive
// @proves runtime-spec: config-linux.md#intelrdt/untouched
test('a container like an engine’s, in a user namespace on a hybrid host, whole', () => {
  const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const spec = smallSpec({
    root: { path: 'rootfs', readonly: true },
    hostname: 'web',
    process: {
      terminal: true,
      consoleSize: { height: 24, width: 80 },
      cwd: '/srv',
      args: ['sh'],
      env: ['PATH=/bin:/usr/bin'],
      user: { uid: 7, gid: 8, additionalGids: [9], umask: 0o077 },
      capabilities: { bounding: ['CAP_KILL', 'CAP_CHOWN'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
      noNewPrivileges: true,
      oomScoreAdj: 300,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'ro'] },
      { destination: '/data', source: 'data', options: ['rbind', 'rro'] },
    ],
    linux: {
      namespaces: ['user', 'mount', 'pid', 'uts', 'network', 'cgroup'].map((type) => ({ type })),
      uidMappings: ids,
      gidMappings: ids,
      sysctl: { 'net.ipv4.ip_forward': '1' },
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys'],
    },
  });
  const mapping = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
  const host = fakeHost({ cgroups: HYBRID, procsFiles: ['/a/cgroup.procs', '/b/cgroup.procs'], hasKcore: false });
  const inCgroup = (destination: string, fsType: string, data: string[]): OperationBody => ({
    op: 'mount',
    destination,
    fsType,
    source: fsType,
    attributes: { noSuid: true, readOnly: true },
    data,
    refuseSymlinks: true,
  });

  expect(planned(spec, host)).toEqual([
    { op: 'openRoot', hostPath: '/bundle/rootfs' },
    { op: 'openSource', slot: 0, hostPath: '/bundle/data', recursive: true },
    ...DEVICES.map((device, index) => ({
      op: 'openSource',
      slot: index + 1,
      hostPath: 'path' in device ? device.path : '',
      recursive: false,
    })),
    { op: 'clone', namespaces: ['user', 'mount', 'pid', 'uts', 'network'], cgroup: '/sys/fs/cgroup/c1' },
    { op: 'idmap', uid: mapping, gid: mapping, denySetgroups: false },
    { op: 'joinCgroup', procsFiles: ['/a/cgroup.procs', '/b/cgroup.procs'] },
    { op: 'oomScore', value: 300 },
    { op: 'becomeRoot' },
    { op: 'unshare', namespaces: ['cgroup'] },
    { op: 'sessionKeyring', name: '_ses.c1' },
    { op: 'newSession' },
    { op: 'rootPropagation', propagation: 'rslave' },
    { op: 'bindRoot' },
    { op: 'mount', destination: '/proc', fsType: 'proc', source: 'proc', attributes: { noSuid: true }, data: [], refuseSymlinks: true },
    {
      op: 'mount',
      destination: '/dev',
      fsType: 'tmpfs',
      source: 'tmpfs',
      attributes: { noSuid: true, atime: 'strictatime' },
      data: ['mode=755'],
      refuseSymlinks: false,
    },
    {
      op: 'mount',
      destination: '/sys/fs/cgroup',
      fsType: 'tmpfs',
      source: 'tmpfs',
      attributes: { noSuid: true },
      data: ['mode=755'],
      refuseSymlinks: true,
    },
    inCgroup('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', ['cpu', 'cpuacct']),
    { op: 'symlink', path: '/sys/fs/cgroup/cpu', target: 'cpu,cpuacct' },
    { op: 'symlink', path: '/sys/fs/cgroup/cpuacct', target: 'cpu,cpuacct' },
    inCgroup('/sys/fs/cgroup/memory', 'cgroup', ['memory']),
    inCgroup('/sys/fs/cgroup/systemd', 'cgroup', ['name=systemd']),
    inCgroup('/sys/fs/cgroup/unified', 'cgroup2', []),
    { op: 'readonlyPath', path: '/sys/fs/cgroup' },
    { op: 'bind', slot: 0, destination: '/data', attributes: {}, treeAttributes: { readOnly: true }, propagation: 'rslave' },
    ...DEVICES.map((device, index) => ({ op: 'bindDevice', path: 'path' in device ? device.path : '', slot: index + 1 })),
    ...LINKS.slice(0, 5),
    { op: 'console', rows: 24, columns: 80 },
    { op: 'hostname', name: 'web' },
    { op: 'loopbackUp' },
    { op: 'sysctl', key: 'net.ipv4.ip_forward', value: '1' },
    { op: 'readonlyPath', path: '/proc/sys' },
    { op: 'mask', path: '/proc/kcore' },
    { op: 'pivotRoot' },
    { op: 'readonlyRoot' },
    { op: 'rlimit', resource: 7, soft: 100n, hard: 200n },
    { op: 'workdir', path: '/srv', create: true },
    { op: 'boundingSet', keep: [0, 5] },
    { op: 'user', uid: 7, gid: 8, additionalGids: [9] },
    { op: 'capabilities', effective: [5], permitted: [5], inheritable: [], ambient: [] },
    { op: 'umask', mask: 0o077 },
    { op: 'noNewPrivileges' },
    { op: 'findExecutable', name: 'sh', path: '/bin:/usr/bin' },
    { op: 'awaitStart' },
    { op: 'exec', args: ['sh'], env: ['PATH=/bin:/usr/bin'] },
  ]);
});

test('a further process enters the user namespace last, and waits for nobody', () => {
  const spec = smallSpec({
    linux: { namespaces: [{ type: 'user' }, { type: 'mount' }], uidMappings: IDS, gidMappings: IDS },
  });
  const container = {
    id: 'c1',
    bundle: '/bundle',
    pid: 42,
    namespaces: [
      { kind: 'user' as const, hostPath: '/proc/42/ns/user' },
      { kind: 'mount' as const, hostPath: '/proc/42/ns/mnt' },
    ],
    procsFiles: ['/x/cgroup.procs'],
  };

  expect(bodies(planExec({ cwd: '/', args: ['/bin/true'], env: ['PATH=/bin'] }, spec, fakeHost(), container).operations)).toEqual([
    { op: 'openRoot', hostPath: '/proc/42/root' },
    { op: 'openNamespace', slot: 0, kind: 'mount', hostPath: '/proc/42/ns/mnt' },
    { op: 'openNamespace', slot: 1, kind: 'user', hostPath: '/proc/42/ns/user' },
    { op: 'clone', namespaces: [] },
    { op: 'joinCgroup', procsFiles: ['/x/cgroup.procs'] },
    { op: 'joinNamespace', slot: 0, kind: 'mount' },
    { op: 'joinNamespace', slot: 1, kind: 'user' },
    { op: 'becomeRoot' },
    { op: 'sessionKeyring', name: '_ses.c1' },
    { op: 'newSession' },
    // What a container's own process makes where it is missing, a further one has to find.
    ...RIGHTS.map((operation) => (operation.op === 'workdir' ? { ...operation, create: false } : operation)),
    { op: 'exec', args: ['/bin/true'], env: ['PATH=/bin'] },
  ]);
});

// @proves runtime-spec: config.md#process/console-size-ignored
test('the size of a console counts with a terminal only', () => {
  const process = { cwd: '/', args: ['/bin/true'], env: ['PATH=/bin'], consoleSize: { height: 24, width: 80 } };

  expect(planned(smallSpec({ process }))).toEqual(planned(smallSpec()));
});

test('a terminal begins as large as the one it is shown on, else as its document says', () => {
  const process = { cwd: '/', args: ['/bin/true'], terminal: true, consoleSize: { height: 24, width: 80 } };
  const sizeOf = (host: Host) => planned(smallSpec({ process }), host).find(({ op }) => op === 'console');

  expect(sizeOf({ ...fakeHost(), consoleSize: { height: 33, width: 101 } })).toEqual({ op: 'console', rows: 33, columns: 101 });
  expect(sizeOf(fakeHost())).toEqual({ op: 'console', rows: 24, columns: 80 });
});

/** From the root directory to the first mount, without the sources of devices. */
function untilMounts(spec: RuntimeSpec, host?: Host): OperationBody[] {
  const all = planned(spec, host).filter(({ op }) => op !== 'openSource');
  return all.slice(
    0,
    all.findIndex(({ op }) => op === 'newSession'),
  );
}

test('a process in between enters a joined user namespace, and what is new belongs to that', () => {
  const namespaces = [{ type: 'user', path: '/ns/user' }, { type: 'mount' }, { type: 'pid' }, { type: 'ipc', path: '/ns/ipc' }];

  expect(untilMounts(smallSpec({ linux: { namespaces } }))).toEqual([
    { op: 'openRoot', hostPath: '/bundle/rootfs' },
    { op: 'openNamespace', slot: 0, kind: 'ipc', hostPath: '/ns/ipc' },
    { op: 'openNamespace', slot: 1, kind: 'user', hostPath: '/ns/user' },
    { op: 'clone', namespaces: ['mount', 'pid'], cgroup: '/sys/fs/cgroup/c1', through: [0, 1] },
    { op: 'becomeRoot' },
    { op: 'sessionKeyring', name: '_ses.c1' },
  ]);
});

test('others are joined before a new user namespace takes the right to', () => {
  const namespaces = [{ type: 'user' }, { type: 'mount' }, { type: 'network', path: '/ns/net' }];

  expect(untilMounts(smallSpec({ linux: { namespaces, uidMappings: IDS, gidMappings: IDS } }))).toEqual([
    { op: 'openRoot', hostPath: '/bundle/rootfs' },
    { op: 'openNamespace', slot: 0, kind: 'network', hostPath: '/ns/net' },
    { op: 'clone', namespaces: ['user', 'mount'], cgroup: '/sys/fs/cgroup/c1', through: [0] },
    { op: 'idmap', uid: [{ containerId: 0, hostId: 1, size: 1 }], gid: [{ containerId: 0, hostId: 1, size: 1 }], denySetgroups: false },
    { op: 'becomeRoot' },
    { op: 'sessionKeyring', name: '_ses.c1' },
  ]);
});

test('in a joined mount namespace nothing of the others changes: no propagation, no pivot_root', () => {
  const operations = planned(smallSpec({ linux: { namespaces: [{ type: 'mount', path: '/ns/mnt' }] } }));

  expect(operations.filter(({ op }) => /root|namespace/i.test(op))).toEqual([
    { op: 'openRoot', hostPath: '/bundle/rootfs' },
    { op: 'openNamespace', slot: 0, kind: 'mount', hostPath: '/ns/mnt' },
    { op: 'joinNamespace', slot: 0, kind: 'mount' },
    { op: 'bindRoot', hostPath: '/bundle/rootfs' },
    { op: 'chroot' },
  ]);
});

test('a time namespace comes with its offsets, after the cgroup one', () => {
  const namespaces = [{ type: 'mount' }, { type: 'time' }, { type: 'cgroup' }];
  const timeOffsets = { monotonic: { secs: 10, nanosecs: 5 }, boottime: { secs: -1 } };

  expect(untilMounts(smallSpec({ linux: { namespaces, timeOffsets } })).slice(1)).toEqual([
    { op: 'clone', namespaces: ['mount'], cgroup: '/sys/fs/cgroup/c1' },
    { op: 'unshare', namespaces: ['cgroup'] },
    {
      op: 'timeNamespace',
      offsets: [
        { clock: 'monotonic', secs: 10, nanosecs: 5 },
        { clock: 'boottime', secs: -1, nanosecs: 0 },
      ],
    },
    { op: 'sessionKeyring', name: '_ses.c1' },
  ]);
});

test('network devices move as soon as there is a namespace to move to', () => {
  const netDevices = { veth9: { name: 'eth0' }, dummy0: {} };
  const joined = [{ type: 'mount' }, { type: 'network', path: '/ns/net' }];

  expect(untilMounts(smallSpec({ linux: { namespaces: [{ type: 'mount' }, { type: 'network' }], netDevices } })).slice(1, 4)).toEqual([
    { op: 'clone', namespaces: ['mount', 'network'], cgroup: '/sys/fs/cgroup/c1' },
    { op: 'netDevice', name: 'veth9', target: 'eth0' },
    { op: 'netDevice', name: 'dummy0', target: 'dummy0' },
  ]);
  expect(untilMounts(smallSpec({ linux: { namespaces: joined, netDevices } }))).toContainEqual({
    op: 'netDevice',
    name: 'veth9',
    target: 'eth0',
    slot: 0,
  });
});

test('scheduling, memory, personality and labels are set while root’s rights are there', () => {
  const process = {
    cwd: '/',
    args: ['x'],
    scheduler: { policy: 'SCHED_BATCH', nice: 5, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
    apparmorProfile: 'docker-default',
  };
  const linux = {
    namespaces: [{ type: 'mount' }],
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
    personality: { domain: 'LINUX32' },
  };
  const operations = planned(smallSpec({ process, linux }), fakeHost({ securityModules: ['apparmor'] }));
  const from = operations.findIndex(({ op }) => op === 'scheduler');

  expect(operations.slice(from, from + 6)).toEqual([
    { op: 'scheduler', policy: 3, nice: 5, priority: 0, flags: 1, runtimeNs: 0n, deadlineNs: 0n, periodNs: 0n },
    { op: 'ioPriority', class: 2, priority: 6 },
    { op: 'memoryPolicy', mode: 2, flags: 1 << 15, nodes: [0, 1] },
    { op: 'personality', persona: 8 },
    { op: 'securityLabel', attribute: 'apparmor/exec', value: 'exec docker-default' },
    { op: 'workdir', path: '/', create: true },
  ]);
});

test('CPUs of a further process are set before and after it moves into the cgroup', () => {
  const container = { id: 'c1', bundle: '/bundle', pid: 42, namespaces: [], procsFiles: ['/x/cgroup.procs'] };
  const process = { cwd: '/', args: ['x'], execCPUAffinity: { initial: '0', final: '1-2,5' } };

  expect(bodies(planExec(process, smallSpec(), fakeHost(), container).operations).slice(1, 5)).toEqual([
    { op: 'clone', namespaces: [] },
    { op: 'cpuAffinity', cpus: [0] },
    { op: 'joinCgroup', procsFiles: ['/x/cgroup.procs'] },
    { op: 'cpuAffinity', cpus: [1, 2, 5] },
  ]);
});

describe('every operation says who asked for it', () => {
  test.each(plan(smallSpec(), fakeHost()).operations.map((operation) => [operation.op, operation] as const))('%s', (_op, operation) => {
    expect(operation.reason).not.toBe('');
    expect(operation.pointer).toMatch(/^(\/|$)/);
  });
});

test('phases come in their order', () => {
  const order = ['prepare', 'clone', 'identity', 'mounts', 'devices', 'settings', 'hooks', 'root', 'rights', 'start'];
  const phases = plan(smallSpec(), fakeHost()).operations.map(({ phase }) => order.indexOf(phase));

  expect(phases).toEqual(phases.toSorted((a, b) => a - b));
});

describe('a withheld right', () => {
  const limit = { process: { cwd: '/', args: ['x'], rlimits: [{ type: 'RLIMIT_NOFILE', soft: 30_000, hard: 30_000 }] } };
  const capability = { process: { cwd: '/', args: ['x'], capabilities: { bounding: ['CAP_SYS_RESOURCE', 'CAP_KILL'] } } };
  const host = fakeHost(WITHOUT_SYS_RESOURCE);

  test('a higher limit that was asked for fails and names the right', () => {
    expect(() => plan(smallSpec(limit), host)).toThrow(
      expect.objectContaining({
        kind: 'permission-denied',
        code: 'E_RIGHT_WITHHELD',
        subject: '/process/rlimits/0/hard',
        message: expect.stringContaining('CAP_SYS_RESOURCE'),
      }),
    );
  });

  test('a capability that cannot be given is left out of every set, with one warning that names it', () => {
    const sets = <T>(each: T) => ({ permitted: each, effective: each, inheritable: each, ambient: each });
    const asked = ['CAP_SYS_RESOURCE', 'CAP_KILL'];
    const result = plan(smallSpec({ process: { cwd: '/', args: ['x'], capabilities: { bounding: asked, ...sets(asked) } } }), host);

    expect(bodies(result.operations)).toContainEqual({ op: 'boundingSet', keep: [5] });
    expect(bodies(result.operations)).toContainEqual({ op: 'capabilities', ...sets([5]) });
    expect(result.warnings).toEqual(['CAP_SYS_RESOURCE is not given to the process: this host withholds it']);
  });

  test.each([
    ['a higher limit', limit, 'rlimits', { op: 'rlimit', resource: 7, soft: 20_000n, hard: 20_000n }],
    ['a low oom score', { process: { cwd: '/', args: ['x'], oomScoreAdj: -500 } }, 'oomScoreAdj', { op: 'oomScore', value: 0 }],
  ])('%s that an engine chose is clamped with a warning', (_what, changes, field, operation) => {
    const result = plan(smallSpec({ ...changes, annotations: { 'dev.slipway.defaults': `other, ${field}` } }), host);

    expect(bodies(result.operations)).toContainEqual(operation);
    expect(result.warnings).toEqual([expect.stringContaining('this host withholds')]);
  });

  test('a user namespace of its own gives every capability back', () => {
    const ids = [{ containerID: 0, hostID: 1000, size: 1 }];
    const spec = smallSpec({
      ...capability,
      linux: { namespaces: [{ type: 'mount' }, { type: 'user' }], uidMappings: ids, gidMappings: ids },
    });

    expect(planned(spec, host)).toContainEqual({ op: 'boundingSet', keep: [5, 24] });
  });
});

describe('seccomp', () => {
  const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] };
  const order = (noNewPrivileges: boolean) => {
    const spec = smallSpec({ process: { cwd: '/', args: ['x'], noNewPrivileges }, linux: { namespaces: [{ type: 'mount' }], seccomp } });
    return planned(spec).map(({ op }) => op);
  };

  test('comes last with no_new_privs, so that the profile need not allow a birth', () => {
    expect(order(true).slice(-3)).toEqual(['awaitStart', 'seccomp', 'exec']);
  });

  test('comes before capabilities are dropped without, since the kernel wants CAP_SYS_ADMIN for it', () => {
    expect(order(false).indexOf('seccomp')).toBeLessThan(order(false).indexOf('boundingSet'));
  });
});

test('an agent is connected beforehand, and told whose filter it gets', () => {
  const seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath: '/run/agent.sock',
    listenerMetadata: 'for me',
    flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
  };
  const spec = smallSpec({ linux: { namespaces: [{ type: 'mount' }], seccomp } });
  const told = (pid: string) =>
    `{"ociVersion":"1.2.0","fds":["seccompFd"],"pid":5,"metadata":"for me","state":{"ociVersion":"1.2.0","id":"c1","status":${pid},"bundle":"/bundle"}}`;
  const notify = (operations: readonly OperationBody[]) => operations.find((each) => each.op === 'seccompNotify');
  const container = { id: 'c1', bundle: '/bundle', pid: 42, namespaces: [], procsFiles: [] };

  expect(planned(spec)).toContainEqual({ op: 'openListener', slot: 0, hostPath: '/run/agent.sock' });
  expect(notify(planned(spec))).toMatchObject({ slot: 0, flags: 32 });
  expect(notify(planned(spec))?.state.join('5')).toBe(told('"creating","pid":5'));
  const exec = planExec({ cwd: '/', args: ['x'] }, spec, fakeHost(), container);
  expect(notify(bodies(exec.operations))?.state.join('5')).toBe(told('"running","pid":42'));
});

describe('a v1 container without a cgroup namespace', () => {
  test('sees its own cgroups, bound', () => {
    const spec = smallSpec({ mounts: [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' }] });
    const operations = planned(
      spec,
      fakeHost({ cgroups: { ...HYBRID, layout: 'v1', hierarchies: HYBRID.hierarchies.slice(1, 2) }, cgroupDirs: { memory: '/m/c1' } }),
    );

    expect(operations).toContainEqual({ op: 'openSource', slot: 0, hostPath: '/m/c1', recursive: false });
    expect(operations).toContainEqual({
      op: 'bind',
      slot: 0,
      destination: '/sys/fs/cgroup/memory',
      attributes: {},
      propagation: 'private',
    });
  });
});

describe('device rules', () => {
  const spec = smallSpec({ linux: { namespaces: [{ type: 'mount' }], resources: { devices: [{ allow: false, access: 'rwm' }] } } });

  test('are a program for the v2 cgroup, attached before the child that was born there goes on', () => {
    const ops = plan(spec, fakeHost()).operations.filter(({ phase }) => phase === 'identity');

    expect(ops.slice(0, 2)).toMatchObject([
      { op: 'deviceProgram', cgroup: '/sys/fs/cgroup/c1', program: expect.any(Uint8Array), pointer: '/linux/resources/devices' },
      { op: 'sessionKeyring' },
    ]);
  });

  test.each<[string, Host]>([
    ['v1 has them in its list', fakeHost({ cgroups: HYBRID })],
    ['the kernel refuses it to a user namespace', fakeHost({ inUserNamespace: true })],
  ])('are none where %s', (_why, host) => {
    expect(planned(spec, host).filter(({ op }) => op === 'deviceProgram')).toEqual([]);
  });

  test('are refused where the container can have no cgroup', () => {
    expect(() => plan(spec, fakeHost({ cgroupDirs: {} }))).toThrow(
      expect.objectContaining({ kind: 'unsupported', subject: '/linux/resources/devices' }),
    );
  });
});

describe('options of mounts', () => {
  const mountOf = (mount: NonNullable<RuntimeSpec['mounts']>[number], host?: Host) =>
    planned(smallSpec({ mounts: [mount] }), host).find(
      (each) => (each.op === 'bind' || each.op === 'mount' || each.op === 'remount') && each.destination === mount.destination,
    );

  test('of the top and of the tree stay apart on a bind, and are one on a new file system', () => {
    const options = ['ro', 'rnosuid', 'rexec'];
    expect(mountOf({ destination: '/d', source: '/s', options: ['rbind', ...options] })).toMatchObject({
      attributes: { readOnly: true },
      treeAttributes: { noSuid: true, noExec: false },
    });
    expect(mountOf({ destination: '/d', type: 'tmpfs', options })).toMatchObject({
      attributes: { readOnly: true, noSuid: true, noExec: false },
    });
  });

  test('of the file system go to it, except the one that says nothing there', () => {
    expect(mountOf({ destination: '/d', type: 'tmpfs', options: ['sync', 'silent', 'lazytime', 'iversion', 'size=1m'] })).toMatchObject({
      data: ['sync', 'lazytime', 'iversion', 'size=1m'],
    });
  });

  test('a remount changes what is there', () => {
    expect(mountOf({ destination: '/d', type: 'tmpfs', source: 'x', options: ['remount', 'ro', 'rnodev', 'size=2m'] })).toEqual({
      op: 'remount',
      destination: '/d',
      attributes: { readOnly: true },
      treeAttributes: { noDev: true },
      data: ['size=2m'],
    });
  });

  // @proves runtime-spec: config.md#linux-mount-options/idmap-own
  test('id maps are the mount’s own, or the user namespace’s, and reach below only with ridmap', () => {
    const map = [{ containerID: 0, hostID: 5, size: 1 }];
    const inside = { uid: [{ containerId: 0, hostId: 5, size: 1 }], gid: [{ containerId: 0, hostId: 5, size: 1 }] };
    const own = { destination: '/d', source: '/s', uidMappings: map, gidMappings: map };
    expect(mountOf({ ...own, options: ['bind'] })).toMatchObject({ idmap: { ...inside, recursive: false } });
    expect(mountOf({ ...own, options: ['rbind', 'ridmap'] })).toMatchObject({ idmap: { ...inside, recursive: true } });
    const linux = { namespaces: [{ type: 'mount' }, { type: 'user' }], uidMappings: map, gidMappings: map };
    const spec = smallSpec({ linux, mounts: [{ destination: '/d', source: '/s', options: ['bind', 'idmap'] }] });
    expect(planned(spec).find(({ op }) => op === 'bind')).toMatchObject({ idmap: inside });
  });

  test('cgroup2 by name is v2’s hierarchy alone', () => {
    const spec = (namespaces: readonly string[]) =>
      smallSpec({
        mounts: [{ destination: '/c', type: 'cgroup2', options: ['ro'] }],
        linux: { namespaces: namespaces.map((type) => ({ type })) },
      });
    const host = fakeHost({ cgroups: HYBRID });
    expect(planned(spec(['mount', 'cgroup']), host).filter((each) => 'destination' in each)).toEqual([
      {
        op: 'mount',
        destination: '/c',
        fsType: 'cgroup2',
        source: 'cgroup2',
        attributes: { readOnly: true },
        data: [],
        refuseSymlinks: true,
      },
    ]);
    expect(planned(spec(['mount']), host).filter((each) => 'destination' in each)).toMatchObject([{ op: 'bind', destination: '/c' }]);
    const v1 = fakeHost({ cgroups: { ...HYBRID, layout: 'v1', hierarchies: HYBRID.hierarchies.filter(({ version }) => version === 1) } });
    expect(() => plan(spec(['mount']), v1)).toThrow(expect.objectContaining({ kind: 'unsupported', subject: '/mounts/0' }));
  });
});
