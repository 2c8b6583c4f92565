import { hasCode } from '@slipway/errors';
import { expect, test } from 'vitest';
import { requireAllowed } from './lifecycle.ts';

test.each([
  ['start', 'created', true],
  ['start', 'running', false],
  ['start', 'exited', true],
  ['stop', 'running', true],
  ['stop', 'paused', true],
  ['stop', 'exited', false],
  ['kill', 'paused', true],
  ['exec', 'running', true],
  ['update', 'exited', true],
  ['remove', 'created', true],
] as const)('%s of a container that is %s: %s', (verb, status, expected) => {
  expect(requireAllowed({ id: 'a'.repeat(64), status }, verb)).toBe(expected);
});

test.each([
  ['start', 'paused'],
  ['kill', 'exited'],
  ['pause', 'created'],
  ['pause', 'paused'],
  ['unpause', 'running'],
  ['exec', 'paused'],
  ['exec', 'created'],
  ['remove', 'running'],
  ['update', 'removing'],
  ['remove', 'removing'],
] as const)('%s of a container that is %s is refused, naming both', (verb, status) => {
  const attempt = () => requireAllowed({ id: 'a'.repeat(64), status }, verb);
  expect(attempt).toThrow(new RegExp(`cannot ${verb} container aaaaaaaaaaaa: it is ${status}`));
  expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_CONTAINER_STATUS')));
});
