/** Layers of a real overlay mount, looked at one by one, against what the kernel shows of them together. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lookInLayers } from './layer-look.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'layer-look-'));
  for (const layer of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(base, layer));
  mkdirSync(join(base, 'lower/etc'));
  mkdirSync(join(base, 'lower/opt'));
  writeFileSync(join(base, 'lower/etc/motd'), 'below\n');
  writeFileSync(join(base, 'lower/etc/passwd'), 'root\n');
  writeFileSync(join(base, 'lower/opt/old'), 'old\n');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const look = (path: string) => lookInLayers([join(base, 'lower'), join(base, 'upper')], path).layers;
const names = (path: string) => look(path).map(({ entries }) => entries.map(({ name, kind }) => `${name} ${kind}`));

hostTest('deleting, copying up and replacing a directory, as the kernel writes them down', ['linux', 'root', 'overlayfs'], async () => {
  const merged = join(base, 'merged');
  const options = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
  try {
    rmSync(join(merged, 'etc/motd'));
    writeFileSync(join(merged, 'etc/passwd'), 'root\nweb\n');
    rmSync(join(merged, 'opt'), { recursive: true });
    mkdirSync(join(merged, 'opt'));
    expect(readdirSync(join(merged, 'opt')), 'the kernel shows an empty directory').toEqual([]);
  } finally {
    execFileSync('umount', [merged]);
  }
  expect(names('/etc')).toEqual([
    ['motd file', 'passwd file'],
    ['motd whiteout', 'passwd file'],
  ]);
  expect(look('/etc').map(({ hides }) => hides)).toEqual([false, false]);
  expect(names('/opt'), 'the old name is still below').toEqual([['old file'], []]);
  expect(look('/opt').map(({ hides }) => hides)).toEqual([false, true]);
  expect(look('/etc/motd').map(({ at }) => at)).toEqual(['file', 'whiteout']);
});

test('a directory is listed, a link to a directory is not followed', () => {
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(base, 'outside/secret'), '');
  symlinkSync(join(base, 'outside'), join(base, 'lower/way'));
  expect(look('/way')[0]).toEqual({ at: 'symlink', hides: true, entries: [], truncated: false });
  expect(names('/way/secret')).toEqual([[], []]);
  expect(names('/opt')[0]).toEqual(['old file']);
});

test.each(['/../outside', `/${'a/'.repeat(65)}`, '/a\0b'])('%j is refused', (path) => {
  expect(() => look(path)).toThrow(expect.objectContaining({ code: 'E_WORKBENCH_PATH' }));
});

test('an answer is bounded over all layers, and says that there is more', () => {
  for (let index = 0; index < 2100; index += 1) writeFileSync(join(base, `lower/opt/${index}`), '');
  const [below, above] = look('/opt');
  expect(below?.entries).toHaveLength(2000);
  expect([below?.truncated, above?.truncated]).toEqual([true, false]);
});
