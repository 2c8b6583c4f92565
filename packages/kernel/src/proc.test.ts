import { expect, test } from 'vitest';
import { MemoryControlFiles } from './memory-control-files.ts';
import { parseMountinfo } from './mountinfo.ts';
import { findNamespaces } from './namespaces.ts';
import { findProcStat, isSameProcess, listPids, parseCgroupMemberships, parseProcStat, parseProcStatus } from './proc.ts';

const STAT = '42 (a) b (c)) S 7 42 41 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 3 0 987654 1000 10 18446744073709551615 1 1\n';

test('a name with spaces and parentheses does not shift the fields of stat', () => {
  expect(parseProcStat(STAT)).toEqual({
    pid: 42,
    comm: 'a) b (c)',
    state: 'S',
    ppid: 7,
    processGroup: 42,
    session: 41,
    threads: 3,
    startTime: '987654',
  });
});

test('a pid is the same process only with the same start time, and while it is alive', () => {
  const files = new MemoryControlFiles({ files: { '/proc/42/stat': STAT, '/proc/43/stat': STAT.replace(') S 7', ') Z 7') } });
  expect(isSameProcess(42, '987654', files)).toBe(true);
  expect(isSameProcess(42, '987655', files)).toBe(false);
  expect(isSameProcess(43, '987654', files)).toBe(false);
  expect(isSameProcess(44, '987654', files)).toBe(false);
  expect(findProcStat(44, files)).toBeUndefined();
  expect(listPids(files)).toEqual([42, 43]);
});

test('status gives ids, pids in every namespace, and capability sets as masks', () => {
  const status = parseProcStatus(
    'Name:\tsh\nTgid:\t12\nUid:\t100000\t0\t0\t0\nGid:\t5\t5\t5\t5\nGroups:\t5 20 \nNSpid:\t4711\t12\t1\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000000400\nCapBnd:\t000001fffeffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n',
  );
  expect(status).toMatchObject({
    name: 'sh',
    uid: [100000, 0, 0, 0],
    groups: [5, 20],
    nsPid: [4711, 12, 1],
    noNewPrivileges: true,
    seccompMode: 2,
    seccompFilters: 3,
  });
  expect(status.capabilities.effective).toBe(1n << 10n);
  expect((status.capabilities.bounding >> 24n) & 1n).toBe(0n);
});

test('cgroup lines keep colons in paths, named hierarchies and co-mounted controllers', () => {
  expect(parseCgroupMemberships('4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/../x\n')).toEqual([
    { hierarchy: 4, controllers: ['cpu', 'cpuacct'], path: '/a:b' },
    { hierarchy: 1, controllers: ['name=systemd'], path: '/' },
    { hierarchy: 0, controllers: [], path: '/../x' },
  ]);
});

test('mountinfo: octal escapes are undone, optional fields may be none or several', () => {
  const [plain, shared] = parseMountinfo(
    '36 35 98:0 /my\\040root /mnt/a\\012b\\134c rw,noatime - ext3 /dev/root rw,errors=continue\n37 36 0:29 / /sys/fs/cgroup/cpu ro shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\nnot a line\n',
  );
  expect(plain).toMatchObject({
    id: 36,
    parentId: 35,
    root: '/my root',
    mountPoint: '/mnt/a\nb\\c',
    propagation: [],
    fsType: 'ext3',
    superOptions: ['rw', 'errors=continue'],
  });
  expect(shared).toMatchObject({
    options: ['ro'],
    propagation: ['shared:9', 'master:1'],
    fsType: 'cgroup',
    superOptions: ['rw', 'cpu', 'cpuacct'],
  });
});

test('namespaces are named by inode; a kind the kernel lacks is absent', () => {
  const files = new MemoryControlFiles();
  files.putLink('/proc/9/ns/net', 'net:[4026531840]');
  files.putLink('/proc/9/ns/mnt', 'mnt:[4026531841]');
  expect(findNamespaces(9, files)).toEqual({ net: 4026531840, mnt: 4026531841 });
  expect(findNamespaces(10, files)).toBeUndefined();
});
