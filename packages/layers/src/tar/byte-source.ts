/**
 * Exact reads from a stream of chunks.
 *
 * Knows: how to take n bytes, and that a source may never be read past its limit.
 * Does not know: what they are.
 */
import { beyondLimit, malformed } from './entry.ts';

export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  readonly #ended: () => Error;
  #chunk: Uint8Array = new Uint8Array();
  #taken = 0;

  /** `ended` makes the error for a source that stops in the middle of what is asked for. */
  constructor(chunks: AsyncIterable<Uint8Array>, maxBytes: number, ended = () => malformed('it ends in the middle of a member') as Error) {
    this.#ended = ended;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  /** Up to `most` bytes, at least one; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.#chunk.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#chunk = next.value;
    }
    const bytes = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(bytes.byteLength);
    this.#taken += bytes.byteLength;
    if (this.#taken > this.#maxBytes) throw beyondLimit(`it holds more than ${this.#maxBytes} bytes`);
    return bytes;
  }

  /** Exactly `count` bytes; undefined when the source had ended before the first. @throws `E_TAR_MALFORMED` when it ends in between */
  async exactly(count: number): Promise<Uint8Array | undefined> {
    if (count === 0) return new Uint8Array();
    const first = await this.some(count);
    if (first === undefined) return undefined;
    if (first.byteLength === count) return first;
    const bytes = new Uint8Array(count);
    bytes.set(first);
    for (let held = first.byteLength; held < count; ) {
      const more = await this.some(count - held);
      if (more === undefined) throw this.#ended();
      bytes.set(more, held);
      held += more.byteLength;
    }
    return bytes;
  }

  /** As {@link exactly}, where the end is an error too. */
  async require(count: number): Promise<Uint8Array> {
    const bytes = await this.exactly(count);
    if (bytes === undefined) throw this.#ended();
    return bytes;
  }

  /** As {@link require}, in the pieces that they came in. */
  async *pieces(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      const bytes = await this.some(left);
      if (bytes === undefined) throw this.#ended();
      yield bytes;
      left -= bytes.byteLength;
    }
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const bytes = await this.some(left);
      if (bytes === undefined) throw this.#ended();
      left -= bytes.byteLength;
    }
  }

  /** Reads on to the end, so that a digest over the whole source is complete. */
  async drain(): Promise<void> {
    while ((await this.some(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  /** Lets the source go when it is not read to its end. */
  async cancel(): Promise<void> {
    await this.#chunks.return?.();
  }
}
