/**
 * /sys/fs/cgroup as the container sees it, on v1, hybrid and v2.
 *
 * Knows: the customary layout of each, with and without a cgroup namespace.
 * Does not know: limits, nor where the container's cgroup lies (Host says so).
 *
 *     v1, hybrid                             v2
 *     /sys/fs/cgroup           tmpfs         /sys/fs/cgroup   cgroup2
 *       ├─ memory              cgroup
 *       ├─ cpu,cpuacct         cgroup
 *       ├─ cpu -> cpu,cpuacct
 *       └─ unified             cgroup2 (hybrid)
 */
import type { ParsedMountOptions } from '@slipway/oci';
import { type Draft, invalid, type Origin, unsupported } from './draft.ts';
import type { CgroupHierarchy } from './host.ts';
import { type MountRequest, newAttributes } from './mount-request.ts';
import { hasOwn } from './namespaces.ts';

export function planCgroupMount(draft: Draft, request: MountRequest, options: ParsedMountOptions, destination: string): void {
  const { host, pointer } = request;
  requireNoData(pointer, options);
  if (host.cgroups.layout === 'v2') {
    const unified = host.cgroups.hierarchies.find(({ version }) => version === 2) ?? {
      name: 'unified',
      directory: 'unified',
      data: [],
      version: 2 as const,
    };
    planHierarchy(draft, request, options, { hierarchy: unified, destination });
    return;
  }
  planTmpfs(draft, pointer, options, destination);
  for (const hierarchy of host.cgroups.hierarchies) {
    planHierarchy(draft, request, options, { hierarchy, destination: `${destination}/${hierarchy.directory}` });
    planLinks(draft, pointer, hierarchy, destination);
  }
  if (options.attributes.readOnly === true) {
    draft.add(
      'mounts',
      { pointer, reason: 'read-only only after the hierarchies have found their places in it' },
      { op: 'readonlyPath', path: destination },
    );
  }
}

/** Type `cgroup2` by name: v2's hierarchy alone, where a hybrid host has one beside v1's. */
export function planCgroup2Mount(draft: Draft, request: MountRequest, options: ParsedMountOptions, destination: string): void {
  const { host, pointer } = request;
  requireNoData(pointer, options);
  const hierarchy = host.cgroups.hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) throw unsupported(pointer, 'a cgroup2 file system needs cgroup v2, which is not mounted on this host');
  planHierarchy(draft, request, options, { hierarchy, destination });
}

function requireNoData(pointer: string, { data, copyUp }: ParsedMountOptions): void {
  const [foreign] = [...(copyUp ? ['tmpcopyup'] : []), ...data];
  if (foreign !== undefined) throw invalid(`${pointer}/options`, `"${foreign}" is not an option of a cgroup mount`);
}

function planTmpfs(draft: Draft, pointer: string, options: ParsedMountOptions, destination: string): void {
  const { readOnly: _later, ...attributes } = newAttributes(options);
  draft.add(
    'mounts',
    { pointer, reason: 'a directory to hold one mount for each cgroup hierarchy' },
    { op: 'mount', destination, fsType: 'tmpfs', source: 'tmpfs', attributes, data: ['mode=755'], refuseSymlinks: true },
  );
}

function planHierarchy(
  draft: Draft,
  request: MountRequest,
  options: ParsedMountOptions,
  at: { hierarchy: CgroupHierarchy; destination: string },
): void {
  const { host, pointer, spec } = request;
  const { hierarchy, destination } = at;
  const attributes = newAttributes(options);
  if (hasOwn(spec, 'cgroup')) {
    const fsType = hierarchy.version === 2 ? 'cgroup2' : 'cgroup';
    const origin: Origin = { pointer, reason: `the ${hierarchy.name} hierarchy from the container's own cgroup down` };
    draft.add('mounts', origin, {
      op: 'mount',
      destination,
      fsType,
      source: fsType,
      attributes,
      data: hierarchy.data,
      refuseSymlinks: true,
    });
    return;
  }
  const dir = host.cgroupDirs[hierarchy.name];
  if (dir === undefined) {
    draft.warn(`the ${hierarchy.name} cgroup hierarchy is not shown: the container has no cgroup in it`);
    return;
  }
  const origin: Origin = { pointer, reason: `the container's own ${hierarchy.name} cgroup, bound because it shares our cgroup namespace` };
  const slot = draft.openSource(origin, dir, false);
  draft.add('mounts', origin, { op: 'bind', slot, destination, attributes, propagation: 'private' });
}

/** Controllers mounted together are found under each name. */
function planLinks(draft: Draft, pointer: string, hierarchy: CgroupHierarchy, destination: string): void {
  const names = hierarchy.directory.split(',');
  if (names.length < 2) return;
  for (const name of names) {
    draft.add(
      'mounts',
      { pointer, reason: `${name} is mounted together with others` },
      { op: 'symlink', path: `${destination}/${name}`, target: hierarchy.directory },
    );
  }
}
