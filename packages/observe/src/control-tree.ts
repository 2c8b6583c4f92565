/**
 * Looking at groups and processes that may go while they are looked at.
 *
 * Knows: how a cgroup tree is walked, and which errors only say that somebody was faster.
 * Does not know: what is in a group.
 */
import { type ControlFiles, isErrno } from '@slipway/kernel';

/** Paths of `base` (as `/`) and the cgroups below it, parents first, at most `max`. */
export function listCgroups(base: string, files: ControlFiles, max: number): readonly string[] {
  const paths = ['/'];
  for (let at = 0; at < paths.length && paths.length < max; at++) {
    const path = paths[at] ?? '/';
    const names = ignoreGone(() => files.listDirectories(path === '/' ? base : base + path)) ?? [];
    for (const name of names.sort()) if (paths.length < max) paths.push(`${path === '/' ? '' : path}/${name}`);
  }
  return paths;
}

/** A group or process that went while it was read is no error, nor is a file that this kernel was told not to fill (pressure, say). */
export function ignoreGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'ESRCH', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}
