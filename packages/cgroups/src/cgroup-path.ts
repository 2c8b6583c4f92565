/**
 * From `linux.cgroupsPath` to one directory per hierarchy.
 *
 * Knows: what absolute and relative mean (as with runc), and that no path may climb or forge.
 * Does not know: limits.
 *
 * @spec runtime-spec/config-linux.md#cgroups-path
 */
import { EngineError } from '@slipway/errors';
import type { CgroupHierarchy } from './host.ts';

export interface CgroupPlace {
  /** Absolute: below each hierarchy's mount point. Relative: below this process's own cgroup. Absent or empty: `id`, relative. */
  readonly cgroupsPath?: string | undefined;
  /** The container's id. */
  readonly id: string;
}

/** Longest name of a directory. */
const NAME_MAX_BYTES = 255;

/**
 * The path with empty and `.` components taken out, absolute or not as it was.
 *
 * @throws EngineError `invalid-argument` / `E_CGROUP_PATH` for `..`, control characters, names too long, or a hierarchy's root itself
 */
export function parseCgroupPath({ cgroupsPath, id }: CgroupPlace): string {
  const text = cgroupsPath === undefined || cgroupsPath === '' ? id : cgroupsPath;
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  const problem = findProblem(text, names);
  if (problem === undefined) return (text.startsWith('/') ? '/' : '') + names.join('/');
  throw new EngineError('invalid-argument', `cgroup path ${JSON.stringify(text.slice(0, 300))} ${problem}`, {
    code: 'E_CGROUP_PATH',
    op: 'cgroup.open',
    subject: '/linux/cgroupsPath',
    hint: 'give a path such as "/slipway/my-container"',
  });
}

/** Host directory of a parsed path in one hierarchy. */
export function cgroupDirectory(hierarchy: CgroupHierarchy, path: string): string {
  if (path.startsWith('/')) return hierarchy.mountPoint + path;
  return `${relativeBase(hierarchy)}/${path}`;
}

/**
 * In v2 a cgroup with processes cannot hand controllers to children, and our own holds at least us: a relative path
 * starts at its parent, unless the own cgroup is the top of what can be seen.
 */
function relativeBase(hierarchy: CgroupHierarchy): string {
  const isTop = hierarchy.own === hierarchy.mountPoint;
  return hierarchy.version === 'v1' || isTop ? hierarchy.own : hierarchy.own.slice(0, hierarchy.own.lastIndexOf('/'));
}

function findProblem(text: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return 'names a whole hierarchy, whose limits are the host’s';
  if (names.includes('..')) return 'climbs out with ".."';
  // A line break would forge a line of /proc/PID/cgroup.
  if (/[\0-\x1f\x7f]/.test(text)) return 'holds a control character';
  if (names.some((name) => Buffer.byteLength(name) > NAME_MAX_BYTES)) return `has a name longer than ${NAME_MAX_BYTES} bytes`;
  // Would name a control file of the parent rather than a group; the kernel refuses the prefix for v2.
  if (names.some((name) => /^cgroup\./.test(name))) return 'has a name that starts with "cgroup.", which is the kernel’s';
  return undefined;
}
