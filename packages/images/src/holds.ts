/**
 * Who keeps the store from collecting garbage: somebody whose blobs and snapshots no record names yet.
 *
 * Knows: how many there are, and what to do when the last one has gone.
 * Does not know: what garbage is.
 */
export class Holds {
  readonly #whenFree: () => Promise<unknown>;
  #holders = 0;
  #postponed = false;

  /** `whenFree` runs after the last holder where a collection was asked for meanwhile. */
  constructor(whenFree: () => Promise<unknown>) {
    this.#whenFree = whenFree;
  }

  /** True when nothing may be collected now; the collection is made up for later. */
  postpone(): boolean {
    if (this.#holders > 0) this.#postponed = true;
    return this.#holders > 0;
  }

  async holding<T>(work: () => Promise<T>): Promise<T> {
    this.#holders++;
    try {
      return await work();
    } finally {
      this.#holders--;
      if (this.#holders === 0 && this.#postponed) {
        this.#postponed = false;
        await this.#whenFree();
      }
    }
  }
}
