/**
 * A journal in memory: bounded, numbered without holes, readable from any number.
 *
 * Knows: which facts a late reader must still get although their events were dropped (keyframes).
 * Does not know: where events come from or where they are sent.
 *
 *     dropped events              kept events
 *     ──────────────────────────┬───────────────────────▶ seq
 *     keyframes: last picture   │ firstSeq … lastSeq
 *     of each thing; one gap    │
 */
import { keyframeKey, weighEvent } from './keyframes.ts';
import type { JournalBody, JournalEvent, Origin } from './types.ts';

export interface RingOptions {
  /** Most events kept. */
  readonly capacity: number;
  /** Most bytes kept, as estimated from the events' JSON; default 32 MiB. */
  readonly maxBytes?: number | undefined;
  /** Most keyframes kept of dropped events; the oldest goes first. Default 1000. */
  readonly maxKeyframes?: number | undefined;
  /** Number of the event before the first append, where a journal goes on from a file; default 0. */
  readonly startAfter?: number | undefined;
  /** When subscribers are called after an append. Default: in a microtask, so that one burst is one batch. */
  readonly schedule?: ((run: () => void) => void) | undefined;
}

/** Called with ascending events, never empty. Must not throw. */
export type RingListener = (events: readonly JournalEvent[]) => void;

export interface Ring {
  /** Oldest event still held; `lastSeq + 1` when empty. */
  readonly firstSeq: number;
  /** 0 before the first event. */
  readonly lastSeq: number;
  readonly sizeBytes: number;
  append(body: JournalBody, atMs: number, origin: Origin): JournalEvent;
  /**
   * Events after `afterSeq` (0: from the start), ascending, at most `limit`. A reader that fell behind first gets the keyframes
   * it has not seen and one `gap` standing in the place of a lost event, so that numbers still ascend.
   */
  read(afterSeq: number, limit?: number): readonly JournalEvent[];
  /** Calls `listener` with everything after `afterSeq` (default: only what comes), in batches. Returns how to stop. */
  subscribe(listener: RingListener, afterSeq?: number): () => void;
}

const BATCH = 2000;

export function createRing(options: RingOptions): Ring {
  const { capacity, maxBytes = 32 * 1024 * 1024, maxKeyframes = 1000, startAfter = 0, schedule = queueMicrotask } = options;
  let entries: Array<{ readonly event: JournalEvent; readonly bytes: number }> = [];
  let head = 0; // index of the first live entry; the array is compacted now and then
  let lastSeq = startAfter;
  let sizeBytes = 0;
  const keyframes = new Map<string, JournalEvent>();
  const wake = new Set<() => void>();
  let scheduled = false;

  const firstSeq = (): number => lastSeq - (entries.length - head) + 1;

  const dropFirst = (): void => {
    const entry = entries[head++];
    if (!entry) return;
    sizeBytes -= entry.bytes;
    keepKeyframe(keyframes, entry.event, maxKeyframes);
    if (head > 1024 && head * 2 > entries.length) {
      entries = entries.slice(head);
      head = 0;
    }
  };

  const notify = (): void => {
    if (scheduled || wake.size === 0) return;
    scheduled = true;
    schedule(() => {
      scheduled = false;
      for (const run of [...wake]) run();
    });
  };

  const read = (afterSeq: number, limit = Number.POSITIVE_INFINITY): readonly JournalEvent[] => {
    const first = firstSeq();
    const missed = afterSeq + 1 < first ? recap({ keyframes, first, afterSeq, atMs: entries[head]?.event.atMs ?? 0 }) : [];
    if (missed.length >= limit) return missed.slice(0, limit);
    const from = head + Math.max(0, afterSeq + 1 - first);
    return [...missed, ...entries.slice(from, from + limit - missed.length).map((entry) => entry.event)];
  };

  return {
    get firstSeq() {
      return firstSeq();
    },
    get lastSeq() {
      return lastSeq;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    read,
    append: (body, atMs, origin) => {
      const event: JournalEvent = { ...body, seq: ++lastSeq, atMs, origin };
      const bytes = weighEvent(event);
      entries.push({ event, bytes });
      sizeBytes += bytes;
      while (entries.length - head > capacity || (sizeBytes > maxBytes && entries.length - head > 1)) dropFirst();
      notify();
      return event;
    },
    subscribe: (listener, afterSeq = lastSeq) => {
      let cursor = afterSeq;
      const run = (): void => {
        while (cursor < lastSeq && wake.has(run)) {
          const events = read(cursor, BATCH);
          cursor = events.at(-1)?.seq ?? lastSeq;
          if (events.length > 0) listener(events);
        }
      };
      wake.add(run);
      if (cursor < lastSeq) notify();
      return () => void wake.delete(run);
    },
  };
}

function keepKeyframe(keyframes: Map<string, JournalEvent>, event: JournalEvent, maxKeyframes: number): void {
  const key = keyframeKey(event);
  if (key === undefined) return;
  keyframes.delete(key); // re-inserted at the end, so that the map stays in order of seq
  keyframes.set(key, event);
  const oldest = keyframes.size > maxKeyframes ? keyframes.keys().next().value : undefined;
  if (oldest !== undefined) keyframes.delete(oldest);
}

interface Missed {
  readonly keyframes: ReadonlyMap<string, JournalEvent>;
  readonly first: number;
  readonly afterSeq: number;
  readonly atMs: number;
}

/** What a reader gets for the events in (afterSeq, first): their keyframes, and one gap in the place of the last lost event. */
function recap({ keyframes, first, afterSeq, atMs }: Missed): JournalEvent[] {
  const kept = [...keyframes.values()].filter((event) => event.seq > afterSeq && event.seq < first).sort((a, b) => a.seq - b.seq);
  const count = first - 1 - afterSeq - kept.length;
  if (count === 0) return kept;
  let seq = first - 1;
  for (const event of kept.toReversed()) {
    if (event.seq !== seq) break;
    seq--;
  }
  const gap: JournalEvent = { type: 'gap', reason: 'these events are no longer held', count, seq, atMs, origin: 'host' };
  return [...kept.filter((event) => event.seq < seq), gap, ...kept.filter((event) => event.seq > seq)];
}
