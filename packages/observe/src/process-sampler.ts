/**
 * A picture of all processes of a machine, as the machine sees them, taken from the host.
 *
 * Knows: which files of /proc answer what, what of it can be remembered, and how processes are recognised as shims, engines, shells.
 * Does not know: when to look (observer.ts), or the journal's order.
 *
 * The cgroup tree tells who belongs to the machine; what its root says about itself is not asked.
 */
import { boundText, type NamespaceInodes, type ProcessFact, type ProcessRights } from '@slipway/journal';
import {
  type ControlFiles,
  findCommandLine,
  findNamespaces,
  findProcStat,
  findProcStatus,
  hostControlFiles,
  type ProcStat,
  type ProcStatus,
} from '@slipway/kernel';
import { containerOfCgroup } from './container-id.ts';
import { ignoreGone, listCgroups } from './control-tree.ts';
import { type MachineTarget, primaryDirectory } from './machine-target.ts';
import { assignRoles, type SampledProcess } from './process-roles.ts';
import { findProcessRoot, findUidMap } from './process-root.ts';

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
  readonly rights: ProcessRights;
  readonly root: ProcessFact['root'];
  readonly uidMap: string | undefined;
  readonly age: number;
}

type Sampled = SampledProcess & Pick<Known, 'rights' | 'root' | 'uidMap'>;

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
      const own = findNamespaces(target.initHostPid, files) ?? {};
      const fresh = new Map<number, Known>();
      const sampled = members.slice(0, MAX_PROCESSES).flatMap(({ hostPid, cgroup }): Sampled[] => {
        const stat = findProcStat(hostPid, files);
        const facts = stat && look(stat, known.get(hostPid), { own, files });
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
function look(
  stat: ProcStat,
  before: Known | undefined,
  { own, files }: { readonly own: NamespaceInodes; readonly files: ControlFiles },
): Known | undefined {
  const same = before && before.startTime === stat.startTime && before.comm === stat.comm;
  if (same && (before.age < REFRESH_EVERY || stat.state === 'Z')) return { ...before, age: before.age + 1 };
  const status = findProcStatus(stat.pid, files);
  if (!status) return undefined;
  const argv = findCommandLine(stat.pid, files) ?? [];
  const namespaces = findNamespaces(stat.pid, files) ?? before?.namespaces ?? {};
  return {
    startTime: stat.startTime,
    comm: stat.comm,
    nsPid: status.nsPid,
    uid: status.uid[1] ?? 0,
    argv: argv.slice(0, MAX_ARGS).map((arg) => boundText(arg, ARG_LIMIT)),
    namespaces,
    rights: rightsOf(status),
    root: findProcessRoot(stat.pid, namespaces.mnt !== own.mnt, files),
    uidMap: namespaces.user === own.user ? undefined : findUidMap(stat.pid, files),
    // Spread, so that not all are looked at in the same picture.
    age: stat.pid % REFRESH_EVERY,
  };
}

function rightsOf({ capabilities, noNewPrivileges, seccompFilters }: ProcStatus): ProcessRights {
  const effective = capabilities.effective.toString(16).padStart(16, '0');
  return { effective, noNewPrivileges, ...(seccompFilters !== undefined && { seccompFilters }) };
}

function picture(sampled: readonly Sampled[], initHostPid: number, truncated: boolean): ProcessPicture {
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
      rights: entry.rights,
      ...(entry.root && { root: entry.root }),
      ...(entry.uidMap !== undefined && { uidMap: entry.uidMap }),
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
