import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { changeTree, makeTree, summarize } from '../testing/trees.ts';
import { unpackLayer } from '../unpack.ts';
import { type PackedLayer, type PackRequest, type PackSource, packTree, statInTree } from './pack.ts';

let base: string;
const mounted: string[] = [];
const dir = (name: string) => {
  const path = join(base, name);
  fs.mkdirSync(path, { recursive: true });
  return path;
};

beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'pack-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', base]);
  mounted.push(base);
});
afterEach(() => {
  for (const path of mounted.splice(0).reverse()) execFileSync('umount', [path]);
  fs.rmdirSync(base);
});

async function pack(source: PackSource, more: Partial<PackRequest> = {}): Promise<{ bytes: Buffer; report: PackedLayer }> {
  const chunks: Uint8Array[] = [];
  const sink = async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const chunk of bytes) chunks.push(chunk);
  };
  const report = await packTree({ source, form: 'none', sink, ...more });
  return { bytes: Buffer.concat(chunks), report };
}

async function apply(bytes: Uint8Array, target: string): Promise<readonly string[]> {
  const path = join(base, `blob-${Math.random()}`);
  fs.writeFileSync(path, bytes);
  const fd = fs.openSync(path, 'r');
  try {
    const blob = { fd, sizeBytes: bytes.byteLength };
    const { warnings } = await unpackLayer({ blob, compression: 'detect', expected: {}, target, lowers: [], whiteouts: 'remove' });
    return warnings;
  } finally {
    fs.closeSync(fd);
    fs.rmSync(path);
  }
}

function mountOverlay(): { readonly lower: string; readonly upper: string; readonly merged: string } {
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map(dir) as [string, string, string, string];
  makeTree(lower, { nodes: true });
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged]);
  mounted.push(merged);
  return { lower, upper, merged };
}

const copy = (from: string, to: string) => execFileSync('cp', ['-a', '--sparse=auto', `${from}/.`, to]);
const paths = (bytes: Uint8Array) =>
  execFileSync('tar', ['-t', '--quoting-style=literal'], { input: bytes, encoding: 'utf8' }).trim().split('\n');

