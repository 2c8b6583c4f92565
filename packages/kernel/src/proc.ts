/**
 * What /proc says about processes.
 *
 * Knows: the formats of stat, status, cgroup and ns, and that a process may be gone between two reads.
 * Does not know: containers.
 *
 * @see proc_pid_stat(5), proc_pid_status(5), cgroups(7), namespaces(7)
 */

import { isErrno } from './confined.ts';
import { type ControlFiles, hostControlFiles } from './control-files.ts';

export interface ProcStat {
  readonly pid: number;
  /** Up to 15 bytes of the program's name; may hold spaces and parentheses. */
  readonly comm: string;
  /** `R S D Z T t X I …`. */
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  readonly threads: number;
  /** Clock ticks since boot, as text: with the pid it names a process across pid reuse. */
  readonly startTime: string;
}

export interface ProcStatus {
  readonly name: string;
  /** Real, effective, saved, file system. */
  readonly uid: readonly number[];
  readonly gid: readonly number[];
  readonly groups: readonly number[];
  /** The process's pid in each pid namespace from the reader's down to its own; the last is its own. */
  readonly nsPid: readonly number[];
  readonly threadGroup: number;
  /** Masks by set: `effective permitted inheritable bounding ambient`. */
  readonly capabilities: Readonly<Record<'effective' | 'permitted' | 'inheritable' | 'bounding' | 'ambient', bigint>>;
  readonly noNewPrivileges: boolean;
  /** 0 off, 1 strict, 2 filter. */
  readonly seccompMode: number;
  /** Filters in force; undefined on kernels before 5.9. */
  readonly seccompFilters: number | undefined;
}

/** One line of /proc/PID/cgroup. `controllers` is empty for cgroup v2. */
export interface CgroupMembership {
  readonly hierarchy: number;
  /** `cpu`, `cpuacct`, `name=systemd` … */
  readonly controllers: readonly string[];
  /** As seen from the reader's cgroup namespace; begins with `/..` for a process outside it. */
  readonly path: string;
}

/** /proc/PID/stat; undefined when there is no such process. */
export function findProcStat(pid: number | 'self', files: ControlFiles = hostControlFiles): ProcStat | undefined {
  return fromProc(() => parseProcStat(files.read(`/proc/${pid}/stat`)));
}

/** /proc/PID/status; undefined when there is no such process. */
export function findProcStatus(pid: number | 'self', files: ControlFiles = hostControlFiles): ProcStatus | undefined {
  return fromProc(() => parseProcStatus(files.read(`/proc/${pid}/status`)));
}

/** /proc/PID/cgroup; undefined when there is no such process. */
export function findCgroupMemberships(
  pid: number | 'self',
  files: ControlFiles = hostControlFiles,
): readonly CgroupMembership[] | undefined {
  return fromProc(() => parseCgroupMemberships(files.read(`/proc/${pid}/cgroup`)));
}

/** True while exactly this process exists: same pid, same start time, and not a zombie waiting to be reaped. */
export function isSameProcess(pid: number, startTime: string, files: ControlFiles = hostControlFiles): boolean {
  const stat = findProcStat(pid, files);
  return stat !== undefined && stat.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** Pids in /proc, ascending. */
export function listPids(files: ControlFiles = hostControlFiles): number[] {
  return files
    .list('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Argument list of a process (bounded to 64 KiB); empty for kernel threads and zombies. What a process that wrote a shorter title over
 * its arguments left behind them does not count: three empty ones and more at the end.
 */
export function findCommandLine(pid: number, files: ControlFiles = hostControlFiles): readonly string[] | undefined {
  return fromProc(() =>
    files
      .read(`/proc/${pid}/cmdline`)
      .replace(/\0{4,}$/, '\0')
      .split('\0')
      .slice(0, -1),
  );
}

let ownBootId: string | undefined;

/** Changes at every boot: state that names a pid is worthless under another id. */
export function readBootId(files: ControlFiles = hostControlFiles): string {
  if (files !== hostControlFiles) return readBootIdOf(files);
  ownBootId ??= readBootIdOf(files); // no process lives through a boot
  return ownBootId;
}

function readBootIdOf(files: ControlFiles): string {
  return files.read('/proc/sys/kernel/random/boot_id').trim();
}

/** The comm stands in parentheses and may itself hold `) (`: the *last* parenthesis ends it. */
export function parseProcStat(text: string): ProcStat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text
    .slice(close + 2)
    .trim()
    .split(' ');
  const field = (number: number) => fields[number - 3] ?? '';
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: field(3),
    ppid: Number(field(4)),
    processGroup: Number(field(5)),
    session: Number(field(6)),
    threads: Number(field(20)),
    startTime: field(22),
  };
}

export function parseProcStatus(text: string): ProcStatus {
  const fields = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
  const numbers = (key: string) => (fields.get(key) ?? '').split(/\s+/).filter(Boolean).map(Number);
  const mask = (key: string) => BigInt(`0x${fields.get(key) ?? '0'}`);
  return {
    name: fields.get('Name') ?? '',
    uid: numbers('Uid'),
    gid: numbers('Gid'),
    groups: numbers('Groups'),
    nsPid: numbers('NSpid'),
    threadGroup: Number(fields.get('Tgid') ?? 0),
    capabilities: {
      effective: mask('CapEff'),
      permitted: mask('CapPrm'),
      inheritable: mask('CapInh'),
      bounding: mask('CapBnd'),
      ambient: mask('CapAmb'),
    },
    noNewPrivileges: fields.get('NoNewPrivs') === '1',
    seccompMode: Number(fields.get('Seccomp') ?? 0),
    seccompFilters: fields.has('Seccomp_filters') ? Number(fields.get('Seccomp_filters')) : undefined,
  };
}

/** `hierarchy:controllers:path`; the path may itself hold colons. */
export function parseCgroupMemberships(text: string): CgroupMembership[] {
  return text
    .split('\n')
    .map((line) => /^([0-9]+):([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, hierarchy, controllers = '', path = '']) => ({
      hierarchy: Number(hierarchy),
      controllers: controllers === '' ? [] : controllers.split(','),
      path,
    }));
}

/** A process that ends while it is read answers ESRCH from inside an open file. */
function fromProc<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
