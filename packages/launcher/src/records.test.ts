import { expect, test } from 'vitest';
import { RECORD_BYTES, RecordReader } from './records.ts';
import { encodeFrame, FrameReader, FrameType } from './shim-frames.ts';

function record(kind: number, index: number, call: string): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.writeUInt32LE(kind, 0);
  bytes.writeUInt32LE(index, 4);
  bytes.writeBigUInt64LE(1_500_000n, 8);
  bytes.writeBigUInt64LE(2_000_001n, 16);
  bytes.writeInt32LE(2, 24);
  bytes.write(call, 40);
  return bytes;
}

test('records are cut out of pieces of any size', () => {
  const all = Buffer.concat([record(1, 0, ''), record(3, 1, 'openat2')]);
  const reader = new RecordReader();
  const records = Array.from(all).flatMap((byte) => reader.push(Uint8Array.of(byte)));
  expect(records).toMatchObject([
    { kind: 'done', index: 0, startMs: 1.5, endMs: 2.000001 },
    { kind: 'failed', index: 1, call: 'openat2', errno: 2 },
  ]);
});

test('a record of an unknown kind is refused', () => {
  expect(() => new RecordReader().push(record(10, 0, ''))).toThrow(RangeError);
});

test('frames are cut out of pieces of any size, and empty ones are frames', () => {
  const all = Buffer.concat([
    encodeFrame(FrameType.stdout, Buffer.from('hello')),
    encodeFrame(FrameType.attached),
    encodeFrame(FrameType.exit, Buffer.from('{}')),
  ]);
  for (const size of [1, 3, 7, all.length]) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < all.length; at += size) frames.push(...reader.push(all.subarray(at, at + size)));
    expect(frames.map(({ type, payload }) => [type, Buffer.from(payload).toString()])).toEqual([
      [FrameType.stdout, 'hello'],
      [FrameType.attached, ''],
      [FrameType.exit, '{}'],
    ]);
  }
});

test('a frame longer than any shim sends is refused at its header', () => {
  expect(() => new FrameReader().push(Uint8Array.of(18, 0xff, 0xff, 0xff, 0xff))).toThrow(RangeError);
});
