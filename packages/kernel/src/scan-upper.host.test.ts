/** A writable layer as the kernel's overlay leaves it: what is told of it, whiteouts and opaque directories among it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { OpaqueDirectories } from './opaque-directories.ts';
import { scanUpper } from './scan-upper.ts';

const needs = ['linux', 'root', 'overlayfs'] as const;
let base: string;
const at = (...names: readonly string[]) => join(base, ...names);
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'scan-upper-'));
  for (const name of ['lower', 'upper', 'work', 'merged', 'outside']) mkdirSync(at(name));
  for (const name of ['opt', 'etc', 'gr ün\\n']) {
    mkdirSync(at('lower', name));
    writeFileSync(at('lower', name, 'old'), 'old');
  }
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, at('merged')]);
});
afterEach(() => {
  execFileSync('umount', [at('merged')]);
  rmSync(base, { recursive: true, force: true });
});

const replace = (name: string) => {
  rmSync(at('merged', name), { recursive: true });
  mkdirSync(at('merged', name));
};
const told = async (opaque: OpaqueDirectories) =>
  (await scanUpper(at('upper'), 100, opaque)).entries.map(({ path, kind }) => `${path} ${kind}`);

hostTest('a directory that was replaced is opaque; a new one, and one that was only written to, are not', needs, async () => {
  const opaque = new OpaqueDirectories([at('lower')]);
  replace('opt');
  replace('gr ün\\n');
  mkdirSync(at('merged/new'));
  writeFileSync(at('merged/etc/more'), '');
  rmSync(at('merged/etc/old'));
  expect(readdirSync(at('merged/opt')), 'the kernel shows it empty').toEqual([]);
  expect(await told(opaque)).toEqual([
    '/etc directory',
    '/etc/more file',
    '/etc/old whiteout',
    '/gr ün\\n opaque',
    '/new directory',
    '/opt opaque',
  ]);
});

hostTest('a directory at the same place is asked anew when it is another one', needs, async () => {
  const opaque = new OpaqueDirectories([at('lower')]);
  writeFileSync(at('merged/opt/more'), '');
  expect(await told(opaque)).toEqual(['/opt directory', '/opt/more file']);
  replace('opt');
  expect(await told(opaque)).toEqual(['/opt opaque']);
  expect(await told(opaque), 'and the same is told again').toEqual(['/opt opaque']);
});

hostTest('a link of a lower layer is not followed to find out whether something is hidden', needs, async () => {
  mkdirSync(at('outside/inner'));
  symlinkSync(at('outside'), at('lower/way'));
  mkdirSync(at('merged/made'));
  const opaque = new OpaqueDirectories([at('lower')]);
  rmSync(at('merged/way'));
  mkdirSync(at('merged/way/inner'), { recursive: true });
  expect(await told(opaque)).toEqual(['/made directory', '/way directory', '/way/inner directory']);
});
