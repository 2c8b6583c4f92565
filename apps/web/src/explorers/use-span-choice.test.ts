import { expect, test } from 'vitest';
import { shownOf } from './use-span-choice.ts';

const all = [
  { id: 'new', spans: ['n1', 'n2'] },
  { id: 'old', spans: ['o1'] },
];
const shown = (selectedSpan: string | undefined, chosen: string | undefined) =>
  shownOf(all, { selectedSpan, chosen }, ({ spans }, span) => spans.includes(span))?.id;

test.each([
  ['the newest of all', undefined, undefined, 'new'],
  ['what was chosen', undefined, 'old', 'old'],
  ['what the selected span belongs to, whatever was chosen', 'n2', 'old', 'new'],
  ['what was chosen, where the span belongs to nothing here', 'elsewhere', 'old', 'old'],
  ['the newest, where what was chosen is gone', undefined, 'gone', 'new'],
])('shown is %s', (_what, selectedSpan, chosen, expected) => {
  expect(shown(selectedSpan, chosen)).toBe(expected);
});

test('of nothing nothing is shown', () => {
  expect(shownOf([], { selectedSpan: 'x', chosen: 'y' }, () => true)).toBeUndefined();
});
