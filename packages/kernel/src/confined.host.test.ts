import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { ConfinedDirectory, confinedFile, isErrno } from './confined.ts';

let base: string;
let root: ConfinedDirectory;
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'confined-'));
  fs.mkdirSync(join(base, 'root'));
  fs.mkdirSync(join(base, 'outside'));
  fs.writeFileSync(join(base, 'outside/canary'), 'alive');
  root = ConfinedDirectory.open(join(base, 'root'));
});
afterEach(() => {
  root.close();
  fs.rmSync(base, { recursive: true });
});

const outside = () => fs.readdirSync(join(base, 'outside'));
const link = (name: string, target: string) => fs.symlinkSync(target, join(base, 'root', name));
const at = (...parts: string[]) => join(base, 'root', ...parts);

describe('a confined directory', () => {
  hostTest('takes only single names', ['linux'], async () => {
    for (const name of ['', '.', '..', 'a/b', '../outside', '/etc', 'a\0b']) {
      expect(() => root.child(name), JSON.stringify(name)).toThrow(expect.objectContaining({ code: 'E_CONFINED_NAME' }));
      expect(() => root.createFile(name)).toThrow(expect.objectContaining({ code: 'E_CONFINED_NAME' }));
      expect(() => root.remove(name)).toThrow(expect.objectContaining({ code: 'E_CONFINED_NAME' }));
    }
  });

  hostTest('makes directories, files, links and nodes with exact modes, whatever the umask', ['linux', 'root'], async () => {
    const before = process.umask(0o077);
    try {
      const inner = root.makeDirectory('d', 0o1777);
      const fd = inner.createFile('f');
      confinedFile.write(fd, Buffer.from('hello'), 0);
      confinedFile.finish(fd, { mode: 0o4755, uid: 3, gid: 4, times: { atime: 5, mtime: 6.5 } });
      confinedFile.close(fd);
      inner.hardLink('g', inner, 'f');
      inner.symlink('s', '/nowhere');
      inner.makeNode('p', { type: 'fifo', mode: 0o640 });
      inner.makeNode('w', { type: 'char', major: 0, minor: 0, mode: 0o600 });
      inner.close();
    } finally {
      process.umask(before);
    }

    expect(fs.statSync(at('d')).mode & 0o7777).toBe(0o1777);
    expect(fs.statSync(at('d/f'))).toMatchObject({ uid: 3, gid: 4, mtimeMs: 6500, nlink: 2, size: 5, mode: 0o104755 });
    expect(fs.readlinkSync(at('d/s'))).toBe('/nowhere');
    expect(fs.lstatSync(at('d/p')).isFIFO()).toBe(true);
    expect(fs.lstatSync(at('d/p')).mode & 0o777).toBe(0o640);
    expect(fs.lstatSync(at('d/w'))).toMatchObject({ rdev: 0 });
    expect(fs.lstatSync(at('d/w')).isCharacterDevice()).toBe(true);
  });

  hostTest('does not enter a symbolic link, neither to a directory nor to a file', ['linux'], async () => {
    link('d', '../outside');
    link('f', '../outside/canary');

    expect(() => root.child('d')).toThrow();
    expect(root.findChild('d')).toBeUndefined();
    expect(() => root.createFile('f')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(() => root.openFile('f')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
    expect(fs.readFileSync(join(base, 'outside/canary'), 'utf8')).toBe('alive');
  });

  hostTest('changes owner and times of a link, not of what it points to', ['linux', 'root'], async () => {
    link('f', '../outside/canary');
    const before = fs.statSync(join(base, 'outside/canary'));

    root.setOwner('f', 7, 8);
    root.setTimes('f', { atime: 1, mtime: 2 });

    expect(fs.lstatSync(at('f'))).toMatchObject({ uid: 7, gid: 8, mtimeMs: 2000 });
    expect(fs.statSync(join(base, 'outside/canary'))).toMatchObject({ uid: before.uid, gid: before.gid, mtimeMs: before.mtimeMs });
  });

  hostTest('hard-links a symbolic link itself', ['linux'], async () => {
    link('f', '../outside/canary');

    root.hardLink('g', root, 'f');

    expect(fs.lstatSync(at('g')).isSymbolicLink()).toBe(true);
    expect(fs.statSync(join(base, 'outside/canary')).nlink).toBe(1);
  });

  hostTest('removes a tree and leaves what its links point to', ['linux'], async () => {
    root.makeDirectory('d', 0o755).close();
    fs.symlinkSync('../../outside', at('d/out'));
    link('self', 'self');

    root.remove('d');
    root.remove('self');
    root.remove('was never there');

    expect(fs.readdirSync(at())).toEqual([]);
    expect(outside()).toEqual(['canary']);
  });

  hostTest('a parent swapped for a link after it was opened changes nothing outside [B05]', ['linux'], async () => {
    const parent = root.makeDirectory('d', 0o755);
    fs.renameSync(at('d'), at('moved'));
    link('d', '../outside');

    confinedFile.close(parent.createFile('f'));
    parent.close();

    expect(outside()).toEqual(['canary']);
    expect(fs.readdirSync(at('moved'))).toEqual(['f']);
  });

  hostTest('a swapper in another process never gets a file out of the root [B05]', ['linux'], async () => {
    const { spawn } = await import('node:child_process');
    fs.mkdirSync(at('d'));
    fs.symlinkSync('../outside', at('l'));
    const swap = `const fs=require('fs');process.chdir(${JSON.stringify(at())});process.stdout.write('go');for(;;){try{fs.renameSync('d','t');fs.renameSync('l','d');fs.renameSync('d','l');fs.renameSync('t','d')}catch{}}`;
    const swapper = spawn(process.execPath, ['-e', swap], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => swapper.stdout.once('data', resolve));
    const seen = { entered: 0, refused: 0 };
    try {
      for (let i = 0; i < 20_000; i++) {
        const parent = root.findChild('d');
        if (parent === undefined) seen.refused++;
        else {
          confinedFile.close(parent.createFile(`f${i}`));
          parent.remove(`f${i}`);
          parent.close();
          seen.entered++;
        }
      }
    } finally {
      swapper.kill('SIGKILL');
      await new Promise((resolve) => swapper.once('close', resolve));
    }

    expect(outside()).toEqual(['canary']);
    // Both outcomes must have happened, or nothing was raced.
    expect(seen.entered).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
  });
});

hostTest('an errno is told from other errors', ['linux'], async () => {
  expect(isErrno(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT')).toBe(true);
  expect(isErrno(new Error('ENOENT'), 'ENOENT')).toBe(false);
});
