/**
 * Spans of what takes its time: written when it begins, again while it goes on, and when it ends.
 *
 * Knows: how often is often enough, and how fast bytes came.
 * Does not know: what is transferred.
 */
import type { SpanContext, SpanInit, Tracer } from '@slipway/journal';
import { monotonicMs } from '@slipway/kernel';

/** A span is written again at most so often. */
const REWRITE_MS = 200;
/** Points of a transfer's course; when there are more, every second goes. */
const MAX_POINTS = 24;
const FIRST_STEP_MS = 50;

interface Going {
  readonly init: Omit<SpanInit, 'actor' | 'parent'>;
  readonly startMs: number;
  readonly as: SpanContext;
  writtenMs: number;
  readonly course: Course;
}

/** Spans by key, below one parent. */
export class TransferSpans {
  readonly #tracer: Tracer;
  readonly #parent: SpanContext;
  readonly #going = new Map<string, Going>();

  constructor(tracer: Tracer, parent: SpanContext) {
    this.#tracer = tracer;
    this.#parent = parent;
  }

  begin(key: string, init: Going['init']): void {
    const startMs = monotonicMs();
    const as = this.#tracer.record({ actor: 'store', parent: this.#parent, ...init, startMs });
    this.#going.set(key, { init, startMs, as, writtenMs: startMs, course: new Course() });
  }

  /** A fact of this moment. */
  tell(fact: Going['init'] & { readonly response: object }): void {
    const now = monotonicMs();
    this.#tracer.record({ actor: 'store', parent: this.#parent, ...fact, startMs: now, endMs: now });
  }

  /** `bytes` of `sizeBytes` are there. Most calls write nothing. */
  go(key: string, bytes: number, sizeBytes: number): void {
    const going = this.#going.get(key);
    if (going === undefined) return;
    const now = monotonicMs();
    going.course.take(now - going.startMs, bytes, sizeBytes);
    if (now - going.writtenMs < REWRITE_MS) return;
    going.writtenMs = now;
    this.#write(going, { response: { state: 'progress', bytes, ...going.course.told() } });
  }

  end(key: string, response: object): void {
    const going = this.#going.get(key);
    this.#going.delete(key);
    if (going !== undefined) this.#write(going, { response: { ...going.course.told(), ...response }, endMs: monotonicMs() });
  }

  /** Ends whatever goes on; how far it was stays written. */
  fail(error: unknown): void {
    for (const going of this.#going.values()) {
      const far = going.course.told();
      this.#write(going, { error, endMs: monotonicMs(), ...(far.points === undefined ? {} : { response: { state: 'failed', ...far } }) });
    }
    this.#going.clear();
  }

  #write({ init, startMs, as }: Going, more: { readonly response?: unknown; readonly endMs?: number; readonly error?: unknown }): void {
    this.#tracer.record({ actor: 'store', parent: this.#parent, ...init, startMs, as, ...more });
  }
}

type Point = readonly [afterMs: number, bytes: number];

/** How bytes came: a few points, the first of which tells what was there. */
class Course {
  #points: Point[] = [];
  #stepMs = FIRST_STEP_MS;
  #arrivedMs: number | undefined;
  #last: Point | undefined;

  take(afterMs: number, bytes: number, sizeBytes: number): void {
    const point: Point = [Math.round(afterMs), bytes];
    this.#last = point;
    if (bytes >= sizeBytes) this.#arrivedMs ??= point[0];
    const before = this.#points.at(-1);
    if (before !== undefined && afterMs - before[0] < this.#stepMs) return;
    this.#points.push(point);
    if (this.#points.length <= MAX_POINTS) return;
    this.#points = this.#points.filter((_, at) => at % 2 === 0);
    this.#stepMs *= 2;
  }

  told(): { readonly points?: readonly Point[]; readonly arrivedMs?: number } {
    const last = this.#last;
    if (last === undefined) return {};
    const points = this.#points.at(-1) === last ? this.#points : [...this.#points, last];
    return { points: [...points], ...(this.#arrivedMs === undefined ? {} : { arrivedMs: this.#arrivedMs }) };
  }
}
