/**
 * The daemon's journal: a bounded ring that others read from.
 *
 * Knows: this run's own id and numbers, and the first event that ties its clock to the wall.
 * Does not know: who reads.
 */
import { randomBytes } from 'node:crypto';
import { createRing, type JournalBody, type Ring } from '@slipway/journal';
import { monotonicMs } from '@slipway/kernel';

/** Events kept for a reader that comes back. */
const KEPT = 20_000;

/** Longer than most requests take, shorter than anybody notices: what is told of a request does not hold it up. */
const LATER_MS = 10;

export interface JournalFeed {
  /** Names this run of the daemon: numbers of another run mean nothing here. */
  readonly boot: string;
  readonly ring: Ring;
  emit(body: JournalBody, atMs?: number): void;
  /** As `emit`, for what is put into words a moment later. Events stay in the order in which they were given. */
  emitLater(write: () => JournalBody, atMs: number): void;
  /** Puts into the ring what still waits. */
  flush(): void;
}

export function createJournalFeed(): JournalFeed {
  const ring = createRing({ capacity: KEPT });
  let waiting: { readonly write: () => JournalBody; readonly atMs: number }[] = [];
  const flush = () => {
    const batch = waiting;
    waiting = [];
    for (const { write, atMs } of batch) ring.append(write(), atMs, 'machine');
  };
  const emitLater: JournalFeed['emitLater'] = (write, atMs) => {
    if (waiting.push({ write, atMs }) === 1) setTimeout(flush, LATER_MS);
  };
  return {
    boot: randomBytes(8).toString('hex'),
    ring,
    emit: (body, atMs = monotonicMs()) => emitLater(() => body, atMs),
    emitLater,
    flush,
  };
}

/** As a line of the feed: the body with `atMs` and the run's own number `n`. */
export function formatLine(event: ReturnType<Ring['read']>[number]): string {
  const { seq, origin: _origin, ...body } = event;
  return JSON.stringify({ ...body, n: seq });
}