describe('a layer from what changed', () => {
  hostTest('overlay: applied to what was below, it gives the tree that the container saw', ['root', 'overlayfs'], async () => {
    const { lower, upper, merged } = mountOverlay();
    changeTree(merged, { nodes: true });
    const copied = dir('copied');
    copy(lower, copied);

    const { bytes, report } = await pack({ kind: 'overlay', upper, lowers: [lower], mountPoints: [] });

    expect(await apply(bytes, copied)).toEqual([]);
    expect(summarize(copied)).toEqual(summarize(merged));
    expect(report).toMatchObject({ warnings: [], tarBytes: bytes.length, blobBytes: bytes.length });
    const names = paths(bytes);
    expect(names).toEqual(expect.arrayContaining(['.wh.empty', '.wh.null', 'sticky/.wh..wh..opq', 'd/second-name']));
    expect(names).not.toContain('suid');
  });

  hostTest('native: two trees compared say the same', ['root'], async () => {
    const [lower, own, copied] = [dir('lower'), dir('own'), dir('copied')];
    makeTree(lower, { nodes: true });
    copy(lower, own);
    copy(lower, copied);
    changeTree(own, { nodes: true });

    const { bytes } = await pack({ kind: 'compare', tree: own, lower, mountPoints: [] });

    expect(await apply(bytes, copied)).toEqual([]);
    expect(summarize(copied)).toEqual(summarize(own));
    expect(paths(bytes)).not.toContain('suid');
  });

  hostTest('native: bytes changed under the same size and time are noticed, an equal file is not', ['root'], async () => {
    const [lower, own] = [dir('lower'), dir('own')];
    for (const name of ['changed', 'same']) fs.writeFileSync(join(lower, name), 'before');
    copy(lower, own);
    fs.writeFileSync(join(own, 'changed'), 'behind');
    execFileSync('touch', ['-r', join(lower, 'changed'), join(own, 'changed')]);
    execFileSync('touch', ['-r', lower, own]);

    expect(paths((await pack({ kind: 'compare', tree: own, lower, mountPoints: [] })).bytes)).toEqual(['changed']);
  });

  hostTest('the same tree gives the same bytes, packed again or copied elsewhere', ['root'], async () => {
    const [tree, other] = [dir('tree'), dir('other')];
    makeTree(tree, { nodes: true });
    copy(tree, other);

    const first = await pack({ kind: 'tree', root: tree });
    expect((await pack({ kind: 'tree', root: tree })).report.diffId).toBe(first.report.diffId);
    expect((await pack({ kind: 'tree', root: other })).report.diffId).toBe(first.report.diffId);
    const clamped = await pack({ kind: 'tree', root: tree }, { latestMtime: 0 });
    expect(clamped.report.diffId).not.toBe(first.report.diffId);
  });

  for (const form of ['gzip', 'zstd'] as const) {
    hostTest(`${form}: both digests and sizes are those of the bytes`, ['root'], async () => {
      const tree = dir('tree');
      makeTree(tree, { nodes: true });
      const { bytes, report } = await pack({ kind: 'tree', root: tree }, { form });
      const tar = execFileSync(form, ['-dc'], { input: bytes, maxBuffer: 1 << 28 });

      expect(report).toMatchObject({ blobDigest: digestOf(bytes), blobBytes: bytes.length, diffId: digestOf(tar), tarBytes: tar.length });
      const back = dir('back');
      expect(await apply(bytes, back)).toEqual([]);
      expect(summarize(back)).toEqual(summarize(tree));
    });
  }

  hostTest('what a runtime made to mount something on is no change, beside a file that somebody wrote', ['root', 'overlayfs'], async () => {
    const { lower, upper, merged } = mountOverlay();
    fs.mkdirSync(join(merged, 'etc'));
    for (const name of ['hosts', 'resolv.conf']) fs.writeFileSync(join(merged, 'etc', name), '');
    fs.mkdirSync(join(merged, 'proc'));
    fs.writeFileSync(join(merged, 'd', 'hosts'), '');
    const mountPoints = ['etc/hosts', 'etc/resolv.conf', 'proc', 'd/hosts', 'dev/shm'];
    const source = { kind: 'overlay', upper, lowers: [lower], mountPoints } as const;

    expect(paths((await pack(source)).bytes)).toEqual(['']);
    fs.writeFileSync(join(merged, 'etc', 'motd'), 'hello');
    expect(paths((await pack(source)).bytes)).toEqual(['etc/', 'etc/motd']);
  });

  hostTest('a list of changes tells what was added, modified and deleted', ['root', 'overlayfs'], async () => {
    const { lower, upper, merged } = mountOverlay();
    fs.writeFileSync(join(merged, 'd', 'added'), 'a');
    fs.appendFileSync(join(merged, 'big'), 'm');
    fs.rmSync(join(merged, 'fifo'));
    const { bytes } = await pack({ kind: 'overlay', upper, lowers: [lower], mountPoints: [] }, { form: 'changes' });

    expect(
      bytes
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { path: '/big', kind: 'modified' },
      { path: '/d', kind: 'modified' },
      { path: '/d/added', kind: 'added' },
      { path: '/fifo', kind: 'deleted' },
    ]);
  });

  hostTest('a sink that fails ends the worker, and its error is the one that is told', ['root'], async () => {
    const tree = dir('tree');
    fs.writeFileSync(join(tree, 'large'), Buffer.alloc(20_000_000, 1));
    const sink = () => Promise.reject(new Error('disk full'));

    await expect(packTree({ source: { kind: 'tree', root: tree }, form: 'none', sink })).rejects.toThrow('disk full');
  });

  hostTest('a name that is not UTF-8 is refused, and a socket or a file named like a whiteout is left out and told', ['root'], async () => {
    const [tree, lower] = [dir('tree'), dir('lower')];
    fs.writeFileSync(join(tree, '.wh.x'), '');
    execFileSync(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(join(tree, 's'))}, () => process.exit())`,
    ]);
    fs.writeFileSync(join(tree, 'ok'), '');

    expect((await pack({ kind: 'overlay', upper: tree, lowers: [lower], mountPoints: [] })).report).toMatchObject({
      members: 1,
      warnings: [expect.stringContaining('.wh.x'), ...(fs.existsSync(join(tree, 's')) ? [expect.stringContaining('socket')] : [])],
    });
    fs.writeFileSync(Buffer.from(`${tree}/caf\xe9`, 'latin1'), '');
    await expect(pack({ kind: 'tree', root: tree })).rejects.toMatchObject({ code: 'E_LAYER_PACK', kind: 'unsupported' });
  });
});

describe('other people read what is packed', () => {
  const ORACLES: readonly (readonly [string, readonly string[]])[] = [
    ['tar', ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '-p', '-xf']],
    ['bsdtar', ['--numeric-owner', '-p', '-xf']],
  ];
  for (const [program, options] of ORACLES) {
    hostTest(`${program} lists the same names and extracts the same tree`, ['root'], async () => {
      const [tree, out] = [dir('tree'), dir('out')];
      makeTree(tree, { nodes: true });
      const archive = join(base, 'a.tar');
      fs.writeFileSync(archive, (await pack({ kind: 'tree', root: tree })).bytes);

      execFileSync(program, ['-C', out, ...options, archive], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });

      expect(summarize(out, { timeDigits: 9 })).toEqual(summarize(tree, { timeDigits: 9 }));
    });
  }

  hostTest('umoci unpacks our layer as the tree it was, and its own layer of the changes is the same as ours', ['root'], async () => {
    const [tree, layout] = [dir('tree'), join(base, 'layout')];
    makeTree(tree, { nodes: true });
    const umoci = (...args: string[]) =>
      execFileSync('umoci', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: base } });
    const layer = join(base, 'layer.tar');
    fs.writeFileSync(layer, (await pack({ kind: 'tree', root: tree })).bytes);
    umoci('init', '--layout', layout);
    umoci('new', '--image', `${layout}:t`);
    umoci('raw', 'add-layer', '--image', `${layout}:t`, layer);
    const bundle = join(base, 'bundle');
    umoci('unpack', '--image', `${layout}:t`, bundle);
    const rootfs = join(bundle, 'rootfs');
    expect(summarize(rootfs)).toEqual(summarize(tree).map(withoutEmpty));

    changeTree(rootfs, { nodes: true });
    const { bytes } = await pack({ kind: 'compare', tree: rootfs, lower: tree, mountPoints: [] });
    umoci('repack', '--image', `${layout}:t`, bundle);
    const again = join(base, 'again');
    umoci('unpack', '--image', `${layout}:t`, again);
    await apply(bytes, tree);
    // umoci writes whole seconds, and rounds.
    expect(summarize(tree).map(withoutEmpty).map(untimed)).toEqual(summarize(join(again, 'rootfs')).map(untimed));
  });
});

function untimed(line: string): string {
  return line.split(' | ').toSpliced(3, 1).join(' | ');
}

/** An empty pax value means none to Go's reader, so that docker and umoci lose an attribute without a value. */
function withoutEmpty(line: string): string {
  return line.replace('user.empty=0x', '');
}

describe('in a user namespace', () => {
  hostTest(
    'changes in an overlay of user.overlay marks are packed by a root that is nobody outside',
    ['root', 'overlayfs', 'user-namespaces'],
    async () => {
      const [lower, out] = [dir('lower'), join(base, 'out.tar')];
      makeTree(lower, { nodes: false });
      for (const name of ['upper', 'work', 'merged']) dir(name);
      const script = fileURLToPath(new URL('../testing/pack-in-namespace.ts', import.meta.url));
      execFileSync('unshare', ['--user', '--map-root-user', '--mount', process.execPath, script, base, out], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });

      await apply(fs.readFileSync(out), lower);
      expect(summarize(lower)).toEqual(JSON.parse(fs.readFileSync(`${out}.summary`, 'utf8')));
    },
  );
});

describe('a path in a strange tree [C05]', () => {
  const setUp = () => {
    const tree = dir('tree');
    fs.mkdirSync(join(tree, 'run', 'x'), { recursive: true });
    fs.mkdirSync(join(tree, 'var'));
    fs.mkdirSync(join(tree, 'etc'));
    fs.writeFileSync(join(tree, 'etc', 'passwd'), 'inside');
    fs.writeFileSync(join(tree, 'run', 'x', 'file'), 'reached');
    fs.symlinkSync('/run', join(tree, 'var', 'run'));
    fs.symlinkSync('../../../../../../etc/passwd', join(tree, 'up'));
    fs.symlinkSync('/etc', join(tree, 'host'));
    fs.symlinkSync('loop', join(tree, 'loop'));
    return tree;
  };
  const read = async (tree: string, path: string) =>
    execFileSync('tar', ['-xO'], {
      input: (await pack({ kind: 'tree', root: tree, part: { path, follow: true } })).bytes,
      encoding: 'utf8',
    });

  hostTest('links end inside the root, however they are written', ['root'], async () => {
    const tree = setUp();
    expect(await read(tree, '/up')).toBe('inside');
    expect(await read(tree, '/host/passwd')).toBe('inside');
    expect(await read(tree, '/../../../etc/passwd')).toBe('inside');
    await expect(read(tree, '/host/shadow')).rejects.toMatchObject({ code: 'E_PATH_NOT_FOUND' });
    await expect(read(tree, '/loop')).rejects.toMatchObject({ code: 'E_PATH_LINKS' });
  });

  hostTest('a legal link is followed: /var/run/x', ['root'], async () => {
    const tree = setUp();
    const { bytes } = await pack({ kind: 'tree', root: tree, part: { path: '/var/run/x' } });
    expect(paths(bytes)).toEqual(['x/', 'x/file']);
    expect(paths((await pack({ kind: 'tree', root: tree, part: { path: '/run/x', contentOnly: true } })).bytes)).toEqual(['file']);
    expect(await statInTree({ kind: 'tree', root: tree }, { path: '/up' })).toMatchObject({
      name: 'up',
      kind: 'symlink',
      linkTarget: '/etc/passwd',
    });
  });
});
