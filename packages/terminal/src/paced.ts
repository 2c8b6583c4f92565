/**
 * Doing the latest of many wishes, at a bounded cost.
 *
 * Knows: that whoever wishes may do so without end, and that what is done for one makes all others wait.
 * Does not know: what is done.
 */

/** It may take this share of the time: what took 5 ms is not done again for 100. */
const SHARE = 0.05;

/** Applies the first value at once and, of those that come too soon after it, the last. */
export class Paced<Value> {
  readonly #apply: (value: Value) => void;
  readonly #now: () => number;
  #wanted: { readonly value: Value } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #notBeforeMs = 0;

  constructor(apply: (value: Value) => void, now: () => number = () => performance.now()) {
    this.#apply = apply;
    this.#now = now;
  }

  set(value: Value): void {
    this.#wanted = { value };
    const waitMs = this.#notBeforeMs - this.#now();
    if (waitMs <= 0) this.#work();
    else this.#timer ??= setTimeout(() => this.#work(), waitMs);
  }

  /** What is wanted and not done yet is not done. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted = undefined;
  }

  #work(): void {
    const wanted = this.#wanted;
    this.stop();
    if (wanted === undefined) return;
    const began = this.#now();
    this.#apply(wanted.value);
    const now = this.#now();
    this.#notBeforeMs = now + (now - began) / SHARE;
  }
}
