import { expect, test } from 'vitest';
import { clockTicks } from './ticks.ts';

const MINUTES = { fromMs: 0, toMs: 120_000 };

test('as many moments as a wide track wants, and round ones', () => {
  expect(clockTicks(MINUTES, 1000)).toEqual([0, 20_000, 40_000, 60_000, 80_000, 100_000]);
});

test('on a phone the texts still do not touch', () => {
  for (const width of [60, 110, 180, 290, 390]) {
    const ticks = clockTicks(MINUTES, width);
    const places = ticks.map((tick) => (tick / 120_000) * width);
    places.forEach((place, index) => {
      if (index > 0) expect(place - (places[index - 1] ?? 0)).toBeGreaterThanOrEqual(52);
      expect(width - place).toBeGreaterThanOrEqual(40);
    });
  }
});

test('hours take more room; no room, no text', () => {
  const hours = { fromMs: 3_600_000, toMs: 4_200_000 };
  expect(clockTicks(hours, 330).length).toBeLessThan(clockTicks({ fromMs: 0, toMs: 600_000 }, 330).length);
  expect(clockTicks(MINUTES, 30)).toEqual([]);
});
