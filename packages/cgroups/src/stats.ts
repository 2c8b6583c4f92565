/**
 * What a group uses and has used, as numbers.
 *
 * Knows: v1's and v2's files, their units, and how "unlimited" looks in each.
 * Does not know: samples over time (packages/journal holds their type; the engine takes them).
 */
import { type ControlFiles, isErrno } from '@slipway/kernel';
import type { CgroupDirectories } from './apply-writes.ts';

/** Absent fields: the controller is not there, or there is no limit. Names as in the journal's CgroupSample. */
export interface CgroupStats {
  readonly version: 'v1' | 'v2';
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly memoryPeakBytes?: number;
  /** Processes the kernel killed in this group for want of memory. */
  readonly oomKills?: number;
  readonly cpuUsageUs?: number;
  /** CPUs' worth of time the group may use: 0.5 is half a CPU. */
  readonly cpuQuota?: number;
  readonly throttledUs?: number;
  readonly pids?: number;
  readonly pidsLimit?: number;
  /** Control file → its content, the evidence for the numbers. */
  readonly files: Readonly<Record<string, string>>;
}

/** Reads once; a group that disappears meanwhile gives what was still there. */
export function readStats(directories: CgroupDirectories, files: ControlFiles): CgroupStats {
  const reader = new StatReader(directories, files);
  const isV1 = Object.keys(directories).some((name) => name !== 'unified' && !name.startsWith('name='));
  return isV1 ? readV1(reader) : readV2(reader);
}

function readV1(reader: StatReader): CgroupStats {
  const quota = reader.number('cpu', 'cpu.cfs_quota_us');
  const period = reader.number('cpu', 'cpu.cfs_period_us');
  return compact('v1', reader, {
    memoryBytes: reader.number('memory', 'memory.usage_in_bytes'),
    memoryLimitBytes: reader.limit('memory', 'memory.limit_in_bytes'),
    memoryPeakBytes: reader.number('memory', 'memory.max_usage_in_bytes'),
    oomKills: reader.keyed('memory', 'memory.oom_control', 'oom_kill'),
    cpuUsageUs: scale(reader.number('cpuacct', 'cpuacct.usage'), 1 / 1000),
    cpuQuota: quota !== undefined && quota > 0 && period ? quota / period : undefined,
    throttledUs: scale(reader.keyed('cpu', 'cpu.stat', 'throttled_time'), 1 / 1000),
    pids: reader.number('pids', 'pids.current'),
    pidsLimit: reader.limit('pids', 'pids.max'),
  });
}

function readV2(reader: StatReader): CgroupStats {
  const [quota, period] = (reader.text('cpu', 'cpu.max') ?? '').split(' ').map(Number);
  return compact('v2', reader, {
    memoryBytes: reader.number('memory', 'memory.current'),
    memoryLimitBytes: reader.limit('memory', 'memory.max'),
    memoryPeakBytes: reader.number('memory', 'memory.peak'),
    oomKills: reader.keyed('memory', 'memory.events', 'oom_kill'),
    cpuUsageUs: reader.keyed('cpu', 'cpu.stat', 'usage_usec'),
    cpuQuota: quota && period ? quota / period : undefined,
    throttledUs: reader.keyed('cpu', 'cpu.stat', 'throttled_usec'),
    pids: reader.number('pids', 'pids.current'),
    pidsLimit: reader.limit('pids', 'pids.max'),
  });
}

/** Bytes of each file kept as evidence. */
const EVIDENCE_BYTES = 4096;
/** From here up v1's numbers mean "no limit". */
const UNLIMITED = 2 ** 62;

class StatReader {
  readonly evidence: Record<string, string> = {};
  readonly #directories: CgroupDirectories;
  readonly #files: ControlFiles;

  constructor(directories: CgroupDirectories, files: ControlFiles) {
    this.#directories = directories;
    this.#files = files;
  }

  /** Content of a controller's file, without the last line break. */
  text(controller: string, file: string): string | undefined {
    const known = this.evidence[file];
    if (known !== undefined) return known;
    const directory = this.#directoryOf(controller);
    if (directory === undefined) return undefined;
    try {
      const text = this.#files.read(`${directory}/${file}`, EVIDENCE_BYTES).trimEnd();
      this.evidence[file] = text;
      return text;
    } catch (error) {
      // ENODEV: the group was removed while its file was open; EOPNOTSUPP: not this kernel.
      if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
      throw error;
    }
  }

  number(controller: string, file: string): number | undefined {
    const text = this.text(controller, file);
    return text !== undefined && /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
  }

  limit(controller: string, file: string): number | undefined {
    const value = this.number(controller, file);
    return value !== undefined && value < UNLIMITED ? value : undefined;
  }

  /** The number behind `key ` in a file of such lines. */
  keyed(controller: string, file: string, key: string): number | undefined {
    const line = this.text(controller, file)
      ?.split('\n')
      .find((each) => each.startsWith(`${key} `));
    return line === undefined ? undefined : Number(line.slice(key.length + 1));
  }

  #directoryOf(controller: string): string | undefined {
    const name = Object.keys(this.#directories).find((each) => each.split(',').includes(controller));
    return this.#directories[name ?? 'unified'];
  }
}

type Numbers = { readonly [K in keyof Omit<CgroupStats, 'version' | 'files'>]: number | undefined };

function compact(version: 'v1' | 'v2', reader: StatReader, numbers: Numbers): CgroupStats {
  const present = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
  return { version, ...present, files: reader.evidence };
}

function scale(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * factor);
}
