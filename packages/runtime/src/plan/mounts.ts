/**
 * The file systems of a container, in the document's order.
 *
 * Knows: binds, kernel file systems, propagation, and which destinations are refused.
 * Does not know: the words of `options` (@slipway/oci sorts them), nor how cgroup hierarchies are shown (cgroup-mounts.ts).
 *
 * @spec runtime-spec/config.md#mounts
 */
import type { BindOperation, Propagation } from '@slipway/launcher';
import { DOCKER_DEFAULTS, type ParsedMountOptions, parseMountOptions, type RuntimeSpec, type SpecMount } from '@slipway/oci';
import { planCgroup2Mount, planCgroupMount } from './cgroup-mounts.ts';
import { type Draft, invalid, type Origin, type SharedParts, unsupported } from './draft.ts';
import { hasBirthHooks } from './hooks.ts';
import type { CgroupLayout, Host } from './host.ts';
import { isBind, type MountRequest, newAttributes, toContainerPath, treeAttributes } from './mount-request.ts';
import { hasOwn, joinsExisting, toIdMappings, userNamespaceOf } from './namespaces.ts';

/** Reached through a symbolic link, these would show the kernel's files at a place of the image's choosing. */
const KERNEL_FILE_SYSTEMS: ReadonlySet<string> = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2', 'devpts', 'mqueue']);

/** What may be shown in place of parts of /proc: harmless numbers that virtualise a machine's size. @spec runc's allow-list */
const PROC_OVERLAYS: ReadonlySet<string> = new Set(
  [
    'cpuinfo',
    'diskstats',
    'meminfo',
    'stat',
    'swaps',
    'uptime',
    'loadavg',
    'slabinfo',
    'net/dev',
    'sys/kernel/ns_last_pid',
    'sys/crypto/fips_enabled',
  ].map((name) => `/proc/${name}`),
);

/** Owned by a namespace: in a new user namespace the kernel lets us mount it only with a namespace of that kind too. */
const OWNING_NAMESPACE = { proc: 'pid', sysfs: 'network', mqueue: 'ipc' } as const;

/** @spec runtime-spec/config-linux.md#default-filesystems */
export function planMounts(draft: Draft, spec: RuntimeSpec, host: Host): void {
  if (!hasOwn(spec, 'mount')) return;
  planRootMount(draft, spec, host);
  const mounts = spec.mounts ?? [];
  const planEach = (from: number, to: number) => {
    for (const [index, mount] of mounts.slice(from, to).entries())
      planMount(draft, { spec, host, mount, pointer: `/mounts/${from + index}` });
  };
  const usual = beginsAsUsual(spec) ? USUAL.length : 0;
  if (usual > 0) draft.shared(usualMounts, host.cgroups, () => planEach(0, usual));
  planEach(usual, mounts.length);
}

/** Most containers have them: the plan of these depends on the machine's cgroups only, unless somebody has rights of his own kind. */
const USUAL = DOCKER_DEFAULTS.mounts;
const usualMounts: SharedParts<CgroupLayout> = new WeakMap();

function beginsAsUsual(spec: RuntimeSpec): boolean {
  return userNamespaceOf(spec) === 'own' && hasOwn(spec, 'cgroup') && USUAL.every((mount, index) => spec.mounts?.[index] === mount);
}

/** @spec runtime-spec/config-linux.md#rootfs-mount-propagation */
function planRootMount(draft: Draft, spec: RuntimeSpec, { rootfs, rootfsMount }: Host): void {
  // Slave even where `shared` is asked for: that is a promise about the container's own tree, made after pivot_root.
  const joined = joinsExisting(spec, 'mount');
  const propagation: Propagation = spec.linux?.rootfsPropagation?.endsWith('private') === true ? 'rprivate' : 'rslave';
  // A mount tree that others are in keeps the propagation it has.
  if (!joined) {
    const origin = { pointer: '/linux/rootfsPropagation', reason: 'mounts made from here on stay in this namespace' };
    draft.add('mounts', origin, { op: 'rootPropagation', propagation });
  }
  const hooked = hasBirthHooks(spec) || joined;
  if (rootfsMount === undefined || hooked) {
    const origin = { pointer: '/root/path', reason: 'pivot_root accepts only a mount point; a directory bound onto itself is one' };
    draft.add('mounts', origin, { op: 'bindRoot', ...(hooked ? { hostPath: rootfs } : {}) });
  }
  if (rootfsMount !== undefined) {
    const origin = { pointer: '/root/path', reason: `the container's own ${rootfsMount.fsType} file system becomes its root` };
    draft.add('mounts', origin, { op: 'mount', destination: '/', attributes: { noDev: true }, refuseSymlinks: false, ...rootfsMount });
  }
}

function planMount(draft: Draft, request: MountRequest): void {
  const { mount, pointer, spec } = request;
  const destination = toContainerPath(mount.destination);
  if (!mount.destination.startsWith('/')) draft.warn(`${pointer}/destination is relative, which is deprecated; it counts from /`);
  const options = parseMountOptions(mount.options);
  requireAllowedDestination(pointer, destination, mount);
  const fsType = mount.type ?? 'none';
  if (options.remount) planRemount(draft, request, options, destination);
  else if (isBind(mount, options)) planBind(draft, request, options, destination);
  else if (fsType === 'cgroup') planCgroupMount(draft, request, options, destination);
  else if (fsType === 'cgroup2') planCgroup2Mount(draft, request, options, destination);
  else {
    requireOwnNamespace(pointer, fsType, spec);
    const origin = { pointer, reason: `a ${fsType} file system at ${destination}` };
    draft.add('mounts', origin, newMount(request, fsType, destination, options));
  }
}

