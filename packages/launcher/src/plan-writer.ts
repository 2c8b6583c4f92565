/**
 * A growing buffer of little-endian numbers and length-prefixed texts: the letters of native/plan.c's signatures.
 *
 * Knows: how one argument travels.
 * Does not know: which operation has which.
 */
import type { IdMapping } from './operations.ts';

const UTF8 = new TextEncoder();

/** A container's plan of the usual size fits, with its filter. */
const FIRST_BYTES = 16_384;
/** Up to here a loop over the letters is done before the encoder has been called. */
const SHORT_TEXT = 256;

export class PlanWriter {
  #bytes: Uint8Array<ArrayBuffer> = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#room(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
  }

  /** Negative numbers travel as their two's complement. */
  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value >>> 0, true);
    this.#length += 4;
  }

  u64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  /** With a terminating NUL, which the launcher counts on; one inside is refused. @throws RangeError */
  text(value: string): void {
    this.#room(4 + value.length * 3 + 1); // as long as it can get
    const at = this.#length + 4;
    const written = value.length <= SHORT_TEXT && this.#ascii(at, value) ? value.length : this.#utf8(at, value);
    this.u32(written);
    this.#length += written;
    this.u8(0);
  }

  texts(values: readonly string[]): void {
    this.u32(values.length);
    for (const value of values) this.text(value);
  }

  numbers(values: readonly number[]): void {
    this.u32(values.length);
    for (const value of values) this.u32(value);
  }

  idmap(mappings: readonly IdMapping[]): void {
    this.u32(mappings.length);
    for (const { containerId, hostId, size } of mappings) {
      this.u32(containerId);
      this.u32(hostId);
      this.u32(size);
    }
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.raw(value);
  }

  /** What was written before, by {@link slice}. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written since. */
  slice(from: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, from, this.#length);
  }

  /** Overwrites a number written before, for lengths known only afterwards. */
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** False, with nothing of use written, where not every letter is one of ASCII's but NUL. */
  #ascii(at: number, value: string): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code === 0 || code > 127) return false;
      bytes[at + index] = code;
    }
    return true;
  }

  #utf8(at: number, value: string): number {
    if (value.includes('\0')) throw new RangeError(`text with a NUL character: ${JSON.stringify(value.slice(0, 80))}`);
    return UTF8.encodeInto(value, this.#bytes.subarray(at)).written;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
