import { expect, test } from 'vitest';
import { formatSize, parseSize } from './sizes.ts';

test.each([
  ['64m', 67_108_864],
  ['1.5 GiB', 1_610_612_736],
  ['4096', 4096],
  ['unlimited', -1],
  ['0', 0],
  ['lots', undefined],
  ['', undefined],
  ['-2', undefined],
])('%j is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  [67_108_864, '64m'],
  [1000, '1000'],
  [-1, 'unlimited'],
  [0, '0'],
  [1536, '1536'],
])('%s bytes are written %j, which reads back the same', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
  expect(parseSize(text)).toBe(bytes);
});
