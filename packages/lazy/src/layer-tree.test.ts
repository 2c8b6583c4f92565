/** Trees out of indexes: what overlay is to find, and what is left to unpacking. */
import { expect, test } from 'vitest';
import { parseToc } from './estargz/toc.ts';
import { Extents } from './extents.ts';
import { type Below, findNode, planLayerTree } from './layer-tree.ts';

const ABSENT: Below = { kind: 'absent' };

function tree(entries: readonly object[], below: (path: string) => Below = () => ABSENT) {
  return planLayerTree(parseToc(Buffer.from(JSON.stringify({ version: 1, entries })), 100), { below, withDevices: true });
}

test('whiteouts hide names below, opaque marks all of them', () => {
  const root = tree([
    { name: 'a/.wh.gone', type: 'reg' },
    { name: 'b/.wh..wh..opq', type: 'reg' },
    { name: '.wh.c', type: 'reg' },
    { name: 'c/', type: 'dir' },
  ]);
  expect(findNode(root, 'a/gone')?.type).toBe('whiteout');
  expect(findNode(root, 'a/.wh.gone')).toBeUndefined();
  expect(findNode(root, 'b')?.isOpaque).toBe(true);
  expect(findNode(root, 'c')).toMatchObject({ type: 'directory', isOpaque: true });
});

test('a parent that is left out looks as it does below', () => {
  const below = (path: string): Below => (path === 'srv' ? { kind: 'directory', mode: 0o700, uid: 5, gid: 6, mtimeNs: 9n } : ABSENT);
  const root = tree([{ name: 'srv/new/f', type: 'reg' }], below);
  expect(findNode(root, 'srv')).toMatchObject({ mode: 0o700, uid: 5, gid: 6, mtimeNs: 9n });
  expect(findNode(root, 'srv/new')).toMatchObject({ mode: 0o755, uid: 0 });
});

test('a hard link is the file itself', () => {
  const root = tree([
    { name: 'f', type: 'reg' },
    { name: 'g', type: 'hardlink', linkName: 'f' },
  ]);
  expect(findNode(root, 'g')).toBe(findNode(root, 'f'));
  expect(findNode(root, 'f')?.links).toBe(2);
});

test.each([
  ['a hard link into a layer below', [{ name: 'g', type: 'hardlink', linkName: 'elsewhere' }]],
  [
    'two entries of one name',
    [
      { name: 'f', type: 'reg' },
      { name: './f', type: 'reg' },
    ],
  ],
  [
    'a parent that is a link',
    [
      { name: 'l', type: 'symlink', linkName: '/' },
      { name: 'l/f', type: 'reg' },
    ],
  ],
])('%s is left to unpacking', (_what, entries) => {
  expect(() => tree(entries)).toThrow(expect.objectContaining({ code: 'E_LAZY_INDEX' }));
});

test('a name that leads out of the layer is refused', () => {
  expect(() => tree([{ name: '../f', type: 'reg' }])).toThrow(expect.objectContaining({ code: 'E_LAYER_PATH' }));
});

test('a parent that is a link in the layers below is left to unpacking', () => {
  expect(() => tree([{ name: 'bin/f', type: 'reg' }], (path) => ({ kind: path === 'bin' ? 'other' : 'absent' }) as Below)).toThrow(
    expect.objectContaining({ code: 'E_LAZY_INDEX' }),
  );
});

test('ranges join, and gaps are what is left', () => {
  const here = new Extents();
  here.add({ start: 10, end: 20 });
  here.add({ start: 30, end: 40 });
  expect(here.missing({ start: 0, end: 50 })).toEqual([
    { start: 0, end: 10 },
    { start: 20, end: 30 },
    { start: 40, end: 50 },
  ]);
  here.add({ start: 20, end: 30 });
  expect(here.missing({ start: 10, end: 40 })).toEqual([]);
  here.drop({ start: 15, end: 16 });
  expect(here.missing({ start: 10, end: 40 })).toEqual([{ start: 15, end: 16 }]);
  expect(here.bytes).toBe(29);
});
