import { callChain, emptyWorld, reduceAll, traces } from '@slipway/journal';
import { scenario } from '@slipway/journal/testing';
import { expect, test } from 'vitest';
import { axisTicks, flameBoxes, sequenceRows } from './layout.ts';

const world = reduceAll(emptyWorld(), scenario({ containers: 1, operations: 30 }));
const chain = callChain(world, traces(world)[0]?.id ?? '');
if (!chain) throw new Error('the scenario has a trace');
const whole = { fromMs: 0, toMs: chain.durationMs };

test('the outermost span fills the flame, and nothing leaves it', () => {
  const boxes = flameBoxes(chain, whole, 0.0001);
  expect(boxes[0]).toMatchObject({ left: 0, width: 1 });
  for (const box of boxes) expect(box.left + box.width).toBeLessThanOrEqual(1.001);
});

test('zooming in shows only what is in the window', () => {
  const last = chain.rows.at(-1);
  const window = { fromMs: last?.offsetMs ?? 0, toMs: (last?.offsetMs ?? 0) + (last?.durationMs ?? 1) };
  const boxes = flameBoxes(chain, window, 0.001);
  expect(boxes.length).toBeLessThan(chain.rows.length);
  expect(boxes.some((box) => box.row === last)).toBe(true);
});

test('dozens of operations are folded until their parent is opened', () => {
  const folded = sequenceRows(chain, new Set(), '');
  const more = folded.find((row) => row.kind === 'more');
  expect(more).toMatchObject({ count: 30 });
  const open = sequenceRows(chain, new Set([more?.kind === 'more' ? more.parent : '']), '');
  expect(open).toHaveLength(chain.rows.length);
});

test('the filter finds operations inside of folded spans', () => {
  const op = chain.rows.find((row) => row.span.operation)?.span.name ?? '';
  expect(sequenceRows(chain, new Set(), op).length).toBeGreaterThan(0);
});

test('axis steps are round', () => {
  expect(axisTicks({ fromMs: 0, toMs: 10 }, 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(axisTicks({ fromMs: 3, toMs: 3 }, 5)).toEqual([]);
});
