/**
 * The last bytes of a terminal's output, by their number since the terminal began.
 *
 * Knows: which bytes are still held, and nothing of their meaning.
 * Does not know: who reads them, ptys, sockets.
 */

/** Output kept for exact resume, in bytes. Twice the flow-control window, so that the fastest reader never falls out. */
const RING_BYTES = 1024 * 1024;

/** A fixed-size ring of bytes that are addressed by offset. */
export class OutputRing {
  readonly #bytes: Uint8Array;
  #end = 0;

  constructor(capacityBytes = RING_BYTES) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Offset of the oldest byte held. */
  get start(): number {
    return Math.max(0, this.#end - this.#bytes.length);
  }

  /** Offset after the newest byte. */
  get end(): number {
    return this.#end;
  }

  /** True when everything from `offset` on is held; `end` itself is (nothing follows yet). */
  holds(offset: number): boolean {
    return offset >= this.start && offset <= this.#end;
  }

  append(bytes: Uint8Array): void {
    const capacity = this.#bytes.length;
    const kept = bytes.subarray(Math.max(0, bytes.length - capacity));
    const at = (this.#end + bytes.length - kept.length) % capacity;
    const head = kept.subarray(0, capacity - at);
    this.#bytes.set(head, at);
    this.#bytes.set(kept.subarray(head.length), 0);
    this.#end += bytes.length;
  }

  /** A copy of up to `maxBytes` from `offset`; may be shorter where the ring wraps. Undefined when no longer (or not yet) held. */
  read(offset: number, maxBytes: number): Uint8Array | undefined {
    if (!this.holds(offset)) return undefined;
    const at = offset % this.#bytes.length;
    const length = Math.min(maxBytes, this.#end - offset, this.#bytes.length - at);
    return this.#bytes.slice(at, at + length);
  }
}
