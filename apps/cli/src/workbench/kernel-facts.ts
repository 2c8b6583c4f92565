/**
 * What the kernel shows of one process and its cgroup, as text with the place it was read from.
 *
 * Knows: which files to read, and that a process may end between two of them.
 * Does not know: what they should say (evidence.ts).
 */
import { type CgroupHost, type CgroupWrite, detectCgroups, planCgroup } from '@slipway/cgroups';
import { delay, findCgroupMemberships, findNamespaces, hostControlFiles, isErrno, type NamespaceIds, runProgram } from '@slipway/kernel';
import type { RuntimeSpec } from '@slipway/oci';

/** A control file of the container's cgroup, and the write that asked for its value. */
export interface CgroupFile {
  readonly path: string;
  readonly value: string;
  readonly write: CgroupWrite;
}

export interface KernelFacts {
  readonly pid: number;
  /** Whether the program itself was there; before it, the runtime's own process waits in its place. */
  readonly begun: boolean;
  /** Text of /proc/PID/NAME, and the target of its links; absent what could not be read. */
  readonly proc: Readonly<Record<string, string>>;
  readonly namespaces: NamespaceIds;
  /** Of whoever looks: the machine's. */
  readonly ourNamespaces: NamespaceIds;
  /** What processes inside its uts, ipc and network namespace read from /proc/sys, by name with slashes. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly cgroupFiles: readonly CgroupFile[];
}

const FILES = [
  'status',
  'limits',
  'mountinfo',
  'cgroup',
  'uid_map',
  'gid_map',
  'oom_score_adj',
  'cmdline',
  'environ',
  'personality',
  'timens_offsets',
];
const LINKS = ['cwd', 'exe'];
/** How long an execve is waited for. */
const BEGIN_MS = 3000;

/** Undefined when there is no such process. */
export async function readKernelFacts(pid: number, spec: RuntimeSpec, begun: boolean): Promise<KernelFacts | undefined> {
  const host = detectCgroups();
  const proc: Record<string, string> = {};
  for (const name of FILES) put(proc, name, () => hostControlFiles.read(`/proc/${pid}/${name}`));
  for (const name of LINKS) put(proc, name, () => hostControlFiles.readLink(`/proc/${pid}/${name}`));
  const namespaces = findNamespaces(pid);
  if (proc['status'] === undefined || namespaces === undefined) return undefined;
  return {
    pid,
    begun,
    proc,
    namespaces,
    ourNamespaces: findNamespaces('self') ?? {},
    sysctls: await readSysctls(pid, spec),
    cgroupFiles: readCgroupFiles(pid, spec, host),
  };
}

/**
 * The same once the program has begun; what it was before where it ended too soon to be looked at.
 * A program is taken to have begun when the process runs another file than before.
 */
export async function readBegunFacts(before: KernelFacts, spec: RuntimeSpec): Promise<KernelFacts> {
  const deadline = performance.now() + BEGIN_MS;
  while (performance.now() < deadline) {
    const exe: Record<string, string> = {};
    put(exe, 'exe', () => hostControlFiles.readLink(`/proc/${before.pid}/exe`));
    if (exe['exe'] === undefined) return before;
    if (exe['exe'] !== before.proc['exe']) {
      const after = await readKernelFacts(before.pid, spec, true);
      // Ended between two files: what is missing is taken from before.
      return after !== undefined && isWhole(after, before) ? after : before;
    }
    await delay(5);
  }
  return before;
}

/** Nothing that was there before is missing. */
function isWhole(after: KernelFacts, before: KernelFacts): boolean {
  const sysctls = Object.keys(after.sysctls).length >= Object.keys(before.sysctls).length;
  return sysctls && after.proc['cmdline'] !== '' && after.cgroupFiles.length >= before.cgroupFiles.length;
}

function put(into: Record<string, string>, name: string, read: () => string): void {
  try {
    into[name] = read();
  } catch (error) {
    // It ended meanwhile, or may not be looked at, or the kernel lacks the file.
    if (!isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL')) throw error;
  }
}

/** Names by which /proc/sys shows what a document asked for: its host name and its sysctls. */
function sysctlNames(spec: RuntimeSpec): readonly string[] {
  const asked = Object.keys(spec.linux?.sysctl ?? {}).map(sysctlPath);
  return [...(spec.hostname ? ['kernel/hostname'] : []), ...(spec.domainname ? ['kernel/domainname'] : []), ...asked];
}

/** `net.ipv4.conf.eth0/1.forwarding` is `net/ipv4/conf/eth0.1/forwarding`: with a dot first, dots separate. */
export function sysctlPath(name: string): string {
  const dot = name.indexOf('.');
  const slash = name.indexOf('/');
  if (slash >= 0 && (dot < 0 || slash < dot)) return name;
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

/** The machine's own /proc answers for the namespaces of whoever reads it, so somebody has to enter them. */
async function readSysctls(pid: number, spec: RuntimeSpec): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const name of sysctlNames(spec)) {
    const args = ['--target', String(pid), '--uts', '--ipc', '--net', 'cat', `/proc/sys/${name}`];
    const { exitCode, stdout } = await runProgram({ program: 'nsenter', args, timeoutMs: 5000 });
    if (exitCode === 0) found[name] = stdout.trimEnd();
  }
  return found;
}

/** The files that a document's limits end in, where this host has them. */
function readCgroupFiles(pid: number, spec: RuntimeSpec, host: CgroupHost): readonly CgroupFile[] {
  const memberships = findCgroupMemberships(pid) ?? [];
  const directoryOf = (name: string): string | undefined => {
    const hierarchy = host.hierarchies.find((each) => each.name === name);
    const place = memberships.find(({ controllers }) => (controllers.length === 0 ? 'unified' : controllers.join(',')) === name);
    return hierarchy && place && !place.path.startsWith('/..')
      ? `${hierarchy.mountPoint}${place.path === '/' ? '' : place.path}`
      : undefined;
  };
  return plannedWrites(spec, host).flatMap((write) => {
    const directory = directoryOf(write.hierarchy);
    const path = `${directory}/${readableName(write.file)}`;
    const found: Record<string, string> = {};
    if (directory !== undefined) put(found, path, () => hostControlFiles.read(path));
    return found[path] === undefined ? [] : [{ path, value: found[path].trimEnd(), write }];
  });
}

/** What the foreign runtime or ours would write; a limit that this host cannot apply leaves no file to look at. */
function plannedWrites(spec: RuntimeSpec, host: CgroupHost): readonly CgroupWrite[] {
  try {
    return planCgroup(spec.linux?.resources, host).writes;
  } catch {
    return [];
  }
}

/** Device rules are written to two files and read from a third. */
function readableName(file: string): string {
  return file === 'devices.allow' || file === 'devices.deny' ? 'devices.list' : file;
}
