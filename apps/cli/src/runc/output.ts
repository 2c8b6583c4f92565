/**
 * What runc prints besides results: one line for each message, as text or JSON, on stderr or in a file.
 *
 * Knows: the two formats, which engines above parse.
 * Does not know: what went wrong.
 */
import { appendFileSync } from 'node:fs';

export type LogFormat = 'text' | 'json';
export type LogLevel = 'error' | 'warning';

export interface Log {
  write(level: LogLevel, message: string): void;
  /** True when a file was given; errors then also go to stderr, bare. */
  readonly toFile: boolean;
}

export function openLog(path: string | undefined, format: LogFormat): Log {
  const toFile = path !== undefined && path !== '';
  return {
    toFile,
    write(level, message) {
      const line = format === 'json' ? jsonLine(level, message) : textLine(level, message);
      if (toFile) appendFileSync(path, line, { mode: 0o644 });
      else process.stderr.write(line);
    },
  };
}

function textLine(level: LogLevel, message: string): string {
  return `time="${now()}" level=${level} msg=${JSON.stringify(message)}\n`;
}

function jsonLine(level: LogLevel, msg: string): string {
  return `${JSON.stringify({ level, msg, time: now() })}\n`;
}

/** RFC 3339 in whole seconds. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
