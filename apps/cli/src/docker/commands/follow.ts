/** `docker logs`, `events` and `stats`: answers that keep coming. Knows their flags and line formats. */
import type { IncomingMessage } from 'node:http';
import { parseFlags, UsageError } from '../../flags.ts';
import { printable, shortId, table } from '../print.ts';
import { Demultiplexer } from '../streams.ts';
import { renderTemplate } from '../template.ts';
import type { Command, Context } from './context.ts';
import { filters } from './list.ts';

export const logs: Command = async (context) => {
  const flags = parseFlags(context.args, {
    follow: { kind: 'switch', short: 'f' },
    since: { kind: 'value' },
    tail: { kind: 'value', short: 'n' },
    timestamps: { kind: 'switch', short: 't' },
    until: { kind: 'value' },
  });
  const [name] = flags.words;
  if (name === undefined) throw new UsageError('"docker logs" requires exactly 1 argument: the container');
  const path = `/containers/${encodeURIComponent(name)}`;
  const { Config } = await context.daemon.call<{ Config: { Tty: boolean } }>('GET', `${path}/json`);
  const query = new URLSearchParams({ stdout: '1', stderr: '1', tail: flags.value('tail') ?? 'all' });
  if (flags.has('follow')) query.set('follow', '1');
  if (flags.has('timestamps')) query.set('timestamps', '1');
  for (const bound of ['since', 'until']) {
    const value = flags.value(bound);
    if (value !== undefined) query.set(bound, timestamp(value));
  }
  const response = await context.daemon.stream('GET', `${path}/logs?${query}`);
  const demultiplexer = new Demultiplexer((stream, bytes) => void process[stream].write(bytes));
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (Config.Tty) process.stdout.write(chunk);
    else demultiplexer.feed(chunk);
  }
  return 0;
};

/** Docker takes Unix seconds; people type `10m` (ago) or a date as well. */
export function timestamp(text: string, nowMs = Date.now()): string {
  const [, amount, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return String(Math.floor(nowMs / 1000) - Number(amount) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 1));
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  const date = Date.parse(text);
  if (Number.isNaN(date)) throw new UsageError(`${JSON.stringify(text)} is no time: write seconds since 1970, a date, or for example 10m`);
  return String(date / 1000);
}

export const events: Command = async (context) => {
  const flags = parseFlags(context.args, {
    filter: { kind: 'list', short: 'f' },
    format: { kind: 'value' },
    since: { kind: 'value' },
    until: { kind: 'value' },
  });
  const query = new URLSearchParams();
  for (const bound of ['since', 'until']) {
    const value = flags.value(bound);
    if (value !== undefined) query.set(bound, timestamp(value));
  }
  if (flags.list('filter').length > 0) query.set('filters', filters(flags.list('filter')));
  const response = await context.daemon.stream('GET', `/events?${query}`);
  for await (const event of jsonLines<EngineEvent>(response)) context.out(`${eventLine(event, flags.value('format'))}\n`);
  return 0;
};

interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly time: number;
  readonly timeNano?: number;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> };
}

function eventLine(event: EngineEvent, format: string | undefined): string {
  if (format === 'json' || format === '{{json .}}') return JSON.stringify(event);
  if (format !== undefined) return renderTemplate(format, event);
  const attributes = Object.entries(event.Actor.Attributes ?? {}).map(([key, value]) => `${printable(key)}=${printable(value)}`);
  return `${new Date(event.time * 1000).toISOString()} ${event.Type} ${event.Action} ${event.Actor.ID} (${attributes.join(', ')})`;
}

interface Stats {
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: { readonly usage?: number; readonly limit?: number };
  readonly pids_stats: { readonly current?: number };
}
interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

export const stats: Command = async (context) => {
  const flags = parseFlags(context.args, {
    'no-stream': { kind: 'switch' },
    all: { kind: 'switch', short: 'a' },
    'no-trunc': { kind: 'switch' },
  });
  const header = ['CONTAINER ID', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'PIDS'];
  for (;;) {
    const rows = await context.daemon.call<readonly { Id: string; Names: readonly string[] }[]>('GET', '/containers/json');
    const wanted = rows.filter(
      ({ Id, Names }) => flags.words.length === 0 || flags.words.some((word) => Id.startsWith(word) || Names.includes(`/${word}`)),
    );
    const cells = await Promise.all(wanted.map((row) => statsCells(context, row)));
    if (!flags.has('no-stream') && process.stdout.isTTY) context.out('\x1b[H\x1b[J');
    context.out(table(header, cells));
    if (flags.has('no-stream')) return 0;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
};

async function statsCells(context: Context, { Id, Names }: { Id: string; Names: readonly string[] }): Promise<string[]> {
  const sample = await context.daemon.call<Stats>('GET', `/containers/${Id}/stats?stream=0`);
  const cpu = sample.cpu_stats.cpu_usage.total_usage - sample.precpu_stats.cpu_usage.total_usage;
  const system = (sample.cpu_stats.system_cpu_usage ?? 0) - (sample.precpu_stats.system_cpu_usage ?? 0);
  const percent = system > 0 ? (cpu / system) * (sample.cpu_stats.online_cpus ?? 1) * 100 : 0;
  const { usage = 0, limit = 0 } = sample.memory_stats;
  const memory = limit > 0 ? (usage / limit) * 100 : 0;
  const name = Names[0]?.replace(/^\//, '') ?? '';
  return [
    shortId(Id),
    name,
    `${percent.toFixed(2)}%`,
    `${mib(usage)} / ${mib(limit)}`,
    `${memory.toFixed(2)}%`,
    String(sample.pids_stats.current ?? 0),
  ];
}

function mib(bytes: number): string {
  return bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(2)}GiB` : `${(bytes / 1024 ** 2).toFixed(2)}MiB`;
}

async function* jsonLines<T>(response: IncomingMessage): AsyncGenerator<T> {
  let pending = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const lines = (pending + chunk.toString('utf8')).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
  }
}
