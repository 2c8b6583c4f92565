/**
 * `list` and `ps`: tables and JSON in runc's shape.
 *
 * Knows: the columns.
 * Does not know: where containers are kept.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Command, openRuntime, UsageMistake } from './context.ts';
import { describe, type RuncState } from './lifecycle.ts';

const FORMATS = new Set(['table', 'json']);

export const list: Command = async (context) => {
  const { flags, out } = context;
  const format = requireFormat(flags.value('format'));
  const runtime = openRuntime(context);
  const states = await runtime.list();
  if (flags.has('quiet')) {
    for (const { id } of states) out(`${id}\n`);
    return 0;
  }
  const rows = await Promise.all(states.map((each) => describe(context, runtime, each)));
  out(format === 'json' ? JSON.stringify(rows.length === 0 ? null : rows) : table(rows));
  return 0;
};

function table(rows: readonly RuncState[]): string {
  const cells = rows.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner]);
  return formatTable([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], ...cells]);
}

/** Columns at least 12 wide and 3 apart, the last as long as it is. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(12, ...rows.map((row) => (row[column] ?? '').length + 3)));
  return rows
    .map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`)
    .join('');
}

export const ps: Command = async (context) => {
  const { flags, out } = context;
  const [id, ...options] = flags.words;
  if (id === undefined) throw new UsageMistake('runc: "ps" requires a minimum of 1 argument');
  const format = requireFormat(flags.value('format'));
  const pids = await openRuntime(context).pids(id);
  out(format === 'json' ? JSON.stringify(pids) : await describeProcesses(pids, options));
  return 0;
};

/** The lines of the host's ps that are about these pids. */
async function describeProcesses(pids: readonly number[], options: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', options.length === 0 ? ['-ef'] : [...options]);
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new UsageMistake("couldn't find PID field in ps output");
  const wanted = new Set(pids.map(String));
  const chosen = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ''));
  return `${[header, ...chosen].join('\n')}\n`;
}

function requireFormat(format = 'table'): string {
  if (FORMATS.has(format)) return format;
  throw new UsageMistake('invalid format option');
}
