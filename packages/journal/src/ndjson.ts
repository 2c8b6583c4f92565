/**
 * Events as lines of JSON (NDJSON): how a journal is saved, and how a machine's engine sends it.
 *
 * Knows: one event a line, at most 64 KiB from a machine.
 * Does not know: files and sockets; callers bring chunks of text (intake.ts, file.ts).
 * @spec RFC 8259; one text a line
 */
import { InvalidValue } from './schema.ts';
import type { JournalBody, JournalEvent } from './types.ts';
import { checkBody, checkEvent } from './validate.ts';

/** Longest line taken from a machine, in UTF-16 code units. */
export const LINE_LIMIT = 65_536;
/** Longest line of a saved journal: the host's own samples of a large machine are longer than what a machine may send. */
export const FILE_LINE_LIMIT = 1_048_576;

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** One line, without its newline. */
export function formatEvent(event: JournalEvent): string {
  return JSON.stringify(event);
}

/** A saved event. Never throws: an invalid line gives the reason, which never quotes the line. */
export function parseEvent(line: string, limit = FILE_LINE_LIMIT): Parsed<JournalEvent> {
  return parse(line, limit, checkEvent);
}

/** One line of a machine's engine. */
export interface MachineLine {
  readonly body: JournalBody;
  /** When it says it happened; absent: it does not say. */
  readonly atMs: number | undefined;
  /** Its own number for the event, from which it resumes after a reconnect; the journal's numbers are not its to choose. */
  readonly n: number | undefined;
}

/** What a machine sent. Journal numbers and origin are not its to choose. */
export function parseMachineLine(line: string): Parsed<MachineLine> {
  return parse(line, LINE_LIMIT, (value) => {
    const body = checkBody(value);
    const atMs: unknown = typeof value === 'object' && value !== null && 'atMs' in value ? value.atMs : undefined;
    const n: unknown = typeof value === 'object' && value !== null && 'n' in value ? value.n : undefined;
    return {
      body,
      atMs: typeof atMs === 'number' && Number.isFinite(atMs) ? atMs : undefined,
      n: typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 ? n : undefined,
    };
  });
}

function parse<T>(line: string, limit: number, check: (value: unknown) => T): Parsed<T> {
  if (line.length > limit) return { ok: false, reason: `line is longer than ${limit}` };
  try {
    return { ok: true, value: check(JSON.parse(line)) };
  } catch (error) {
    if (error instanceof InvalidValue) return { ok: false, reason: error.message };
    if (error instanceof SyntaxError || error instanceof RangeError) return { ok: false, reason: 'line is not JSON' };
    throw error;
  }
}
