import type { UpperEntry } from '@slipway/journal';
import { expect, test } from 'vitest';
import { markMountPoints } from './mount-points.ts';

const destinations = new Set(['/etc/hosts', '/etc/hostname', '/proc', '/data/deep/volume']);
const directory = (path: string): UpperEntry => ({ path, kind: 'directory', sizeBytes: 0 });
const file = (path: string): UpperEntry => ({ path, kind: 'file', sizeBytes: 0 });
const marked = (entries: readonly UpperEntry[]) =>
  markMountPoints(entries, destinations)
    .filter((entry) => entry.mountPoint)
    .map(({ path }) => path);

test.each<[string, readonly UpperEntry[], readonly string[]]>([
  [
    'what a birth leaves',
    [directory('/etc'), file('/etc/hostname'), file('/etc/hosts'), directory('/proc')],
    ['/etc', '/etc/hostname', '/etc/hosts', '/proc'],
  ],
  ['a directory written to as well', [directory('/etc'), file('/etc/hosts'), file('/etc/mine')], ['/etc/hosts']],
  [
    'directories above a volume',
    [directory('/data'), directory('/data/deep'), directory('/data/deep/volume')],
    ['/data', '/data/deep', '/data/deep/volume'],
  ],
  ['a directory that only could have held one', [directory('/etc'), directory('/root')], []],
  ['a name that begins like a directory', [directory('/e'), directory('/etc'), file('/etc/hosts')], ['/etc', '/etc/hosts']],
])('mount points among entries: %s', (_, entries, expected) => {
  expect(marked(entries)).toEqual(expected);
});
