import { expect, test } from 'vitest';
import { OutputRing } from './output-ring.ts';
import { OUTPUT_WINDOW_BYTES } from './protocol.ts';
import { Reader } from './reader.ts';

function readerOf(ring: OutputRing) {
  const got: number[] = [];
  const reader = new Reader('owner', 'page', { output: (offset, bytes) => void got.push(offset, bytes.length) });
  reader.start(0);
  return { reader, received: () => got.filter((_, i) => i % 2 === 1).reduce((sum, length) => sum + length, 0), ring };
}

test('a reader that acknowledges nothing is sent one window and no more', () => {
  const { reader, received, ring } = readerOf(new OutputRing());
  for (let i = 0; i < 100; i += 1) {
    ring.append(new Uint8Array(32 * 1024));
    expect(reader.pump(ring)).toBe(true);
  }
  expect(received()).toBe(OUTPUT_WINDOW_BYTES);
});

test('an acknowledgement opens the window by as much', () => {
  const { reader, received, ring } = readerOf(new OutputRing());
  ring.append(new Uint8Array(OUTPUT_WINDOW_BYTES + 5000));
  reader.pump(ring);
  reader.acknowledge(3000);
  reader.pump(ring);
  expect(received()).toBe(OUTPUT_WINDOW_BYTES + 3000);
  expect(reader.backlog(ring)).toBe(OUTPUT_WINDOW_BYTES + 2000);
});

test('acknowledging what was never sent opens nothing', () => {
  const { reader, received, ring } = readerOf(new OutputRing());
  ring.append(new Uint8Array(2 * OUTPUT_WINDOW_BYTES));
  reader.acknowledge(1e9);
  reader.pump(ring);
  expect(received()).toBe(OUTPUT_WINDOW_BYTES);
});

test('a reader whose bytes are gone asks for a snapshot when it moves again, once', () => {
  const { reader, received, ring } = readerOf(new OutputRing());
  for (let i = 0; i < 40; i += 1) {
    ring.append(new Uint8Array(64 * 1024));
    reader.pump(ring);
  }
  reader.acknowledge(64 * 1024);
  expect(reader.pump(ring)).toBe(false);
  expect(reader.pump(ring)).toBe(true);
  reader.start(ring.end);
  ring.append(new Uint8Array(10));
  reader.pump(ring);
  expect(received()).toBe(OUTPUT_WINDOW_BYTES + 10);
});
