import { MemoryControlFiles } from '@slipway/kernel';
import { expect, test } from 'vitest';
import { sampleOverlays } from './overlay-sampler.ts';

const NOBODY = 2 ** 22;
const line = (options: string, at = '/root/union/merged') => `80 50 0:61 / ${at} rw,relatime - overlay overlay ${options}`;
const sample = (...lines: readonly string[]) =>
  sampleOverlays(
    { id: 'm1', initHostPid: NOBODY, cgroupPrefix: {} },
    new MemoryControlFiles({ files: { [`/proc/${NOBODY}/mountinfo`]: `20 1 8:1 / / rw - ext4 /dev/loop0 rw\n${lines.join('\n')}\n` } }),
  );

test.each([
  ['absolute', 'rw,lowerdir=/a:/b,upperdir=/u,workdir=/w', { lower: ['/a', '/b'], upper: '/u', work: '/w' }],
  ['relative', 'rw,lowerdir=a:/b,upperdir=u,workdir=w', { lower: ['/root/union/a', '/b'], upper: '/root/union/u', work: '/root/union/w' }],
  ['read-only', 'ro,lowerdir=/a:/b', { lower: ['/a', '/b'] }],
  // The kernel writes a backslash as \134.
  ['a colon in a name', 'ro,lowerdir=/a\\134:1:/b', { lower: ['/a:1', '/b'] }],
])('paths of a mount: %s', (_, options, paths) => {
  const text = line(options);
  expect(sample(text).mounts).toEqual([{ mountPoint: '/root/union/merged', mountLine: text, entries: [], ...paths }]);
});

test('an engine’s own are left out, and of very many some', () => {
  const engines =
    'rw,lowerdir=/var/lib/slipway/snapshots/1/fs,upperdir=/var/lib/slipway/snapshots/2/fs,workdir=/var/lib/slipway/snapshots/2/work';
  expect(sample(line(engines, '/run/slipway/x/rootfs')).mounts).toEqual([]);
  const { mounts, truncated } = sample(...Array.from({ length: 40 }, (__, at) => line('ro,lowerdir=/a:/b', `/m${at}`)));
  expect([mounts.length, truncated]).toEqual([16, true]);
});
