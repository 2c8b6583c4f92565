import { expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatCommand,
  formatDuration,
  formatShare,
  shortenId,
  visible,
  visibleLines,
} from './format.ts';

test.each([
  [0, '0 B'],
  [512, '512 B'],
  [1536, '1.5 KiB'],
  [64 * 1024 ** 2, '64 MiB'],
  [84.4 * 1024 ** 2, '84.4 MiB'],
  [3 * 1024 ** 3, '3 GiB'],
  [Number.POSITIVE_INFINITY, '∞'],
])('%d bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0 s'],
  [0.04, '40 µs'],
  [0.9999, '1 ms'],
  [3.14, '3.1 ms'],
  [87.6, '88 ms'],
  [1234, '1.2 s'],
  [41_000, '41 s'],
  [240_000, '4 min'],
  [7_200_000, '2 h'],
])('%d ms read %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('a moment ago has tenths of a second, a long time none', () => {
  expect([20, 840, 15_000, 240_000].map(formatAgo)).toEqual(['just now', '0.8 s ago', '15 s ago', '4 min ago']);
});

test('the clock grows an hour when it needs one', () => {
  expect([0, 41_900, 727_000, 3_723_000].map(formatClock)).toEqual(['00:00', '00:41', '12:07', '1:02:03']);
});

test('an id keeps both ends, a short one stays', () => {
  expect(shortenId('3f2a9c11aa22bb3381d0')).toBe('3f2a9c…81d0');
  expect(shortenId('web')).toBe('web');
});

test('shares under ten per cent keep a digit', () => {
  expect([0, 0.004, 0.12, 1].map(formatShare)).toEqual(['0 %', '0.4 %', '12 %', '100 %']);
});

test('a command can be pasted back into a shell', () => {
  expect(formatCommand(['sh', '-c', "echo it's $HOME", 'a=b'])).toBe(`sh -c 'echo it'\\''s $HOME' a=b`);
});

test('escape sequences and direction marks of a container become visible', () => {
  expect(visible('\u001b[31mred\u202e')).toBe('␛[31mred\ufffd');
  expect(visibleLines('Uid:\t0\r\n\u001b[2J')).toBe('Uid:  0␍\n␛[2J');
});
