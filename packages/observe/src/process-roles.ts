/**
 * What each process is to the engine: engine, shim, a container's first process, an exec, a shell.
 *
 * Knows: names of engines and shims, and that a container's first process is pid 1 of its own pid namespace or the shim's child.
 * Does not know: /proc. Names can be chosen by whoever runs the program: a role is a label for a picture, never a permission.
 */
import type { NamespaceInodes, ProcessFact } from '@slipway/journal';
import type { ProcStat } from '@slipway/kernel';

/** One process as read from the host. */
export interface SampledProcess {
  readonly hostPid: number;
  /** In the machine's pid namespace. */
  readonly pid: number;
  readonly stat: ProcStat;
  /** Path below the machine's own cgroup. */
  readonly cgroup: string;
  readonly startTime: string;
  readonly comm: string;
  readonly nsPid: readonly number[];
  readonly uid: number;
  readonly argv: readonly string[];
  readonly namespaces: NamespaceInodes;
}

export interface Role {
  readonly role?: NonNullable<ProcessFact['role']>;
  readonly container?: string;
}

const ENGINES = /(?:^|\/)(?:slipwayd|dockerd|containerd|crio|cri-dockerd)(?:$|\/|\.)/;
const SHIMS = /^(?:slipway-shim|shim|containerd-shim.*|docker-containerd-shim|conmon|dockershim)$/;
/** What our launcher's command line says while it waits for its plan; as a shim it says the container's directory (launcher-program.ts). */
const SPARE = /^waits for the next container\s*$/;
const SHELLS = /^-?(?:ba|da|z|a|fi|k)?sh$/;

/** Roles by host pid. `containers`: which container's cgroup each process is in. */
export function assignRoles(
  processes: readonly SampledProcess[],
  containers: ReadonlyMap<number, string | undefined>,
): ReadonlyMap<number, Role> {
  const byPid = new Map(processes.map((entry) => [entry.hostPid, entry]));
  const roles = new Map<number, Role>();
  for (const entry of processes) {
    const container = containers.get(entry.hostPid);
    roles.set(
      entry.hostPid,
      container === undefined || isShim(entry) ? roleOutside(entry, byPid) : roleInside({ entry, container, byPid, containers }),
    );
  }
  // A shim stands outside the container's cgroup, and belongs to the container it is the parent of.
  for (const entry of processes) {
    const parent = byPid.get(entry.stat.ppid);
    const { container } = roles.get(entry.hostPid) ?? {};
    if (parent && container !== undefined && isShim(parent)) roles.set(parent.hostPid, { role: 'shim', container });
  }
  return roles;
}

function roleOutside(entry: SampledProcess, byPid: ReadonlyMap<number, SampledProcess>): Role {
  if (isShim(entry)) return { role: 'shim' };
  if (isSpare(entry)) return { role: 'spare' };
  if (isWorkbench(entry)) return { role: 'workbench' };
  if (programOf(entry).some((name) => ENGINES.test(name)) || ENGINES.test(entry.comm)) return { role: 'engine' };
  return SHELLS.test(entry.comm) && hasEntered(entry, byPid) ? { role: 'shell' } : {};
}

/** The file executed and, where that is an interpreter, the script: the first words that are no options. */
function programOf({ argv }: SampledProcess): readonly string[] {
  return argv.filter((arg) => !arg.startsWith('-')).slice(0, 2);
}

/** It, or a parent, came from outside the machine, as a terminal's program does; what the machine's own first process began has not. */
function hasEntered(entry: SampledProcess, byPid: ReadonlyMap<number, SampledProcess>): boolean {
  let first = entry;
  for (let parent = byPid.get(first.stat.ppid); parent !== undefined; parent = byPid.get(first.stat.ppid)) first = parent;
  return first.pid !== 1;
}

interface Inside {
  readonly entry: SampledProcess;
  readonly container: string;
  readonly byPid: ReadonlyMap<number, SampledProcess>;
  readonly containers: ReadonlyMap<number, string | undefined>;
}

/**
 * Pid 1 of a pid namespace is its container's first process. Whose parent stands outside was put in later, or, in a container without a
 * pid namespace of its own, is the first if it is the eldest. All others are their children. The first process ends before the others
 * do, so its absence makes nobody else the first.
 */
function roleInside({ entry, container, byPid, containers }: Inside): Role {
  if (isPidOne(entry)) return { role: 'init', container };
  const parent = byPid.get(entry.stat.ppid);
  const entered = !parent || isShim(parent) || containers.get(parent.hostPid) !== container;
  if (!entered) return { container };
  const others = [...byPid.values()].filter((other) => other !== entry && containers.get(other.hostPid) === container);
  const isFirst = !hasOwnPids(entry, byPid) && !others.some((other) => isPidOne(other) || isOlder(other, entry));
  return { role: isFirst ? 'init' : 'exec', container };
}

/** In a pid namespace below the machine's: the kernel lists one number more. */
function hasOwnPids(entry: SampledProcess, byPid: ReadonlyMap<number, SampledProcess>): boolean {
  return [...byPid.values()].some((other) => other.nsPid.length < entry.nsPid.length);
}

function isPidOne(entry: SampledProcess): boolean {
  return entry.nsPid.at(-1) === 1 && entry.pid !== 1;
}

function isSpare({ argv }: SampledProcess): boolean {
  return argv[0] === 'slipway-launcher' && SPARE.test(argv[1] ?? '');
}

/** The command line's entry, the command, and its verb. */
function isWorkbench({ argv }: SampledProcess): boolean {
  return argv.slice(-2).join(' ') === 'slipway workbench';
}

function isShim(entry: SampledProcess): boolean {
  const name = (entry.argv[0] ?? '').slice((entry.argv[0] ?? '').lastIndexOf('/') + 1);
  return SHIMS.test(entry.comm) || SHIMS.test(name);
}

function isOlder(a: SampledProcess, b: SampledProcess): boolean {
  return Number(a.startTime) - Number(b.startTime) < 0 || (a.startTime === b.startTime && a.pid < b.pid);
}
