/**
 * How much one party may send: a bucket of tokens that refills with time.
 *
 * Knows: rate and burst; how a stream is made to wait. Pure but for the clock it is given.
 * Does not know: what is counted.
 */
import type { Readable } from 'node:stream';

export class Allowance {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledMs: number;

  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledMs = now();
  }

  /** @returns false when this is too much */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes so many, on credit where there are not as many. @returns milliseconds until the debt is paid; 0: there is none */
  borrow(count: number): number {
    this.#fill();
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  #fill(): void {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledMs) / 1000) * this.#perSecond);
    this.#filledMs = now;
  }
}

/** A stream of this many bytes more waits until its allowance has paid for them; what it is read from fills meanwhile, and not we. */
export function throttle(stream: Pick<Readable, 'pause' | 'resume'>, allowance: Allowance, bytes: number): void {
  const waitMs = allowance.borrow(bytes);
  if (waitMs === 0) return;
  stream.pause();
  setTimeout(() => stream.resume(), waitMs).unref();
}
