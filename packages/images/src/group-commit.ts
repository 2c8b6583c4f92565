/**
 * Things that become durable in groups: what comes within a moment, and while the group before is on its way to the disk, shares one commit.
 *
 *     add(a) add(b) ── gather ─▶ commit [a b] ─────────▶
 *                          add(c) add(d) ── gather ── ─▶ commit [c d] ─▶
 *
 * Knows: that groups follow each other, and that nothing follows one that failed.
 * Does not know: what is committed.
 */
export class GroupCommit<T> {
  readonly #commit: (group: readonly T[]) => Promise<void>;
  readonly #gatherMs: number;
  #gathering: T[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #close: () => void = () => undefined;

  /** @param gatherMs how long the first of a group waits for others */
  constructor(gatherMs: number, commit: (group: readonly T[]) => Promise<void>) {
    this.#gatherMs = gatherMs;
    this.#commit = commit;
  }

  /** Resolves once it is durable. @throws what its group, or one before it, failed with */
  add(item: T): Promise<void> {
    this.#gathering.push(item);
    this.#next ??= this.#begin();
    return this.#next;
  }

  /** Waits for no more. Resolves once nothing is on its way, whether that went well or not. */
  async settle(): Promise<void> {
    this.#close();
    await this.#last.catch(() => undefined);
  }

  #begin(): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#gatherMs);
    this.#close = resolve;
    const group = Promise.all([closed, this.#last]).then(() => this.#commitGathered());
    this.#last = group.finally(() => clearTimeout(timer));
    this.#last.catch(() => undefined); // told to those who added
    return group;
  }

  #commitGathered(): Promise<void> {
    this.#next = undefined;
    const group = this.#gathering;
    this.#gathering = [];
    return this.#commit(group);
  }
}
