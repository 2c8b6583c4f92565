import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { DiskFact } from '@slipway/journal';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

const WAIT = { timeout: 30_000, interval: 100 };
const MIB = 1024 ** 2;

/** What the journal last told of the disk. */
function told(): DiskFact | undefined {
  const lines = readFileSync(daemon.journal, 'utf8').split('\n');
  const last = lines.findLast((line) => line.includes('"type":"disk"'));
  return last === undefined ? undefined : (JSON.parse(last) as { disk: DiskFact }).disk;
}

hostTest('the journal tells what layers and containers take on disk, as du counts it', ['root', 'linux', 'overlayfs'], async () => {
  for (const name of ['one', 'two']) await daemon.docker('run', '-d', '--name', name, 'busybox', 'sleep', '600');
  const script = 'dd if=/dev/zero of=/written bs=1M count=3';
  expect((await daemon.docker('exec', 'one', 'sh', '-c', script)).code).toBe(0);
  const written = () => told()?.containers.find(({ name }) => name === 'one')?.diskBytes ?? 0;
  await expect.poll(written, WAIT).toBeGreaterThanOrEqual(3 * MIB);
  const fact = told();
  const layers = fact?.layers ?? [];
  const image = layers.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  expect(fact).toMatchObject({ root: daemon.root, snapshotter: 'overlay' });
  expect(layers.map(({ images }) => images)).toEqual(layers.map(() => ['docker.io/library/busybox:latest']));
  const two = fact?.containers.find(({ name }) => name === 'two');
  expect(two?.diskBytes).toBeLessThan(MIB);
  expect(two?.seenBytes).toBe(image + (two?.diskBytes ?? 0));
  const counted = execFileSync('sh', ['-c', 'du -s --block-size=1 "$1"/snapshots/*/fs | cut -f1', 'sh', daemon.root], {
    encoding: 'utf8',
  });
  const all = counted
    .trim()
    .split('\n')
    .reduce((sum, bytes) => sum + Number(bytes), 0);
  expect(image + (fact?.containers ?? []).reduce((sum, { diskBytes }) => sum + diskBytes, 0)).toBe(all);

  await daemon.docker('rm', '-f', 'one', 'two');
  await expect.poll(() => told()?.containers, WAIT).toEqual([]);
});

hostTest('with the native snapshotter every container is a whole copy', ['root', 'linux', 'overlayfs'], async () => {
  const archive = `${daemon.base}/busybox.tar`;
  await daemon.docker('save', '-o', archive, 'busybox');
  await daemon.down('SIGTERM');
  const root = `${daemon.base}/native`;
  await daemon.up('--snapshotter', 'native', '--root', root, '--state', `${daemon.base}/native-state`);
  await daemon.docker('load', '-i', archive);
  for (const name of ['one', 'two']) await daemon.docker('create', '--name', name, 'busybox', 'true');
  await expect.poll(() => told()?.containers.length, WAIT).toBe(2);
  const fact = told();
  expect(fact).toMatchObject({ root, snapshotter: 'native' });
  const top = fact?.layers.at(-1)?.diskBytes ?? 0;
  expect(top).toBeGreaterThan(MIB);
  for (const { diskBytes, seenBytes } of fact?.containers ?? []) {
    expect(diskBytes).toBeGreaterThanOrEqual(top);
    expect(seenBytes).toBe(diskBytes);
  }
  await daemon.docker('rm', 'one', 'two');
});
