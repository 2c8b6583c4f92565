import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputRing } from './output-ring.ts';

function readAll(ring: OutputRing, from: number): number[] | undefined {
  const all: number[] = [];
  for (let at = from; at < ring.end; ) {
    const bytes = ring.read(at, 7);
    if (bytes === undefined) return undefined;
    all.push(...bytes);
    at += bytes.length;
  }
  return all;
}

test('whatever was appended, the last bytes read back are the last bytes written', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
      const ring = new OutputRing(16);
      const written = chunks.flatMap((chunk) => [...chunk]);
      for (const chunk of chunks) ring.append(chunk);
      expect(ring.end).toBe(written.length);
      expect(readAll(ring, ring.start)).toEqual(written.slice(ring.start));
      expect(ring.end - ring.start).toBe(Math.min(16, written.length));
    }),
  );
});

test('bytes that were overwritten, or not yet written, are not held', () => {
  const ring = new OutputRing(4);
  ring.append(Uint8Array.of(1, 2, 3, 4, 5, 6));
  expect([1, 2, 6, 7].map((offset) => ring.holds(offset))).toEqual([false, true, true, false]);
  expect(ring.read(1, 10)).toBeUndefined();
  expect(ring.read(7, 10)).toBeUndefined();
});
