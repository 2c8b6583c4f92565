/**
 * The file systems a container sees beside its image: the standard ones, binds, tmpfs and the engine's own files.
 *
 * Knows: their order and options.
 * Does not know: how one is mounted (packages/runtime).
 */
import { EngineError } from '@slipway/errors';
import { DOCKER_DEFAULTS, parseMountOptions, type SpecMount } from '@slipway/oci';
import type { BindRequest, HostRequest } from './container.ts';

/** Host paths of the files the engine writes for one container. */
export interface EtcPaths {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** Destinations that belong to the kernel's own file systems; anything mounted there would lie about the container. */
const KERNEL_OWNED = /^\/(proc|sys)(\/|$)/;

/** tmpfs(5); what is wrong with a value the kernel says. */
const TMPFS_OPTION = /^(size|nr_blocks|nr_inodes|mode|uid|gid|mpol|huge)=./;

/** All mounts of a container, shallow destinations first, so that a deeper one is not hidden by a later parent. */
export function planMounts(host: HostRequest, etc: EtcPaths): readonly SpecMount[] {
  const standard = DOCKER_DEFAULTS.mounts.filter((mount) => isWanted(mount, host)).map((mount) => adjust(mount, host));
  const shared = host.hostNamespaces.includes('ipc')
    ? [bindMount('/dev/shm', '/dev/shm', ['rw']), bindMount('/dev/mqueue', '/dev/mqueue', ['rw'])]
    : [];
  const files = [
    bindMount(etc.resolvConf, '/etc/resolv.conf', ['rw']),
    bindMount(etc.hostname, '/etc/hostname', ['rw']),
    bindMount(etc.hosts, '/etc/hosts', ['rw']),
  ];
  const asked = [...host.binds.map(planBind), ...Object.entries(host.tmpfs).map(planTmpfs)];
  const taken = new Set(asked.map((mount) => mount.destination));
  requireDistinct(asked);
  const own = [...standard, ...shared, ...files].filter((mount) => !taken.has(mount.destination));
  return [...own, ...asked.toSorted((a, b) => depth(a.destination) - depth(b.destination))];
}

function isWanted(mount: SpecMount, host: HostRequest): boolean {
  return !(host.hostNamespaces.includes('ipc') && (mount.destination === '/dev/shm' || mount.destination === '/dev/mqueue'));
}

function adjust(mount: SpecMount, host: HostRequest): SpecMount {
  if (mount.destination === '/dev/shm' && host.shmSizeBytes !== undefined) {
    const options = (mount.options ?? []).map((option) => (option.startsWith('size=') ? `size=${host.shmSizeBytes}` : option));
    return { ...mount, options };
  }
  if (host.privileged && mount.options?.includes('ro'))
    return { ...mount, options: mount.options.map((option) => (option === 'ro' ? 'rw' : option)) };
  return mount;
}

function planBind(bind: BindRequest): SpecMount {
  requireDestination(bind.destination);
  if (!bind.source.startsWith('/')) throw refuse(`invalid mount source '${bind.source}': must be an absolute path`);
  return bindMount(bind.source, normalise(bind.destination), [bind.readOnly ? 'ro' : 'rw', bind.propagation ?? 'rprivate']);
}

function planTmpfs([destination, options]: readonly [string, string]): SpecMount {
  requireDestination(destination);
  const asked = options.split(',').filter(Boolean);
  const unknown = parseMountOptions(asked).data.find((option) => !TMPFS_OPTION.test(option));
  if (unknown !== undefined) throw refuse(`invalid tmpfs option '${unknown}'`);
  return { destination: normalise(destination), type: 'tmpfs', source: 'tmpfs', options: ['noexec', 'nosuid', 'nodev', ...asked] };
}

function bindMount(source: string, destination: string, options: readonly string[]): SpecMount {
  return { destination, type: 'bind', source, options: ['rbind', ...options, ...(options.length === 1 ? ['rprivate'] : [])] };
}

function requireDestination(destination: string): void {
  if (!destination.startsWith('/')) throw refuse(`invalid mount destination '${destination}': must be an absolute path`);
  if (normalise(destination) === '/') throw refuse(`invalid mount destination '${destination}': it can't be '/'`);
  if (KERNEL_OWNED.test(normalise(destination))) {
    throw refuse(`invalid mount destination '${destination}': it lies inside a kernel file system`);
  }
}

function requireDistinct(mounts: readonly SpecMount[]): void {
  const seen = new Set<string>();
  for (const { destination } of mounts) {
    if (seen.has(destination)) throw refuse(`duplicate mount point: '${destination}'`);
    seen.add(destination);
  }
}

/** Lexical only: the launcher resolves what is really there, inside the root. */
function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function depth(path: string): number {
  return path.split('/').length;
}

function refuse(message: string): EngineError {
  return new EngineError('invalid-argument', message, { code: 'E_CONTAINER_MOUNT', op: 'container.create' });
}
