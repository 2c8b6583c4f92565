/**
 * Overlays that somebody mounted in a machine by hand, and what has come to stand in their upper directories.
 *
 * Knows: overlay's line in /proc/PID/mountinfo of the machine's pid 1, and how little a machine's own paths may be trusted.
 * Does not know: the engine's overlays, which the engine tells of itself; those in other mount namespaces; opaque directories.
 *
 * A mount's options are kept by the kernel as they were written. A path that was relative to where the mounter stood is taken from the
 * directory that holds the mount point, as it is where people work side by side with it.
 */
import type { OverlayMount, UpperEntry } from '@slipway/journal';
import {
  type ControlFiles,
  existsConfined,
  hostControlFiles,
  type MountEntry,
  parseMountinfo,
  scanConfined,
  withConfined,
} from '@slipway/kernel';
import { ignoreGone } from './control-tree.ts';
import type { MachineTarget } from './machine-target.ts';

export interface OverlayPicture {
  readonly mounts: readonly OverlayMount[];
  readonly truncated: boolean;
}

const MAX_MOUNTS = 16;
const MAX_ENTRIES = 200;
const MAX_LOWER = 16;
const PATH_LIMIT = 1024;
const LINE_LIMIT = 8000;
const MOUNTINFO_BYTES = 256 * 1024;
/** Below these, engines keep what is theirs. */
const ENGINES = /^\/(?:var\/lib|run)\/slipway(?:\/|$)/;

/** Looks now; empty when the machine is gone. */
export function sampleOverlays({ initHostPid }: MachineTarget, files: ControlFiles = hostControlFiles): OverlayPicture {
  const text = ignoreGone(() => files.read(`/proc/${initHostPid}/mountinfo`, MOUNTINFO_BYTES)) ?? '';
  // Most machines have none, and a look at their mounts should cost no more than reading them.
  if (!text.includes(' - overlay ')) return { mounts: [], truncated: false };
  const lines = text.split('\n').filter((line) => line.includes(' - overlay '));
  const found = lines.flatMap((line) => parseMountinfo(line).flatMap((entry) => describe(entry, line)));
  return {
    mounts: found.slice(0, MAX_MOUNTS).map((mount) => ({ ...mount, ...look(`/proc/${initHostPid}/root`, mount) })),
    truncated: found.length > MAX_MOUNTS,
  };
}

type Described = Omit<OverlayMount, 'entries' | 'truncated'>;

function describe({ fsType, mountPoint, superOptions }: MountEntry, line: string): Described[] {
  const option = (name: string) => superOptions.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  const lower = option('lowerdir');
  if (fsType !== 'overlay' || lower === undefined || mountPoint.length > PATH_LIMIT) return [];
  const absolute = (path: string) => (path.startsWith('/') ? path : `${mountPoint.replace(/\/[^/]*$/, '')}/${path}`).slice(0, PATH_LIMIT);
  const upper = option('upperdir');
  const work = option('workdir');
  if (ENGINES.test(upper === undefined ? mountPoint : absolute(upper))) return [];
  return [
    {
      mountPoint,
      lower: splitLower(lower).slice(0, MAX_LOWER).map(absolute),
      ...(upper !== undefined && { upper: absolute(upper) }),
      ...(work !== undefined && { work: absolute(work) }),
      mountLine: line.slice(0, LINE_LIMIT),
    },
  ];
}

/** A colon in a name is written with a backslash before it. */
function splitLower(text: string): readonly string[] {
  return text.split(/(?<!\\):/).map((path) => path.replaceAll('\\:', ':'));
}

/** What is in the upper directory, and what of it stands before something below. */
function look(root: string, { upper, lower }: Described): Pick<OverlayMount, 'entries' | 'truncated'> {
  if (upper === undefined) return { entries: [] };
  const scanned = withConfined(root, upper, (directory) => scanConfined(directory, MAX_ENTRIES));
  if (scanned === undefined) return { entries: [] };
  const covering = new Set(
    lower.flatMap((path) => {
      const covered = (directory: Parameters<typeof existsConfined>[0]) =>
        scanned.entries.filter((entry) => existsConfined(directory, entry.path));
      return withConfined(root, path, covered) ?? [];
    }),
  );
  const entries = scanned.entries.map((entry): UpperEntry => ({ ...entry, ...(covering.has(entry) && { covers: true }) }));
  return { entries, ...(scanned.truncated && { truncated: true }) };
}
