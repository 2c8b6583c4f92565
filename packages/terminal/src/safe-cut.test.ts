import { expect, test } from 'vitest';
import { safeCut } from './safe-cut.ts';

const cutOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, safeCut(bytes)));

test.each([
  ['plain text', 'hello', 'hello'],
  ['a whole colour change', 'a\u001b[31mb', 'a\u001b[31mb'],
  ['a lone escape', 'a\u001b', 'a'],
  ['half a colour change', 'a\u001b[3', 'a'],
  ['half a title', 'a\u001b]0;tit', 'a'],
  ['a title ended by BEL', 'a\u001b]0;t\u0007', 'a\u001b]0;t\u0007'],
  ['a title ended by ST', 'a\u001b]0;t\u001b\\', 'a\u001b]0;t\u001b\\'],
  ['half a charset selection', 'a\u001b(', 'a'],
  ['a whole charset selection', 'a\u001b(B', 'a\u001b(B'],
])('%s', (_name, input, prefix) => {
  expect(cutOf(new TextEncoder().encode(input))).toBe(prefix);
});

test.each([1, 2, 3])('a character of four bytes, %d of them there, is kept back', (count) => {
  const bytes = new TextEncoder().encode('a🚢').subarray(0, 1 + count);
  expect(safeCut(bytes)).toBe(1);
});

test('whole characters and bytes that are no UTF-8 are cut at the end', () => {
  expect(safeCut(new TextEncoder().encode('aé🚢'))).toBe(7);
  expect(safeCut(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80))).toBe(5);
});

test('an endless title does not hold the screen back', () => {
  const bytes = new TextEncoder().encode(`\u001b]0;${'x'.repeat(500)}`);
  expect(safeCut(bytes)).toBe(bytes.length);
});
