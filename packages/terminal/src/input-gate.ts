/**
 * Typing exactly once: which bytes of a retransmitted input frame are new.
 *
 * Knows: how many input bytes each writer has had taken.
 * Does not know: the pty, or who is allowed to write (roles are checked before).
 */

/** Writers remembered per terminal; the one silent for longest is forgotten first. */
const MAX_WRITERS = 64;

/** Counts input per writer (one page, over all its reconnects). */
export class InputGate {
  readonly #taken = new Map<string, number>();

  /** Input bytes taken from this writer so far. */
  taken(writer: string): number {
    return this.#taken.get(writer) ?? 0;
  }

  /**
   * Takes a frame whose first byte has number `offset`.
   *
   * @returns the part not taken before: empty for a pure retransmission, undefined when bytes before it are missing (nothing is taken)
   */
  take(writer: string, offset: number, payload: Uint8Array): Uint8Array | undefined {
    const taken = this.taken(writer);
    if (offset > taken) return undefined;
    const fresh = payload.subarray(Math.min(taken - offset, payload.length));
    this.#taken.delete(writer);
    this.#taken.set(writer, taken + fresh.length);
    for (const oldest of this.#taken.keys()) {
      if (this.#taken.size <= MAX_WRITERS) break;
      this.#taken.delete(oldest);
    }
    return fresh;
  }
}
