/**
 * Undo steps for a multi-step creation, run newest first.
 *
 * Knows: order, and that the first cause must survive.
 * Does not know: what the steps do.
 */

/**
 * Collects undo steps while something is being made.
 *
 * The error a user sees is always the one that stopped the creation. A failing undo step
 * is attached to it instead of replacing it, so the first cause is never lost.
 */
export class Rollback {
  readonly #steps: Array<{ readonly label: string; readonly undo: () => Promise<void> }> = [];

  /** Registers how to undo a step; call it right after the step succeeded. */
  defer(label: string, undo: () => Promise<void>): void {
    this.#steps.push({ label, undo });
  }

  /** The creation succeeded: forget the undo steps. */
  disarm(): void {
    this.#steps.length = 0;
  }

  /**
   * Undoes everything, then throws `failure`; where an undo step failed too, an AggregateError
   * whose cause is `failure` and whose message lists what was left behind.
   */
  async unwind(failure: unknown): Promise<never> {
    const leftovers: string[] = [];
    for (const { label, undo } of this.#steps.toReversed()) {
      await undo().catch((error: unknown) => leftovers.push(`${label}: ${String(error)}`));
    }
    this.#steps.length = 0;
    if (leftovers.length === 0) throw failure;
    throw new AggregateError([failure], `creation failed and left behind: ${leftovers.join('; ')}`, { cause: failure });
  }
}
