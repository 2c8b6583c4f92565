/**
 * Which lines of /proc/PID/mountinfo show the mounts, the root, and the hidden paths of a config.json. Pure.
 *
 * Knows: that the last mount at a place is the one that is seen. Does not know: how mounts are made.
 */
import type { RunEvidence } from '@slipway/contracts';
import { type MountEntry, parseMountinfo } from '@slipway/kernel';
import { parseMountOptions, type RuntimeSpec, type SpecMount } from '@slipway/oci';
import type { KernelFacts } from './kernel-facts.ts';

interface Line {
  readonly text: string;
  readonly entry: MountEntry;
}

export function* mountEvidence(spec: RuntimeSpec, { pid, proc }: KernelFacts): Generator<RunEvidence> {
  const source = `/proc/${pid}/mountinfo`;
  const lines = (proc['mountinfo'] ?? '').split('\n').flatMap((text): Line[] => parseMountinfo(text).map((entry) => ({ text, entry })));
  if (lines.length === 0) return;
  const at = (path: string) => lines.findLast(({ entry }) => entry.mountPoint === tidy(path));
  const root = at('/');
  if (root && spec.root) {
    const readOnly = root.entry.options.includes('ro');
    yield { pointer: '/root/readonly', source, found: root.text, holds: readOnly === (spec.root.readonly === true) };
  }
  for (const [index, mount] of (spec.mounts ?? []).entries()) {
    const place = `/${mount.destination}`;
    const line = at(place);
    const pointer = `/mounts/${index}`;
    if (line) yield { pointer, source, found: line.text, holds: isMount(line.entry, mount) };
    // A cgroup mount of v1 becomes one mount a hierarchy, below.
    else
      yield {
        pointer,
        source,
        found: below(lines, place) ?? 'no mount at this place',
        holds: below(lines, place) !== undefined,
      };
  }
  for (const [index, path] of (spec.linux?.maskedPaths ?? []).entries()) {
    const line = at(path);
    if (line) yield { pointer: `/linux/maskedPaths/${index}`, source, found: line.text, holds: true };
  }
  for (const [index, path] of (spec.linux?.readonlyPaths ?? []).entries()) {
    const line = at(path);
    if (line) yield { pointer: `/linux/readonlyPaths/${index}`, source, found: line.text, holds: line.entry.options.includes('ro') };
  }
}

/** The file system asked for, and read-only if it was to be; binds show whatever they are bound from. */
function isMount(entry: MountEntry, { type, options }: SpecMount): boolean {
  const { attributes, bind } = parseMountOptions(options);
  const readOnly = attributes.readOnly !== true || entry.options.includes('ro') || entry.superOptions.includes('ro');
  const anyType = bind !== undefined || type === undefined || ['bind', 'none', 'cgroup'].includes(type);
  return readOnly && (anyType || entry.fsType === type);
}

function below(lines: readonly Line[], path: string): string | undefined {
  return lines.find(({ entry }) => entry.mountPoint.startsWith(`${tidy(path)}/`))?.text;
}

function tidy(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}
