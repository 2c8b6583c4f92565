import { MemoryControlFiles } from '@slipway/kernel';
import { expect, test } from 'vitest';
import { createCgroupSampler } from './cgroup-sampler.ts';
import { containerOfCgroup } from './container-id.ts';
import { cgroupLocator, type MachineTarget } from './machine-target.ts';
import { createProcessSampler } from './process-sampler.ts';

const ID = 'ab'.repeat(32);
const v1: MachineTarget = {
  id: 'm1',
  initHostPid: 500,
  cgroupPrefix: { memory: '/sys/fs/cgroup/memory/lab/m1', 'cpu,cpuacct': '/sys/fs/cgroup/cpu/lab/m1', pids: '/sys/fs/cgroup/pids/lab/m1' },
};

test.each([
  [`/slipway/${ID}`, false, ID],
  [`/docker/${ID}`, false, ID],
  [`/system.slice/docker-${ID}.scope`, false, ID],
  [`/kubepods/pod1/cri-containerd-${ID}.scope`, false, ID],
  [`/docker/${ID}/docker/${'cd'.repeat(32)}`, false, 'cd'.repeat(32)],
  [`/slipway/${ID}/child`, false, ID],
  ['/mybox', true, 'mybox'],
  ['/mybox', false, undefined],
  ['/', true, undefined],
  ['/init', true, undefined],
  ['/user.slice/session-1.scope', true, undefined],
  ['/we ird', true, undefined],
])('the container of %s (apart: %s) is %s', (path, isApart, id) => {
  expect(containerOfCgroup(path, isApart)).toBe(id);
});

test('a process is placed by its cgroup path, and a neighbour with a longer name is not taken in', () => {
  const mount = { id: 1, parentId: 0, device: '0:1', options: [], propagation: [], source: 'cgroup' };
  const mounts = [{ ...mount, root: '/', mountPoint: '/sys/fs/cgroup/memory', fsType: 'cgroup', superOptions: ['rw', 'memory'] }];
  const locate = cgroupLocator(v1, mounts);
  const at = (path: string) => locate([{ hierarchy: 4, controllers: ['memory'], path }]);
  expect([at('/lab/m1'), at('/lab/m1/slipway/x'), at('/lab/m10'), at('/lab'), at('/')]).toEqual([
    '/',
    '/slipway/x',
    undefined,
    undefined,
    undefined,
  ]);
});

