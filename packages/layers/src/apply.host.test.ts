import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfinedDirectory } from '@slipway/kernel';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { type ApplyReport, applyMembers } from './apply.ts';
import { readTar } from './tar/read.ts';
import { type EntryInit, tarEnd, tarMember } from './tar/write.ts';
import type { WhiteoutForm } from './whiteouts.ts';

type Member = readonly [entry: EntryInit, content?: string];

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'apply-'));
  for (const name of ['root', 'lower', 'bottom', 'outside']) fs.mkdirSync(join(base, name));
  fs.writeFileSync(join(base, 'outside/canary'), 'alive', { mode: 0o640 });
  fs.utimesSync(join(base, 'outside/canary'), 1, 1);
});
afterEach(() => fs.rmSync(base, { recursive: true }));

async function apply(members: readonly Member[], form: WhiteoutForm = 'remove', lowers: readonly string[] = []): Promise<ApplyReport> {
  const bytes = Buffer.concat([...members.map(([entry, content]) => tarMember(entry, content)), tarEnd()]);
  const root = ConfinedDirectory.open(join(base, 'root'));
  const below = lowers.map((name) => ConfinedDirectory.open(join(base, name)));
  try {
    return await applyMembers(readTar(chunked(bytes)), { root, lowers: below, whiteouts: form });
  } finally {
    for (const directory of [root, ...below]) directory.close();
  }
}

/** Odd pieces, so that every reader has to put blocks together. */
async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 1021) yield bytes.subarray(at, at + 1021);
}

const file = (name: string, more: Partial<EntryInit> = {}): EntryInit => ({ name, type: 'file', ...more });
const dir = (name: string, more: Partial<EntryInit> = {}): EntryInit => ({ name, type: 'directory', ...more });
const symlink = (name: string, linkName: string): EntryInit => ({ name, type: 'symlink', linkName });
const hardlink = (name: string, linkName: string): EntryInit => ({ name, type: 'hardlink', linkName });
const at = (...parts: string[]) => join(base, 'root', ...parts);
const text = (...parts: string[]) => fs.readFileSync(at(...parts), 'utf8');
const outsideState = () => {
  const { mode, mtimeMs, uid, gid, nlink } = fs.statSync(join(base, 'outside/canary'));
  return { names: fs.readdirSync(join(base, 'outside')), base: fs.readdirSync(base), mode, mtimeMs, uid, gid, nlink };
};
const isWhiteout = (path: string) => {
  const info = fs.lstatSync(path);
  return info.isCharacterDevice() && info.rdev === 0;
};

