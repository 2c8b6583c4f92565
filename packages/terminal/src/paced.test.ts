import { expect, test } from 'vitest';
import { Paced } from './paced.ts';

/** Each value takes 10 ms of a clock that stands still otherwise. */
function paced() {
  const clock = { ms: 0 };
  const done: number[] = [];
  const it = new Paced<number>(
    (value) => {
      clock.ms += 10;
      done.push(value);
    },
    () => clock.ms,
  );
  return { it, done, clock };
}

test('of many wishes the first is done at once and the last in the end, and what costs much is not done for each', async () => {
  const { it, done } = paced();
  for (let value = 0; value < 1000; value += 1) it.set(value);
  expect(done).toEqual([0]);
  await expect.poll(() => done).toEqual([0, 999]);
});

test('a wish that comes late enough is done at once', () => {
  const { it, done, clock } = paced();
  it.set(1);
  clock.ms += 200;
  it.set(2);
  expect(done).toEqual([1, 2]);
});

test('nothing is done after the stop', async () => {
  const { it, done } = paced();
  for (const value of [0, 1]) it.set(value);
  it.stop();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(done).toEqual([0]);
});
