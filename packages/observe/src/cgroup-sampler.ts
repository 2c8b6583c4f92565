/**
 * What a machine's cgroups use and may use, read from the host, v1 and v2, with the control files as evidence.
 *
 * Knows: which file of which version answers what, and its units.
 * Does not know: when to look (observer.ts), nor how limits are set (packages/cgroups).
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst
 */
import type { CgroupSample } from '@slipway/journal';
import { type ControlFiles, hostControlFiles, monotonicMs } from '@slipway/kernel';
import { containerOfCgroup } from './container-id.ts';
import { type ControllerDirectory, controllerDirectory, type MachineTarget, primaryDirectory } from './machine-target.ts';
import { ignoreGone, listCgroups } from './process-sampler.ts';

export interface CgroupPicture {
  readonly samples: readonly CgroupSample[];
  readonly truncated: boolean;
}

export interface CgroupSampler {
  /** Looks now. `containers`: those known by their processes, so that groups with free names are recognised too. */
  sample(containers?: ReadonlySet<string>): CgroupPicture;
}

/** Most cgroups in one picture. */
export const MAX_CGROUPS = 256;
const EVIDENCE_LIMIT = 200;
/** v1 writes "no limit" as the largest multiple of a page. */
const UNLIMITED = 2 ** 62;

type Values = Omit<CgroupSample, 'path' | 'container' | 'version' | 'files' | 'cpuFraction'>;

export function createCgroupSampler(
  target: MachineTarget,
  files: ControlFiles = hostControlFiles,
  now: () => number = monotonicMs,
): CgroupSampler {
  let before = new Map<string, { readonly atMs: number; readonly cpuUsageUs: number }>();
  const directories = {
    memory: controllerDirectory(target, 'memory', files),
    cpu: controllerDirectory(target, 'cpu', files),
    cpuacct: controllerDirectory(target, 'cpuacct', files),
    pids: controllerDirectory(target, 'pids', files),
  };

  return {
    sample: (containers = new Set()) => {
      const primary = primaryDirectory(target, files);
      if (!primary || files.kind(primary.directory) === undefined) return { samples: [], truncated: false };
      const paths = listCgroups(primary.directory, files, MAX_CGROUPS);
      const fresh = new Map<string, { atMs: number; cpuUsageUs: number }>();
      const samples = paths.map((path): CgroupSample => {
        const { values, evidence } = readGroup(path, directories, files);
        const last = path.slice(path.lastIndexOf('/') + 1);
        const container = containerOfCgroup(path, false) ?? (containers.has(last) ? last : undefined);
        const atMs = now();
        if (values.cpuUsageUs !== undefined) fresh.set(path, { atMs, cpuUsageUs: values.cpuUsageUs });
        const cpuFraction = fractionSince(before.get(path), fresh.get(path));
        return {
          path,
          ...(container !== undefined && { container }),
          version: primary.version,
          ...values,
          ...(cpuFraction !== undefined && { cpuFraction }),
          files: evidence,
        };
      });
      before = fresh;
      return { samples, truncated: paths.length >= MAX_CGROUPS };
    },
  };
}

interface Point {
  readonly atMs: number;
  readonly cpuUsageUs: number;
}

function fractionSince(before: Point | undefined, after: Point | undefined): number | undefined {
  if (!before || !after || after.atMs <= before.atMs) return undefined;
  const fraction = (after.cpuUsageUs - before.cpuUsageUs) / 1000 / (after.atMs - before.atMs);
  return Math.max(0, Math.round(fraction * 10_000) / 10_000);
}

interface Reading {
  readonly values: Values;
  readonly evidence: Readonly<Record<string, string>>;
}

type Directories = Readonly<Record<'memory' | 'cpu' | 'cpuacct' | 'pids', ControllerDirectory | undefined>>;

function readGroup(path: string, directories: Directories, files: ControlFiles): Reading {
  const evidence: Record<string, string> = {};
  const reader =
    (place: ControllerDirectory | undefined) =>
    (file: string): string | undefined => {
      if (!place) return undefined;
      const text = ignoreGone(() => files.read(`${place.directory}${path === '/' ? '' : path}/${file}`, 4096))?.trim();
      if (text !== undefined) evidence[file] = text.slice(0, EVIDENCE_LIMIT);
      return text;
    };
  const memory = reader(directories.memory);
  const cpu = reader(directories.cpu);
  const pids = reader(directories.pids);
  const values = {
    ...(directories.memory?.version === 'v2' ? memoryV2(memory) : memoryV1(memory)),
    ...(directories.cpu?.version === 'v2' ? cpuV2(cpu) : cpuV1(cpu, reader(directories.cpuacct))),
    pids: numberOf(pids('pids.current')),
    pidsLimit: limitOf(pids('pids.max')),
  };
  return { values: dropAbsent(values), evidence };
}

type ReadFile = (file: string) => string | undefined;
type Wanted = { readonly [K in keyof Values]: Values[K] | undefined };

function memoryV1(read: ReadFile): Wanted {
  return {
    memoryBytes: numberOf(read('memory.usage_in_bytes')),
    memoryLimitBytes: limitOf(read('memory.limit_in_bytes')),
    memoryPeakBytes: numberOf(read('memory.max_usage_in_bytes')),
    oomKills: fieldOf(read('memory.oom_control'), 'oom_kill'),
  };
}

function memoryV2(read: ReadFile): Wanted {
  return {
    memoryBytes: numberOf(read('memory.current')),
    memoryLimitBytes: limitOf(read('memory.max')),
    memoryPeakBytes: numberOf(read('memory.peak')),
    oomKills: fieldOf(read('memory.events'), 'oom_kill'),
  };
}

function cpuV1(read: ReadFile, readAccounting: ReadFile): Wanted {
  const usageNs = numberOf(readAccounting('cpuacct.usage'));
  const quota = numberOf(read('cpu.cfs_quota_us'));
  const period = numberOf(read('cpu.cfs_period_us'));
  const throttledNs = fieldOf(read('cpu.stat'), 'throttled_time');
  return {
    cpuUsageUs: usageNs === undefined ? undefined : Math.round(usageNs / 1000),
    cpuQuota: quota !== undefined && quota > 0 && period ? quota / period : undefined,
    throttledUs: throttledNs === undefined ? undefined : Math.round(throttledNs / 1000),
  };
}

function cpuV2(read: ReadFile): Wanted {
  const stat = read('cpu.stat');
  const [quota, period] = (read('cpu.max') ?? 'max').split(' ').map(Number);
  return {
    cpuUsageUs: fieldOf(stat, 'usage_usec'),
    cpuQuota: quota !== undefined && period && Number.isFinite(quota) ? quota / period : undefined,
    throttledUs: fieldOf(stat, 'throttled_usec'),
  };
}

function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** `max` and v1's huge number both mean: none. */
function limitOf(text: string | undefined): number | undefined {
  const value = numberOf(text);
  return value === undefined || value >= UNLIMITED ? undefined : value;
}

/** One `name value` line of a flat keyed file. */
function fieldOf(text: string | undefined, name: string): number | undefined {
  const line = text?.split('\n').find((entry) => entry.startsWith(`${name} `));
  return numberOf(line?.slice(name.length + 1));
}

function dropAbsent(values: Wanted): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
