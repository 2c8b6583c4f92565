/**
 * D-Bus values as bytes, and back; little-endian.
 *
 * Knows: lengths, padding and bounds.
 * Does not know: what a message is made of (message.ts).
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol-marshaling
 */
import { alignmentOf, splitSignature } from './signature.ts';

/** Arrays and structs are arrays; `t` is a bigint, other numbers are numbers. */
export type DbusValue = string | number | bigint | boolean | readonly DbusValue[] | DbusVariant;

/** A value that brings its own type. */
export interface DbusVariant {
  /** One complete type. */
  readonly type: string;
  readonly value: DbusValue;
}

/** Appends values to one another; offsets count from where it began. */
export class DbusWriter {
  readonly #bytes: number[] = [];

  /** @throws TypeError where a value is not of its type */
  write(type: string, value: DbusValue): this {
    this.align(alignmentOf(type));
    const write = WRITERS[type.charAt(0)];
    if (write === undefined) throw new TypeError(`no value of type ${JSON.stringify(type)} can be written`);
    write(this, type, value);
    return this;
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }

  integer(value: number | bigint, sizeBytes: number): void {
    for (let byte = 0n; byte < sizeBytes; byte += 1n) this.#bytes.push(Number((BigInt(value) >> (8n * byte)) & 0xffn));
  }

  /** With its length in front, which takes `lengthBytes`, and a zero behind. */
  text(text: string, lengthBytes: number): void {
    const bytes = Buffer.from(text);
    if (bytes.includes(0)) throw new TypeError('a text for D-Bus holds a zero byte');
    this.integer(bytes.length, lengthBytes);
    this.#bytes.push(...bytes, 0);
  }

  /** The length in front counts from the first element on, without the padding before it. */
  array(elementType: string, values: readonly DbusValue[]): void {
    const lengthAt = this.#bytes.length;
    this.integer(0, 4);
    this.align(alignmentOf(elementType));
    const start = this.#bytes.length;
    for (const value of values) this.write(elementType, value);
    const length = this.#bytes.length - start;
    for (let byte = 0; byte < 4; byte += 1) this.#bytes[lengthAt + byte] = (length >>> (8 * byte)) & 0xff;
  }

  toBytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

type Write = (to: DbusWriter, type: string, value: DbusValue) => void;

const WRITERS: Readonly<Record<string, Write>> = {
  y: (to, _type, value) => to.integer(Number(value), 1),
  b: (to, _type, value) => to.integer(value === true ? 1 : 0, 4),
  u: (to, _type, value) => to.integer(Number(value), 4),
  t: (to, _type, value) => to.integer(value as bigint, 8),
  s: (to, _type, value) => to.text(String(value), 4),
  o: (to, _type, value) => to.text(String(value), 4),
  g: (to, _type, value) => to.text(String(value), 1),
  a: (to, type, value) => to.array(type.slice(1), value as readonly DbusValue[]),
  '(': (to, type, value) => {
    for (const [index, member] of splitSignature(type.slice(1, -1)).entries())
      to.write(member, (value as readonly DbusValue[])[index] ?? '');
  },
  v: (to, _type, value) => {
    const variant = value as DbusVariant;
    to.write('g', variant.type).write(variant.type, variant.value);
  },
};

/** Reads values one after another out of bytes that somebody else wrote. */
export class DbusReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws RangeError where the bytes end before the value does */
  read(type: string): DbusValue {
    this.align(alignmentOf(type));
    const read = READERS[type.charAt(0)];
    if (read === undefined) throw new RangeError(`no value of type ${JSON.stringify(type)} can be read`);
    return read(this, type);
  }

  align(to: number): this {
    this.#at = Math.ceil(this.#at / to) * to;
    return this;
  }

  get offset(): number {
    return this.#at;
  }

  integer(sizeBytes: number): bigint {
    const bytes = this.#take(sizeBytes);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  text(lengthBytes: number): string {
    const text = this.#take(Number(this.integer(lengthBytes))).toString('utf8');
    this.#take(1);
    return text;
  }

  array(elementType: string): DbusValue[] {
    const length = Number(this.integer(4));
    this.align(alignmentOf(elementType));
    const end = this.#at + length;
    const values: DbusValue[] = [];
    while (this.#at < end) values.push(this.read(elementType));
    return values;
  }

  #take(sizeBytes: number): Buffer {
    const end = this.#at + sizeBytes;
    if (end > this.#bytes.length) throw new RangeError('a D-Bus message ends in the middle of a value');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}

const READERS: Readonly<Record<string, (from: DbusReader, type: string) => DbusValue>> = {
  y: (from) => Number(from.integer(1)),
  b: (from) => from.integer(4) === 1n,
  u: (from) => Number(from.integer(4)),
  t: (from) => from.integer(8),
  s: (from) => from.text(4),
  o: (from) => from.text(4),
  g: (from) => from.text(1),
  a: (from, type) => from.array(type.slice(1)),
  '(': (from, type) => splitSignature(type.slice(1, -1)).map((member) => from.read(member)),
  v: (from) => {
    const [type = '', ...more] = splitSignature(from.text(1));
    if (more.length > 0) throw new RangeError('a D-Bus variant holds more than one value');
    return { type, value: from.read(type) };
  },
};
