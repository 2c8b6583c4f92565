/** Layers as the kernel's overlay leaves them, looked through; and layers made to deceive. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { differTrees, findEntries, listDirectory, sumLayers } from './layer-reports.ts';
import { LayerTree, walkNodes } from './layer-tree.ts';
import { scanLayers } from './scan-layers.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'xray-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const layer = (at: number) => join(base, `layer-${at}`);

/** Each step works in an overlay over the layers before it; what it leaves in its upper directory is the next layer. */
function build(steps: readonly ((root: string) => void)[]): string[] {
  const merged = join(base, 'merged');
  mkdirSync(merged);
  for (const [at, step] of steps.entries()) {
    mkdirSync(layer(at));
    if (at === 0) {
      step(layer(0));
      continue;
    }
    const work = join(base, `work-${at}`);
    mkdirSync(work);
    const lowers = Array.from({ length: at }, (_, index) => layer(at - 1 - index)).join(':');
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lowers},upperdir=${layer(at)},workdir=${work}`, merged]);
    try {
      step(merged);
    } finally {
      execFileSync('umount', [merged]);
    }
  }
  return steps.map((_, at) => layer(at));
}

const put = (root: string, path: string, bytes: number) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), Buffer.alloc(bytes, 65));
};
const treeOf = async (directories: readonly string[]) => new LayerTree((await scanLayers(directories)).entries);
const visible = (tree: LayerTree) => [...walkNodes(tree.root, '')].filter(({ node }) => node.visible !== undefined).map(({ path }) => path);

const STEPS = [
  (root: string) => {
    put(root, 'etc/motd', 100);
    put(root, 'etc/kept', 10);
    put(root, 'opt/a', 1000);
    put(root, 'opt/b', 2000);
    put(root, 'bin/one', 500);
    linkSync(join(root, 'bin/one'), join(root, 'bin/two'));
  },
  (root: string) => {
    writeFileSync(join(root, 'etc/motd'), 'changed');
    rmSync(join(root, 'opt'), { recursive: true });
    mkdirSync(join(root, 'opt'));
    put(root, 'opt/c', 30);
    rmSync(join(root, 'bin/one'));
  },
  (root: string) => {
    rmSync(join(root, 'opt/c'));
    rmSync(join(root, 'bin/two'));
    chmodSync(join(root, 'etc'), 0o700);
  },
];

hostTest('what is seen is what the kernel shows, and every covered byte is told', ['linux', 'root', 'overlayfs'], async () => {
  let shown: string[] = [];
  const look = (root: string) => {
    shown = readdirSync(root, { recursive: true }).map((path) => `/${String(path)}`);
  };
  const directories = build([...STEPS, look]);
  const tree = await treeOf(directories);
  expect(visible(tree).toSorted()).toEqual(shown.toSorted());
  const { layers, wasted } = sumLayers(tree, directories.length, 100);
  expect(layers.map(({ fileBytes, wastedBytes }) => [fileBytes, wastedBytes])).toEqual([
    [3610, 3600],
    [37, 30],
    [0, 0],
    [0, 0],
  ]);
  expect(wasted.map(({ path, coveredBy, deleted }) => [path, coveredBy, deleted])).toEqual([
    ['/opt/b', 1, true],
    ['/opt/a', 1, true],
    ['/bin/one', 1, true],
    ['/etc/motd', 1, false],
    ['/opt/c', 2, true],
  ]);
});

hostTest(
  'a directory of one layer tells its own names, of all layers what is seen and what was',
  ['linux', 'root', 'overlayfs'],
  async () => {
    const tree = await treeOf(build(STEPS));
    const marks = (path: string, at?: number) =>
      listDirectory(tree, path, at).map(({ name, entry }) => `${name} ${entry.kind} ${entry.mark}`);
    expect(marks('/', 1)).toEqual(['bin directory kept', 'etc directory kept', 'opt directory changed']);
    expect(marks('/opt', 1), 'an opaque directory hides without naming').toEqual(['c file added']);
    expect(marks('/bin', 1)).toEqual(['one whiteout removed']);
    expect(marks('/etc', 1)).toEqual(['motd file changed']);
    expect(marks('/', 2)).toContain('etc directory changed');
    expect(marks('/opt')).toEqual(['a file added', 'b file added', 'c whiteout removed']);
    expect(listDirectory(tree, '/', 0).find(({ name }) => name === 'opt')?.below).toMatchObject({
      added: 2,
      bytes: 3000,
      wastedBytes: 3000,
    });
    expect(findEntries(tree, 'MOTD').map(({ name, entry }) => [name, entry.layer, entry.mark])).toEqual([
      ['/etc/motd', 0, 'added'],
      ['/etc/motd', 1, 'changed'],
    ]);
  },
);

hostTest('a file with two names is wasted when both are covered, and not before', ['linux', 'root', 'overlayfs'], async () => {
  const wasted = (tree: LayerTree) => sumLayers(tree, 3, 100).wasted.filter(({ path }) => path.startsWith('/bin'));
  const directories = build(STEPS);
  expect(wasted(await treeOf(directories.slice(0, 2)))).toEqual([]);
  expect(wasted(await treeOf(directories))).toEqual([expect.objectContaining({ path: '/bin/one', sizeBytes: 500 })]);
});

hostTest('images on the same layers differ by what lies above', ['linux', 'root', 'overlayfs'], async () => {
  const directories = build(STEPS);
  const { differences } = differTrees(await treeOf(directories.slice(0, 2)), await treeOf(directories), 2);
  expect(differences.map(({ path, from, to }) => [path, from?.layer, to?.layer])).toEqual([
    ['/bin', 1, 2],
    ['/bin/two', 0, undefined],
    ['/etc', 1, 2],
    ['/opt', 1, 2],
    ['/opt/c', 1, undefined],
  ]);
});

test('links lead nowhere: what they point at is not listed', async () => {
  mkdirSync(layer(0));
  put(base, 'outside/secret', 7);
  symlinkSync(join(base, 'outside'), join(layer(0), 'way'));
  symlinkSync('/', join(layer(0), 'root'));
  put(layer(0), 'inside/file', 3);
  const { entries } = await scanLayers([layer(0)]);
  expect(entries.map(({ path, kind, target }) => [path, kind, target])).toEqual([
    ['inside', 'directory', undefined],
    ['inside/file', 'file', undefined],
    ['root', 'symlink', '/'],
    ['way', 'symlink', join(base, 'outside')],
  ]);
});

test('more names than are looked at are told as such', async () => {
  for (let at = 0; at < 30; at += 1) put(layer(0), `d/${at}`, 1);
  expect(await scanLayers([layer(0)], { maxEntries: 10 })).toMatchObject({ truncated: true, entries: { length: 10 } });
  expect(await scanLayers([layer(0)], { maxEntries: 31 })).toMatchObject({ truncated: false, entries: { length: 31 } });
});

test('deeper than any layer may be is refused, a legal depth is not', async () => {
  const deep = (depth: number) => join(layer(depth), ...Array.from({ length: depth }, () => 'd'));
  for (const depth of [200, 300]) mkdirSync(deep(depth), { recursive: true });
  await expect(scanLayers([layer(300)])).rejects.toMatchObject({ code: 'E_LAYER_PACK' });
  expect((await scanLayers([layer(200)])).entries).toHaveLength(200);
});

test('nothing is changed by looking', async () => {
  put(layer(0), 'a', 5);
  const before = statSync(join(layer(0), 'a')).mtimeMs;
  await scanLayers([layer(0)]);
  expect([statSync(join(layer(0), 'a')).mtimeMs, readFileSync(join(layer(0), 'a'), 'utf8')]).toEqual([before, 'AAAAA']);
});
