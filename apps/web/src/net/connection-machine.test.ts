import { expect, test } from 'vitest';
import { type ConnectionEvent, type ConnectionState, initialConnection, PING_EVERY_MS, stepConnection } from './connection-machine.ts';

/** Plays events at times; returns the last state and everything that was done. */
function play(events: ReadonlyArray<readonly [number, ConnectionEvent['type'] | ConnectionEvent]>, from = initialConnection()) {
  let state: ConnectionState = from;
  const done: string[] = [];
  for (const [now, event] of events) {
    const step = stepConnection(state, typeof event === 'string' ? ({ type: event } as ConnectionEvent) : event, now);
    state = step.state;
    done.push(...step.effects.map((effect) => effect.do));
  }
  return { state, done };
}

const LIVE = play([
  [0, 'start'],
  [5, 'opened'],
  [10, 'welcome'],
]).state;

test('opens, greets, lives', () => {
  expect(LIVE.phase).toBe('live');
});

test('pings every ten seconds and lives on while the answers come', () => {
  const { state, done } = play(
    [
      [10 + PING_EVERY_MS, 'tick'],
      [10 + PING_EVERY_MS + 4, { type: 'pong', id: 1 }],
      [10 + 2 * PING_EVERY_MS, 'tick'],
    ],
    LIVE,
  );
  expect(done).toEqual(['ping', 'ping']);
  expect(state.phase).toBe('live');
});

test('two missed answers end the connection', () => {
  const { state, done } = play(
    [
      [10 + PING_EVERY_MS, 'tick'],
      [10 + 2 * PING_EVERY_MS, 'tick'],
      [10 + 3 * PING_EVERY_MS, 'tick'],
    ],
    LIVE,
  );
  expect(done).toEqual(['ping', 'ping', 'close']);
  expect(state.phase).toBe('waiting');
});

test('a late answer to an older ping does not hide a missing newer one', () => {
  const { state } = play(
    [
      [10 + PING_EVERY_MS, 'tick'],
      [10 + 2 * PING_EVERY_MS, 'tick'],
      [10 + 2 * PING_EVERY_MS + 1, { type: 'pong', id: 1 }],
      [10 + 3 * PING_EVERY_MS, 'tick'],
    ],
    LIVE,
  );
  expect(state.phase).toBe('waiting');
});

test('after hours of sleep one short question decides', () => {
  const woke = 3 * 3_600_000;
  const asked = play([[woke, 'tick']], LIVE);
  expect(asked.done).toEqual(['ping']);
  expect(play([[woke + 3_000, 'tick']], asked.state).state.phase).toBe('waiting');
});

test('waits longer after each failure and not at all when the network comes back', () => {
  let state = play([[0, 'start']]).state;
  const delays: number[] = [];
  let now = 0;
  for (let index = 0; index < 8; index += 1) {
    state = stepConnection(state, { type: 'closed' }, now).state;
    delays.push(state.retryAt - now);
    now = state.retryAt;
    state = stepConnection(state, { type: 'tick' }, now).state;
  }
  expect(delays).toEqual([300, 700, 1500, 3000, 5000, 8000, 8000, 8000]);

  const lost = stepConnection(state, { type: 'closed' }, now).state;
  expect(stepConnection(lost, { type: 'wake' }, now + 1).effects).toEqual([{ do: 'open' }]);
});

test('an opening that hangs is given up', () => {
  expect(
    play([
      [0, 'start'],
      [10_001, 'tick'],
    ]).done,
  ).toEqual(['open', 'close']);
});

test('a refused session stays signed out until somebody signs in', () => {
  const out = play([[20, 'refused']], LIVE).state;
  expect(
    play(
      [
        [30, 'tick'],
        [40, 'wake'],
        [50, 'closed'],
      ],
      out,
    ).done,
  ).toEqual([]);
  expect(play([[60, 'start']], out).done).toEqual(['open']);
});
