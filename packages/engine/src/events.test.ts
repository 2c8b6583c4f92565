import { expect, test } from 'vitest';
import { createEventLog } from './events.ts';

const event = (id: string) => ({ type: 'container', action: 'start', id, attributes: {} }) as const;

test('listeners get what comes, and nothing after they left', () => {
  const log = createEventLog(() => 7n);
  const seen: string[] = [];
  const leave = log.subscribe(({ id }) => seen.push(id));
  log.publish(event('a'));
  leave();
  log.publish(event('b'));
  expect(seen).toEqual(['a']);
  expect(log.past().map(({ id, timeNs }) => [id, timeNs])).toEqual([
    ['a', 7n],
    ['b', 7n],
  ]);
});

test('the past is bounded, the oldest goes first', () => {
  const log = createEventLog();
  for (let n = 0; n < 1500; n++) log.publish(event(String(n)));
  expect(log.past()).toHaveLength(1000);
  expect(log.past()[0]?.id).toBe('500');
});
