import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { type AssembleRequest, assembleImage } from './assemble.ts';

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'assemble-'));
});
afterEach(() => fs.rmSync(base, { recursive: true }));

function makeFiles(name: string): string {
  const root = join(base, name);
  fs.mkdirSync(join(root, 'lib', 'deep'), { recursive: true });
  fs.writeFileSync(join(root, 'app'), '#!/bin/sh\necho hi\n', { mode: 0o700 });
  fs.writeFileSync(join(root, 'lib', 'deep', 'data'), 'x'.repeat(100_000), { mode: 0o600 });
  fs.symlinkSync('deep/data', join(root, 'lib', 'link'));
  fs.linkSync(join(root, 'app'), join(root, 'app-too'));
  return root;
}

async function assemble(root: string, more: Partial<AssembleRequest> = {}): Promise<{ readonly id: string; readonly file: string }> {
  const directory = fs.mkdtempSync(join(base, 'work-'));
  const file = join(base, `${Math.random()}.tar`);
  const { id, archive } = await assembleImage({
    layers: [
      [
        { source: join(root, 'lib'), destination: '/usr/lib/app', uid: 5 },
        { source: join(root, 'app'), destination: '/usr/bin/' },
      ],
      [{ source: root, destination: '/all' }],
    ],
    config: { env: ['A=1'], entrypoint: ['/usr/bin/app'] },
    platform: { os: 'linux', architecture: 'amd64' },
    names: ['assembled:one'],
    directory,
    ...more,
  });
  await pipeline(archive, fs.createWriteStream(file));
  return { id, file };
}

const digest = (file: string) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

hostTest('the same files give the same archive, wherever and whenever they were made, whatever their umask', ['linux'], async () => {
  const [one, two] = [makeFiles('one'), makeFiles('two')];
  fs.chmodSync(join(two, 'app'), 0o755);
  fs.utimesSync(join(two, 'app'), 1, 1);
  fs.chmodSync(join(two, 'lib'), 0o700);

  const [a, b] = [await assemble(one), await assemble(two)];

  expect(digest(a.file)).toBe(digest(b.file));
  expect(a.id).toBe(b.id);
  expect((await assemble(one, { createdSeconds: 5 })).id).not.toBe(a.id);
});

hostTest('skopeo and umoci read it, and find files, links and rights as asked for', ['root'], async () => {
  const { file } = await assemble(makeFiles('one'));
  const info = JSON.parse(execFileSync('skopeo', ['inspect', '--config', `docker-archive:${file}`], { encoding: 'utf8' }));
  expect(info).toMatchObject({ created: '1970-01-01T00:00:00Z', config: { Env: ['A=1'], Entrypoint: ['/usr/bin/app'] } });
  fs.mkdirSync(join(base, 'layout'));
  execFileSync('tar', ['-xf', file, '-C', join(base, 'layout')]);
  execFileSync('umoci', ['unpack', '--image', `${join(base, 'layout')}:one`, join(base, 'bundle')], {
    stdio: 'ignore',
    env: { ...process.env, HOME: base },
  });
  const at = (path: string) => join(base, 'bundle', 'rootfs', path);
  expect(fs.readlinkSync(at('usr/lib/app/link'))).toBe('deep/data');
  const stat = fs.statSync(at('usr/lib/app/deep/data'));
  expect([stat.uid, stat.gid, stat.mode & 0o777, stat.mtimeMs]).toEqual([5, 5, 0o644, 0]);
  expect(fs.statSync(at('usr/bin/app')).mode & 0o777).toBe(0o755);
  expect(fs.statSync(at('all/app')).ino).toBe(fs.statSync(at('all/app-too')).ino);
});

hostTest('what is not there is named', ['linux'], async () => {
  const layers = [[{ source: join(base, 'nothing'), destination: '/x' }]];
  await expect(assemble(base, { layers })).rejects.toMatchObject({ code: 'E_PATH_NOT_FOUND' });
  await expect(assemble(base, { layers: [] })).rejects.toMatchObject({ code: 'E_ASSEMBLE' });
});
