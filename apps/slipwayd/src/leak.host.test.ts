import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { measureFootprint } from './testing/footprint.ts';
import { TestDaemon } from './testing/test-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

const cycle = async () => {
  const { stdout } = await daemon.docker('run', '-d', 'busybox', 'sleep', '100');
  await daemon.docker('exec', stdout.trim(), 'true');
  await daemon.docker('rm', '-f', stdout.trim());
  await daemon.docker('run', '--rm', 'busybox', 'no-such-program');
};

hostTest(
  'fifteen lives and fifteen failed starts leave processes, mounts, cgroups, descriptors and blocks as they were [E07]',
  ['root', 'linux', 'overlayfs'],
  async () => {
    for (let warmUp = 0; warmUp < 3; warmUp++) await cycle();
    const before = await measureFootprint(daemon);
    for (let round = 0; round < 15; round++) await cycle();
    const after = await measureFootprint(daemon);
    expect({ ...after, fds: 0, blocks: 0 }).toEqual({ ...before, fds: 0, blocks: 0 });
    // A connection that is just being closed, and the data base's own log, may differ by a little.
    expect(Math.abs(after.fds - before.fds)).toBeLessThanOrEqual(2);
    expect(after.blocks - before.blocks).toBeLessThanOrEqual(64);
  },
  120_000,
);
