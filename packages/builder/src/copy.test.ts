import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tarEnd, tarMember } from '@slipway/layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findSources, planCopy, ROOT } from './copy.ts';
import { planCopyWithParents } from './copy-parents.ts';
import { FileTree } from './file-tree.ts';
import { parseExcludes } from './patterns.ts';

const FILES = ['a/', 'a/one.txt', 'a/two.md', 'a/deep/', 'a/deep/three.txt', 'b/x/four.txt', 'home.txt', 'homer'];
let directory: string;
let tree: FileTree;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'copy-'));
  const members = FILES.map((name) => tarMember({ name, type: name.endsWith('/') ? 'directory' : 'file', mode: 0o750 }));
  const link = tarMember({ name: 'link', type: 'symlink', linkName: 'a' });
  tree = await FileTree.read(
    (async function* () {
      yield* [...members, link, tarEnd()];
    })(),
    { directory },
  );
});
afterAll(async () => {
  await tree.close();
  rmSync(directory, { recursive: true });
});

const to = { destination: '/d', isDirectory: true, owner: ROOT, line: 3 };
const excluding = (...patterns: string[]) => ({ ...to, isExcluded: parseExcludes(patterns, 3) });
const pathsOf = (members: readonly { readonly path: string }[]) => members.map(({ path }) => path);

describe('--exclude', () => {
  const cases: readonly (readonly [sources: readonly string[], excludes: readonly string[], copied: readonly string[]])[] = [
    [['a'], [], ['d/deep', 'd/deep/three.txt', 'd/one.txt', 'd/two.md']],
    [['a'], ['*.txt'], ['d/deep', 'd/deep/three.txt', 'd/two.md']],
    [['a'], ['**/*.txt'], ['d/deep', 'd/two.md']],
    [['a'], ['deep', '*.md'], ['d/one.txt']],
    [['a'], ['*', '!one.txt'], ['d/one.txt']],
    [['hom*'], ['*.txt'], ['d/homer']],
    [['a'], ['*'], []],
  ];
  for (const [sources, excludes, copied] of cases) {
    test(`${sources.join(' ')} without ${excludes.join(' ') || 'anything'}`, () => {
      const place = excluding(...excludes);
      expect(pathsOf(planCopy(tree, findSources(tree, sources, 3), place))).toEqual(copied);
    });
  }

  test('a pattern that is none is refused by its line', () => {
    expect(() => excluding('[x')).toThrow('line 3: unclosed [');
  });
});

describe('--parents', () => {
  const cases: readonly (readonly [sources: readonly string[], copied: readonly string[]])[] = [
    [['a/one.txt'], ['d/a', 'd/a/one.txt']],
    [
      ['./a/deep', 'homer'],
      ['d/a', 'd/a/deep', 'd/a/deep/three.txt', 'd/homer'],
    ],
    [['a/./deep/three.txt'], ['d/deep', 'd/deep/three.txt']],
    [['**/*.txt'], ['d/a', 'd/a/deep', 'd/a/deep/three.txt', 'd/a/one.txt', 'd/b/x/four.txt', 'd/home.txt']],
    [['link/./*.md'], ['d/two.md']],
    [['b/./.'], ['d/x/four.txt']],
  ];
  for (const [sources, copied] of cases) {
    test(sources.join(' '), () => {
      expect(pathsOf(planCopyWithParents(tree, sources, to))).toEqual(copied);
    });
  }

  test('what is excluded stays away, with what is in it', () => {
    expect(pathsOf(planCopyWithParents(tree, ['a'], excluding('a/deep')))).toEqual(['d/a', 'd/a/one.txt', 'd/a/two.md']);
  });

  test('a source that nothing fits is refused', () => {
    for (const source of ['c', 'a/*.c', 'nowhere/./a'])
      expect(() => planCopyWithParents(tree, [source], to)).toThrow('no source files match');
  });
});
