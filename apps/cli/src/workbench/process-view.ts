/**
 * What a process is at this moment, half-born or not.
 *
 * Knows: which files of /proc tell it.
 * Does not know: what it should be.
 */
import { hostname } from 'node:os';
import { NAMESPACE_KINDS, type ProcessView } from '@slipway/contracts';
import {
  findCgroupMemberships,
  findCommandLine,
  findNamespaces,
  findProcStatus,
  hostControlFiles,
  isErrno,
  NAMESPACE_FILES,
  type NamespaceFile,
  type NamespaceIds,
  type ProcStatus,
  readMounts,
  runProgram,
} from '@slipway/kernel';
import { capabilitiesOfMask } from '@slipway/oci';

const MAX_MOUNTS = 300;
const MAX_ENTRIES = 100;

/** Undefined when there is no such process any more. */
export async function viewProcess(pid: number): Promise<ProcessView | undefined> {
  const status = findProcStatus(pid);
  const ids = findNamespaces(pid);
  if (status === undefined || ids === undefined) return undefined;
  const ours = findNamespaces('self') ?? {};
  const mounts = read(() => readMounts(pid)) ?? [];
  return {
    pid,
    namespaces: namespacesOf(ids, ours),
    mounts: mounts.slice(0, MAX_MOUNTS).map(({ id, parentId, mountPoint, root, fsType, source, options, propagation, superOptions }) => ({
      id,
      parentId,
      mountPoint,
      root,
      fsType,
      source,
      options: [...options, ...superOptions.filter((option) => option !== 'ro' && option !== 'rw')].join(',').slice(0, 4000),
      propagation: propagation.join(' '),
    })),
    mountsLeftOut: Math.max(0, mounts.length - MAX_MOUNTS),
    rootEntries: rootEntries(pid),
    uidMap: idMap(pid, 'uid_map'),
    gidMap: idMap(pid, 'gid_map'),
    ...identity(status),
    cgroups: (findCgroupMemberships(pid) ?? []).map(({ controllers, path }) => ({ controllers: controllers.join(',') || 'unified', path })),
    cwd: read(() => hostControlFiles.readLink(`/proc/${pid}/cwd`)) ?? '',
    ...(await hostnameOf(pid, ids, ours)),
    program: (findCommandLine(pid) ?? []).join(' ').slice(0, 500),
    oomScoreAdj: Number(read(() => hostControlFiles.read(`/proc/${pid}/oom_score_adj`)) ?? 0),
    limits: limitsOf(pid),
  };
}

function namespacesOf(ids: NamespaceIds, ours: NamespaceIds): ProcessView['namespaces'] {
  const files = Object.entries(NAMESPACE_FILES) as readonly (readonly [NamespaceFile, string])[];
  return NAMESPACE_KINDS.flatMap((kind) => {
    const file = files.find(([, name]) => name === kind)?.[0];
    const inode = file && ids[file];
    return file === undefined || inode === undefined ? [] : [{ kind, inode, own: inode !== ours[file] }];
  });
}

function identity({ uid, gid, groups, capabilities, noNewPrivileges, seccompMode }: ProcStatus) {
  return {
    uid: uid[1] ?? 0,
    gid: gid[1] ?? 0,
    groups: groups.slice(0, 100),
    capabilities: {
      effective: names(capabilities.effective),
      permitted: names(capabilities.permitted),
      bounding: names(capabilities.bounding),
      inheritable: names(capabilities.inheritable),
      ambient: names(capabilities.ambient),
    },
    noNewPrivileges,
    seccomp: (['off', 'strict', 'filter'] as const)[seccompMode] ?? 'filter',
  };
}

function names(mask: bigint): string[] {
  return [...capabilitiesOfMask(mask)].map((name) => name.replace(/^CAP_/, ''));
}

/** Its own root directory, whatever that is by now. */
function rootEntries(pid: number): string[] {
  const root = `/proc/${pid}/root/`;
  return (read(() => hostControlFiles.list(root)) ?? [])
    .slice(0, MAX_ENTRIES)
    .map((name) => (read(() => hostControlFiles.kind(`${root}${name}`)) === 'directory' ? `${name}/` : name).slice(0, 300));
}

function idMap(pid: number, file: 'uid_map' | 'gid_map'): ProcessView['uidMap'] {
  const text = read(() => hostControlFiles.read(`/proc/${pid}/${file}`)) ?? '';
  return text.split('\n').flatMap((line) => {
    const [inside, outside, size] = line.trim().split(/\s+/).map(Number);
    return inside === undefined || outside === undefined || size === undefined ? [] : [{ inside, outside, size }];
  });
}

/** The name is no file of /proc/PID: somebody has to enter the namespace and ask, and its root directory stays the machine's. */
async function hostnameOf(pid: number, ids: NamespaceIds, ours: NamespaceIds): Promise<{ readonly hostname?: string }> {
  if (ids.uts === ours.uts) return { hostname: hostname() };
  const { exitCode, stdout } = await runProgram({ program: 'nsenter', args: ['--target', String(pid), '--uts', 'uname', '-n'] });
  return exitCode === 0 ? { hostname: stdout.trim() } : {};
}

/** `Max open files            1024                 1048576              files` */
function limitsOf(pid: number): ProcessView['limits'] {
  const text = read(() => hostControlFiles.read(`/proc/${pid}/limits`)) ?? '';
  return text.split('\n').flatMap((line) => {
    const [, name, soft, hard] = /^Max (.+?)\s{2,}(\S+)\s+(\S+)/.exec(line) ?? [];
    return name === undefined || soft === undefined || hard === undefined ? [] : [{ name, soft, hard }];
  });
}

/** The process may end between two reads, or not let us look yet. */
function read<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL')) return undefined;
    throw error;
  }
}
