/** Layers in a real snapshotter, looked into as the page asks: directories, contents, differences; and answers that stay sendable. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKBENCH_LINE_BYTES, WorkbenchAnswers } from '@slipway/contracts';
import { openOverlaySnapshotter, type Snapshotter } from '@slipway/snapshots';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { differenceOf } from './xray-diff.ts';
import { fileOf } from './xray-file.ts';
import { directoryOf, searchIn, summaryOf } from './xray-reports.ts';
import { Xrays } from './xrays.ts';

const needs = ['linux', 'root'] as const;
let base: string;
let snapshots: Snapshotter;
let xrays: Xrays;
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'xrays-'));
  snapshots = await openOverlaySnapshotter({ root: join(base, 'snapshots') });
  xrays = new Xrays(join(base, 'snapshots'));
});
afterEach(async () => {
  await snapshots.close();
  rmSync(base, { recursive: true, force: true });
});

async function commit(name: string, parent: string, fill: (root: string) => void): Promise<string> {
  await snapshots.prepare(parent, `${name}-key`);
  const { own } = await snapshots.directories(`${name}-key`);
  fill(own);
  await snapshots.commit(name, `${name}-key`);
  return name;
}

const write = (root: string, files: Readonly<Record<string, string | Buffer>>) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
};

hostTest('a stack is looked through from its lowest layer up, once', needs, async () => {
  const low = await commit('low', '', (root) => write(root, { 'etc/motd': 'below\n', 'a/b': 'x' }));
  const top = await commit('top', low, (root) => write(root, { 'etc/motd': 'above!\n' }));
  const xray = await xrays.open(top);
  expect(await xrays.open(top)).toBe(xray);
  const summary = summaryOf('it', xray, [{ createdBy: 'first' }, {}]);
  expect(summary).toMatchObject({ fileBytes: 14, wastedBytes: 6, wasted: [{ path: '/etc/motd', layer: 0, coveredBy: 1, deleted: false }] });
  expect(summary.layers.map(({ added, changed, createdBy }) => [added, changed, createdBy])).toEqual([
    [4, 0, 'first'],
    [0, 1, undefined],
  ]);
  expect(directoryOf(xray, '/etc/', 1)).toMatchObject({ path: '/etc', total: 1, entries: [{ name: 'motd', mark: 'changed', layer: 1 }] });
  expect(searchIn(xray, 'motd')).toMatchObject({ total: 2, entries: [{ layer: 0, coveredBy: 1 }, { layer: 1 }] });
});

hostTest('a file’s content is its layer’s, in parts, and no link leads out', needs, async () => {
  write(base, { 'secret/key': 'not yours' });
  const low = await commit('low', '', (root) => {
    write(root, { 'etc/motd': 'below\n', large: Buffer.alloc(40_000, 66) });
    symlinkSync(join(base, 'secret/key'), join(root, 'key'));
    symlinkSync(join(base, 'secret'), join(root, 'way'));
  });
  const top = await commit('top', low, (root) => write(root, { 'etc/motd': 'above\n' }));
  const xray = await xrays.open(top);
  const text = (layer: number, path: string, offset = 0) => Buffer.from(fileOf(xray, { layer, path, offset }).bytes, 'base64').toString();
  expect([text(0, '/etc/motd'), text(1, '/etc/motd')]).toEqual(['below\n', 'above\n']);
  expect([text(0, '/large').length, text(0, '/large', 32 * 1024).length]).toEqual([32 * 1024, 40_000 - 32 * 1024]);
  for (const path of ['/key', '/way/key', '/etc', '/absent', '/../secret/key']) {
    expect(() => text(0, path), path).toThrow(expect.objectContaining({ code: 'E_WORKBENCH_PATH' }));
  }
});

hostTest('two images: what one adds, takes away and changes; a copy with the same bytes is the same', needs, async () => {
  const low = await commit('low', '', (root) => write(root, { 'etc/a': 'one', 'etc/b': 'same', 'etc/c': 'goes not' }));
  const left = await commit('left', low, (root) => write(root, { 'etc/b': 'same', only: 'here' }));
  const right = await commit('right', low, (root) => write(root, { 'etc/a': 'two', more: 'there' }));
  const difference = await differenceOf(await xrays.open(left), await xrays.open(right));
  expect(difference).toMatchObject({ added: 1, removed: 1, changed: 1, sharedLayers: 1 });
  expect(difference.entries.map(({ path, change, what }) => [path, change, what])).toEqual([
    ['/etc/a', 'changed', ['content']],
    ['/more', 'added', []],
    ['/only', 'removed', []],
  ]);
});

hostTest('whatever is in a layer, an answer fits into a line and into its schema', needs, async () => {
  const long = Array.from({ length: 18 }, () => 'd'.repeat(200)).join('/');
  const top = await commit('top', '', (root) => {
    mkdirSync(join(root, long), { recursive: true });
    for (let at = 0; at < 1500; at += 1) symlinkSync(`../${'t'.repeat(4000)}`, join(root, `link-${at}${'n'.repeat(200)}`));
    writeFileSync(join(root, '\u0001<b>\u202e"'), '');
  });
  const xray = await xrays.open(top);
  const answers = {
    xray: summaryOf('it', xray, [{ diffId: `sha256:${'a'.repeat(64)}` }]),
    xrayDirectory: directoryOf(xray, '/', undefined),
    xrayFind: searchIn(xray, 'd'),
    xrayDiff: await differenceOf(xray, await xrays.open(await commit('empty', '', () => undefined))),
  };
  expect(answers.xrayDirectory.total).toBe(1502);
  for (const [verb, answer] of Object.entries(answers)) {
    expect(Buffer.byteLength(JSON.stringify(answer)), verb).toBeLessThan(WORKBENCH_LINE_BYTES / 1.5);
    if (verb !== 'xray') expect(WorkbenchAnswers[verb as keyof typeof answers].safeParse(answer).error, verb).toBeUndefined();
  }
});

hostTest('a stack that is gone is told as such', needs, async () => {
  await expect(xrays.open('nobody')).rejects.toMatchObject({ code: 'E_SNAPSHOT_NOT_FOUND' });
});
