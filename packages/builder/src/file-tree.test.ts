import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tarEnd, tarMember } from '@slipway/layers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyDigest, copyLayer, findSources, planCopy } from './copy.ts';
import { FileTree } from './file-tree.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'file-tree-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function* archive(...members: readonly Uint8Array[]) {
  yield* members;
  yield tarEnd();
}

const file = (name: string, text: string, more = {}) => tarMember({ name, type: 'file', ...more }, text);
const link = (name: string, linkName: string) => tarMember({ name, type: 'symlink', linkName });
const read = (...members: readonly Uint8Array[]) => FileTree.read(archive(...members), { directory });
const ROOT = { destination: '/d', isDirectory: true, owner: { uid: 0, gid: 0 }, line: 1 };

test('links are followed inside the tree, and cannot lead out of it', async () => {
  const tree = await read(
    file('in/f', 'x'),
    link('up', '../../in/f'),
    link('abs', '/in'),
    link('loop', 'loop'),
    link('host', '/etc/passwd'),
  );
  expect(['up', 'abs/f', '../in/f', 'in/../in/f', 'loop', 'host', 'in/none'].map((path) => tree.resolve(path))).toEqual([
    'in/f',
    'in/f',
    'in/f',
    'in/f',
    undefined,
    undefined,
    undefined,
  ]);
  expect(readdirSync(directory)).toEqual([]);
  await tree.close();
});

test('a directory is copied by its contents, a file by its name, patterns by what fits', async () => {
  const tree = await read(file('a/b/c', '1'), file('a/x', '2'), file('one.md', '3'), file('two.md', '4'));
  const paths = (sources: string[]) => planCopy(tree, findSources(tree, sources, 1), ROOT).map(({ path }) => path);
  expect(paths(['a'])).toEqual(['d/b/c', 'd/x']);
  expect(paths(['*.md'])).toEqual(['d/one.md', 'd/two.md']);
  expect(paths(['a/x', 'one.md'])).toEqual(['d/x', 'd/one.md']);
  expect(() => paths(['nope'])).toThrow(expect.objectContaining({ code: 'E_BUILD_STEP', message: expect.stringContaining('line 1') }));
  expect(() => paths(['*.nope'])).toThrow('no source files match');
  await tree.close();
});

test('two names of one file are one file in the layer, too; times do not count for its digest', async () => {
  const hard = tarMember({ name: 'z', type: 'hardlink', linkName: 'a' });
  const [tree, later] = [await read(file('a', 'same', { mtime: 1 }), hard), await read(file('a', 'same', { mtime: 2 }), hard)];
  const [one, two] = [tree, later].map((each) => planCopy(each, ['a', 'z'], ROOT)) as [
    ReturnType<typeof planCopy>,
    ReturnType<typeof planCopy>,
  ];
  expect(copyDigest(one)).toBe(copyDigest(two));
  const bytes: Uint8Array[] = [];
  for await (const chunk of copyLayer(one, 0)) bytes.push(chunk);
  expect(Buffer.concat(bytes).toString('latin1').split('same')).toHaveLength(2);
  await tree.close();
  await later.close();
});
