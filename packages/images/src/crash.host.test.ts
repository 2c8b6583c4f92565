/**
 * Each step that makes something last, failed once (`npm run crash` fails each as often as it comes, in every way), and a disk that is full.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAIL_POINTS } from '@slipway/kernel';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { checkStore, openImageStore } from './index.ts';
import { layerOf, ociArchive, streamOf } from './testing/archives.ts';
import { CrashCampaign, type Round } from './testing/crash-campaign.ts';
import type { WorkName } from './testing/crash-subject.ts';

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
/** A pull first: what it passes is failed in it. */
const WORKS: readonly WorkName[] = ['pull', 'load', 'commit', 'build', 'remove'];

describe('a store that is killed', () => {
  let campaign: CrashCampaign;
  const rounds: Round[] = [];
  beforeAll(async () => {
    campaign = await CrashCampaign.start();
    for (const points of await Promise.all(WORKS.map((work) => campaign.pointsOf(work)))) {
      for (const point of points) if (!rounds.some((round) => round.point === point.point)) rounds.push({ ...point, how: 'kill' });
    }
  }, 120_000);
  afterAll(() => campaign?.[Symbol.asyncDispose]());

  hostTest('passes every fail point that there is in one work or another', [...NEEDS], async () => {
    expect(rounds.map(({ point }) => point).sort()).toEqual([...FAIL_POINTS].sort());
  });

  hostTest('at any of them is sound, shows nothing half-made, and completes the work [B27]', [...NEEDS], async () => {
    const waiting = [...rounds];
    const wrong: string[] = [];
    const runSome = async () => {
      for (let round = waiting.pop(); round !== undefined; round = waiting.pop()) {
        for (const sentence of await campaign.round(round)) wrong.push(`${round.work} ${round.point}: ${sentence}`);
      }
    };
    await Promise.all([runSome(), runSome()]);
    expect(wrong).toEqual([]);
  });

  hostTest('or fails at one, or stands still until it is ended, does the same', [...NEEDS], async () => {
    for (const round of [
      { work: 'pull', point: 'snapshot.made', nth: 2, how: 'enospc' },
      { work: 'load', point: 'layer.sized', nth: 1, how: 'hang' },
    ] as const) {
      expect(await campaign.round(round)).toEqual([]);
    }
  });
});

hostTest('on a full disk a load is refused in a sentence, the store stays sound, and with room it loads', [...NEEDS], async () => {
  const root = mkdtempSync(join(tmpdir(), 'full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root]);
  const archive = ociArchive([layerOf({ small: 'x' }), layerOf({ large: 'y'.repeat(1_000_000) })], 'docker.io/library/large:1');
  const store = await openImageStore({ root, platform: { os: 'linux', architecture: 'amd64' } });
  try {
    // Enough for nothing, for the archive's blobs, and for those and half of what they unpack to.
    for (const kib of [3600, 2800, 1900]) {
      writeFileSync(join(root, 'ballast'), Buffer.alloc(kib * 1024));
      await expect(store.loadArchive(streamOf(archive)), `${kib} KiB taken`).rejects.toMatchObject({ code: 'E_DISK_FULL' });
      rmSync(join(root, 'ballast'));
      expect(await checkStore(root)).toMatchObject({ faults: [], leftovers: [], counted: { images: 0, blobs: 0 } });
    }
    await store.loadArchive(streamOf(archive));
    expect(await checkStore(root)).toMatchObject({ faults: [], leftovers: [], counted: { images: 1 } });
  } finally {
    await store.close();
    execFileSync('umount', [root]);
    rmSync(root, { recursive: true });
  }
});
