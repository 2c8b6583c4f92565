import { MAX_INPUT_BYTES } from '@slipway/terminal/protocol';
import { expect, test } from 'vitest';
import { InputQueue, MAX_QUEUED_BYTES } from './input-queue.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (queue: InputQueue) => queue.take().map((frame) => `${frame.offset}:${new TextDecoder().decode(frame.payload)}`);

test('what is typed before the terminal is open is numbered from where the server is', () => {
  const queue = new InputQueue();
  queue.push(bytes('ls'));
  expect(queue.take()).toEqual([]);
  queue.resume(40);
  expect(text(queue)).toEqual(['40:ls']);
  expect(queue.take()).toEqual([]);
});

test('bytes a dead socket swallowed are sent again, those that arrived are not', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.push(bytes('docker '));
  queue.push(bytes('ps'));
  expect(text(queue)).toEqual(['0:docker ', '7:ps']);
  queue.push(bytes(' -a'));
  queue.resume(4);
  expect(text(queue)).toEqual(['4:er ', '7:ps', '9: -a']);
});

test('a server that took everything gets nothing twice', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.push(bytes('rm -rf x\r'));
  queue.take();
  queue.resume(9);
  expect(queue.take()).toEqual([]);
  expect(queue.pendingBytes).toBe(0);
});

test('a numbering that began anew drops what was in flight and keeps what was never sent', () => {
  const queue = new InputQueue();
  queue.resume(100);
  queue.push(bytes('old'));
  queue.take();
  queue.push(bytes('new'));
  queue.resume(0);
  expect(text(queue)).toEqual(['0:new']);
});

test('a new shell gets nothing that was meant for the old one', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.push(bytes('secret'));
  queue.forget();
  queue.resume(0);
  expect(queue.take()).toEqual([]);
});

test('a long paste is cut into frames the protocol allows', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.push(new Uint8Array(MAX_INPUT_BYTES + 10));
  expect(queue.take().map((frame) => [frame.offset, frame.payload.length])).toEqual([
    [0, MAX_INPUT_BYTES],
    [MAX_INPUT_BYTES, 10],
  ]);
});

test('typing ahead without end is refused instead of eating memory', () => {
  const queue = new InputQueue();
  expect(queue.push(new Uint8Array(MAX_QUEUED_BYTES))).toBe(true);
  expect(queue.push(bytes('x'))).toBe(false);
});