/** `silent` keeps a refusal out of the kernel's log, where the calls used here write none. */
function superblockData(options: ParsedMountOptions): readonly string[] {
  return [...options.superblock.filter((word) => word !== 'silent'), ...options.data];
}

/** What is said changes, the rest stays: unlike with mount(2), which takes every attribute back that is not said again. */
function planRemount(draft: Draft, { pointer }: MountRequest, options: ParsedMountOptions, destination: string): void {
  const origin = { pointer, reason: `what is mounted at ${destination} by then changes its options` };
  draft.add('mounts', origin, { op: 'remount', destination, ...treeAttributes(options), data: superblockData(options) });
}

function newMount({ pointer, mount }: MountRequest, fsType: string, destination: string, options: ParsedMountOptions) {
  if (options.copyUp && fsType !== 'tmpfs') throw invalid(`${pointer}/options`, '"tmpcopyup" is an option of tmpfs');
  return {
    op: 'mount' as const,
    destination,
    fsType,
    source: mount.source ?? fsType,
    attributes: newAttributes(options),
    data: superblockData(options),
    ...(options.copyUp ? { copyUp: true } : {}),
    ...(options.propagation === undefined ? {} : { propagation: options.propagation }),
    refuseSymlinks: KERNEL_FILE_SYSTEMS.has(fsType),
  };
}

function planBind(draft: Draft, request: MountRequest, options: ParsedMountOptions, destination: string): void {
  const { mount, pointer, host, spec } = request;
  const [foreign] = [...(options.copyUp ? ['tmpcopyup'] : []), ...superblockData(options)];
  if (foreign !== undefined) throw invalid(`${pointer}/options`, `"${foreign}" is not an option of a bind mount`);
  if (mount.source === undefined || mount.source === '') throw invalid(`${pointer}/source`, 'a bind mount needs a source');
  const hostPath = mount.source.startsWith('/') ? mount.source : `${host.bundle}/${mount.source}`;
  const origin: Origin = { pointer, reason: `${hostPath} of the host appears at ${destination}` };
  const slot = draft.openSource(origin, hostPath, options.bind !== 'bind');
  const idmap = idMapOf(spec, request, options);
  draft.add('mounts', origin, {
    op: 'bind',
    slot,
    destination,
    ...treeAttributes(options),
    propagation: bindPropagation(pointer, spec, options.propagation),
    ...(idmap === undefined ? {} : { idmap }),
  });
}

/**
 * The source is cloned in our own mount namespace, so without a word it would stay a peer of the host's mount and share
 * what is mounted below it with the host.
 */
function bindPropagation(pointer: string, spec: RuntimeSpec, asked: Propagation | undefined): Propagation {
  if (asked?.endsWith('shared') === true && userNamespaceOf(spec) !== 'own') {
    throw unsupported(`${pointer}/options`, `"${asked}" would let a user namespace change mounts outside of it`, 'use rslave');
  }
  return asked ?? (spec.linux?.rootfsPropagation?.endsWith('private') === true ? 'rprivate' : 'rslave');
}

/** The mount's own maps, else the user namespace's. @spec runtime-spec/config.md#linux-mount-options/idmap */
function idMapOf(spec: RuntimeSpec, { mount, pointer }: MountRequest, options: ParsedMountOptions): BindOperation['idmap'] {
  const { uidMappings = [], gidMappings = [] } = mount;
  const own = uidMappings.length > 0 && gidMappings.length > 0;
  if (!own && options.idmap === undefined) return undefined;
  const uid = own ? uidMappings : (spec.linux?.uidMappings ?? []);
  const gid = own ? gidMappings : (spec.linux?.gidMappings ?? []);
  if (uid.length === 0 || gid.length === 0) {
    throw invalid(`${pointer}/options`, `"${options.idmap}" needs uidMappings and gidMappings, of the mount or of a new user namespace`);
  }
  return { uid: toIdMappings(uid), gid: toIdMappings(gid), recursive: options.idmap === 'ridmap' };
}

/** A file system of the image's choosing over parts of /proc would deceive whoever reads or writes there. */
function requireAllowedDestination(pointer: string, destination: string, mount: SpecMount): void {
  if (destination === '/') throw unsupported(`${pointer}/destination`, 'a mount over the root directory is not supported');
  if (destination.split('/').includes('..')) throw invalid(`${pointer}/destination`, `"${mount.destination}" leaves its directory`);
  const isProc = destination === '/proc';
  if (!isProc && !destination.startsWith('/proc/')) return;
  if (isProc && (mount.type === 'proc' || mount.source === '/proc')) return;
  if (PROC_OVERLAYS.has(destination)) return;
  throw invalid(`${pointer}/destination`, `"${destination}" lies inside /proc and may not be covered`);
}

function requireOwnNamespace(pointer: string, fsType: string, spec: RuntimeSpec): void {
  const kind = Object.hasOwn(OWNING_NAMESPACE, fsType) ? OWNING_NAMESPACE[fsType as keyof typeof OWNING_NAMESPACE] : undefined;
  if (kind === undefined || userNamespaceOf(spec) !== 'new' || hasOwn(spec, kind)) return;
  throw invalid(
    pointer,
    `in a new user namespace, ${fsType} can be mounted only with a new ${kind} namespace; bind it from the host instead`,
  );
}
