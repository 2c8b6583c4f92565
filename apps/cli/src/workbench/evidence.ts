/**
 * What the kernel shows of each field of a document, in a container that is made and has not begun.
 *
 * Knows: where each field becomes visible.
 * Does not know: who made the container; ours, runc and crun are looked at alike.
 */

import { detectCgroups } from '@slipway/cgroups';
import type { ProcessView, RunEvidence } from '@slipway/contracts';
import { findCgroupMemberships, hostControlFiles, isErrno, runProgram } from '@slipway/kernel';
import type { RuntimeSpec } from '@slipway/oci';

const MAX_FOUND = 4000;

export async function gatherEvidence(spec: RuntimeSpec, view: ProcessView): Promise<RunEvidence[]> {
  return [
    ...names(spec, view),
    ...namespaces(spec, view),
    ...mounts(spec, view),
    ...rights(spec, view),
    ...limits(spec, view.pid),
    ...(await sysctls(spec, view)),
  ];
}

function names({ hostname, process, root }: RuntimeSpec, view: ProcessView): RunEvidence[] {
  const rootMount = view.mounts.findLast(({ mountPoint }) => mountPoint === '/');
  return [
    ...(hostname === undefined ? [] : [fact('/hostname', 'uname -n', view.hostname ?? '', view.hostname === hostname)]),
    ...(process?.cwd === undefined ? [] : [fact('/process/cwd', `/proc/${view.pid}/cwd`, view.cwd, view.cwd === process.cwd)]),
    ...(rootMount === undefined
      ? []
      : [fact('/root/readonly', mountinfo(view), mountLine(rootMount), (root?.readonly === true) === isReadOnly(rootMount))]),
    fact('/root/path', `/proc/${view.pid}/root`, view.rootEntries.join(' ')),
  ];
}

function namespaces({ linux }: RuntimeSpec, view: ProcessView): RunEvidence[] {
  return [
    ...(linux?.namespaces ?? []).flatMap(({ type, path }, index) => {
      const found = view.namespaces.find(({ kind }) => kind === type);
      if (found === undefined) return [];
      const told = `${type}:[${found.inode}], ${found.own ? 'another than the machine’s' : 'the machine’s own'}`;
      return [fact(`/linux/namespaces/${index}`, `/proc/${view.pid}/ns`, told, path === undefined || path === '' ? found.own : undefined)];
    }),
    ...(linux?.uidMappings === undefined ? [] : [fact('/linux/uidMappings', `/proc/${view.pid}/uid_map`, ranges(view.uidMap))]),
    ...(linux?.gidMappings === undefined ? [] : [fact('/linux/gidMappings', `/proc/${view.pid}/gid_map`, ranges(view.gidMap))]),
  ];
}

function mounts({ mounts: asked, linux }: RuntimeSpec, view: ProcessView): RunEvidence[] {
  const at = (path: string) => view.mounts.findLast(({ mountPoint }) => mountPoint === path);
  const line = (pointer: string, path: string, holds: (mount: ProcessView['mounts'][number]) => boolean): RunEvidence[] => {
    const mount = at(path);
    return mount === undefined ? [] : [fact(pointer, mountinfo(view), mountLine(mount), holds(mount))];
  };
  return [
    ...(asked ?? []).flatMap(({ destination, options }, index) =>
      line(`/mounts/${index}`, destination, (mount) => options?.includes('ro') !== true || isReadOnly(mount)),
    ),
    ...(linux?.readonlyPaths ?? []).flatMap((path, index) => line(`/linux/readonlyPaths/${index}`, path, isReadOnly)),
    ...(linux?.maskedPaths ?? []).flatMap((path, index) => line(`/linux/maskedPaths/${index}`, path, () => true)),
  ];
}

function rights({ process, linux }: RuntimeSpec, view: ProcessView): RunEvidence[] {
  const status = `/proc/${view.pid}/status`;
  const { capabilities, noNewPrivileges, user, oomScoreAdj, rlimits } = process ?? {};
  const sets = (['effective', 'permitted', 'bounding', 'inheritable', 'ambient'] as const).flatMap((set) => {
    const asked = capabilities?.[set];
    if (asked === undefined) return [];
    const wanted = asked.map((name) => name.replace(/^CAP_/, '')).sort();
    const found = [...view.capabilities[set]].sort();
    return [fact(`/process/capabilities/${set}`, status, found.join(' ') || 'none', wanted.join() === found.join())];
  });
  return [
    ...sets,
    ...(user === undefined
      ? []
      : [fact('/process/user', status, `uid ${view.uid}, gid ${view.gid}, groups ${view.groups.join(' ') || 'none'}`)]),
    fact(
      '/process/noNewPrivileges',
      status,
      `NoNewPrivs: ${view.noNewPrivileges ? 1 : 0}`,
      view.noNewPrivileges === (noNewPrivileges === true),
    ),
    ...(linux?.seccomp === undefined ? [] : [fact('/linux/seccomp', status, `Seccomp: ${view.seccomp}`, view.seccomp === 'filter')]),
    ...(oomScoreAdj === undefined
      ? []
      : [fact('/process/oomScoreAdj', `/proc/${view.pid}/oom_score_adj`, String(view.oomScoreAdj), view.oomScoreAdj === oomScoreAdj)]),
    ...(rlimits ?? []).flatMap(({ type, soft, hard }, index) => {
      const found = view.limits.find(({ name }) => RLIMIT_TITLES[type] === name);
      if (found === undefined) return [];
      const holds = found.soft === String(soft) && found.hard === String(hard);
      return [
        fact(`/process/rlimits/${index}`, `/proc/${view.pid}/limits`, `${found.name}: ${found.soft} soft, ${found.hard} hard`, holds),
      ];
    }),
  ];
}

