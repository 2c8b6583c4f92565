/**
 * Which cgroup hierarchies this process can see, where they are mounted, and where in them it stands itself.
 *
 * Knows: v1, hybrid and v2 layouts; cgroup namespaces and bind-mounted views, where a mount's root is not the hierarchy's.
 * Does not know: any container.
 *
 * @see cgroups(7), cgroup_namespaces(7)
 */
import {
  type CgroupMembership,
  type ControlFiles,
  findCgroupMemberships,
  hostControlFiles,
  inUserNamespace,
  type MountEntry,
  readMounts,
} from '@slipway/kernel';

/** `hybrid`: v1 hierarchies hold the controllers, and a v2 one without (most of) them stands beside. */
export type CgroupMode = 'v1' | 'hybrid' | 'v2' | 'none';

export interface CgroupHierarchy {
  readonly version: 'v1' | 'v2';
  /** `memory`, `cpu,cpuacct`, `name=systemd`; `unified` for v2. */
  readonly name: string;
  /** v1: those mounted together here. v2: those offered at the mount point, from where groups are made downwards; the own cgroup may be offered fewer. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** Directory of this process's own cgroup; the mount point where that lies outside the view. */
  readonly own: string;
  readonly readOnly: boolean;
}

export interface CgroupHost {
  readonly mode: CgroupMode;
  readonly hierarchies: readonly CgroupHierarchy[];
  /** Device rules can only be written from the first user namespace; in others the kernel guards devices itself. */
  readonly canSetDevices: boolean;
  readonly files: ControlFiles;
}

export interface DetectOptions {
  readonly files?: ControlFiles;
  readonly mounts?: readonly MountEntry[];
  readonly memberships?: readonly CgroupMembership[];
  readonly userNamespace?: boolean;
}

/** Reads /proc/self/mountinfo and /proc/self/cgroup. Never throws for a missing hierarchy: `none` is an answer. */
export function detectCgroups(options: DetectOptions = {}): CgroupHost {
  const files = options.files ?? hostControlFiles;
  const mounts = options.mounts ?? readMounts('self', files);
  const memberships = options.memberships ?? findCgroupMemberships('self', files) ?? [];
  const hierarchies = memberships
    .map((membership) => findHierarchy({ membership, mounts, files }))
    .filter((hierarchy) => hierarchy !== undefined);
  return { mode: modeOf(hierarchies), hierarchies, canSetDevices: !(options.userNamespace ?? inUserNamespace()), files };
}

/** The hierarchy that holds a controller; undefined when no mounted one does. */
export function findController(host: CgroupHost, controller: string): CgroupHierarchy | undefined {
  return host.hierarchies.find((hierarchy) => hierarchy.controllers.includes(controller));
}

/** The v2 hierarchy, whether or not it has controllers. */
export function findUnified(host: CgroupHost): CgroupHierarchy | undefined {
  return host.hierarchies.find((hierarchy) => hierarchy.version === 'v2');
}

function modeOf(hierarchies: readonly CgroupHierarchy[]): CgroupMode {
  const unified = hierarchies.some((hierarchy) => hierarchy.version === 'v2');
  // A named v1 hierarchy without controllers (elogind, say) beside v2 limits nothing.
  const v1 = hierarchies.some((hierarchy) => hierarchy.version === 'v1' && hierarchy.controllers.some((name) => !name.startsWith('name=')));
  if (v1) return unified ? 'hybrid' : 'v1';
  return unified ? 'v2' : hierarchies.length > 0 ? 'v1' : 'none';
}

interface Search {
  readonly membership: CgroupMembership;
  readonly mounts: readonly MountEntry[];
  readonly files: ControlFiles;
}

function findHierarchy({ membership, mounts, files }: Search): CgroupHierarchy | undefined {
  const isV2 = membership.controllers.length === 0;
  const candidates = mounts.filter((mount) => (isV2 ? mount.fsType === 'cgroup2' : isV1Mount(mount, membership.controllers)));
  const mount = pickMount(candidates, mounts);
  if (mount === undefined) return undefined;
  const own = ownDirectory(mount, membership.path);
  return {
    version: isV2 ? 'v2' : 'v1',
    name: isV2 ? 'unified' : membership.controllers.join(','),
    controllers: isV2 ? readControllers(files, mount.mountPoint) : membership.controllers,
    mountPoint: mount.mountPoint,
    own,
    readOnly: mount.options.includes('ro'),
  };
}

function isV1Mount(mount: MountEntry, controllers: readonly string[]): boolean {
  return mount.fsType === 'cgroup' && controllers.every((name) => mount.superOptions.includes(name));
}

/** The usual place first; of several mounts on one point only the last can be reached. */
function pickMount(candidates: readonly MountEntry[], all: readonly MountEntry[]): MountEntry | undefined {
  const reachable = candidates.filter((mount) => all.findLast((other) => other.mountPoint === mount.mountPoint) === mount);
  return reachable.find((mount) => /^\/sys\/fs\/cgroup(\/|$)/.test(mount.mountPoint)) ?? reachable[0];
}

/** Where a membership path is found below a mount that may show only part of the hierarchy. */
function ownDirectory(mount: MountEntry, path: string): string {
  const root = mount.root === '/' ? '' : mount.root;
  const isInside = (path === root || path.startsWith(`${root}/`)) && !path.split('/').includes('..');
  const below = isInside ? path.slice(root.length) : '';
  return below === '/' ? mount.mountPoint : mount.mountPoint + below;
}

function readControllers(files: ControlFiles, directory: string): string[] {
  if (files.kind(`${directory}/cgroup.controllers`) === undefined) return [];
  return files.read(`${directory}/cgroup.controllers`).trim().split(/\s+/).filter(Boolean);
}
