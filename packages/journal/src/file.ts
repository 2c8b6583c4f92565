/**
 * Saving a journal and loading one, over whatever the caller reads and writes with.
 *
 * Knows: the order of a saved journal, and that a file may be damaged or made by somebody else.
 * Does not know: paths; the caller brings a writer and an iterable of chunks.
 */
import { createLineSplitter } from './lines.ts';
import { FILE_LINE_LIMIT, formatEvent, parseEvent } from './ndjson.ts';
import type { JournalEvent } from './types.ts';

export interface JournalWriter {
  /** Takes a piece of text in order; a returned promise is awaited before the next piece. */
  write(text: string): Promise<void> | void;
}

export interface LoadedJournal {
  /** Ascending by seq. */
  readonly events: readonly JournalEvent[];
  /** Lines that could not be used; where an event is missing for it, a `gap` stands in its place. */
  readonly dropped: number;
  /** True when the file held more than `maxEvents`. */
  readonly truncated: boolean;
}

const CHUNK = 256;

/** Writes every event as one line. */
export async function saveJournal(events: Iterable<JournalEvent>, writer: JournalWriter): Promise<void> {
  let lines: string[] = [];
  for (const event of events) {
    lines.push(formatEvent(event));
    if (lines.length >= CHUNK) {
      await writer.write(`${lines.join('\n')}\n`);
      lines = [];
    }
  }
  if (lines.length > 0) await writer.write(`${lines.join('\n')}\n`);
}

/** Reads a saved journal. Invalid lines and events out of order are dropped and counted, never thrown. */
export async function loadJournal(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  maxEvents = 500_000,
): Promise<LoadedJournal> {
  const events: JournalEvent[] = [];
  let dropped = 0;
  let truncated = false;
  let invalidSinceLast = false;

  const drop = (): void => {
    dropped++;
    invalidSinceLast = true;
  };
  const lines = createLineSplitter(FILE_LINE_LIMIT, (line) => {
    const parsed = line === undefined ? undefined : parseEvent(line);
    const lastSeq = events.at(-1)?.seq ?? 0;
    if (!parsed?.ok || parsed.value.seq <= lastSeq) return drop();
    if (events.length >= maxEvents) {
      truncated = true;
      return;
    }
    const event = parsed.value;
    const missing = event.seq - 1 - lastSeq;
    if (invalidSinceLast && missing > 0) {
      events.push({
        type: 'gap',
        reason: 'lines of the file could not be read',
        count: missing,
        seq: event.seq - 1,
        atMs: event.atMs,
        origin: 'host',
      });
    }
    invalidSinceLast = false;
    events.push(event);
  });
  for await (const chunk of chunks) lines.push(chunk);
  lines.end();
  return { events, dropped, truncated };
}