/** `RLIMIT_…` → the words of /proc/PID/limits. */
const RLIMIT_TITLES: Readonly<Record<string, string>> = {
  RLIMIT_CPU: 'cpu time',
  RLIMIT_FSIZE: 'file size',
  RLIMIT_DATA: 'data size',
  RLIMIT_STACK: 'stack size',
  RLIMIT_CORE: 'core file size',
  RLIMIT_RSS: 'resident set',
  RLIMIT_NPROC: 'processes',
  RLIMIT_NOFILE: 'open files',
  RLIMIT_MEMLOCK: 'locked memory',
  RLIMIT_AS: 'address space',
  RLIMIT_LOCKS: 'file locks',
  RLIMIT_SIGPENDING: 'pending signals',
  RLIMIT_MSGQUEUE: 'msgqueue size',
  RLIMIT_NICE: 'nice priority',
  RLIMIT_RTPRIO: 'realtime priority',
  RLIMIT_RTTIME: 'realtime timeout',
};

/** Field of `linux.resources` → controller on v1 and its file there, file on v2. */
const RESOURCE_FILES: readonly (readonly [field: string, controller: string, v1: string, v2: string])[] = [
  ['memory/limit', 'memory', 'memory.limit_in_bytes', 'memory.max'],
  ['memory/reservation', 'memory', 'memory.soft_limit_in_bytes', 'memory.low'],
  ['memory/swap', 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max'],
  ['memory/swappiness', 'memory', 'memory.swappiness', ''],
  ['memory/disableOOMKiller', 'memory', 'memory.oom_control', ''],
  ['cpu/shares', 'cpu', 'cpu.shares', 'cpu.weight'],
  ['cpu/quota', 'cpu', 'cpu.cfs_quota_us', 'cpu.max'],
  ['cpu/period', 'cpu', 'cpu.cfs_period_us', 'cpu.max'],
  ['cpu/burst', 'cpu', 'cpu.cfs_burst_us', 'cpu.max.burst'],
  ['cpu/cpus', 'cpuset', 'cpuset.cpus', 'cpuset.cpus'],
  ['cpu/mems', 'cpuset', 'cpuset.mems', 'cpuset.mems'],
  ['pids/limit', 'pids', 'pids.max', 'pids.max'],
];

function limits({ linux }: RuntimeSpec, pid: number): RunEvidence[] {
  const memberships = findCgroupMemberships(pid) ?? [];
  const hierarchies = detectCgroups().hierarchies;
  return RESOURCE_FILES.flatMap(([field, controller, v1, v2]) => {
    const [group = '', name = ''] = field.split('/');
    const asked = (linux?.resources as Record<string, Record<string, unknown>> | undefined)?.[group]?.[name];
    if (asked === undefined) return [];
    const membership =
      memberships.find(({ controllers }) => controllers.includes(controller)) ??
      memberships.find(({ controllers }) => controllers.length === 0);
    const hierarchy = hierarchies.find((each) =>
      membership?.controllers.length === 0 ? each.version === 'v2' : each.controllers.includes(controller),
    );
    if (membership === undefined || hierarchy === undefined) return [];
    const file = `${hierarchy.mountPoint}${membership.path}/${hierarchy.version === 'v2' ? v2 : v1}`;
    const found = read(file);
    const holds = hierarchy.version === 'v1' && typeof asked === 'number' ? found?.trim() === String(asked) : undefined;
    return found === undefined ? [] : [fact(`/linux/resources/${field}`, file, found, holds)];
  });
}

/** /proc/sys answers for the namespaces of whoever reads it. */
async function sysctls({ linux }: RuntimeSpec, { pid }: ProcessView): Promise<RunEvidence[]> {
  const facts = Object.entries(linux?.sysctl ?? {}).map(async ([key, asked]) => {
    const file = `/proc/sys/${key.replaceAll('.', '/')}`;
    const args = ['--target', String(pid), '--net', '--ipc', '--uts', 'cat', '--', file];
    const { exitCode, stdout } = await runProgram({ program: 'nsenter', args });
    return exitCode === 0
      ? [fact(`/linux/sysctl/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, file, stdout, stdout.trim() === asked.trim())]
      : [];
  });
  return (await Promise.all(facts)).flat();
}

function fact(pointer: string, source: string, found: string, holds?: boolean): RunEvidence {
  const text = found.trim();
  return {
    pointer,
    source,
    found: text.length > MAX_FOUND ? `${text.slice(0, MAX_FOUND)}…` : text,
    ...(holds === undefined ? {} : { holds }),
  };
}

function mountinfo({ pid }: ProcessView): string {
  return `/proc/${pid}/mountinfo`;
}

function mountLine({ id, parentId, root, mountPoint, options, fsType, source }: ProcessView['mounts'][number]): string {
  return `${id} ${parentId} ${root} ${mountPoint} ${options} - ${fsType} ${source}`;
}

function isReadOnly({ options }: ProcessView['mounts'][number]): boolean {
  return options.split(',').includes('ro');
}

function ranges(map: ProcessView['uidMap']): string {
  return map.map(({ inside, outside, size }) => `${inside} ${outside} ${size}`).join('\n');
}

function read(path: string): string | undefined {
  try {
    return hostControlFiles.read(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EOPNOTSUPP', 'EINVAL')) return undefined;
    throw error;
  }
}
