/** `docker ps` and `docker images`: what there is, as tables, templates or ids. */
import { parseFlags, UsageError } from '../../flags.ts';
import { duration, humanSize, printable, shortId, table } from '../print.ts';
import { renderTemplate } from '../template.ts';
import type { Command } from './context.ts';

interface ContainerRow {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly Status: string;
  readonly State: string;
  readonly Ports?: readonly unknown[];
  readonly Labels?: Readonly<Record<string, string>>;
}

interface ImageRow {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
}

export const ps: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, {
    all: { kind: 'switch', short: 'a' },
    filter: { kind: 'list', short: 'f' },
    format: { kind: 'value' },
    last: { kind: 'value', short: 'n' },
    latest: { kind: 'switch', short: 'l' },
    'no-trunc': { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const limit = flags.has('latest') ? '1' : flags.value('last');
  const query = new URLSearchParams({
    ...(flags.has('all') || limit !== undefined ? { all: '1' } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(flags.list('filter').length > 0 ? { filters: filters(flags.list('filter')) } : {}),
  });
  const rows = await daemon.call<readonly ContainerRow[]>('GET', `/containers/json?${query}`);
  const whole = flags.has('no-trunc');
  const shown = rows.map((row) => describeContainer(row, whole));
  const format = flags.value('format');
  if (flags.has('quiet')) out(shown.map(({ ID }) => `${ID}\n`).join(''));
  else if (format !== undefined && format !== 'table') out(shown.map((row) => `${formatRow(format, row)}\n`).join(''));
  else {
    const cells = shown.map((row) => [row.ID, row.Image, row.Command, row.CreatedAt, row.Status, row.Ports, row.Names]);
    out(table(['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES'], cells));
  }
  return 0;
};

function describeContainer(row: ContainerRow, whole: boolean) {
  const command = printable(row.Command);
  return {
    ID: whole ? row.Id : shortId(row.Id),
    Image: printable(row.Image),
    Command: `"${whole || command.length <= 20 ? command : `${command.slice(0, 19)}…`}"`,
    CreatedAt: `${duration(Date.now() / 1000 - row.Created)} ago`,
    Status: row.Status,
    State: row.State,
    Ports: '',
    Names: row.Names.map((name) => name.replace(/^\//, '')).join(','),
    Labels: Object.entries(row.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
}

export const images: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, {
    all: { kind: 'switch', short: 'a' },
    format: { kind: 'value' },
    'no-trunc': { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const rows = await daemon.call<readonly ImageRow[]>('GET', '/images/json');
  const shown = rows.flatMap((row) => (row.RepoTags ?? ['<none>:<none>']).map((tag) => describeImage(row, tag, flags.has('no-trunc'))));
  const format = flags.value('format');
  if (flags.has('quiet')) out([...new Set(shown.map(({ ID }) => ID))].map((id) => `${id}\n`).join(''));
  else if (format !== undefined && format !== 'table') out(shown.map((row) => `${formatRow(format, row)}\n`).join(''));
  else
    out(
      table(
        ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
        shown.map((row) => [row.Repository, row.Tag, row.ID, row.CreatedSince, row.Size]),
      ),
    );
  return 0;
};

function describeImage(row: ImageRow, reference: string, whole: boolean) {
  const colon = reference.lastIndexOf(':');
  return {
    ID: whole ? row.Id : shortId(row.Id),
    Repository: printable(reference.slice(0, colon)),
    Tag: printable(reference.slice(colon + 1)),
    CreatedSince: row.Created > 0 ? `${duration(Date.now() / 1000 - row.Created)} ago` : 'N/A',
    Size: humanSize(row.Size),
  };
}

interface HistoryRow {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

export const history: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, {
    format: { kind: 'value' },
    'no-trunc': { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const [name, ...more] = flags.words;
  if (name === undefined || more.length > 0) throw new UsageError('"docker history" requires exactly 1 argument: the image');
  const rows = await daemon.call<readonly HistoryRow[]>('GET', `/images/${encodeURIComponent(name)}/history`);
  const whole = flags.has('no-trunc');
  const shown = rows.map((row) => {
    const by = printable(row.CreatedBy);
    return {
      ID: whole || row.Id === '<missing>' ? row.Id : shortId(row.Id),
      CreatedSince: row.Created > 0 ? `${duration(Date.now() / 1000 - row.Created)} ago` : 'N/A',
      CreatedBy: whole || by.length <= 45 ? by : `${by.slice(0, 44)}…`,
      Size: humanSize(row.Size),
      Comment: printable(row.Comment),
    };
  });
  const format = flags.value('format');
  if (flags.has('quiet')) out(shown.map(({ ID }) => `${ID}\n`).join(''));
  else if (format !== undefined && format !== 'table') out(shown.map((row) => `${formatRow(format, row)}\n`).join(''));
  else {
    const cells = shown.map(({ ID, CreatedSince, CreatedBy, Size, Comment }) => [ID, CreatedSince, CreatedBy, Size, Comment]);
    out(table(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], cells));
  }
  return 0;
};

function formatRow(format: string, row: Readonly<Record<string, string>>): string {
  return format === 'json' ? JSON.stringify(row) : renderTemplate(format.replace(/^table /, ''), row);
}

/** `status=running` given several times, as the API wants it. */
export function filters(entries: readonly string[]): string {
  const result: Record<string, string[]> = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at < 0) throw new UsageError(`bad format of filter ${JSON.stringify(entry)}: write NAME=VALUE`);
    const name = entry.slice(0, at);
    result[name] = [...(result[name] ?? []), entry.slice(at + 1)];
  }
  return JSON.stringify(result);
}
