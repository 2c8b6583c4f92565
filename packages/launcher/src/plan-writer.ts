/**
 * A growing buffer of little-endian numbers and length-prefixed texts: the letters of native/plan.c's signatures.
 *
 * Knows: how one argument travels.
 * Does not know: which operation has which.
 */
import type { IdMapping } from './operations.ts';

const UTF8 = new TextEncoder();

export class PlanWriter {
  #bytes = new Uint8Array(4096);
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
    if (value.includes('\0')) throw new RangeError(`text with a NUL character: ${JSON.stringify(value.slice(0, 80))}`);
    this.#room(4 + value.length * 3 + 1); // as long as it can get
    const { written } = UTF8.encodeInto(value, this.#bytes.subarray(this.#length + 4));
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
    this.#append(value);
  }

  /** Overwrites a number written before, for lengths known only afterwards. */
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  #append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
