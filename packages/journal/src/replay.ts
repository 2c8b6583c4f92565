/**
 * The world at any moment of a journal: for scrubbing back, pausing and replaying.
 *
 * Knows: checkpoints every so many events, so that going anywhere reduces few events.
 * Does not know: live or file; both are arrays of events.
 */
import { reduceAll } from './reduce.ts';
import type { JournalEvent } from './types.ts';
import { emptyWorld, type World } from './world.ts';

export interface Replay {
  readonly length: number;
  /** Time of the first and of the last moment; 0 when empty. */
  readonly startMs: number;
  readonly endMs: number;
  /** Takes in more events, later in seq than all before. */
  append(events: readonly JournalEvent[]): void;
  /** How many events had happened at `atMs`: everything before the first event that is later. */
  indexAt(atMs: number): number;
  /** The world after the first `count` events. */
  worldAfter(count: number): World;
  /** The world as it was at `atMs`: a prefix of the journal, reduced. */
  worldAt(atMs: number): World;
}

const SPACING = 1000;
const MAX_CHECKPOINTS = 400;

export function createReplay(events: readonly JournalEvent[] = [], spacing = SPACING): Replay {
  const held: JournalEvent[] = [];
  /** Latest time among the events up to each; ascending, so that it can be searched. */
  const latest: number[] = [];
  let checkpoints: Array<{ readonly count: number; readonly world: World }> = [{ count: 0, world: emptyWorld() }];
  let step = spacing;
  let cached = { count: 0, world: emptyWorld() };

  const worldAfter = (count: number): World => {
    const wanted = Math.min(Math.max(0, Math.floor(count)), held.length);
    const checkpoint = checkpoints.findLast((entry) => entry.count <= wanted) ?? { count: 0, world: emptyWorld() };
    const start = cached.count <= wanted && cached.count > checkpoint.count ? cached : checkpoint;
    cached = { count: wanted, world: advance(start, wanted) };
    return cached.world;
  };

  /** Reduces on, leaving checkpoints where the journal is entered for the first time. */
  const advance = (start: { readonly count: number; readonly world: World }, wanted: number): World => {
    let { count, world } = start;
    while (count < wanted) {
      const next = Math.min(wanted, (Math.floor(count / step) + 1) * step);
      world = reduceAll(world, held.slice(count, next));
      count = next;
      if (count % step === 0 && count > (checkpoints.at(-1)?.count ?? 0)) checkpoints.push({ count, world });
    }
    if (checkpoints.length > MAX_CHECKPOINTS) {
      step *= 2;
      checkpoints = checkpoints.filter((entry) => entry.count % step === 0);
    }
    return world;
  };

  const replay: Replay = {
    get length() {
      return held.length;
    },
    get startMs() {
      return held[0]?.atMs ?? 0;
    },
    get endMs() {
      return latest.at(-1) ?? 0;
    },
    append: (more) => {
      for (const event of more) {
        held.push(event);
        latest.push(Math.max(latest.at(-1) ?? 0, event.atMs));
      }
    },
    indexAt: (atMs) => upperBound(latest, atMs),
    worldAfter,
    worldAt: (atMs) => worldAfter(upperBound(latest, atMs)),
  };
  replay.append(events);
  return replay;
}

/** The world at `atMs`, for one question; {@link createReplay} for many. */
export function worldAt(events: readonly JournalEvent[], atMs: number): World {
  return createReplay(events).worldAt(atMs);
}

/** How many of the ascending `values` are at most `limit`. */
function upperBound(values: readonly number[], limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Number.POSITIVE_INFINITY) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
