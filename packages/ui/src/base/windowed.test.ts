import { expect, test } from 'vitest';
import { visibleRows } from './windowed.ts';

test('only what is in view, and a little more, is drawn', () => {
  expect(visibleRows({ top: 0, height: 300 }, 30, 5000)).toEqual({ from: 0, to: 22 });
  expect(visibleRows({ top: 30_000, height: 300 }, 30, 5000)).toEqual({ from: 988, to: 1022 });
});

test('a short list is drawn whole', () => {
  expect(visibleRows({ top: 500, height: 300 }, 30, 100)).toEqual({ from: 0, to: 100 });
});

test('a list that shrank under a scrolled view shows nothing beyond its end', () => {
  expect(visibleRows({ top: 30_000, height: 300 }, 30, 130)).toEqual({ from: 130, to: 130 });
});
