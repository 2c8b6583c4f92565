/**
 * A machine as the observer needs it: where its processes and cgroups are found on the host.
 *
 * Knows: how a host cgroup directory and /proc/PID/cgroup name the same group.
 * Does not know: how machines are made.
 */
import { type CgroupMembership, type ControlFiles, hostControlFiles, type MountEntry, readMounts } from '@slipway/kernel';

export interface MachineTarget {
  readonly id: string;
  /** Pid of the machine's pid 1, on the host. */
  readonly initHostPid: number;
  /** Hierarchy name (`memory`, `cpu,cpuacct`, `unified` …) → host path of the machine's cgroup directory. */
  readonly cgroupPrefix: Readonly<Record<string, string>>;
}

/** Where one controller's files of the machine are, and in which dialect. */
export interface ControllerDirectory {
  readonly version: 'v1' | 'v2';
  readonly directory: string;
}

/** The machine's directory for a controller: its v1 hierarchy, else the unified one when the controller is on in it. */
export function controllerDirectory(
  target: MachineTarget,
  controller: string,
  files: ControlFiles = hostControlFiles,
): ControllerDirectory | undefined {
  const v1 = Object.entries(target.cgroupPrefix).find(([name]) => name.split(',').includes(controller));
  if (v1) return { version: 'v1', directory: v1[1] };
  const unified = target.cgroupPrefix['unified'];
  if (unified === undefined || files.kind(`${unified}/cgroup.controllers`) === undefined) return undefined;
  return files.read(`${unified}/cgroup.controllers`).trim().split(/\s+/).includes(controller)
    ? { version: 'v2', directory: unified }
    : undefined;
}

/** The hierarchy that limits live in, by which processes are found: memory's, else pids', else any. */
export function primaryDirectory(target: MachineTarget, files: ControlFiles = hostControlFiles): ControllerDirectory | undefined {
  for (const controller of ['memory', 'pids']) {
    const found = controllerDirectory(target, controller, files);
    if (found) return found;
  }
  const [name, directory] = Object.entries(target.cgroupPrefix)[0] ?? [];
  return name === undefined || directory === undefined ? undefined : { version: name === 'unified' ? 'v2' : 'v1', directory };
}

/** Tells from /proc/PID/cgroup whether a process is in the machine, and where in it: `/` for its root; undefined for others. */
export function cgroupLocator(
  target: MachineTarget,
  mounts: readonly MountEntry[] = readMounts('self'),
): (memberships: readonly CgroupMembership[]) => string | undefined {
  const places = Object.entries(target.cgroupPrefix).map(([name, directory]) => ({ name, path: hierarchyPath(directory, mounts) }));
  return (memberships) => {
    for (const { name, path } of places) {
      const wanted = name === 'unified' ? '' : name;
      const membership = memberships.find((entry) => entry.controllers.join(',') === wanted);
      if (!membership || path === undefined || path === '/') continue;
      if (membership.path === path) return '/';
      if (membership.path.startsWith(`${path}/`)) return membership.path.slice(path.length);
    }
    return undefined;
  };
}

/** A directory below a cgroup mount → its path in the hierarchy, as /proc/PID/cgroup writes it. */
function hierarchyPath(directory: string, mounts: readonly MountEntry[]): string | undefined {
  const mount = mounts
    .filter((entry) => entry.fsType.startsWith('cgroup') && `${directory}/`.startsWith(`${entry.mountPoint}/`))
    .sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  if (!mount) return undefined;
  const path = (mount.root === '/' ? '' : mount.root) + directory.slice(mount.mountPoint.length);
  return path === '' ? '/' : path;
}
