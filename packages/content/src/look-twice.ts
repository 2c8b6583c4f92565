/**
 * How a store that is in use is checked: what looks wrong is looked at again, and only what is found both times is told.
 *
 * Knows: which findings are the same.
 * Does not know: what is right.
 */
import { delay } from '@slipway/kernel';
import type { Digest } from '@slipway/oci';
import { inspectBlob } from './inspect.ts';

export interface Finding {
  readonly code: string;
  /** Digest, name, or path below the root. */
  readonly subject: string;
}

export interface Findings {
  readonly faults: readonly Finding[];
  readonly leftovers: readonly Finding[];
}

/** Time for whoever uses the store to finish the step that it was seen in. */
const SECOND_LOOK_MS = 200;

export async function lookTwice<T extends Findings>(look: () => Promise<T>): Promise<T> {
  const first = await look();
  if (first.faults.length + first.leftovers.length === 0) return first;
  await delay(SECOND_LOOK_MS);
  const second = await look();
  return { ...second, faults: inBoth(first.faults, second.faults), leftovers: inBoth(first.leftovers, second.leftovers) };
}

function inBoth(before: readonly Finding[], after: readonly Finding[]): readonly Finding[] {
  const seen = new Set(before.map(({ code, subject }) => `${code} ${subject}`));
  return after.filter(({ code, subject }) => seen.has(`${code} ${subject}`));
}

/** Reads blobs; those found intact once are not read again, since nobody writes to a blob. */
export class BlobReading {
  readonly #root: string;
  readonly #intact = new Set<Digest>();

  constructor(root: string) {
    this.#root = root;
  }

  async corruptOf(digests: Iterable<Digest>): Promise<ReadonlySet<Digest>> {
    const corrupt = new Set<Digest>();
    for (const digest of digests) {
      if (this.#intact.has(digest)) continue;
      const state = await inspectBlob(this.#root, digest);
      if (state === 'corrupt') corrupt.add(digest);
      if (state === 'intact') this.#intact.add(digest);
    }
    return corrupt;
  }
}
