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

export interface JournalFeed {
  /** Names this run of the daemon: numbers of another run mean nothing here. */
  readonly boot: string;
  readonly ring: Ring;
  emit(body: JournalBody, atMs?: number): void;
}

export function createJournalFeed(): JournalFeed {
  const ring = createRing({ capacity: KEPT });
  return {
    boot: randomBytes(8).toString('hex'),
    ring,
    emit: (body, atMs = monotonicMs()) => void ring.append(body, atMs, 'machine'),
  };
}

/** As a line of the feed: the body with `atMs` and the run's own number `n`. */
export function formatLine(event: ReturnType<Ring['read']>[number]): string {
  const { seq, origin: _origin, ...body } = event;
  return JSON.stringify({ ...body, n: seq });
}
