import type { UpperRow } from '@slipway/journal';
import { expect, test } from 'vitest';
import { servedBy, servedSentence, splitUpper } from './model.ts';

const entry = (path: string, kind: UpperRow['kind'] = 'file'): UpperRow => ({ path, kind, sizeBytes: 1 });
const stack = {
  upper: [
    entry('/etc', 'directory'),
    entry('/etc/motd'),
    entry('/bin/ping', 'whiteout'),
    entry('/var/old', 'whiteout'),
    entry('/srv', 'opaque'),
  ],
};

test.each([
  ['/etc/motd', 'upper'],
  ['/bin/ping', 'nobody'],
  ['/var/old/deep/file', 'nobody'],
  ['/srv/index.html', 'nobody'],
  ['/bin/sh', 'image'],
  ['etc//motd', 'upper'],
])('%s is answered by %s', (path, by) => {
  expect(servedBy(stack, path).by).toBe(by);
});

test('a directory in both is merged', () => {
  expect(servedBy(stack, '/etc')).toEqual({ by: 'image', merged: true });
});

test('the sentence names the whiteout that hides a file', () => {
  expect(servedSentence(servedBy(stack, '/var/old/x'), '/var/old/x')).toContain('a whiteout at /var/old hides it');
});

test('what the runtime made to mount on is told apart from what the container wrote', () => {
  const hosts: UpperRow = { ...entry('/run/secrets/key'), mountPoint: true };
  const onTheWay = ['/run', '/run/secrets'].map((path): UpperRow => ({ ...entry(path), kind: 'directory', mountPoint: true }));
  const upper = [...stack.upper, ...onTheWay, hosts];
  expect(splitUpper({ upper })).toEqual({ written: stack.upper, mountPoints: [hosts] });
  expect(servedSentence(servedBy({ upper }, '/run/secrets/key'), '/run/secrets/key')).toContain('comes from a mount');
});
