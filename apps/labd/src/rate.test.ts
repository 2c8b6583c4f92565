import { expect, test } from 'vitest';
import { Allowance } from './rate.ts';

test('what is taken beyond a burst comes back with time, and no more of it', () => {
  const clock = { ms: 0 };
  const allowance = new Allowance(10, 3, () => clock.ms);
  const taken = () => Array.from({ length: 5 }, () => allowance.take()).filter(Boolean).length;
  expect(taken()).toBe(3);
  clock.ms += 200;
  expect(taken()).toBe(2);
  clock.ms += 60_000;
  expect(taken()).toBe(3);
});

test('a debt is told in the time that it takes to pay', () => {
  const clock = { ms: 0 };
  const allowance = new Allowance(1000, 100, () => clock.ms);
  expect([allowance.borrow(100), allowance.borrow(50), allowance.borrow(50)]).toEqual([0, 50, 100]);
  clock.ms += 60;
  expect([allowance.take(), allowance.borrow(0)]).toEqual([false, 40]);
});
