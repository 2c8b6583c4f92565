/**
 * Which namespaces a process is in.
 *
 * Knows: /proc/PID/ns and the inode numbers that name a namespace.
 * Does not know: how namespaces are made (packages/launcher).
 *
 * @see namespaces(7)
 */
import { isErrno } from './confined.ts';
import { type ControlFiles, hostControlFiles } from './control-files.ts';

/** File below /proc/PID/ns → the specification's word. */
export const NAMESPACE_FILES = {
  user: 'user',
  mnt: 'mount',
  pid: 'pid',
  net: 'network',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  time: 'time',
} as const;

export type NamespaceFile = keyof typeof NAMESPACE_FILES;

/** Inode number by namespace file; a kind this kernel lacks is absent. */
export type NamespaceIds = Readonly<Partial<Record<NamespaceFile, number>>>;

/** Undefined when there is no such process, or it may not be looked at. */
export function findNamespaces(pid: number | 'self', files: ControlFiles = hostControlFiles): NamespaceIds | undefined {
  const ids: Partial<Record<NamespaceFile, number>> = {};
  for (const file of Object.keys(NAMESPACE_FILES) as NamespaceFile[]) {
    try {
      const [, inode] = /:\[([0-9]+)\]$/.exec(files.readLink(`/proc/${pid}/ns/${file}`)) ?? [];
      if (inode !== undefined) ids[file] = Number(inode);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) throw error;
    }
  }
  return Object.keys(ids).length === 0 ? undefined : ids;
}
