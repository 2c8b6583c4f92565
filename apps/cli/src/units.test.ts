import { expect, test } from 'vitest';
import { parseDurationMs, parseSize } from './units.ts';

test.each([
  ['64m', 67_108_864],
  ['1.5GiB', 1_610_612_736],
  ['4096', 4096],
  ['10 kb', 10_240],
  ['bogus', undefined],
  ['-1', undefined],
  ['', undefined],
])('the size %j is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ['5s', 5000],
  ['250ms', 250],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['5', undefined],
  ['s', undefined],
  ['', undefined],
])('%j lasts %s milliseconds', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});
