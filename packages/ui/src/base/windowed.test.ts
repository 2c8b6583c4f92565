import { expect, test } from 'vitest';
import { visibleRows } from './windowed.ts';

test('only what is in view, and a little more, is drawn', () => {
  expect(visibleRows({ top: 0, height: 300 }, 30, 5000)).toEqual({ from: 0, to: 22 });
  expect(visibleRows({ top: 30_000, height: 300 }, 30, 5000)).toEqual({ from: 988, to: 1022 });
});

test('a list that shrank under a scrolled view shows its end and nothing beyond', () => {
  expect(visibleRows({ top: 30_000, height: 300 }, 30, 10)).toEqual({ from: 10, to: 10 });
});
