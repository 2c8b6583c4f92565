/**
 * `docker run`'s flags to the body of POST /containers/create.
 *
 * Knows: which flag sets which field, and the units people type (64m, 0.5).
 * Does not know: the connection, or what the engine makes of it. Pure.
 */
import { type FlagTable, type ParsedFlags, UsageError } from '../flags.ts';
import { parseSize } from '../units.ts';

/** Limits, which can be changed later, too. */
export const LIMIT_FLAGS: FlagTable = {
  'cpu-period': { kind: 'value' },
  'cpu-quota': { kind: 'value' },
  'cpu-shares': { kind: 'value', short: 'c' },
  cpus: { kind: 'value' },
  'cpuset-cpus': { kind: 'value' },
  'cpuset-mems': { kind: 'value' },
  memory: { kind: 'value', short: 'm' },
  'memory-reservation': { kind: 'value' },
  'memory-swap': { kind: 'value' },
  'pids-limit': { kind: 'value' },
};

/** Flags shared by run and create. */
export const CREATE_FLAGS: FlagTable = {
  ...LIMIT_FLAGS,
  'add-host': { kind: 'list' },
  attach: { kind: 'list', short: 'a' },
  'cap-add': { kind: 'list' },
  'cap-drop': { kind: 'list' },
  cidfile: { kind: 'value' },
  entrypoint: { kind: 'value' },
  env: { kind: 'list', short: 'e' },
  'group-add': { kind: 'list' },
  hostname: { kind: 'value', short: 'h' },
  init: { kind: 'switch' },
  interactive: { kind: 'switch', short: 'i' },
  label: { kind: 'list', short: 'l' },
  name: { kind: 'value' },
  network: { kind: 'value' },
  net: { kind: 'value' },
  'oom-score-adj': { kind: 'value' },
  privileged: { kind: 'switch' },
  publish: { kind: 'list', short: 'p' },
  pull: { kind: 'value' },
  'read-only': { kind: 'switch' },
  rm: { kind: 'switch' },
  runtime: { kind: 'value' },
  'security-opt': { kind: 'list' },
  'shm-size': { kind: 'value' },
  'stop-signal': { kind: 'value' },
  'stop-timeout': { kind: 'value' },
  tmpfs: { kind: 'list' },
  tty: { kind: 'switch', short: 't' },
  ulimit: { kind: 'list' },
  user: { kind: 'value', short: 'u' },
  volume: { kind: 'list', short: 'v' },
  workdir: { kind: 'value', short: 'w' },
};

export interface CreateBody {
  readonly [field: string]: unknown;
}

