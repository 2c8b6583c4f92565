/**
 * Hosts with cgroup layouts that the machine running the tests may not have.
 *
 * Knows: what a fresh v2 or v1 group contains, and which writes the kernel refuses.
 * Does not know: processes.
 */
import { errnoError, MemoryControlFiles, parseCgroupMemberships, parseMountinfo } from '@slipway/kernel';
import { type CgroupHost, detectCgroups } from '../host.ts';

const V2_FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  memory: {
    'memory.max': 'max',
    'memory.swap.max': 'max',
    'memory.low': '0',
    'memory.current': '4096',
    'memory.peak': '8192',
    'memory.events': 'low 0\noom 1\noom_kill 2\n',
  },
  cpu: { 'cpu.max': 'max 100000', 'cpu.weight': '100', 'cpu.idle': '0' },
  pids: { 'pids.max': 'max', 'pids.current': '3' },
  cpuset: { 'cpuset.cpus': '', 'cpuset.mems': '' },
};

export interface FakeV2 {
  /** Of the top group; memory, cpu, pids and cpuset when absent. */
  readonly controllers?: readonly string[];
  /** Line of /proc/self/cgroup; `0::/` when absent. */
  readonly membership?: string;
  /** Root field of the mount. */
  readonly root?: string;
  /** Controllers whose enabling in any subtree_control is refused. */
  readonly refused?: readonly string[];
}

export function fakeV2({ controllers = ['cpuset', 'cpu', 'memory', 'pids'], membership = '0::/', root = '/', refused = [] }: FakeV2 = {}): {
  readonly host: CgroupHost;
  readonly files: MemoryControlFiles;
} {
  const files = new MemoryControlFiles({
    onMkdir: (all, path) => {
      const parent = path.slice(0, path.lastIndexOf('/'));
      const given = all.read(`${parent}/cgroup.subtree_control`).split(' ').filter(Boolean);
      fillV2(all, path, given);
    },
    onWrite: (all, path, text) => {
      if (path.endsWith('/cgroup.procs')) leaveTop(all, text);
      if (!path.endsWith('/cgroup.subtree_control')) return undefined;
      if (refused.includes(text.slice(1))) throw errnoError('EBUSY', 'write', path);
      return `${all.read(path)} ${text.slice(1)}`.trim();
    },
  });
  fillV2(files, '/sys/fs/cgroup', controllers);
  for (const name of membership.slice('0::'.length).split('/').filter(Boolean))
    if (name !== '..') fillV2(files, `/sys/fs/cgroup/${name}`, controllers);
  const mounts = parseMountinfo(`31 1 0:27 ${root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n`);
  return { files, host: detectCgroups({ files, mounts, memberships: parseCgroupMemberships(membership), userNamespace: false }) };
}

/** A v2 host whose mount point is the top of a machine rather than the real root, with these processes in it. */
export function fakeMachineTop(procs: string): ReturnType<typeof fakeV2> {
  const fake = fakeV2();
  fake.files.put('/sys/fs/cgroup/cgroup.type', 'domain');
  fake.files.put('/sys/fs/cgroup/cgroup.procs', procs);
  return fake;
}

/** A process is in one group only: whoever joins another is no longer at the top. */
function leaveTop(files: MemoryControlFiles, pid: string): void {
  const top = '/sys/fs/cgroup/cgroup.procs';
  const others = files
    .read(top)
    .split('\n')
    .filter((each) => each !== pid);
  files.put(top, others.join('\n'));
}

function fillV2(files: MemoryControlFiles, path: string, controllers: readonly string[]): void {
  const common = {
    'cgroup.controllers': controllers.join(' '),
    'cgroup.subtree_control': '',
    'cgroup.procs': '',
    'cgroup.freeze': '0',
    'cgroup.events': 'populated 0\nfrozen 0\n',
  };
  const own = controllers.map((name) => V2_FILES[name] ?? {});
  for (const [file, text] of Object.entries(
    Object.assign({}, common, { 'cpu.stat': 'usage_usec 1500\nthrottled_usec 20\n' }, ...own) as Record<string, string>,
  )) {
    files.put(`${path}/${file}`, text);
  }
}

/** v1 with cpu and cpuacct mounted together, seen from inside a container whose view starts at its own group. */
export function fakeNestedV1(options: { readonly readOnly?: readonly string[]; readonly userNamespace?: boolean } = {}): {
  readonly host: CgroupHost;
  readonly files: MemoryControlFiles;
} {
  const files = new MemoryControlFiles({
    onMkdir: (all, path) => {
      if (options.readOnly?.some((name) => path.startsWith(`/sys/fs/cgroup/${name}/`))) throw errnoError('EROFS', 'mkdir', path);
      for (const [file, text] of Object.entries(v1Files(path))) all.put(`${path}/${file}`, text);
    },
  });
  const hierarchies = ['memory', 'cpu,cpuacct', 'cpuset', 'pids', 'devices'];
  for (const name of hierarchies) {
    files.put(`/sys/fs/cgroup/${name}/cgroup.procs`, '');
    if (name === 'cpuset')
      for (const [file, text] of [
        ['cpuset.cpus', '0-3\n'],
        ['cpuset.mems', '0\n'],
      ] as const)
        files.put(`/sys/fs/cgroup/cpuset/${file}`, text);
  }
  const mounts = parseMountinfo(
    hierarchies
      .map((name, index) => `${40 + index} 30 0:${30 + index} /docker/abc /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}`)
      .join('\n'),
  );
  const memberships = parseCgroupMemberships(hierarchies.map((name, index) => `${index + 1}:${name}:/docker/abc/inner`).join('\n'));
  return { files, host: detectCgroups({ files, mounts, memberships, userNamespace: options.userNamespace ?? false }) };
}

function v1Files(path: string): Readonly<Record<string, string>> {
  const common = { 'cgroup.procs': '', tasks: '' };
  if (path.includes('/memory/'))
    return { ...common, 'memory.limit_in_bytes': '9223372036854771712', 'memory.memsw.limit_in_bytes': '9223372036854771712' };
  if (path.includes('/cpu,cpuacct/'))
    return { ...common, 'cpu.shares': '1024', 'cpu.cfs_quota_us': '-1', 'cpu.cfs_period_us': '100000', 'cpuacct.usage': '2500000' };
  if (path.includes('/cpuset/')) return { ...common, 'cpuset.cpus': '', 'cpuset.mems': '' };
  if (path.includes('/pids/')) return { ...common, 'pids.max': 'max', 'pids.current': '1' };
  return { ...common, 'devices.allow': '', 'devices.deny': '' };
}
