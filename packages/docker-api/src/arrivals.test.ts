import { expect, test } from 'vitest';
import { arrivalData, arrivalStatus } from './arrivals.ts';
import type { BackendImage } from './backend.ts';

const imageOf = (...layers: BackendImage['layers']): BackendImage => ({ layers }) as BackendImage;
const whole = { chainId: 'a', sizeBytes: 9, descriptor: { size: 10 } };
const arriving = { chainId: 'b', sizeBytes: 9, descriptor: { size: 100 }, hereBytes: 25 };

test('an image that is whole has nothing to say', () => {
  expect(arrivalData(imageOf(whole))).toBeNull();
  expect(arrivalStatus([imageOf(whole)])).toEqual([]);
});

test('an image that arrives says how much of it is here; a layer of two images counts once', () => {
  expect(arrivalData(imageOf(whole, arriving))).toEqual({ Arriving: '1 layer, 25 of 100 bytes are here' });
  expect(arrivalStatus([imageOf(whole, arriving), imageOf(arriving, { ...arriving, chainId: 'c', hereBytes: 0 })])).toEqual([
    ['Arriving', '2 layers, 25 of 200 bytes are here'],
  ]);
});
