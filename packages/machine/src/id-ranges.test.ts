import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay, tryLockFile } from '@slipway/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimIdRange, releaseIdRange } from './id-ranges.ts';

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'id-ranges-'));
});
afterEach(() => rmSync(work, { recursive: true }));

const registry = () => `${work}/registry`;

/** The state directory of a machine. */
function ownerOf(name: string): string {
  mkdirSync(`${work}/${name}`);
  return `${work}/${name}`;
}

test('ranges are disjoint, and one that was released is the next', async () => {
  const [first, second] = [await claimIdRange(registry(), ownerOf('a')), await claimIdRange(registry(), ownerOf('b'))];
  expect([first.firstHostId, second.firstHostId]).toEqual([100_000, 165_536]);
  await releaseIdRange(registry(), first.firstHostId);
  expect((await claimIdRange(registry(), ownerOf('c'))).firstHostId).toBe(100_000);
});

test('of many machines that find the same claims abandoned, each gets a range of its own', async () => {
  for (const index of [0, 1, 2]) {
    mkdirSync(`${registry()}/${index}`, { recursive: true });
    writeFileSync(`${registry()}/${index}/owner`, `${work}/gone`);
  }
  const owners = Array.from({ length: 6 }, (_, i) => ownerOf(`m${i}`));
  const ranges = await Promise.all(owners.map((owner) => claimIdRange(registry(), owner)));
  const ids = ranges.map(({ firstHostId }) => firstHostId).sort((a, b) => a - b);
  expect(ids).toEqual(owners.map((_, i) => 100_000 + i * 65_536));
});

test('nobody claims while somebody else is at it, who may be about to take an abandoned one', async () => {
  mkdirSync(registry());
  const unlock = tryLockFile(`${registry()}/lock`, '');
  let claimed = false;
  const claiming = claimIdRange(registry(), ownerOf('a')).then(() => {
    claimed = true;
  });
  await delay(200);
  expect(claimed).toBe(false);
  unlock?.();
  await claiming;
});
