/**
 * Everything a group's files say about its use, in the shape that runc's `events` made customary; absent: this host does not say.
 *
 * Knows: v1's and v2's files and their units.
 * Does not know: who prints it, nor the few numbers that pictures need (stats.ts).
 */
import { type ControlFiles, isErrno } from '@slipway/kernel';
import type { CgroupDirectories } from './apply-writes.ts';

/** Bytes. Without a limit, `limit` is about 2^63. */
export interface MemoryUse {
  readonly limit?: number | undefined;
  readonly usage?: number | undefined;
  readonly max?: number | undefined;
  readonly failcnt?: number | undefined;
}

export interface BlockIoUse {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

export interface CgroupUsage {
  /** Nanoseconds. */
  readonly cpu: {
    readonly total?: number | undefined;
    readonly kernel?: number | undefined;
    readonly user?: number | undefined;
    readonly perCpu?: readonly number[] | undefined;
    readonly periods?: number | undefined;
    readonly throttledPeriods?: number | undefined;
    readonly throttledTime?: number | undefined;
  };
  readonly cpus?: string | undefined;
  readonly mems?: string | undefined;
  readonly memory: {
    readonly cache?: number | undefined;
    readonly usage: MemoryUse;
    readonly swap: MemoryUse;
    readonly kernel: MemoryUse;
    readonly kernelTcp: MemoryUse;
    /** memory.stat, key by key. */
    readonly raw: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current?: number | undefined; readonly limit?: number | undefined };
  readonly blockIo: { readonly bytes: readonly BlockIoUse[]; readonly operations: readonly BlockIoUse[] };
  /** Processes the kernel killed in this group for want of memory. */
  readonly oomKills?: number | undefined;
}

/** Reads once; a group that disappears meanwhile gives what was still there. */
export function readUsage(directories: CgroupDirectories, files: ControlFiles): CgroupUsage {
  const reader = new Reader(directories, files);
  const isV1 = Object.keys(directories).some((name) => name !== 'unified' && !name.startsWith('name='));
  return isV1 ? readV1(reader) : readV2(reader);
}

/** cpuacct.stat counts in hundredths of a second, whatever the kernel's own tick is. */
const TICK_NS = 10_000_000;

function readV1(reader: Reader): CgroupUsage {
  const acct = reader.table('cpuacct', 'cpuacct.stat');
  const throttling = reader.table('cpu', 'cpu.stat');
  const raw = reader.table('memory', 'memory.stat');
  return {
    cpu: {
      total: reader.number('cpuacct', 'cpuacct.usage'),
      kernel: times(acct['system'], TICK_NS),
      user: times(acct['user'], TICK_NS),
      perCpu: reader.text('cpuacct', 'cpuacct.usage_percpu')?.split(' ').map(Number),
      periods: throttling['nr_periods'],
      throttledPeriods: throttling['nr_throttled'],
      throttledTime: throttling['throttled_time'],
    },
    cpus: reader.text('cpuset', 'cpuset.cpus'),
    mems: reader.text('cpuset', 'cpuset.mems'),
    memory: {
      cache: raw['cache'],
      usage: memoryV1(reader, 'memory'),
      swap: memoryV1(reader, 'memory.memsw'),
      kernel: memoryV1(reader, 'memory.kmem'),
      kernelTcp: memoryV1(reader, 'memory.kmem.tcp'),
      raw,
    },
    pids: { current: reader.number('pids', 'pids.current'), limit: reader.number('pids', 'pids.max') },
    blockIo: {
      bytes: reader.devices('blkio', 'blkio.throttle.io_service_bytes_recursive'),
      operations: reader.devices('blkio', 'blkio.throttle.io_serviced_recursive'),
    },
    oomKills: reader.table('memory', 'memory.oom_control')['oom_kill'],
  };
}

function memoryV1(reader: Reader, prefix: string): MemoryUse {
  return {
    limit: reader.number('memory', `${prefix}.limit_in_bytes`),
    usage: reader.number('memory', `${prefix}.usage_in_bytes`),
    max: reader.number('memory', `${prefix}.max_usage_in_bytes`),
    failcnt: reader.number('memory', `${prefix}.failcnt`),
  };
}

/** v2's times are microseconds; its swap is beside memory, where the customary numbers are memory plus swap. */
function readV2(reader: Reader): CgroupUsage {
  const cpu = reader.table('cpu', 'cpu.stat');
  const raw = reader.table('memory', 'memory.stat');
  const events = reader.table('memory', 'memory.events');
  const usage = reader.number('memory', 'memory.current');
  const swap = reader.number('memory', 'memory.swap.current');
  return {
    cpu: {
      total: times(cpu['usage_usec'], 1000),
      kernel: times(cpu['system_usec'], 1000),
      user: times(cpu['user_usec'], 1000),
      periods: cpu['nr_periods'],
      throttledPeriods: cpu['nr_throttled'],
      throttledTime: times(cpu['throttled_usec'], 1000),
    },
    cpus: reader.text('cpuset', 'cpuset.cpus.effective'),
    mems: reader.text('cpuset', 'cpuset.mems.effective'),
    memory: {
      cache: raw['file'],
      usage: { limit: reader.limitV2('memory.max'), usage, max: reader.number('memory', 'memory.peak'), failcnt: events['max'] },
      swap: { limit: reader.limitV2('memory.swap.max'), usage: usage === undefined || swap === undefined ? undefined : usage + swap },
      kernel: {},
      kernelTcp: {},
      raw,
    },
    pids: { current: reader.number('pids', 'pids.current'), limit: reader.number('pids', 'pids.max') },
    blockIo: { bytes: reader.ioV2({ rbytes: 'Read', wbytes: 'Write' }), operations: reader.ioV2({ rios: 'Read', wios: 'Write' }) },
    oomKills: events['oom_kill'],
  };
}

/** v2's `max` as a number that readers with 64 unsigned bits can take. */
const UNLIMITED = 2 ** 63;

class Reader {
  readonly #directories: CgroupDirectories;
  readonly #files: ControlFiles;

