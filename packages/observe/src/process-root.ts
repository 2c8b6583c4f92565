/**
 * Where a process's file system begins, and whose ids its own stand for, as the host reads it.
 *
 * Knows: /proc/PID/root after chroot and pivot_root, the `/` line of /proc/PID/mountinfo, /proc/PID/uid_map.
 * Does not know: machines or roles. Paths are what the process's own mount namespace calls them.
 */
import type { ProcessRoot } from '@slipway/journal';
import { type ControlFiles, parseMountinfo } from '@slipway/kernel';
import { ignoreGone } from './control-tree.ts';

/** The line of `/` stands among the first; what is cut off are mounts below it. */
const MOUNTINFO_BYTES = 8192;
const PATH_LIMIT = 1024;
const MAP_LIMIT = 512;

/**
 * Undefined at the root of the mount namespace it shares with the machine.
 * @param isApart it has a mount namespace of its own
 */
export function findProcessRoot(hostPid: number, isApart: boolean, files: ControlFiles): ProcessRoot | undefined {
  const directory = ignoreGone(() => files.readLink(`/proc/${hostPid}/root`))?.slice(0, PATH_LIMIT);
  if (directory === undefined || (directory === '/' && !isApart)) return undefined;
  const readOnly = isApart ? isRootReadOnly(hostPid, files) : undefined;
  return { directory, ...(readOnly !== undefined && { readOnly }) };
}

/** The last mount on `/` is the one that is seen. */
function isRootReadOnly(hostPid: number, files: ControlFiles): boolean | undefined {
  const text = ignoreGone(() => files.read(`/proc/${hostPid}/mountinfo`, MOUNTINFO_BYTES)) ?? '';
  const root = parseMountinfo(text).findLast((entry) => entry.mountPoint === '/');
  return root?.options.includes('ro');
}

/** Runs of blanks as one; lines in the file's order. */
export function findUidMap(hostPid: number, files: ControlFiles): string | undefined {
  const text = ignoreGone(() => files.read(`/proc/${hostPid}/uid_map`, MAP_LIMIT));
  return text
    ?.trim()
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '))
    .join('\n');
}
