/**
 * /proc/PID/mountinfo as data.
 *
 * Knows: the line format, its optional fields and octal escapes.
 * Does not know: what the mounts are for.
 *
 *     36 35 98:0 /sub /mnt/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     id parent dev root mountPoint  options  optional - type source  superOptions
 *
 * @see proc_pid_mountinfo(5)
 */
import { type ControlFiles, hostControlFiles } from './control-files.ts';

export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  /** `major:minor`. */
  readonly device: string;
  /** Directory of the file system that is visible here; `/` unless it is a bind mount or a cgroup namespace's view. */
  readonly root: string;
  readonly mountPoint: string;
  /** Of this mount: `rw`, `nosuid` … */
  readonly options: readonly string[];
  /** `shared:N`, `master:N`, `propagate_from:N`, `unbindable`; empty means private. */
  readonly propagation: readonly string[];
  readonly fsType: string;
  readonly source: string;
  /** Of the file system. */
  readonly superOptions: readonly string[];
}

/** Big enough for some 60 000 mounts. */
const MOUNTINFO_MAX_BYTES = 16 * 1024 * 1024;

/** Mounts as a process sees them, in the order they were made. */
export function readMounts(pid: number | 'self' = 'self', files: ControlFiles = hostControlFiles): MountEntry[] {
  return parseMountinfo(files.read(`/proc/${pid}/mountinfo`, MOUNTINFO_MAX_BYTES));
}

/** Lines that do not have the format are left out: a kernel adds fields at the end only, and never breaks these. */
export function parseMountinfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .map(parseLine)
    .filter((entry) => entry !== undefined);
}

function parseLine(line: string): MountEntry | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [id, parent, device, root, mountPoint, options] = fields;
  const [fsType, source, superOptions] = fields.slice(separator + 1);
  if (separator < 0 || options === undefined || superOptions === undefined) return undefined;
  return {
    id: Number(id),
    parentId: Number(parent),
    device: device ?? '',
    root: unescapeOctal(root ?? ''),
    mountPoint: unescapeOctal(mountPoint ?? ''),
    options: options.split(','),
    propagation: fields.slice(6, separator),
    fsType: unescapeOctal(fsType ?? ''),
    source: unescapeOctal(source ?? ''),
    superOptions: superOptions.split(',').map(unescapeOctal),
  };
}

/** The kernel writes space, tab, newline, backslash (and `#`) as three octal digits, byte by byte. */
function unescapeOctal(text: string): string {
  return text.includes('\\') ? text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))) : text;
}
