/**
 * What a machine's cgroups use and may use, read from the host, v1 and v2, with the control files as evidence.
 *
 * Knows: which file of which version answers what, and its units; that on v1 a group may exist for one controller alone.
 * Does not know: when to look (observer.ts), nor how limits are set (packages/cgroups).
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst
 */
import type { CgroupSample } from '@slipway/journal';
import { type ControlFiles, hostControlFiles, monotonicMs } from '@slipway/kernel';
import { containerOfCgroup } from './container-id.ts';
import { ignoreGone, listCgroups } from './control-tree.ts';
import { type ControllerDirectory, controllerDirectory, type MachineTarget, primaryDirectory } from './machine-target.ts';

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
const EVIDENCE_LIMIT = 400;
/** How long some or all had to wait, on v2 where the kernel counts it: evidence only, a figure of each is in the file itself. */
const PRESSURES = ['cpu.pressure', 'memory.pressure', 'io.pressure'] as const;
/** v1 writes "no limit" as the largest multiple of a page. */
const UNLIMITED = 2 ** 62;

type Values = Omit<CgroupSample, 'path' | 'container' | 'version' | 'files' | 'cpuFraction'>;

export function createCgroupSampler(
  target: MachineTarget,
  files: ControlFiles = hostControlFiles,
  now: () => number = monotonicMs,
): CgroupSampler {
  let before = new Map<string, { readonly atMs: number; readonly cpuUsageUs: number }>();
  const place = (controller: string) => controllerDirectory(target, controller, files);
  const unified = target.cgroupPrefix['unified'];
  const directories: Directories = {
    memory: place('memory'),
    cpu: place('cpu'),
    cpuacct: place('cpuacct'),
    pids: place('pids'),
    cpuset: place('cpuset'),
    freezer: place('freezer'),
    core: unified === undefined ? undefined : { version: 'v2', directory: unified },
  };

  return {
    sample: (containers = new Set()) => {
      const primary = primaryDirectory(target, files);
      if (!primary || files.kind(primary.directory) === undefined) return { samples: [], truncated: false };
      const paths = listEverywhere(primary.directory, directories, files);
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

/** Groups of any hierarchy, those of the primary one first, where containers are; on v2 they are all the same. */
function listEverywhere(primary: string, directories: Directories, files: ControlFiles): readonly string[] {
  const bases = new Set([primary, ...Object.values(directories).flatMap((found) => found?.directory ?? [])]);
  const paths = new Set<string>();
  for (const base of bases) for (const path of listCgroups(base, files, MAX_CGROUPS - paths.size)) paths.add(path);
  return [...paths];
}

interface Reading {
  readonly values: Values;
  readonly evidence: Readonly<Record<string, string>>;
}

type ControllerName = 'memory' | 'cpu' | 'cpuacct' | 'pids' | 'cpuset' | 'freezer';
/** `core`: what cgroup v2 does without any controller, on hybrid hosts too. */
type Directories = Readonly<Record<ControllerName | 'core', ControllerDirectory | undefined>>;

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
    pidsLimitHits: fieldOf(pids('pids.events'), 'max'),
    ...settings(reader(directories.cpuset), reader(directories.freezer), reader(directories.core)),
  };
  const core = reader(directories.core);
  for (const file of PRESSURES) core(file);
  return { values: dropAbsent(values), evidence };
}

type ReadFile = (file: string) => string | undefined;
type Wanted = { readonly [K in keyof Values]: Values[K] | undefined };

/** What a group is set to besides limits, and how many that concerns. */
function settings(cpuset: ReadFile, freezer: ReadFile, core: ReadFile): Wanted {
  const cpus = cpuset('cpuset.cpus') || undefined;
  const state = freezer('freezer.state');
  const coreFrozen = fieldOf(core('cgroup.events'), 'frozen');
  const frozen = state === undefined && coreFrozen === undefined ? undefined : state === 'FROZEN' || coreFrozen === 1;
  const concerned = [
    cpus === undefined ? undefined : cpuset,
    state === 'FROZEN' ? freezer : undefined,
    coreFrozen === 1 ? core : undefined,
  ];
  const counts = concerned.flatMap((read) => read?.('cgroup.procs')?.split('\n').filter(Boolean).length ?? []);
  return { cpus, frozen, members: counts.length === 0 ? undefined : Math.max(...counts) };
}

function memoryV1(read: ReadFile): Wanted {
  return {
    memoryBytes: numberOf(read('memory.usage_in_bytes')),
    memoryLimitBytes: limitOf(read('memory.limit_in_bytes')),
    memoryPeakBytes: numberOf(read('memory.max_usage_in_bytes')),
    oomKills: fieldOf(read('memory.oom_control'), 'oom_kill'),
    memoryLimitHits: numberOf(read('memory.failcnt')),
  };
}

function memoryV2(read: ReadFile): Wanted {
  const events = read('memory.events');
  return {
    memoryBytes: numberOf(read('memory.current')),
    memoryLimitBytes: limitOf(read('memory.max')),
    memoryPeakBytes: numberOf(read('memory.peak')),
    oomKills: fieldOf(events, 'oom_kill'),
    memoryLimitHits: fieldOf(events, 'max'),
  };
}

function cpuV1(read: ReadFile, readAccounting: ReadFile): Wanted {
  const usageNs = numberOf(readAccounting('cpuacct.usage'));
  const quota = numberOf(read('cpu.cfs_quota_us'));
  const period = numberOf(read('cpu.cfs_period_us'));
  const stat = read('cpu.stat');
  const throttledNs = fieldOf(stat, 'throttled_time');
  return {
    cpuUsageUs: usageNs === undefined ? undefined : Math.round(usageNs / 1000),
    cpuQuota: quota !== undefined && quota > 0 && period ? quota / period : undefined,
    throttledUs: throttledNs === undefined ? undefined : Math.round(throttledNs / 1000),
    throttledPeriods: fieldOf(stat, 'nr_throttled'),
  };
}

function cpuV2(read: ReadFile): Wanted {
  const stat = read('cpu.stat');
  const [quota, period] = (read('cpu.max') ?? 'max').split(' ').map(Number);
  return {
    cpuUsageUs: fieldOf(stat, 'usage_usec'),
    cpuQuota: quota !== undefined && period && Number.isFinite(quota) ? quota / period : undefined,
    throttledUs: fieldOf(stat, 'throttled_usec'),
    throttledPeriods: fieldOf(stat, 'nr_throttled'),
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