test('cgroup v1 values have units, limits and evidence; "no limit" is absent', () => {
  const group = (path: string, limit: string) => ({
    [`/sys/fs/cgroup/memory/lab/m1${path}/memory.usage_in_bytes`]: '1048576\n',
    [`/sys/fs/cgroup/memory/lab/m1${path}/memory.limit_in_bytes`]: `${limit}\n`,
    [`/sys/fs/cgroup/memory/lab/m1${path}/memory.max_usage_in_bytes`]: '2097152\n',
    [`/sys/fs/cgroup/memory/lab/m1${path}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    [`/sys/fs/cgroup/cpu/lab/m1${path}/cpuacct.usage`]: '5000000\n',
    [`/sys/fs/cgroup/cpu/lab/m1${path}/cpu.cfs_quota_us`]: path === '' ? '-1\n' : '50000\n',
    [`/sys/fs/cgroup/cpu/lab/m1${path}/cpu.cfs_period_us`]: '100000\n',
    [`/sys/fs/cgroup/cpu/lab/m1${path}/cpu.stat`]: 'nr_periods 3\nnr_throttled 1\nthrottled_time 7000000\n',
    [`/sys/fs/cgroup/pids/lab/m1${path}/pids.current`]: '3\n',
    [`/sys/fs/cgroup/pids/lab/m1${path}/pids.max`]: path === '' ? 'max\n' : '100\n',
  });
  const files = new MemoryControlFiles({ files: { ...group('', '9223372036854771712'), ...group(`/slipway/${ID}`, '67108864') } });
  let clock = 1000;
  const sampler = createCgroupSampler(v1, files, () => clock);
  sampler.sample();
  clock += 1000;
  files.put(`/sys/fs/cgroup/cpu/lab/m1/slipway/${ID}/cpuacct.usage`, '255000000\n');
  const { samples, truncated } = sampler.sample();
  expect(truncated).toBe(false);
  expect(samples.map((sample) => sample.path)).toEqual(['/', '/slipway', `/slipway/${ID}`]);
  expect(samples[0]).not.toHaveProperty('memoryLimitBytes');
  expect(samples[0]).not.toHaveProperty('cpuQuota');
  expect(samples[0]).not.toHaveProperty('pidsLimit');
  expect(samples[2]).toMatchObject({
    container: ID,
    version: 'v1',
    memoryBytes: 1_048_576,
    memoryLimitBytes: 67_108_864,
    memoryPeakBytes: 2_097_152,
    oomKills: 2,
    cpuUsageUs: 255_000,
    cpuFraction: 0.25,
    cpuQuota: 0.5,
    throttledUs: 7000,
    throttledPeriods: 1,
    pids: 3,
    pidsLimit: 100,
    files: { 'memory.limit_in_bytes': '67108864', 'pids.max': '100' },
  });
});

test('on v1 a group of one hierarchy alone is seen, with what it is set to and whom that concerns', () => {
  const base = '/sys/fs/cgroup';
  const files = new MemoryControlFiles({
    files: {
      [`${base}/memory/m1/memory.usage_in_bytes`]: '1\n',
      [`${base}/memory/m1/small/memory.limit_in_bytes`]: '1048576\n',
      [`${base}/memory/m1/small/memory.failcnt`]: '36\n',
      [`${base}/pids/m1/few/pids.events`]: 'max 4\n',
      [`${base}/cpuset/m1/cpuset.cpus`]: '\n',
      [`${base}/cpuset/m1/one/cpuset.cpus`]: '0\n',
      [`${base}/cpuset/m1/one/cgroup.procs`]: '7\n8\n',
      [`${base}/freezer/m1/icebox/freezer.state`]: 'FROZEN\n',
      [`${base}/freezer/m1/icebox/cgroup.procs`]: '9\n',
      [`${base}/freezer/m1/warm/freezer.state`]: 'THAWED\n',
      [`${base}/unified/m1/cgroup.controllers`]: 'hugetlb\n',
      [`${base}/unified/m1/second/cgroup.events`]: 'populated 0\nfrozen 1\n',
      [`${base}/unified/m1/second/cgroup.procs`]: '',
    },
  });
  const names = ['memory', 'pids', 'cpuset', 'freezer', 'unified'];
  const cgroupPrefix = Object.fromEntries(names.map((name) => [name, `${base}/${name}/m1`]));
  const { samples } = createCgroupSampler({ id: 'm', initHostPid: 1, cgroupPrefix }, files).sample();
  const told = samples.map(({ files: _evidence, version: _version, ...sample }) => sample);
  expect(told).toEqual([
    { path: '/', memoryBytes: 1 },
    { path: '/small', memoryLimitBytes: 1_048_576, memoryLimitHits: 36 },
    { path: '/few', pidsLimitHits: 4 },
    { path: '/one', cpus: '0', members: 2 },
    { path: '/icebox', frozen: true, members: 1 },
    { path: '/warm', frozen: false },
    { path: '/second', frozen: true, members: 0 },
  ]);
});

test('cgroup v2 gives the same values from its own files', () => {
  const base = '/sys/fs/cgroup/lab/m1';
  const files = new MemoryControlFiles({
    files: {
      [`${base}/cgroup.controllers`]: 'cpu memory pids\n',
      [`${base}/memory.current`]: '4096\n',
      [`${base}/memory.max`]: 'max\n',
      [`${base}/memory.peak`]: '8192\n',
      [`${base}/memory.events`]: 'low 0\nmax 5\noom 1\noom_kill 1\noom_group_kill 0\n',
      [`${base}/cpu.stat`]: 'usage_usec 123\nuser_usec 100\nnr_throttled 2\nthrottled_usec 9\n',
      [`${base}/cpu.max`]: '25000 100000\n',
      [`${base}/pids.current`]: '1\n',
      [`${base}/pids.max`]: '512\n',
    },
  });
  const { samples } = createCgroupSampler({ id: 'm', initHostPid: 1, cgroupPrefix: { unified: base } }, files).sample();
  expect(samples).toEqual([
    expect.objectContaining({
      path: '/',
      version: 'v2',
      memoryBytes: 4096,
      memoryPeakBytes: 8192,
      oomKills: 1,
      memoryLimitHits: 5,
      throttledPeriods: 2,
      cpuUsageUs: 123,
      throttledUs: 9,
      cpuQuota: 0.25,
      pids: 1,
      pidsLimit: 512,
    }),
  ]);
  expect(samples[0]).not.toHaveProperty('memoryLimitBytes');
});

interface FakeProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly nsPid: string;
  readonly comm: string;
  readonly argv: readonly string[];
  readonly group?: string;
  readonly mnt?: number;
}

function fakeProc(processes: readonly FakeProcess[]): MemoryControlFiles {
  const files = new MemoryControlFiles();
  const groups = Map.groupBy(processes, (process) => process.group ?? '');
  for (const [group, members] of groups) {
    files.put(`/sys/fs/cgroup/memory/lab/m1${group}/cgroup.procs`, members.map(({ pid }) => `${pid}\n`).join(''));
  }
  for (const { pid, ppid, nsPid, comm, argv, mnt = 100 } of processes) {
    const after = ['S', ppid, pid, pid, ...Array(12).fill(0), 1, 1, 0, 9000 + pid, ...Array(20).fill(0)];
    files.put(`/proc/${pid}/stat`, `${pid} (${comm}) ${after.join(' ')}\n`);
    files.put(`/proc/${pid}/status`, `Name:\t${comm}\nTgid:\t${pid}\nUid:\t0\t0\t0\t0\nNSpid:\t${nsPid}\n`);
    files.put(`/proc/${pid}/cmdline`, argv.map((arg) => `${arg}\0`).join(''));
    files.putLink(`/proc/${pid}/ns/mnt`, `mnt:[${mnt}]`);
  }
  return files;
}

test('roles: engine, shim, spare, first process, exec, shell and workbench; pids are the machine’s', () => {
  const inside = { group: `/slipway/${ID}`, mnt: 200 };
  const files = fakeProc([
    { pid: 500, ppid: 400, nsPid: '500\t1', comm: 'init', argv: ['/sbin/init'] },
    { pid: 501, ppid: 500, nsPid: '501\t20', comm: 'node', argv: ['node', '--one', '--two=2', '/opt/slipwayd/src/main.ts', '--root'] },
    { pid: 502, ppid: 500, nsPid: '502\t30', comm: 'a) (b', argv: ['bash'] },
    { pid: 503, ppid: 400, nsPid: '503\t31', comm: 'bash', argv: ['-bash'] },
    { pid: 504, ppid: 503, nsPid: '504\t32', comm: 'sh', argv: ['sh'] },
    { pid: 505, ppid: 500, nsPid: '505\t33', comm: 'sh', argv: ['sh', '/boot.sh'] },
    { pid: 510, ppid: 500, nsPid: '510\t40', comm: 'slipway-shim', argv: ['slipway-shim'] },
    { pid: 509, ppid: 501, nsPid: '509\t39', comm: 'slipway-launch', argv: ['slipway-launcher', `waits for the next container   `] },
    { pid: 511, ppid: 510, nsPid: '511\t41\t1', comm: 'nginx', argv: ['nginx'], ...inside },
    { pid: 512, ppid: 511, nsPid: '512\t42\t2', comm: 'nginx', argv: ['nginx: worker'], ...inside },
    { pid: 506, ppid: 400, nsPid: '506\t34', comm: 'MainThread', argv: ['node', '/opt/start.cjs', 'slipway', 'workbench'] },
    { pid: 513, ppid: 510, nsPid: '513\t43\t9', comm: 'sh', argv: ['sh', 'x'.repeat(1000), ...Array(100).fill('y')], ...inside },
  ]);
  const { processes, hostPids } = createProcessSampler(v1, files).sample();
  expect(processes.map(({ pid, ppid, comm, role, container, innerPid }) => [pid, ppid, comm, role, container, innerPid])).toEqual([
    [1, 0, 'init', undefined, undefined, undefined],
    [20, 1, 'node', 'engine', undefined, undefined],
    [30, 1, 'a) (b', undefined, undefined, undefined],
    [31, 0, 'bash', 'shell', undefined, undefined],
    [32, 31, 'sh', 'shell', undefined, undefined],
    [33, 1, 'sh', undefined, undefined, undefined],
    [34, 0, 'MainThread', 'workbench', undefined, undefined],
    [39, 20, 'slipway-launch', 'spare', undefined, undefined],
    [40, 1, 'slipway-shim', 'shim', ID, undefined],
    [41, 40, 'nginx', 'init', ID, 1],
    [42, 41, 'nginx', undefined, ID, 2],
    [43, 40, 'sh', 'exec', ID, 9],
  ]);
  const exec = processes.at(-1);
  expect(exec?.argv).toHaveLength(32);
  expect(exec?.argv[1]?.length).toBeLessThanOrEqual(256);
  expect(exec).toMatchObject({ startTime: '9513', namespaces: { mnt: 200 }, cgroup: `/slipway/${ID}` });
  expect(hostPids.get(43)).toBe(513);
});

test('what a process may do, where its root is and whose ids it has', () => {
  const files = fakeProc([
    { pid: 500, ppid: 400, nsPid: '500\t1', comm: 'init', argv: ['/sbin/init'] },
    { pid: 501, ppid: 500, nsPid: '501\t2', comm: 'sh', argv: ['sh'] },
    { pid: 502, ppid: 500, nsPid: '502\t3', comm: 'sh', argv: ['sh'], mnt: 200 },
  ]);
  for (const pid of [500, 501, 502]) {
    files.putLink(`/proc/${pid}/ns/user`, `user:[${pid === 502 ? 8 : 7}]`);
    files.putLink(`/proc/${pid}/root`, pid === 501 ? '/root/box' : '/');
    const status = `Name:\tsh\nTgid:\t${pid}\nUid:\t0\t0\t0\t0\nNSpid:\t${pid}\t${pid - 499}\nCapEff:\t00000000000000ff\nNoNewPrivs:\t1\n`;
    files.put(`/proc/${pid}/status`, pid === 502 ? `${status}Seccomp_filters:\t2\n` : status);
  }
  files.put(
    '/proc/502/mountinfo',
    '1 0 8:0 / / rw - ext4 d rw\n2 1 8:0 /box / ro,relatime - ext4 d rw\n3 2 0:4 / /proc rw - proc proc rw\n',
  );
  files.put('/proc/502/uid_map', '         0     166536          1\n');
  const told = createProcessSampler(v1, files)
    .sample()
    .processes.map(({ rights, root, uidMap }) => ({ rights, root, uidMap }));
  const rights = { effective: '00000000000000ff', noNewPrivileges: true };
  expect(told).toEqual([
    { rights, root: undefined, uidMap: undefined },
    { rights, root: { directory: '/root/box' }, uidMap: undefined },
    { rights: { ...rights, seccompFilters: 2 }, root: { directory: '/', readOnly: true }, uidMap: '0 166536 1' },
  ]);
});

test('an exec that outlives its container’s first process for a moment is still an exec', () => {
  const files = fakeProc([
    { pid: 500, ppid: 400, nsPid: '500\t1', comm: 'init', argv: ['/sbin/init'] },
    { pid: 510, ppid: 500, nsPid: '510\t40', comm: 'slipway-shim', argv: ['slipway-shim'] },
    { pid: 513, ppid: 510, nsPid: '513\t43\t9', comm: 'sh', argv: [], group: `/slipway/${ID}` },
  ]);
  const { processes } = createProcessSampler(v1, files).sample();
  expect(processes.find(({ pid }) => pid === 43)).toMatchObject({ role: 'exec', container: ID });
});

test('what is remembered is read again after a hint, and after a while', () => {
  const files = fakeProc([
    { pid: 500, ppid: 1, nsPid: '500\t1', comm: 'init', argv: ['init'] },
    { pid: 501, ppid: 500, nsPid: '501\t2', comm: 'sh', argv: ['old'] },
  ]);
  const sampler = createProcessSampler(v1, files);
  const argv = () => sampler.sample().processes[1]?.argv[0];
  expect(argv()).toBe('old');
  files.put('/proc/501/cmdline', 'new\0');
  sampler.forget([501]);
  expect(argv()).toBe('new');
  files.put('/proc/501/cmdline', 'newer\0');
  const seen = Array.from({ length: 8 }, argv);
  expect(seen).toContain('newer');
});

test('a machine that is gone gives an empty picture', () => {
  const files = new MemoryControlFiles();
  expect(createProcessSampler(v1, files).sample().processes).toEqual([]);
  expect(createCgroupSampler(v1, files).sample().samples).toEqual([]);
});
