/**
 * A control group's dials: what can be limited, between which values a handle moves, and the command that sets a limit.
 *
 * Knows: round values people choose, v1's and v2's files for each limit and what "no limit" is in them. Pure.
 * Does not know: how a dial is drawn, nor whether the kernel will obey; the learner sees that in the terminal.
 */
import type { CgroupSample } from '@slipway/journal';
import { formatBytes, formatCommand, formatShare } from '../base/format.ts';
import type { GaugeName } from './model.ts';

export interface Dial {
  readonly name: GaugeName;
  /** In use now; absent: not told. */
  readonly value?: number;
  /** Absent: no limit. */
  readonly limit?: number;
  /** Values the handle rests at, ascending; beyond the last there is no limit. Bytes, CPUs, processes. */
  readonly stops: readonly number[];
  /** The file that holds the limit, as the machine sees it; absent: nothing here can be set. */
  readonly file?: string;
}

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;
const STOPS: Readonly<Record<GaugeName, readonly number[]>> = {
  memory: [
    ...[4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768].map((n) => n * MIB),
    ...[1, 1.5, 2, 3, 4, 6, 8, 16, 32].map((n) => n * GIB),
  ],
  cpu: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 16, 32, 64],
  pids: [1, 2, 5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 4000, 8000, 16_000, 32_000],
};
const LIMIT_FILE = {
  memory: { v1: 'memory.limit_in_bytes', v2: 'memory.max' },
  cpu: { v1: 'cpu.cfs_quota_us', v2: 'cpu.max' },
  pids: { v1: 'pids.max', v2: 'pids.max' },
} as const;
const PERIOD_US = 100_000;
/** Directories that may stand in a command as they are. */
const PLAIN_PATH = /^\/[\w.:=,@/-]+$/;

/** @param machine the machine's own group, above whose limits none can take effect */
export function dialsOf(
  sample: CgroupSample,
  machine: CgroupSample | undefined,
  directories: Readonly<Record<string, string>> | undefined,
): readonly Dial[] {
  return [
    dial('memory', sample.memoryBytes, sample.memoryLimitBytes, machine?.memoryLimitBytes),
    dial('cpu', sample.cpuFraction, sample.cpuQuota, machine?.cpuQuota),
    dial('pids', sample.pids, sample.pidsLimit, machine?.pidsLimit),
  ].map((each) => {
    const file = limitFile(each.name, sample, directories);
    return file === undefined ? each : { ...each, file };
  });
}

function dial(name: GaugeName, value: number | undefined, limit: number | undefined, ceiling: number | undefined): Dial {
  const highest = Math.max(ceiling ?? STOPS[name].at(-1) ?? 1, limit ?? 0);
  // A limit that is no round value stays a place to come back to.
  const stops = [...new Set([...STOPS[name].filter((stop) => stop <= highest), ...(limit === undefined || limit <= 0 ? [] : [limit])])];
  return {
    name,
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
    stops: stops.sort((a, b) => a - b),
  };
}

/** The machine's own limits are set from outside; of the others only what is really there can be written. */
function limitFile(name: GaugeName, sample: CgroupSample, directories: Readonly<Record<string, string>> = {}): string | undefined {
  const file = (['v1', 'v2'] as const).map((version) => LIMIT_FILE[name][version]).find((each) => sample.files?.[each] !== undefined);
  if (sample.path === '/' || file === undefined) return undefined;
  const own = sample.version === 'v2' ? directories['unified'] : directories[name];
  const path = `${own ?? `/sys/fs/cgroup${sample.version === 'v2' ? '' : `/${name}`}${sample.path}`}/${file}`;
  return PLAIN_PATH.test(path) && !path.includes('..') ? path : undefined;
}

/** 0 … 1 along the dial: stops are evenly spaced, so that small limits can be set as finely as large ones; 1 is "no limit". */
export function placeOf(dial: Pick<Dial, 'stops'>, value: number | undefined): number {
  const { stops } = dial;
  if (value === undefined) return 1;
  const above = stops.findIndex((stop) => stop >= value);
  if (above < 0) return stops.length / (stops.length + 1);
  const upper = stops[above] ?? value;
  const lower = stops[above - 1] ?? 0;
  const within = upper === lower ? 1 : (value - lower) / (upper - lower);
  return (above + within) / (stops.length + 1);
}

/** The stop nearest to a place; undefined: no limit. */
export function stopAt(dial: Pick<Dial, 'stops'>, place: number): number | undefined {
  const index = Math.round(Math.min(Math.max(place, 0), 1) * (dial.stops.length + 1)) - 1;
  return dial.stops[Math.max(0, index)];
}

/** One step (or several) along the stops from where the handle is. */
export function stepFrom(dial: Pick<Dial, 'stops'>, limit: number | undefined, steps: number): number | undefined {
  const at = limit === undefined ? dial.stops.length : dial.stops.findIndex((stop) => stop >= limit);
  return dial.stops[Math.max(0, (at < 0 ? dial.stops.length : at) + steps)];
}

export function limitText(name: GaugeName, limit: number | undefined): string {
  if (limit === undefined) return 'no limit';
  if (name === 'memory') return formatBytes(limit);
  return name === 'cpu' ? formatShare(limit) : `${limit}`;
}

/** What the learner would type to set it; undefined where nothing can be set. */
export function limitCommand(dial: Pick<Dial, 'name' | 'file'>, limit: number | undefined): string | undefined {
  const { file, name } = dial;
  if (file === undefined) return undefined;
  return `echo ${formatCommand([limitWords(name, file, limit)])} > ${file}`;
}

function limitWords(name: GaugeName, file: string, limit: number | undefined): string {
  if (name === 'cpu') {
    const quota = limit === undefined ? undefined : Math.round(limit * PERIOD_US);
    return file.endsWith('cpu.max') ? `${quota ?? 'max'} ${PERIOD_US}` : String(quota ?? -1);
  }
  if (limit !== undefined) return String(limit);
  return file.endsWith('memory.limit_in_bytes') ? '-1' : 'max';
}