describe('applying a layer', () => {
  hostTest('keeps content, mode, owner, times and kinds', ['root'], async () => {
    const report = await apply([
      [dir('./', { mode: 0o750 })],
      [dir('d', { mode: 0o1777, mtime: 100 })],
      [file('d/f', { mode: 0o4755, uid: 12, gid: 3_000_000, mtime: 1234.5 }), 'hello'],
      [hardlink('d/g', 'd/f')],
      [symlink('d/abs', '/etc/passwd')],
      [{ name: 'd/p', type: 'fifo', mode: 0o622 }],
      [{ name: 'd/null', type: 'char', deviceMajor: 1, deviceMinor: 3, mode: 0o666 }],
      [file('implicit/parents/are/made'), 'x'],
    ]);

    expect(report).toEqual({ members: 8, fileBytes: 6, warnings: [] });
    expect(fs.statSync(at()).mode & 0o7777).toBe(0o750);
    expect(fs.statSync(at('d'))).toMatchObject({ mode: 0o41777, mtimeMs: 100_000 });
    expect(fs.statSync(at('d/f'))).toMatchObject({ mode: 0o104755, uid: 12, gid: 3_000_000, mtimeMs: 1_234_500, nlink: 2 });
    expect(fs.readlinkSync(at('d/abs'))).toBe('/etc/passwd');
    expect(fs.lstatSync(at('d/p')).isFIFO()).toBe(true);
    expect(fs.lstatSync(at('d/null')).rdev).toBe(0x103);
    expect(text('implicit/parents/are/made')).toBe('x');
  });

  describe('names [B01]', () => {
    for (const name of ['../x', 'a/../../x', './../x', 'a/..', '..', 'a/'.repeat(5000)]) {
      hostTest(`${JSON.stringify(name.slice(0, 20))} is refused`, ['root'], async () => {
        const before = outsideState();

        await expect(apply([[file(name), 'x']])).rejects.toMatchObject({ code: expect.stringMatching(/^E_(LAYER_PATH|TAR_LIMIT)$/) });
        expect(outsideState()).toEqual(before);
      });
    }

    hostTest('a leading slash stays inside; odd but legal names are kept', ['root'], async () => {
      await apply([
        [file('/x'), '1'],
        [file('./a//b/./c'), '2'],
        [file('C:\\x'), '3'],
        [file('...'), '4'],
        [file('\u00fcnic\u00f6de \n name'), '5'],
      ]);

      expect([text('x'), text('a/b/c'), text('C:\\x'), text('...'), text('\u00fcnic\u00f6de \n name')]).toEqual(['1', '2', '3', '4', '5']);
    });
  });

  describe('symbolic links as parents [B02]', () => {
    for (const target of ['../outside', '../../../../../../..', '/', 'dangling/x']) {
      hostTest(`writing through a link to ${target} stays inside`, ['root'], async () => {
        const before = outsideState();

        await apply([[symlink('d', target)], [file('d/f'), 'x']]);
        expect(outsideState()).toEqual(before);
      });
    }

    hostTest('a link to the real outside resolves below the root instead', ['root'], async () => {
      await apply([[symlink('d', join(base, 'outside'))], [file('d/canary'), 'overwritten']]);

      expect(fs.readFileSync(join(base, 'outside/canary'), 'utf8')).toBe('alive');
      expect(text(base.slice(1), 'outside/canary')).toBe('overwritten');
    });

    hostTest('links that lead to each other are refused', ['root'], async () => {
      await expect(apply([[symlink('a', 'b')], [symlink('b', 'a')], [file('a/f'), 'x']])).rejects.toMatchObject({ code: 'E_LAYER_PATH' });
    });

    hostTest('/var/run → /run works, absolute or relative, in one layer or two', ['root'], async () => {
      fs.mkdirSync(join(base, 'lower/var'));
      fs.mkdirSync(join(base, 'lower/run'), { mode: 0o711 });
      fs.symlinkSync('/run', join(base, 'lower/var/run'));
      fs.symlinkSync('../run', join(base, 'lower/var/rel'));

      await apply([[file('var/run/a'), '1'], [file('var/rel/b'), '2'], [symlink('l', 'var/run')], [file('l/c'), '3']], 'overlay', [
        'lower',
      ]);

      expect([text('run/a'), text('run/b'), text('run/c')]).toEqual(['1', '2', '3']);
      expect(fs.statSync(at('run')).mode & 0o777).toBe(0o711);
      expect(fs.existsSync(at('var/run'))).toBe(false);
    });

    hostTest('a later directory replaces a link', ['root'], async () => {
      await apply([[symlink('d', '../outside')], [dir('d')], [file('d/f'), 'x']]);

      expect(fs.lstatSync(at('d')).isDirectory()).toBe(true);
      expect(text('d/f')).toBe('x');
    });
  });

  describe('hard links [B03]', () => {
    const attacks: readonly (readonly [string, readonly Member[]])[] = [
      [
        'through a chain of links',
        [
          [dir('a/b/c')],
          [symlink('a/b/c/up', '../..')],
          [symlink('a/b/escape', 'c/up/../..')],
          [hardlink('x', 'a/b/escape/../outside/canary')],
        ],
      ],
      ['to a link with dots', [[symlink('l', '../outside')], [hardlink('x', 'l/canary')]]],
      ['to a parent', [[hardlink('x', '../outside/canary')]]],
      ['to what comes later', [[hardlink('x', 'later')], [file('later'), 'y']]],
      ['to a directory', [[dir('d')], [hardlink('x', 'd')]]],
      ['to the root', [[hardlink('x', '.')]]],
    ];
    for (const [title, members] of attacks) {
      hostTest(`${title}: refused`, ['root'], async () => {
        const before = outsideState();

        await expect(apply(members)).rejects.toMatchObject({ code: 'E_LAYER_PATH' });
        expect(outsideState()).toEqual(before);
      });
    }

    hostTest('to an absolute name: inside the root', ['root'], async () => {
      await apply([[dir('etc')], [file('etc/passwd'), 'mine'], [hardlink('x', '/etc/passwd')]]);

      expect(text('x')).toBe('mine');
      expect(fs.statSync(at('x')).nlink).toBe(2);
    });

    hostTest('to a symbolic link: the link itself, so that no one outside gains a name', ['root'], async () => {
      const before = outsideState();

      await apply([[symlink('l', join(base, 'outside/canary'))], [hardlink('x', 'l')], [file('x'), 'own']]);
      expect(outsideState()).toEqual(before);
      expect(text('x')).toBe('own');
    });

    hostTest('to a file of a lower layer: it comes up first', ['root'], async () => {
      fs.writeFileSync(join(base, 'lower/f'), 'below', { mode: 0o604 });

      await apply([[hardlink('g', 'f')]], 'overlay', ['lower']);

      expect([text('f'), text('g')]).toEqual(['below', 'below']);
      expect(fs.statSync(at('f'))).toMatchObject({ nlink: 2, mode: 0o100604 });
      expect(fs.statSync(join(base, 'lower/f')).nlink).toBe(1);
    });

    hostTest('to itself changes nothing', ['root'], async () => {
      await apply([[file('f'), 'x'], [hardlink('f', './f')]]);

      expect(text('f')).toBe('x');
    });
  });

  hostTest('metadata of a link is its own [B04]', ['root'], async () => {
    const before = outsideState();

    await apply([[{ ...symlink('l', '../outside/canary'), mode: 0o777, uid: 77, gid: 78, mtime: 9 }]]);

    expect(outsideState()).toEqual(before);
    expect(fs.lstatSync(at('l'))).toMatchObject({ uid: 77, gid: 78, mtimeMs: 9000 });
  });

  describe('the root itself [B06]', () => {
    for (const entry of [symlink('.', '/'), file('./'.slice(0, 1)), symlink('/', '../outside')]) {
      hostTest(`as a ${entry.type} called ${JSON.stringify(entry.name)}: refused`, ['root'], async () => {
        await expect(apply([[entry]])).rejects.toMatchObject({ code: 'E_LAYER_PATH' });
        expect(fs.lstatSync(at()).isDirectory()).toBe(true);
      });
    }
  });

  describe('whiteouts [B07]', () => {
    beforeEach(() => {
      for (const layer of ['bottom', 'lower', 'root']) fs.mkdirSync(join(base, layer, 'd/sub'), { recursive: true });
      fs.rmSync(at('d'), { recursive: true });
      fs.writeFileSync(join(base, 'bottom/d/old'), 'bottom');
      fs.writeFileSync(join(base, 'bottom/gone'), 'bottom');
      fs.writeFileSync(join(base, 'lower/d/sub/deep'), 'lower');
      fs.writeFileSync(join(base, 'lower/f'), 'lower');
    });

    hostTest('overlay: a name below becomes a node, a missing one nothing', ['root'], async () => {
      await apply([[file('.wh.f')], [file('.wh.gone')], [file('d/.wh.old')], [file('.wh.never')]], 'overlay', ['lower', 'bottom']);

      expect([isWhiteout(at('f')), isWhiteout(at('gone')), isWhiteout(at('d/old'))]).toEqual([true, true, true]);
      expect(fs.existsSync(at('never'))).toBe(false);
      // One inode serves them all.
      expect(fs.lstatSync(at('f')).nlink).toBe(3);
    });

    for (const order of ['before', 'after'] as const) {
      hostTest(`overlay: an opaque mark ${order} the files hides exactly what is below`, ['root'], async () => {
        const files: Member[] = [[dir('d')], [dir('d/sub')], [file('d/new'), 'n'], [file('d/sub/mine'), 'm']];
        const mark: Member = [file('d/.wh..wh..opq')];
        await apply(order === 'before' ? [mark, ...files] : [...files, mark], 'overlay', ['lower', 'bottom']);

        expect([text('d/new'), text('d/sub/mine')]).toEqual(['n', 'm']);
        expect([isWhiteout(at('d/old')), isWhiteout(at('d/sub/deep'))]).toEqual([true, true]);
      });

      hostTest(`a whiteout ${order} a file of the same layer leaves the file, in both forms`, ['root'], async () => {
        const members: Member[] = [[file('f'), 'mine'], [file('.wh.f')]];
        await apply(order === 'before' ? members.toReversed() : members, 'overlay', ['lower', 'bottom']);
        expect(text('f')).toBe('mine');

        fs.writeFileSync(at('f'), 'old');
        await apply(order === 'before' ? members.toReversed() : members, 'remove');
        expect(text('f')).toBe('mine');
      });

      hostTest(`plain directory: an opaque mark ${order} the files removes what was there`, ['root'], async () => {
        fs.cpSync(join(base, 'lower'), at(), { recursive: true });
        const files: Member[] = [
          [file('d/new'), 'n'],
          [file('d/sub/mine'), 'm'],
        ];
        const mark: Member = [file('d/.wh..wh..opq')];
        await apply(order === 'before' ? [mark, ...files] : [...files, mark], 'remove');

        expect(fs.readdirSync(at(), { recursive: true }).sort()).toEqual(['d', 'd/new', 'd/sub', 'd/sub/mine', 'f']);
      });
    }

    hostTest('plain directory: a hidden directory goes but for what this layer put there', ['root'], async () => {
      fs.cpSync(join(base, 'lower'), at(), { recursive: true });
      await apply([[file('.wh.f')], [file('.wh.d')], [file('d/sub/mine'), 'm']], 'remove');

      expect(fs.readdirSync(at(), { recursive: true }).sort()).toEqual(['d', 'd/sub', 'd/sub/mine']);
    });

    for (const name of ['.wh.', '.wh..', '.wh...', 'a/.wh.../x', '.wh.a/b']) {
      hostTest(`${name} is refused`, ['root'], async () => {
        await expect(apply([[file(name), '']])).rejects.toMatchObject({ code: 'E_LAYER_PATH' });
      });
    }

    for (const entry of [dir('.wh..wh..opq'), symlink('.wh..wh..opq', '/'), dir('.wh.f')]) {
      hostTest(`${entry.name} as a ${entry.type} is refused`, ['root'], async () => {
        await expect(apply([[entry]])).rejects.toMatchObject({ code: 'E_LAYER_PATH' });
      });
    }

    hostTest('in a symlinked parent: nothing outside is deleted', ['root'], async () => {
      const before = outsideState();

      await apply([[symlink('l', '../outside')], [file('l/.wh.canary')], [file('l/.wh..wh..opq')]], 'remove');
      expect(outsideState()).toEqual(before);
    });

    hostTest('bookkeeping of aufs is left out', ['root'], async () => {
      await apply([[dir('.wh..wh.plnk')], [file('.wh..wh.plnk/1.2'), 'x'], [file('.wh..wh.aufs')]]);

      expect(fs.readdirSync(at())).toEqual([]);
    });
  });

  hostTest('what would steer overlay is left out and reported [B08]', ['root'], async () => {
    const xattrs = new Map([
      ['trusted.overlay.redirect', Buffer.from('/secret')],
      ['user.overlay.opaque', Buffer.from('y')],
    ]);
    const { warnings } = await apply([[{ name: 'w', type: 'char', deviceMajor: 0, deviceMinor: 0 }], [dir('d', { xattrs })]]);

    expect(warnings).toHaveLength(3);
    expect(fs.existsSync(at('w'))).toBe(false);
  });

  hostTest('later members of the same name replace earlier ones of any kind', ['root'], async () => {
    await apply([
      [dir('x/y/z')],
      [file('x/y/z/f'), '1'],
      [file('x'), 'file'],
      [dir('x')],
      [file('x/g'), '2'],
      [symlink('x/g', 'h')],
      [file('x/g'), '3'],
    ]);

    expect(fs.readdirSync(at(), { recursive: true }).sort()).toEqual(['x', 'x/g']);
    expect(text('x/g')).toBe('3');
  });
});
