/** Snapshots whose files somebody else keeps. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { listSnapshots } from './inspect.ts';
import { openNativeSnapshotter } from './native.ts';
import { openOverlaySnapshotter } from './overlay.ts';
import { mounted } from './testing/suite.ts';

let base: string;
let shared: string;
const root = () => `${base}/own`;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'adopted-'));
  shared = `${base}/theirs/1`;
  mkdirSync(`${shared}/fs`, { recursive: true });
  writeFileSync(`${shared}/fs/file`, 'theirs');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

hostTest('an adopted snapshot is stood upon, found again, and let go without a trace on its files', ['root', 'overlayfs'], async () => {
  const first = await openOverlaySnapshotter({ root: root() });
  await first.adopt('one', '', shared);
  expect(await first.stat('one')).toMatchObject({ kind: 'committed', isAdopted: true });
  expect(await first.usage('one')).toEqual({ sizeBytes: 0, inodes: 0 });
  await first.close();

  const snapshots = await openOverlaySnapshotter({ root: root() });
  mounted(await snapshots.prepare('one', 'mine'), (path) => {
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('theirs');
    writeFileSync(join(path, 'file'), 'mine');
  });
  await snapshots.commit('two', 'mine');
  expect(await snapshots.stat('two')).toMatchObject({ isAdopted: false });
  expect(readFileSync(`${shared}/fs/file`, 'utf8')).toBe('theirs');
  expect(await listSnapshots(root())).toMatchObject({ withoutDirectory: [], strangers: [] });

  await expect(snapshots.remove('one')).rejects.toMatchObject({ code: 'E_SNAPSHOT_HAS_CHILDREN' });
  await snapshots.remove('two');
  await snapshots.remove('one');
  expect(await snapshots.list()).toEqual([]);
  expect(existsSync(`${shared}/fs/file`)).toBe(true);
  await snapshots.close();
});

hostTest(
  'what stands on files that are not there any more says so, goes all the same, and is as it was once they are back',
  ['root', 'overlayfs'],
  async () => {
    const snapshots = await openOverlaySnapshotter({ root: root() });
    await snapshots.adopt('one', '', shared);
    await snapshots.prepare('one', 'kept');
    await snapshots.prepare('one', 'gone');
    renameSync(`${base}/theirs`, `${base}/unmounted`);
    const says = { code: 'E_SNAPSHOT_ADOPTED_GONE', message: expect.stringContaining(shared) };
    await expect(snapshots.prepare('one', 'new')).rejects.toMatchObject(says);
    await expect(snapshots.mounts('kept')).rejects.toMatchObject(says);
    await expect(snapshots.directories('kept')).rejects.toMatchObject(says);
    await snapshots.remove('gone');
    renameSync(`${base}/unmounted`, `${base}/theirs`);
    expect((await snapshots.directories('kept')).lowers).toEqual([`${shared}/fs`]);
    expect((await snapshots.list()).map(({ name }) => name).toSorted()).toEqual(['kept', 'one']);
    await snapshots.close();
  },
);

hostTest('what cannot be adopted is refused, and nothing of it is written down', ['root', 'overlayfs'], async () => {
  const overlay = await openOverlaySnapshotter({ root: root() });
  for (const path of ['relative', '/a:b', '/a,upperdir=/etc']) {
    await expect(overlay.adopt('one', '', path)).rejects.toMatchObject({ code: 'E_SNAPSHOT_ADOPT' });
  }
  await expect(overlay.adopt('one', 'nobody', shared)).rejects.toMatchObject({ kind: 'not-found' });
  expect(await overlay.list()).toEqual([]);
  await overlay.close();

  const native = await openNativeSnapshotter({ root: `${base}/copies` });
  await expect(native.adopt('one', '', shared)).rejects.toMatchObject({ code: 'E_SNAPSHOT_ADOPT' });
  await native.close();
});

hostTest('a look at the store tells when their files have gone', ['root', 'overlayfs'], async () => {
  const snapshots = await openOverlaySnapshotter({ root: root() });
  await snapshots.adopt('one', '', shared);
  rmSync(shared, { recursive: true });
  expect((await listSnapshots(root())).withoutDirectory).toEqual(['one']);
  await snapshots.close();
});