/** @param environment ours, for `-e NAME` without a value */
export function containerBody(flags: ParsedFlags, environment: Readonly<Record<string, string | undefined>>): CreateBody {
  const [image, ...command] = flags.words;
  if (image === undefined) throw new UsageError('"docker run" requires at least 1 argument: the image');
  const interactive = flags.has('interactive');
  const detached = flags.has('detach');
  return {
    Image: image,
    ...(command.length > 0 ? { Cmd: command } : {}),
    ...(flags.value('entrypoint') === undefined ? {} : { Entrypoint: [flags.value('entrypoint')].filter((word) => word !== '') }),
    Env: flags.list('env').flatMap((entry) => environmentEntry(entry, environment)),
    Tty: flags.has('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && !detached,
    AttachStdin: interactive && !detached,
    AttachStdout: !detached,
    AttachStderr: !detached,
    ...text(flags, { hostname: 'Hostname', user: 'User', workdir: 'WorkingDir', 'stop-signal': 'StopSignal' }),
    ...number(flags, { 'stop-timeout': 'StopTimeout' }),
    Labels: Object.fromEntries(flags.list('label').map(splitPair)),
    HostConfig: hostConfig(flags),
  };
}

function hostConfig(flags: ParsedFlags): CreateBody {
  const network = flags.value('network') ?? flags.value('net');
  if (flags.list('publish').length > 0)
    throw new UsageError('publishing ports needs a bridge network, which this engine does not have yet');
  return {
    AutoRemove: flags.has('rm'),
    NetworkMode: network ?? 'default',
    Privileged: flags.has('privileged'),
    ReadonlyRootfs: flags.has('read-only'),
    ...(flags.has('init') ? { Init: true } : {}),
    Binds: [...flags.list('volume')],
    CapAdd: [...flags.list('cap-add')],
    CapDrop: [...flags.list('cap-drop')],
    ExtraHosts: [...flags.list('add-host')],
    GroupAdd: [...flags.list('group-add')],
    SecurityOpt: [...flags.list('security-opt')],
    Tmpfs: Object.fromEntries(flags.list('tmpfs').map((entry) => splitAt(entry, ':'))),
    Ulimits: flags.list('ulimit').map(ulimit),
    ...limitsBody(flags),
    ...text(flags, { runtime: 'Runtime' }),
    ...bytes(flags, { 'shm-size': 'ShmSize' }),
    ...number(flags, { 'oom-score-adj': 'OomScoreAdj' }),
  };
}

/** The limits among the flags, as fields of HostConfig or the body of POST /containers/{id}/update. */
export function limitsBody(flags: ParsedFlags): CreateBody {
  return {
    ...bytes(flags, { memory: 'Memory', 'memory-reservation': 'MemoryReservation', 'memory-swap': 'MemorySwap' }),
    ...number(flags, { 'cpu-period': 'CpuPeriod', 'cpu-quota': 'CpuQuota', 'cpu-shares': 'CpuShares', 'pids-limit': 'PidsLimit' }),
    ...text(flags, { 'cpuset-cpus': 'CpusetCpus', 'cpuset-mems': 'CpusetMems' }),
    ...(flags.value('cpus') === undefined ? {} : { NanoCpus: nanoCpus(flags.value('cpus') ?? '') }),
  };
}

function text(flags: ParsedFlags, names: Readonly<Record<string, string>>): CreateBody {
  return pick(flags, names, (value) => value);
}

function number(flags: ParsedFlags, names: Readonly<Record<string, string>>): CreateBody {
  return pick(flags, names, (value, flag) => {
    if (/^-?\d+$/.test(value)) return Number(value);
    throw new UsageError(`invalid argument "${value}" for "--${flag}": not a whole number`);
  });
}

function bytes(flags: ParsedFlags, names: Readonly<Record<string, string>>): CreateBody {
  return pick(flags, names, (value, flag) => {
    const size = parseBytes(value);
    if (size !== undefined) return size;
    throw new UsageError(`invalid argument "${value}" for "--${flag}": not a size; write for example 64m or 1g`);
  });
}

function pick(flags: ParsedFlags, names: Readonly<Record<string, string>>, read: (value: string, flag: string) => unknown): CreateBody {
  return Object.fromEntries(
    Object.entries(names).flatMap(([flag, field]) => {
      const value = flags.value(flag);
      return value === undefined ? [] : [[field, read(value, flag)]];
    }),
  );
}

/** As {@link parseSize}, and `-1` for no limit. */
export function parseBytes(value: string): number | undefined {
  return value === '-1' ? -1 : parseSize(value);
}

function nanoCpus(value: string): number {
  if (/^\d*\.?\d+$/.test(value)) return Math.round(Number(value) * 1e9);
  throw new UsageError(`invalid argument "${value}" for "--cpus": not a number of CPUs; write for example 0.5`);
}

function environmentEntry(entry: string, environment: Readonly<Record<string, string | undefined>>): string[] {
  if (entry.includes('=')) return [entry];
  const value = environment[entry];
  return value === undefined ? [] : [`${entry}=${value}`];
}

function ulimit(entry: string): CreateBody {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(entry) ?? [];
  if (name === undefined || soft === undefined) throw new UsageError(`invalid argument "${entry}" for "--ulimit": write NAME=SOFT[:HARD]`);
  return { Name: name, Soft: Number(soft), Hard: Number(hard ?? soft) };
}

function splitPair(entry: string): [string, string] {
  return splitAt(entry, '=');
}

function splitAt(entry: string, separator: string): [string, string] {
  const at = entry.indexOf(separator);
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}
