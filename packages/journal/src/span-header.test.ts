import { expect, test } from 'vitest';
import { parentInHeaders, spanHeaders } from './span-header.ts';

test('a span’s identity survives its header', () => {
  const span = { trace: 'a1b2-1', id: 'a1b2-2f' };
  expect(parentInHeaders(spanHeaders(span))).toEqual(span);
});

test.each([
  ['absent', undefined],
  ['without a trace', '/x'],
  ['with a third part', 'a/b/c'],
  ['with a blank', 'a b/c'],
  ['too long', `${'a'.repeat(65)}/b`],
  ['sent twice', ['a/b', 'c/d']],
])('%s, it is no parent', (_what, value) => {
  expect(parentInHeaders({ 'x-slipway-span': value })).toBeUndefined();
});
