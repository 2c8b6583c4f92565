/** Messages of D-Bus: what comes back is what went in, bytes are those of the standard, and nothing that is cut off or forged leads out of bounds. */
import { expect, test } from 'vitest';
import { type DbusMessage, formatMessage, messageBytes, parseMessage } from './message.ts';
import { DbusReader } from './values.ts';

const CALL: DbusMessage = {
  type: 'call',
  serial: 7,
  destination: 'org.example.Peer',
  path: '/org/example',
  interface: 'org.example.Manager',
  member: 'Start',
  signature: 'ssba(sv)a(sa(sv))yt',
  body: [
    'one.scope',
    'é',
    true,
    [
      ['Max', { type: 't', value: (1n << 64n) - 1n }],
      ['Pids', { type: 'au', value: [1, 4_294_967_295] }],
      ['Bits', { type: 'ay', value: [255, 0, 1] }],
      ['Deep', { type: 'v', value: { type: 's', value: '' } }],
    ],
    [],
    200,
    9n,
  ],
};

test('a message survives the way to bytes and back', () => {
  const bytes = formatMessage(CALL);

  expect(messageBytes(bytes)).toBe(bytes.length);
  expect(parseMessage(bytes)).toEqual(CALL);
});

test('the bytes are those that the standard describes', () => {
  const { bytes } = { bytes: formatMessage({ type: 'reply', serial: 2, replySerial: 1, signature: 's', body: ['ok'] }) };

  expect(bytes.toString('hex')).toBe(
    [
      '6c020001 07000000 02000000', // little-endian, a reply, no flags, version 1; seven bytes of body; serial 2
      '0f000000', // fifteen bytes of fields
      '05017500 01000000', // REPLY_SERIAL, u: 1
      '08016700 017300', // SIGNATURE, g: s
      '00', // up to the next multiple of eight
      '02000000 6f6b00', // the body: two bytes and a zero
    ]
      .join('')
      .replaceAll(' ', ''),
  );
});

test('a message that is cut off at any place is one that has not come yet, or an error', () => {
  const bytes = formatMessage(CALL);
  for (let size = 0; size < bytes.length; size += 1) {
    const part = bytes.subarray(0, size);
    expect(messageBytes(part) ?? bytes.length, String(size)).toBe(bytes.length);
    expect(() => parseMessage(part), String(size)).toThrow(RangeError);
  }
});

test('no length in a message leads out of it', () => {
  const bytes = formatMessage(CALL);
  for (let at = 0; at < bytes.length; at += 1) {
    const forged = Buffer.from(bytes);
    forged[at] = 0xff;
    try {
      parseMessage(forged);
    } catch (error) {
      expect(error, String(at)).toBeInstanceOf(Error);
    }
  }
  const long = Buffer.from(bytes);
  long.writeUInt32LE(1 << 30, 4);
  expect(() => messageBytes(long)).toThrow(/too large/);
  expect(() => messageBytes(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow(/no D-Bus message/);
  expect(() => new DbusReader(Buffer.from('0131', 'hex')).read('d')).toThrow(/not among those/);
});

test('a text with a zero byte is refused: it would be another text for the peer', () => {
  expect(() => formatMessage({ ...CALL, signature: 's', body: ['one\0two'] })).toThrow(TypeError);
});
