/**
 * The daemon's own messages, on stderr.
 *
 * Knows: two forms: lines for people and JSON for programs.
 * Does not know: what is worth a message.
 */
import { destination, type Logger, pino } from 'pino';
import type { DaemonConfig } from './config.ts';

const STDERR = 2;
const LEVELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'err']);

export function createLog({ logLevel, logFormat }: Pick<DaemonConfig, 'logLevel' | 'logFormat'>): Logger {
  const stderr = destination({ fd: STDERR, sync: true });
  const stream = logFormat === 'json' ? stderr : { write: (line: string) => void stderr.write(formatText(line)) };
  return pino({ level: logLevel, base: null }, stream);
}

/** `04:00:00.123 info  serving the Docker API socket=/run/docker.sock`. */
export function formatText(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const when = new Date(Number(time)).toISOString().slice(11, 23);
  const rest = Object.entries(fields)
    .filter(([name]) => !OWN_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${when} ${(LEVELS[Number(level)] ?? '').padEnd(5)} ${String(msg)}${rest.join('')}${stack}\n`;
}
