/**
 * One at a time, in order of arrival.
 *
 * Knows: waiting.
 * Does not know: what for.
 */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` once everything that came before has ended, well or badly. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
