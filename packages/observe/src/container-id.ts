/**
 * Which container a cgroup path belongs to, by how engines name their directories.
 *
 * Knows: our own layout, and those of docker, containerd, CRI-O, podman and bare runc.
 * Does not know: whether such a container exists; names in a machine are its root's to choose.
 */

const HEX_ID = /^(?:[a-z-]{1,32}-)?([0-9a-f]{64})(?:\.scope)?$/;
/** What runtimes allow as an id. */
const RUNTIME_ID = /^[A-Za-z0-9][A-Za-z0-9_+.-]{0,127}$/;
/** Directories that hold processes of the machine itself, ours or systemd's. */
const OWN = /^(?:init|supervisor|engine|slipwayd|shells?|user|system|lab)$|\.(?:slice|service|scope|mount)$/;

/**
 * The container's id: 64 hexadecimal digits in any component (`/slipway/<id>`, `/docker/<id>`, `cri-containerd-<id>.scope`; the innermost
 * counts). Where `isApart` (the process has a mount namespace of its own) also a name such as `runc run mybox` makes. Else undefined.
 */
export function containerOfCgroup(path: string, isApart: boolean): string | undefined {
  const parts = path.split('/').filter(Boolean);
  const hex = parts.findLast((part) => HEX_ID.test(part));
  if (hex !== undefined) return HEX_ID.exec(hex)?.[1];
  const last = parts.at(-1);
  return isApart && last !== undefined && RUNTIME_ID.test(last) && !OWN.test(last) ? last : undefined;
}
