/**
 * When a container's cgroup is handed over to its own root user, so that an engine can run inside.
 *
 * Knows: how a document says so.
 * Does not know: which files change hands (packages/cgroups). Limits stay ours.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#delegation
 */
import type { Cgroup } from '@slipway/cgroups';
import { parseMountOptions, type RuntimeSpec, type SpecIdMapping } from '@slipway/oci';
import { namespacesOf } from './plan/namespaces.ts';

/**
 * With user and cgroup namespaces of its own and a writable cgroup mount, a container is meant to make cgroups.
 * @spec runtime-spec/config-linux.md#cgroup-ownership/with-namespace
 * @spec runtime-spec/config-linux.md#cgroup-ownership/when-writable
 */
export function wantsDelegation(spec: RuntimeSpec): boolean {
  const fresh = new Set(
    namespacesOf(spec)
      .filter(({ path }) => path === undefined)
      .map(({ kind }) => kind),
  );
  if (!fresh.has('user') || !fresh.has('cgroup')) return false;
  const mounts = (spec.mounts ?? []).filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
  return mounts.some(({ options }) => parseMountOptions(options).attributes.readOnly !== true);
}

/** Gives the group to the host id of the container's root, where the document asks for it. */
export function delegateCgroup(spec: RuntimeSpec, cgroup: Cgroup): void {
  if (!wantsDelegation(spec)) return;
  const uid = hostIdOfRoot(spec.linux?.uidMappings);
  const gid = hostIdOfRoot(spec.linux?.gidMappings);
  if (uid !== undefined && gid !== undefined) cgroup.delegate(uid, gid);
}

function hostIdOfRoot(mappings: readonly SpecIdMapping[] = []): number | undefined {
  return mappings.find(({ containerID, size }) => containerID === 0 && size > 0)?.hostID;
}
