/**
 * Messages of D-Bus: a header that says who is asked for what, and values.
 *
 * Knows: the header's fields, and where one message ends in a stream.
 * Does not know: sockets (connection.ts).
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol-messages
 */
import { splitSignature } from './signature.ts';
import { DbusReader, type DbusValue, DbusWriter } from './values.ts';

const TYPES = ['call', 'reply', 'error', 'signal'] as const;
const LITTLE_ENDIAN = 0x6c;
const VERSION = 1;
/** Up to the length of the list of fields. */
const FIXED_BYTES = 16;
/** D-Bus allows 128 MiB; no answer that we ask for is near this. */
const MAX_BYTES = 1 << 20;

/** A header field's code and the type of its value, by name. */
const FIELDS = {
  path: [1, 'o'],
  interface: [2, 's'],
  member: [3, 's'],
  error: [4, 's'],
  replySerial: [5, 'u'],
  destination: [6, 's'],
  signature: [8, 'g'],
} as const;

export interface DbusMessage {
  readonly type: (typeof TYPES)[number];
  /** Of the sender's counting, from 1. */
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  /** Of an error, its name. */
  readonly error?: string;
  /** Which call is answered. */
  readonly replySerial?: number;
  readonly destination?: string;
  /** Of the body; empty when absent. */
  readonly signature?: string;
  readonly body: readonly DbusValue[];
}

export function formatMessage(message: DbusMessage): Buffer {
  const content = new DbusWriter();
  for (const [index, type] of splitSignature(message.signature ?? '').entries()) content.write(type, message.body[index] ?? '');
  const body = content.toBytes();
  const fields = Object.entries(FIELDS).flatMap(([name, [code, type]]) => {
    const value = message[name as keyof typeof FIELDS];
    return value === undefined ? [] : [[code, { type, value }]];
  });
  const header = new DbusWriter();
  for (const byte of [LITTLE_ENDIAN, TYPES.indexOf(message.type) + 1, 0, VERSION]) header.write('y', byte);
  header.write('u', body.length).write('u', message.serial).write('a(yv)', fields).align(8);
  return Buffer.concat([header.toBytes(), body]);
}

/**
 * How long the message is that these bytes begin with; undefined while too few have come to tell.
 *
 * @throws RangeError for what is no message of this version, or too large a one
 */
export function messageBytes(bytes: Buffer): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  if (bytes[0] !== LITTLE_ENDIAN || bytes[3] !== VERSION)
    throw new RangeError('what came is no D-Bus message, or one of another byte order');
  const total = Math.ceil((FIXED_BYTES + bytes.readUInt32LE(12)) / 8) * 8 + bytes.readUInt32LE(4);
  if (total > MAX_BYTES) throw new RangeError(`a D-Bus message of ${total} bytes is too large`);
  return total;
}

/** A whole message; the body of one whose types are not used here is left out. @throws RangeError for a broken one */
export function parseMessage(bytes: Buffer): DbusMessage {
  const reader = new DbusReader(bytes);
  const [, type, , , , serial] = ['y', 'y', 'y', 'y', 'u', 'u'].map((each) => Number(reader.read(each)));
  const found = new Map((reader.read('a(yv)') as readonly [number, { value: DbusValue }][]).map(([code, { value }]) => [code, value]));
  const fields = Object.fromEntries(
    Object.entries(FIELDS).flatMap(([name, [code]]) => (found.has(code) ? [[name, found.get(code)]] : [])),
  ) as Partial<DbusMessage>;
  const content = new DbusReader(bytes.subarray(reader.align(8).offset));
  return { ...fields, type: TYPES[(type ?? 0) - 1] ?? 'signal', serial: serial ?? 0, body: readBody(content, fields.signature ?? '') };
}

/** Signals that nobody waits for may hold anything. */
function readBody(content: DbusReader, signature: string): readonly DbusValue[] {
  if (/[^ybutsogav()]/.test(signature)) return [];
  return splitSignature(signature).map((type) => content.read(type));
}
