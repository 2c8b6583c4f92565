/**
 * Pieces that were read a moment ago: the kernel asks for a file page by page, and a piece is decompressed as a whole.
 *
 * Knows: how many bytes are kept, and that two who want a piece at once share it.
 * Does not know: where pieces come from.
 */
import type { Chunk } from './estargz/toc.ts';

export class RecentChunks {
  readonly #maxBytes: number;
  /** Oldest first. */
  readonly #kept = new Map<Chunk, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The piece; `make` when it is not kept. What fails is not kept. */
  get(chunk: Chunk, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#kept.get(chunk);
    if (known !== undefined) {
      this.#kept.delete(chunk);
      this.#kept.set(chunk, known);
      return known;
    }
    const made = make();
    this.#kept.set(chunk, made);
    this.#bytes += chunk.sizeBytes;
    made.catch(() => this.#forget(chunk));
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= this.#maxBytes || oldest === chunk) break;
      this.#forget(oldest);
    }
    return made;
  }

  #forget(chunk: Chunk): void {
    if (this.#kept.delete(chunk)) this.#bytes -= chunk.sizeBytes;
  }
}