  constructor(directories: CgroupDirectories, files: ControlFiles) {
    this.#directories = directories;
    this.#files = files;
  }

  text(controller: string, file: string): string | undefined {
    const name = Object.keys(this.#directories).find((each) => each.split(',').includes(controller)) ?? 'unified';
    const directory = this.#directories[name];
    if (directory === undefined) return undefined;
    try {
      return this.#files.read(`${directory}/${file}`).trim();
    } catch (error) {
      // ENODEV: the group was removed while its file was open; EOPNOTSUPP: not this kernel.
      if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
      throw error;
    }
  }

  /** Undefined for `max`, too. */
  number(controller: string, file: string): number | undefined {
    const text = this.text(controller, file);
    return text !== undefined && /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
  }

  limitV2(file: string): number | undefined {
    return this.text('memory', file) === 'max' ? UNLIMITED : this.number('memory', file);
  }

  /** Lines of `key number`. */
  table(controller: string, file: string): Readonly<Record<string, number>> {
    const lines = this.text(controller, file)?.split('\n') ?? [];
    return Object.fromEntries(lines.map((line) => line.split(' ')).flatMap(([key, value]) => (key && value ? [[key, Number(value)]] : [])));
  }

  /** Lines of `MAJOR:MINOR Operation number`. */
  devices(controller: string, file: string): readonly BlockIoUse[] {
    return (this.text(controller, file)?.split('\n') ?? []).flatMap((line) => {
      const [, major, minor, op, value] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? [];
      return op === undefined ? [] : [{ major: Number(major), minor: Number(minor), op, value: Number(value) }];
    });
  }

  /** Lines of `MAJOR:MINOR key=number …`. */
  ioV2(operations: Readonly<Record<string, string>>): readonly BlockIoUse[] {
    return (this.text('io', 'io.stat')?.split('\n') ?? []).flatMap((line) => {
      const [, major, minor, rest = ''] = /^(\d+):(\d+) (.*)$/.exec(line) ?? [];
      return rest.split(' ').flatMap((pair) => {
        const [key = '', value] = pair.split('=');
        const op = operations[key];
        return op === undefined ? [] : [{ major: Number(major), minor: Number(minor), op, value: Number(value) }];
      });
    });
  }
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
