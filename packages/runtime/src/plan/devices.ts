/**
 * Device nodes and the links every program expects in /dev.
 *
 * Knows: the default devices, and when nodes must be bound because mknod is refused.
 * Does not know: which devices may be used; that is the cgroup's (packages/cgroups).
 *
 * @spec runtime-spec/config-linux.md#default-devices
 */
import { parseMountOptions, type RuntimeSpec, type SpecDevice } from '@slipway/oci';
import type { Draft, Origin, SharedParts } from './draft.ts';
import type { Host } from './host.ts';
import { isBind, toContainerPath } from './mount-request.ts';
import { userNamespaceOf } from './namespaces.ts';

const DEFAULT_DEVICES: readonly SpecDevice[] = [
  { path: '/dev/null', type: 'c', major: 1, minor: 3 },
  { path: '/dev/zero', type: 'c', major: 1, minor: 5 },
  { path: '/dev/full', type: 'c', major: 1, minor: 7 },
  { path: '/dev/random', type: 'c', major: 1, minor: 8 },
  { path: '/dev/urandom', type: 'c', major: 1, minor: 9 },
  { path: '/dev/tty', type: 'c', major: 5, minor: 0 },
];

const LINKS = [
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  { path: '/dev/ptmx', target: 'pts/ptmx' },
] as const;

/** @spec runtime-spec/config-linux.md#devices */
export function planDevices(draft: Draft, spec: RuntimeSpec, host: Host): void {
  if (bindsDev(spec)) return;
  const mustBind = host.inUserNamespace || userNamespaceOf(spec) !== 'own';
  const asked = spec.linux?.devices ?? [];
  if (asked.length === 0 && !mustBind) draft.shared(usualDevices, DEFAULT_DEVICES, () => planNodes(draft, [], false));
  else planNodes(draft, asked, mustBind);
  if (host.hasKcore)
    draft.add('devices', { pointer: '', reason: 'programs expect /dev/core' }, { op: 'symlink', path: '/dev/core', target: '/proc/kcore' });
}

const usualDevices: SharedParts<typeof DEFAULT_DEVICES> = new WeakMap();

function planNodes(draft: Draft, asked: readonly SpecDevice[], mustBind: boolean): void {
  const covered = new Set(asked.map(({ path }) => toContainerPath(path)));
  for (const device of DEFAULT_DEVICES) {
    if (!covered.has(device.path)) planDevice(draft, { pointer: '', reason: `every container has ${device.path}` }, device, mustBind);
  }
  for (const [index, device] of asked.entries()) {
    planDevice(draft, { pointer: `/linux/devices/${index}`, reason: `${device.path} was asked for` }, device, mustBind);
  }
  for (const link of LINKS) draft.add('devices', { pointer: '', reason: `programs expect ${link.path}` }, { op: 'symlink', ...link });
}

/** A /dev bound from elsewhere is somebody's; nothing is made in it. */
function bindsDev(spec: RuntimeSpec): boolean {
  return (spec.mounts ?? []).some(
    (mount) => toContainerPath(mount.destination) === '/dev' && isBind(mount, parseMountOptions(mount.options)),
  );
}

function planDevice(draft: Draft, origin: Origin, device: SpecDevice, mustBind: boolean): void {
  const path = toContainerPath(device.path);
  if (mustBind && device.type !== 'p') {
    const bound = { ...origin, reason: `${origin.reason}; bound from outside, since a user namespace may not make nodes` };
    draft.add('devices', bound, { op: 'bindDevice', path, slot: draft.openSource(bound, device.path, false) });
    return;
  }
  draft.add('devices', origin, {
    op: 'device',
    path,
    type: device.type === 'u' ? 'c' : device.type,
    major: device.major ?? 0,
    minor: device.minor ?? 0,
    mode: (device.fileMode ?? 0o666) & 0o7777,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
  });
}
