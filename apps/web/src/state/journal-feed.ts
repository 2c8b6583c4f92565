/**
 * The journal as the page holds it, and the one moment of it that is shown.
 *
 * Knows: events come in batches and are drawn at most once a frame; live, paused, scrubbed and replayed are only different times.
 * Does not know: sockets, React (world-store.ts publishes what this computes).
 */
import { createReplay, emptyWorld, type JournalEvent, keyframeKey, type Provenance, type Replay, type World } from '@slipway/journal';

/** Above this the oldest events are let go; what they established is kept. */
const MAX_EVENTS = 60_000;

export type PlayMode = 'live' | 'paused' | 'playing';

export interface Moment {
  readonly world: World;
  readonly mode: PlayMode;
  /** Journal time that is shown, ms. */
  readonly atMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly speed: number;
  readonly provenance: Provenance;
  /** Name of the opened file; absent: the machine's own journal. */
  readonly file?: string;
  /** Count of events held; changes with each batch. */
  readonly length: number;
}

export class JournalFeed {
  #journal: string | undefined;
  #live: Held = newHeld();
  #file: (Held & { readonly name: string }) | undefined;
  #mode: PlayMode = 'live';
  #atMs = 0;
  #speed = 1;
  #frameMs: number | undefined;
  #arrivedAt = 0;
  #provenance: Provenance = 'live';
  readonly #clock: () => number;

  /** @param clock milliseconds of any steadily rising clock */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** For hello: what the page already has. */
  get journal(): string | undefined {
    return this.#journal;
  }

  get lastSeq(): number {
    return this.#live.events.at(-1)?.seq ?? 0;
  }

  get events(): readonly JournalEvent[] {
    return this.#held.events;
  }

  /** A journal begins (or goes on): another one forgets the old. */
  begin(journal: string): void {
    if (journal === this.#journal) return;
    this.#journal = journal;
    this.#live = newHeld();
  }

  accept(journal: string, batch: readonly JournalEvent[]): void {
    if (journal !== this.#journal) return;
    const after = this.lastSeq;
    const fresh = after === 0 ? batch : batch.filter((event) => event.seq > after);
    if (fresh.length === 0) return;
    for (const event of fresh) {
      this.#live.events.push(event);
      // A development server says of itself that no kernel is behind it.
      if (event.type === 'epoch') this.#provenance = event.engine.startsWith('simulated') ? 'simulated' : 'live';
    }
    this.#live.replay.append(fresh);
    this.#arrivedAt = this.#clock();
    if (this.#live.events.length > MAX_EVENTS) this.#live = letGo(this.#live);
  }

  openFile(name: string, events: readonly JournalEvent[]): void {
    const held = { events: [...events], replay: createReplay(events) };
    this.#file = { ...held, name };
    this.#mode = 'paused';
    this.#atMs = held.replay.endMs;
  }

  closeFile(): void {
    this.#file = undefined;
    this.goLive();
  }

  goLive(): void {
    if (this.#file) {
      this.#mode = 'paused';
      this.#atMs = this.#file.replay.endMs;
    } else this.#mode = 'live';
  }

  pause(): void {
    this.#atMs = this.#shownMs();
    this.#mode = 'paused';
  }

  play(): void {
    const { endMs, startMs } = this.#held.replay;
    if (this.#mode === 'live') return;
    if (this.#atMs >= endMs) this.#atMs = startMs;
    this.#mode = 'playing';
    this.#frameMs = undefined;
  }

  seek(atMs: number): void {
    const { startMs, endMs } = this.#held.replay;
    this.#atMs = Math.min(Math.max(atMs, startMs), endMs);
    if (this.#mode === 'live') this.#mode = 'paused';
    this.#frameMs = undefined;
  }

  setSpeed(speed: number): void {
    this.#speed = speed;
  }

  /** Moves the play head on; call once a frame. */
  tick(): void {
    if (this.#mode !== 'playing') return;
    const now = this.#clock();
    const passed = this.#frameMs === undefined ? 0 : now - this.#frameMs;
    this.#frameMs = now;
    this.#atMs += passed * this.#speed;
    if (this.#atMs < this.#held.replay.endMs) return;
    if (this.#file) {
      this.#atMs = this.#file.replay.endMs;
      this.#mode = 'paused';
    } else this.#mode = 'live';
  }

  moment(): Moment {
    const { replay } = this.#held;
    const world =
      replay.length === 0 ? emptyWorld() : this.#mode === 'live' ? replay.worldAfter(replay.length) : replay.worldAt(this.#atMs);
    return {
      world,
      mode: this.#mode,
      atMs: this.#shownMs(),
      startMs: replay.startMs,
      endMs: replay.endMs,
      speed: this.#speed,
      provenance: this.#file ? 'recorded' : this.#provenance,
      ...(this.#file ? { file: this.#file.name } : {}),
      length: replay.length,
    };
  }

  get #held(): Held {
    return this.#file ?? this.#live;
  }

  /** Live, time goes on between events: "0.8 s ago" must grow. */
  #shownMs(): number {
    if (this.#mode !== 'live') return this.#atMs;
    const { endMs, length } = this.#held.replay;
    return length === 0 ? 0 : endMs + Math.max(0, this.#clock() - this.#arrivedAt);
  }
}

interface Held {
  readonly events: JournalEvent[];
  readonly replay: Replay;
}

function newHeld(): Held {
  return { events: [], replay: createReplay() };
}

/** Keeps the newer half, with the last fact about each subject of the older half before it. */
function letGo(held: Held): Held {
  const cut = Math.floor(held.events.length / 2);
  const facts = new Map<string, JournalEvent>();
  for (const event of held.events.slice(0, cut)) {
    const key = keyframeKey(event);
    if (key === undefined) continue;
    if (event.type === 'container' && event.container.status === 'removed') facts.delete(key);
    else facts.set(key, event);
  }
  const events = [...[...facts.values()].sort((a, b) => a.seq - b.seq), ...held.events.slice(cut)];
  return { events, replay: createReplay(events) };
}
