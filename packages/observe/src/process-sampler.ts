/**
 * A picture of all processes of a machine, as the machine sees them, taken from the host.
 *
 * Knows: which files of /proc answer what, what of it can be remembered, and how processes are recognised as shims, engines, shells.
 * Does not know: when to look (observer.ts), or the journal's order.
 *
 * The cgroup tree tells who belongs to the machine; what its root says about itself is not asked.
 */
import { boundText, type NamespaceInodes, type ProcessFact } from '@slipway/journal';
import {
  type ControlFiles,
  findCommandLine,
  findNamespaces,
  findProcStat,
  findProcStatus,
  hostControlFiles,
  isErrno,
  type ProcStat,
} from '@slipway/kernel';
import { containerOfCgroup } from './container-id.ts';
import { type MachineTarget, primaryDirectory } from './machine-target.ts';
import { assignRoles, type SampledProcess } from './process-roles.ts';

export interface ProcessPicture {
  readonly processes: readonly ProcessFact[];
  readonly truncated: boolean;
  /** Host pid of each machine pid. */
  readonly hostPids: ReadonlyMap<number, number>;
}

export interface ProcessSampler {
  /** Looks now. Empty when the machine is gone. */
  sample(): ProcessPicture;
  /** What was remembered about these host pids may have changed: they executed, entered a namespace. */
  forget(hostPids: Iterable<number>): void;
}

/** Most processes in one picture. */
export const MAX_PROCESSES = 512;
const MAX_ARGS = 32;
const ARG_LIMIT = 256;
const MAX_CGROUPS = 1024;
/** Even without a sign of change, a process is looked at anew after this many pictures. */
const REFRESH_EVERY = 5;

interface Known {
  readonly startTime: string;
  readonly comm: string;
  readonly nsPid: readonly number[];
  readonly uid: number;
  readonly argv: readonly string[];
  readonly namespaces: NamespaceInodes;
  readonly age: number;
}

export function createProcessSampler(target: MachineTarget, files: ControlFiles = hostControlFiles): ProcessSampler {
  let known = new Map<number, Known>();

  return {
    forget: (hostPids) => {
      for (const pid of hostPids) known.delete(pid);
    },
    sample: () => {
      const init = known.get(target.initHostPid)?.nsPid ?? findProcStatus(target.initHostPid, files)?.nsPid;
      const base = primaryDirectory(target, files)?.directory;
      if (!init || base === undefined) return { processes: [], truncated: false, hostPids: new Map() };
      const members = listMembers(base, files);
      const fresh = new Map<number, Known>();
      const sampled = members.slice(0, MAX_PROCESSES).flatMap(({ hostPid, cgroup }): SampledProcess[] => {
        const stat = findProcStat(hostPid, files);
        const facts = stat && look(stat, known.get(hostPid), files);
        const pid = facts?.nsPid[init.length - 1];
        if (!stat || !facts || pid === undefined) return [];
        fresh.set(hostPid, facts);
        return [{ hostPid, pid, stat, cgroup, ...facts }];
      });
      known = fresh;
      return picture(sampled, target.initHostPid, members.length > MAX_PROCESSES);
    },
  };
}

/** One stat read tells whether the rest can be taken from memory. */
function look(stat: ProcStat, before: Known | undefined, files: ControlFiles): Known | undefined {
  const same = before && before.startTime === stat.startTime && before.comm === stat.comm;
  if (same && (before.age < REFRESH_EVERY || stat.state === 'Z')) return { ...before, age: before.age + 1 };
  const status = findProcStatus(stat.pid, files);
  if (!status) return undefined;
  const argv = findCommandLine(stat.pid, files) ?? [];
  return {
    startTime: stat.startTime,
    comm: stat.comm,
    nsPid: status.nsPid,
    uid: status.uid[1] ?? 0,
    argv: argv.slice(0, MAX_ARGS).map((arg) => boundText(arg, ARG_LIMIT)),
    namespaces: findNamespaces(stat.pid, files) ?? before?.namespaces ?? {},
    // Spread, so that not all are looked at in the same picture.
    age: stat.pid % REFRESH_EVERY,
  };
}

function picture(sampled: readonly SampledProcess[], initHostPid: number, truncated: boolean): ProcessPicture {
  const machinePid = new Map(sampled.map((entry) => [entry.hostPid, entry.pid]));
  const own = sampled.find((entry) => entry.hostPid === initHostPid)?.namespaces.mnt;
  const containers = new Map(
    sampled.map((entry) => [
      entry.hostPid,
      containerOfCgroup(entry.cgroup, own !== undefined && entry.namespaces.mnt !== undefined && entry.namespaces.mnt !== own),
    ]),
  );
  const roles = assignRoles(sampled, containers);
  const processes = sampled.map((entry): ProcessFact => {
    const { role, container } = roles.get(entry.hostPid) ?? {};
    const innerPid = entry.nsPid.at(-1);
    return {
      pid: entry.pid,
      ppid: machinePid.get(entry.stat.ppid) ?? 0,
      startTime: entry.startTime,
      comm: entry.comm,
      argv: entry.argv,
      uid: entry.uid,
      ...(innerPid !== undefined && innerPid !== entry.pid && { innerPid }),
      namespaces: entry.namespaces,
      cgroup: entry.cgroup,
      ...(container !== undefined && { container }),
      ...(role && { role }),
      state: entry.stat.state,
    };
  });
  return {
    processes: processes.sort((a, b) => a.pid - b.pid),
    truncated,
    hostPids: new Map(sampled.map((entry) => [entry.pid, entry.hostPid])),
  };
}

/** Host pids below a cgroup directory, with the group's path below it. */
function listMembers(base: string, files: ControlFiles): Array<{ readonly hostPid: number; readonly cgroup: string }> {
  const members: Array<{ hostPid: number; cgroup: string }> = [];
  for (const path of listCgroups(base, files, MAX_CGROUPS)) {
    const text = ignoreGone(() => files.read(`${base}${path === '/' ? '' : path}/cgroup.procs`)) ?? '';
    for (const line of text.split('\n')) if (line !== '' && line !== '0') members.push({ hostPid: Number(line), cgroup: path });
    if (members.length > MAX_PROCESSES) break;
  }
  return members;
}

/** Paths of `base` (as `/`) and the cgroups below it, parents first, at most `max`. */
export function listCgroups(base: string, files: ControlFiles, max: number): readonly string[] {
  const paths = ['/'];
  for (let at = 0; at < paths.length && paths.length < max; at++) {
    const path = paths[at] ?? '/';
    const directory = path === '/' ? base : base + path;
    for (const name of ignoreGone(() => files.list(directory)) ?? []) {
      // Control files have a dot or are known names; only directories are groups.
      if (paths.length < max && !CONTROL_FILE.test(name) && files.kind(`${directory}/${name}`) === 'directory')
        paths.push(`${path === '/' ? '' : path}/${name}`);
    }
  }
  return paths;
}

/** Spares a stat of some forty files in every group. */
const CONTROL_FILE =
  /^(?:tasks|notify_on_release|release_agent)$|^(?:cgroup|memory|cpu|cpuacct|cpuset|pids|io|blkio|hugetlb|rdma|misc|freezer|devices|net_cls|net_prio|perf_event)\.[a-z]/;

/** A group or process that went while it was read is no error. */
export function ignoreGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'ESRCH')) return undefined;
    throw error;
  }
}
