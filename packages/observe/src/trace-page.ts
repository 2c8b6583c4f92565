/**
 * One page of the kernel's trace ring buffer, cut into records.
 *
 * Knows: the binary layout of pages and record headers (little-endian, 64 bit).
 * Does not know: what a record holds (trace-records.ts).
 *
 * The text of `trace_pipe` would be easier to read, but it prints program and file names as they are: a machine could forge
 * lines about another machine with a line break in a name. Bytes with lengths cannot be forged.
 *
 *     0         8          16
 *     │ time ns │ commit   │ header 4 B │ payload │ header │ payload …        header: type_len:5 time_delta:27
 *                 └ bits 0-19 bytes used, 30 lost count stored, 31 events lost
 *
 * @see kernel include/linux/ring_buffer.h, "enum ring_buffer_type"
 */

export interface TracePage {
  /** Records dropped before this page: a count, or -1 where only the fact is known. */
  readonly lost: number;
}

/** Called with CLOCK_MONOTONIC milliseconds and where in the page the record stands. */
export type RecordListener = (atMs: number, offset: number, length: number) => void;

const DATA = 16;
const LENGTH_MASK = 0xfffff;
const LOST = 0x8000_0000;
const LOST_STORED = 0x4000_0000;

const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
const DELTA_BITS = 2 ** 27;

/** Walks over the records of a page. A damaged page ends where it stops making sense; nothing outside `page` is read. */
export function readTracePage(page: DataView, onRecord: RecordListener): TracePage {
  const commit = page.getUint32(8, true);
  const end = Math.min(page.byteLength, DATA + (commit & LENGTH_MASK));
  let timeNs = readTime(page, 0);
  let at = DATA;
  while (at + 4 <= end) {
    const header = page.getUint32(at, true);
    const typeLength = header & 31;
    const delta = header >>> 5;
    const word = at + 8 <= end ? page.getUint32(at + 4, true) : 0;
    if (typeLength === PADDING) {
      if (delta === 0) break; // the rest of the page is empty
      at += word + 4;
    } else if (typeLength === TIME_EXTEND || typeLength === TIME_STAMP) {
      const time = word * DELTA_BITS + delta;
      timeNs = typeLength === TIME_EXTEND ? timeNs + time : time;
      at += 8;
    } else {
      timeNs += delta;
      const [start, length] = typeLength === 0 ? [at + 8, word - 4] : [at + 4, typeLength * 4];
      if (length < 0 || start + length > end) break;
      onRecord(timeNs / 1e6, start, length);
      at = start + length;
    }
  }
  return { lost: lostBefore(page, commit) };
}

function lostBefore(page: DataView, commit: number): number {
  if ((commit & LOST) === 0) return 0;
  const at = DATA + (commit & LENGTH_MASK);
  return (commit & LOST_STORED) !== 0 && at + 8 <= page.byteLength ? readTime(page, at) : -1;
}

/** A u64 as a number: exact up to 2^53 (104 days in nanoseconds), to the next two nanoseconds beyond. */
function readTime(page: DataView, at: number): number {
  return page.getUint32(at + 4, true) * 2 ** 32 + page.getUint32(at, true);
}
