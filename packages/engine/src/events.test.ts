import { expect, test } from 'vitest';
import { createEventLog } from './events.ts';

const event = (id: string) => ({ type: 'container', action: 'start', id, attributes: {} }) as const;

test('listeners get what comes, and nothing after they left', () => {
  const log = createEventLog(() => 7);
  const seen: string[] = [];
  const leave = log.subscribe(({ id }) => seen.push(id));
  log.publish(event('a'));
  leave();
  log.publish(event('b'));
  expect(seen).toEqual(['a']);
  expect(log.past().map(({ id, timeNs }) => [id, timeNs])).toEqual([
    ['a', 7_000_000n],
    ['b', 7_000_001n],
  ]);
});

test('events follow the wall clock, also where it is set back, and those of one millisecond stay in order', () => {
  const times = [5, 5, 6, 3, 3, 3];
  const log = createEventLog(() => times.shift() ?? 0);
  for (let n = 0; n < 6; n++) log.publish(event(String(n)));
  expect(log.past().map(({ timeNs }) => timeNs)).toEqual([5_000_000n, 5_000_001n, 6_000_000n, 3_000_000n, 3_000_001n, 3_000_002n]);
});

test('the past is bounded, the oldest goes first', () => {
  const log = createEventLog();
  for (let n = 0; n < 1500; n++) log.publish(event(String(n)));
  expect(log.past()).toHaveLength(1000);
  expect(log.past()[0]?.id).toBe('500');
});
