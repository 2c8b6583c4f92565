/**
 * What the kernel tells of a control group, each figure with the file it stands in on v1 and on v2.
 *
 * Knows: files, the keys in them, units, and what either version does not have. Values come from the files as they were read. Pure.
 * Does not know: the sampler, or how a table is drawn.
 */
import type { CgroupSample } from '@slipway/journal';
import { formatBytes, formatDuration } from '../base/format.ts';

/** A file, and the key of the line where it has several. */
export interface Source {
  readonly file: string;
  readonly key?: string;
}

export interface Signal {
  readonly group: 'memory' | 'cpu' | 'pids' | 'io' | 'freezer';
  readonly label: string;
  readonly v1?: Source;
  readonly v2?: Source;
  /** As read; absent: this host does not tell. */
  readonly value?: string;
  readonly live?: 'v1' | 'v2';
  /** Not as it should be: something waited, was refused or killed. */
  readonly alarming: boolean;
}

type Unit = 'bytes' | 'count' | 'us' | 'ns' | 'text' | 'pressure';

interface Row {
  readonly group: Signal['group'];
  readonly label: string;
  readonly v1?: Source & { readonly unit: Unit };
  readonly v2?: Source & { readonly unit: Unit };
  readonly alarms?: boolean;
}

const at = (file: string, unit: Unit, key?: string) => ({ file, unit, ...(key === undefined ? {} : { key }) });

const ROWS: readonly Row[] = [
  { group: 'memory', label: 'in use', v1: at('memory.usage_in_bytes', 'bytes'), v2: at('memory.current', 'bytes') },
  { group: 'memory', label: 'limit', v1: at('memory.limit_in_bytes', 'bytes'), v2: at('memory.max', 'bytes') },
  { group: 'memory', label: 'most so far', v1: at('memory.max_usage_in_bytes', 'bytes'), v2: at('memory.peak', 'bytes') },
  { group: 'memory', label: 'limit reached', v1: at('memory.failcnt', 'count'), v2: at('memory.events', 'count', 'max'), alarms: true },
  { group: 'memory', label: 'slowed at memory.high', v2: at('memory.events', 'count', 'high'), alarms: true },
  {
    group: 'memory',
    label: 'out of memory',
    v1: at('memory.oom_control', 'count', 'under_oom'),
    v2: at('memory.events', 'count', 'oom'),
    alarms: true,
  },
  {
    group: 'memory',
    label: 'processes killed',
    v1: at('memory.oom_control', 'count', 'oom_kill'),
    v2: at('memory.events', 'count', 'oom_kill'),
    alarms: true,
  },
  { group: 'memory', label: 'pressure', v2: at('memory.pressure', 'pressure') },
  { group: 'cpu', label: 'time used', v1: at('cpuacct.usage', 'ns'), v2: at('cpu.stat', 'us', 'usage_usec') },
  { group: 'cpu', label: 'quota', v1: at('cpu.cfs_quota_us', 'text'), v2: at('cpu.max', 'text') },
  { group: 'cpu', label: 'periods', v1: at('cpu.stat', 'count', 'nr_periods'), v2: at('cpu.stat', 'count', 'nr_periods') },
  {
    group: 'cpu',
    label: 'periods throttled',
    v1: at('cpu.stat', 'count', 'nr_throttled'),
    v2: at('cpu.stat', 'count', 'nr_throttled'),
    alarms: true,
  },
  {
    group: 'cpu',
    label: 'time throttled',
    v1: at('cpu.stat', 'ns', 'throttled_time'),
    v2: at('cpu.stat', 'us', 'throttled_usec'),
    alarms: true,
  },
  { group: 'cpu', label: 'pressure', v2: at('cpu.pressure', 'pressure') },
  { group: 'pids', label: 'processes', v1: at('pids.current', 'count'), v2: at('pids.current', 'count') },
  { group: 'pids', label: 'limit', v1: at('pids.max', 'text'), v2: at('pids.max', 'text') },
  { group: 'pids', label: 'forks refused', v1: at('pids.events', 'count', 'max'), v2: at('pids.events', 'count', 'max'), alarms: true },
  { group: 'io', label: 'pressure', v2: at('io.pressure', 'pressure') },
  { group: 'freezer', label: 'frozen', v1: at('freezer.state', 'text'), v2: at('cgroup.events', 'count', 'frozen') },
];

/** Every figure there is a file for, whichever version; those of the live version have values. */
export function signalsOf(sample: CgroupSample): readonly Signal[] {
  return ROWS.map((row): Signal => {
    const { group, label, v1, v2, alarms = false } = row;
    // Of a hybrid host's two trees the one that limits comes first; what only the other has is told from there.
    const order = sample.version === 'v1' ? (['v1', 'v2'] as const) : (['v2', 'v1'] as const);
    const live = order.find((version) => contentOf(sample, row[version]) !== undefined);
    const source = live && row[live];
    const text = contentOf(sample, source);
    return {
      group,
      label,
      ...(v1 && { v1: sourceOf(v1) }),
      ...(v2 && { v2: sourceOf(v2) }),
      ...(source && text !== undefined && live && { live, value: say(text, source.unit) }),
      alarming: alarms && text !== undefined && Number(text) > 0,
    };
  });
}

export function sourceText(source: Source | undefined): string {
  if (!source) return 'none';
  return source.key === undefined ? source.file : `${source.file}: ${source.key}`;
}

function sourceOf({ file, key }: Source): Source {
  return { file, ...(key === undefined ? {} : { key }) };
}

/** The file's content, or what stands behind the key; undefined where the file was not read or has no such line. */
function contentOf(sample: CgroupSample, source: Source | undefined): string | undefined {
  const text = source && sample.files?.[source.file];
  if (source?.key === undefined) return text;
  return text
    ?.split('\n')
    .find((line) => line.startsWith(`${source.key} `))
    ?.slice(source.key.length + 1);
}

/** v1 writes "no limit" as the largest multiple of a page. */
const UNLIMITED = 2 ** 62;

function say(text: string, unit: Unit): string {
  const value = Number(text);
  if (unit === 'pressure') return pressureText(text);
  if (unit === 'text' || text === '' || !Number.isFinite(value)) return text === '-1' ? 'none' : text;
  if (unit === 'bytes') return value >= UNLIMITED ? 'none' : formatBytes(value);
  if (unit === 'us') return formatDuration(value / 1000);
  return unit === 'ns' ? formatDuration(value / 1e6) : String(value);
}

/** `some avg10=1.53 …`: the share of the last ten seconds in which some, or all, had to wait. */
function pressureText(text: string): string {
  const share = (who: string) => new RegExp(`^${who} avg10=([0-9.]+)`, 'm').exec(text)?.[1];
  const parts = (['some', 'full'] as const).flatMap((who) => {
    const found = share(who);
    return found === undefined ? [] : [`${who} ${Number(found)} %`];
  });
  return parts.join(', ') || 'not told';
}
