import { defaultSpec, type RuntimeSpec } from '@slipway/oci';
import { expect, test } from 'vitest';
import { findEvidence } from './evidence.ts';
import { type KernelFacts, sysctlPath } from './kernel-facts.ts';

const STATUS = `Name:	sh
Umask:	0022
Uid:	0	0	0	0
Gid:	0	0	0	0
Groups:	5
CapInh:	0000000000000000
CapPrm:	0000000020000420
CapEff:	0000000020000420
CapBnd:	0000000020000420
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	0
`;
const MOUNTS = `50 40 0:30 / / ro,relatime - overlay overlay rw
51 50 0:31 / /proc rw,nosuid - proc proc rw
52 50 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
53 50 0:33 / /data rw - tmpfs tmpfs rw
`;

const facts = (changes: Partial<KernelFacts> = {}): KernelFacts => ({
  pid: 42,
  begun: true,
  proc: {
    status: STATUS,
    mountinfo: MOUNTS,
    cmdline: 'sh\0-c\0true\0',
    environ: 'TERM=xterm\0A=2\0',
    cwd: '/',
    limits: 'Max open files            1024                 1024                 files     \n',
    cgroup: '4:memory:/lab/web\n',
    uid_map: '         0     100000      65536\n',
  },
  namespaces: { pid: 1, uts: 2 },
  ourNamespaces: { pid: 9, uts: 2 },
  sysctls: { 'kernel/hostname': 'web' },
  cgroupFiles: [],
  ...changes,
});

function evidence(spec: object, changes: Partial<KernelFacts> = {}) {
  const whole = { ociVersion: '1.2.0', root: { path: 'rootfs', readonly: true }, ...spec } as RuntimeSpec;
  return findEvidence(whole, facts(changes)).map(({ pointer, holds }) => `${pointer} ${holds ?? 'seen'}`);
}

test('each field is found at its place, and told when it is not as asked', () => {
  const process = { cwd: '/', args: ['sh', '-c', 'true'], env: ['TERM=xterm', 'A=1', 'B=1'], user: { uid: 0, gid: 7, umask: 18 } };
  expect(evidence({ process })).toEqual([
    '/process/args true',
    '/process/env/0 true',
    '/process/env/1 false',
    '/process/env/2 false',
    '/process/cwd true',
    '/process/user/uid true',
    '/process/user/gid false',
    '/process/user/umask true',
    '/root/readonly true',
  ]);
});

test('before the program has begun, its arguments and environment are not claimed, nor a filter’s absence', () => {
  const asked = { process: { cwd: '/', args: ['sh'], env: ['A=1'] }, linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } } };
  expect(evidence(asked, { begun: false })).toEqual(['/process/cwd true', '/linux/seccomp seen', '/root/readonly true']);
  expect(evidence(asked)).toContain('/linux/seccomp false');
});

test('rights, limits and ids, by the machine’s view of them', () => {
  const capabilities = { bounding: ['CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_AUDIT_WRITE'], effective: ['CAP_KILL'], ambient: [] };
  const rlimits = [
    { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 },
    { type: 'RLIMIT_NOFILE', soft: 1, hard: -1 },
  ];
  const uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const found = evidence({
    process: { cwd: '/', args: ['sh'], capabilities, rlimits, noNewPrivileges: true, user: { uid: 0, gid: 0 } },
    linux: { uidMappings, cgroupsPath: '/lab/web' },
  });
  expect(found).toEqual(
    expect.arrayContaining([
      '/process/rlimits/0 true',
      '/process/rlimits/1 false',
      '/process/user/uid false', // 100000 was asked for, by the map
      '/process/capabilities/bounding true',
      '/process/capabilities/effective false',
      '/process/capabilities/ambient true',
      '/process/noNewPrivileges true',
      '/linux/cgroupsPath true',
      '/linux/uidMappings/0 true',
    ]),
  );
});

test('mounts: the file system, and what became of a cgroup mount; names and namespaces', () => {
  const mounts = [
    { destination: '/proc', type: 'proc' },
    { destination: '/data', type: 'tmpfs', options: ['ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup' },
    { destination: '/gone', type: 'tmpfs' },
  ];
  const namespaces = [{ type: 'pid' }, { type: 'uts' }, { type: 'uts', path: '/proc/1/ns/uts' }];
  expect(evidence({ mounts, hostname: 'web', linux: { namespaces } })).toEqual([
    '/hostname true',
    '/root/readonly true',
    '/mounts/0 true',
    '/mounts/1 false',
    '/mounts/2 true',
    '/mounts/3 false',
    '/linux/namespaces/0 true',
    '/linux/namespaces/1 false',
    '/linux/namespaces/2 seen',
  ]);
});

test('a limit is read where it was written, as the kernel rounds it', () => {
  const write = {
    controller: 'memory',
    hierarchy: 'memory',
    file: 'memory.limit_in_bytes',
    value: '67108865',
    pointer: '/linux/resources/memory/limit',
  };
  const path = '/sys/fs/cgroup/memory/lab/web/memory.limit_in_bytes';
  const readBack = { as: 'bytes', value: 67_108_865n } as const;
  const found = findEvidence(defaultSpec(), facts({ cgroupFiles: [{ path, value: '67108864', write: { ...write, readBack } }] }));
  expect(found).toContainEqual({ pointer: '/linux/resources/memory/limit', source: path, found: '67108864', holds: true });
});

test.each([
  ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
  ['net/ipv4/conf/eth0.1/forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
  ['net.ipv4.conf.eth0/1.forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
])('the sysctl %s is the file %s', (name, path) => {
  expect(sysctlPath(name)).toBe(path);
});
