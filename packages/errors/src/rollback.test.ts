import { expect, test } from 'vitest';
import { Rollback } from './rollback.ts';

test('undo runs newest first and the first cause survives', async () => {
  const order: string[] = [];
  const rollback = new Rollback();
  rollback.defer('first', async () => void order.push('first'));
  rollback.defer('second', async () => void order.push('second'));
  const failure = new Error('the cause');

  await expect(rollback.unwind(failure)).rejects.toBe(failure);
  expect(order).toEqual(['second', 'first']);
});

test('a failing undo step is reported beside the cause, and the other steps still run', async () => {
  const order: string[] = [];
  const rollback = new Rollback();
  rollback.defer('first', async () => void order.push('first'));
  rollback.defer('second', () => Promise.reject(new Error('busy')));
  const failure = new Error('the cause');

  await expect(rollback.unwind(failure)).rejects.toMatchObject({ cause: failure, message: expect.stringContaining('second: Error: busy') });
  expect(order).toEqual(['first']);
});

test('a disarmed rollback undoes nothing', async () => {
  const rollback = new Rollback();
  rollback.defer('first', () => Promise.reject(new Error('must not run')));
  rollback.disarm();
  const failure = new Error('later');

  await expect(rollback.unwind(failure)).rejects.toBe(failure);
});
