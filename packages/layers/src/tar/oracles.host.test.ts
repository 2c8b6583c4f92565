import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { readTar } from './read.ts';
import { tarEnd, tarMember } from './write.ts';

/** Other people's tars as witnesses: what they write we read alike, what we write they read alike. */

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'oracles-'));
  const tree = join(base, 'tree');
  fs.mkdirSync(join(tree, 'd', 'long'.repeat(30), 'er'.repeat(60)), { recursive: true });
  fs.writeFileSync(join(tree, 'd', 'long'.repeat(30), 'er'.repeat(60), 'f'), 'deep');
  fs.writeFileSync(join(tree, 'ümlaut'), 'u');
  fs.symlinkSync(`/${'t'.repeat(150)}`, join(tree, 'link'));
  fs.linkSync(join(tree, 'ümlaut'), join(tree, 'zweiter'));
  fs.chownSync(join(tree, 'ümlaut'), 3_000_000, 3_000_001);
  const fd = fs.openSync(join(tree, 'sparse'), 'w');
  for (let i = 0; i < 40; i++) fs.writeSync(fd, `piece ${i}`, i * 1_000_000);
  fs.ftruncateSync(fd, 50_000_000);
  fs.closeSync(fd);
});
afterEach(() => fs.rmSync(base, { recursive: true }));

async function summary(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { entry, content } of readTar(fs.createReadStream(path))) {
    const whole = Buffer.alloc(entry.sizeBytes);
    for await (const { offset, bytes } of content) whole.set(bytes, offset);
    const name = entry.name.replace(/\/$/, '');
    if (name === '.') continue;
    const path = join(base, 'tree', name);
    const info = fs.lstatSync(path);
    expect([entry.uid, entry.gid, entry.mode]).toEqual([info.uid, info.gid, info.mode & 0o7777]);
    if (entry.type === 'file') expect(whole.equals(fs.readFileSync(path)), name).toBe(true);
    if (entry.type === 'symlink') expect(entry.linkName).toBe(fs.readlinkSync(path));
    lines.push(`${entry.type} ${name}`);
  }
  return lines.sort();
}

const LAYOUTS: readonly (readonly [string, string, readonly string[]])[] = [
  ['GNU', 'tar', ['--format=gnu', '--sparse']],
  ['pax, sparse 0.0', 'tar', ['--format=pax', '--sparse', '--sparse-version=0.0']],
  ['pax, sparse 0.1', 'tar', ['--format=pax', '--sparse', '--sparse-version=0.1']],
  ['pax, sparse 1.0', 'tar', ['--format=pax', '--sparse', '--sparse-version=1.0']],
  ['bsdtar pax', 'bsdtar', ['--format=pax']],
  ['bsdtar gnutar', 'bsdtar', ['--format=gnutar']],
];

for (const [title, program, options] of LAYOUTS) {
  hostTest(`${title}: every member is read as it was written`, ['root'], async () => {
    const archive = join(base, 'a.tar');
    execFileSync(program, ['-C', join(base, 'tree'), ...options, '-cf', archive, '.']);

    const seen = await summary(archive);

    expect(seen).toHaveLength(8);
    expect(seen.filter((line) => line.startsWith('hardlink'))).toHaveLength(1);
  });
}

hostTest('what we write, GNU tar and bsdtar list alike', ['linux'], async () => {
  const archive = join(base, 'ours.tar');
  const names = ['a', 'ö', 'n'.repeat(150), `${'p/'.repeat(80)}q`];
  const members = names.map((name) => tarMember({ name, type: 'file', uid: 5_000_000, mtime: 1.25 }, name));
  fs.writeFileSync(archive, Buffer.concat([...members, tarEnd()]));

  for (const program of ['tar', 'bsdtar']) {
    const listed = execFileSync(program, ['-tf', archive], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    expect(
      listed
        .trim()
        .split('\n')
        .map((name) => name.replaceAll('\\303\\266', 'ö')),
    ).toEqual(names);
    const out = join(base, `out-${program}`);
    fs.mkdirSync(out);
    execFileSync(program, ['-C', out, '-xf', archive]);
    for (const name of names) expect(fs.readFileSync(join(out, name), 'utf8')).toBe(name);
  }
});
