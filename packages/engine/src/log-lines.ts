/**
 * The lines of a container's log, in the format that CRI defined. Pure.
 *
 *     2026-11-21T04:00:00.123456789Z stdout F hello
 *     └ time, nanoseconds            │      └ F: full line, P: the first part of a longer one
 *                                    └ stream
 *
 * Knows: the format, and that content is arbitrary bytes.
 * Does not know: files, rotation or following (logs.ts).
 */

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, UTC; text of equal precision compares in order. */
  readonly time: string;
  /** With the newline the process wrote, unless `partial`. */
  readonly content: Uint8Array;
  readonly partial: boolean;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const LONGEST_HEAD = 64;

/** Cuts bytes, in whatever pieces they come, into lines. A line that is no log line is left out. */
export class LogLineReader {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Uint8Array): LogLine[] {
    const data = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, start)) {
      const line = parseLogLine(data.subarray(start, end + 1));
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    this.#rest = data.subarray(start);
    return lines;
  }
}

/** One line with its newline; undefined when it is malformed. */
export function parseLogLine(bytes: Uint8Array): LogLine | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: string[] = [];
  let at = 0;
  for (let field = 0; field < 3; field++) {
    const end = data.subarray(0, LONGEST_HEAD).indexOf(SPACE, at);
    if (end === -1) return undefined;
    fields.push(data.toString('latin1', at, end));
    at = end + 1;
  }
  const [time = '', stream, tag] = fields;
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'F' && tag !== 'P')) return undefined;
  const partial = tag === 'P';
  return { stream, time, partial, content: data.subarray(at, partial ? data.length - 1 : data.length) };
}

/**
 * The last `count` lines, where parts of one line count once.
 */
export function lastLines(lines: readonly LogLine[], count: number): readonly LogLine[] {
  let left = count;
  for (let index = lines.length - 1; index >= 0; index--) {
    if (lines[index]?.partial === true && index !== lines.length - 1) continue;
    if (left-- === 0) return lines.slice(index + 1);
  }
  return lines;
}
