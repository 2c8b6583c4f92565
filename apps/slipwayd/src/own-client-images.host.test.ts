import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { type CommandResult, TestDaemon } from './testing/test-daemon.ts';

/** The image verbs of our own client; those of the real one are in build.host.test.ts and image-operations.host.test.ts. */

const CLI = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const at = (name: string) => join(daemon.base, name);

function own(...args: string[]): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: daemon.base, DOCKER_HOST: `unix://${daemon.socket}`, FROM_OUTSIDE: 'seen' };
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'docker', ...args], { env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 255, stdout, stderr }),
    );
  });
}

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await own(...args);
  expect([code, stderr], args.join(' ')).toEqual([0, '']);
  return stdout.trim();
}

hostTest('build: the context without what is ignored, arguments, names, and the line of a mistake', [...NEEDS], async () => {
  fs.mkdirSync(at('ctx/sub'), { recursive: true });
  fs.writeFileSync(
    at('ctx/Dockerfile'),
    'FROM busybox\nARG FROM_OUTSIDE\nCOPY . /c/\nRUN find /c -type f | sort > /list; echo $FROM_OUTSIDE >> /list\n',
  );
  fs.writeFileSync(at('ctx/.dockerignore'), '*\n!sub/kept\n');
  fs.writeFileSync(at('ctx/secret'), '');
  fs.writeFileSync(at('ctx/sub/kept'), '');
  fs.writeFileSync(at('ctx/sub/dropped'), '');

  expect(await docker('build', '-t', 'own:built', '--build-arg', 'FROM_OUTSIDE', at('ctx'))).toContain('Successfully tagged own:built');
  expect(await docker('run', '--rm', 'own:built', 'cat', '/list')).toBe('/c/sub/kept\nseen');
  expect(await docker('history', '--format', '{{.CreatedBy}}', 'own:built')).toMatch(/^RUN \|1 FROM_OUTSIDE=seen \/bin\/sh -c find/);
  expect(await docker('build', '-q', at('ctx'))).toMatch(/^sha256:[0-9a-f]{64}$/);
  fs.writeFileSync(at('ctx/Dockerfile'), 'FROM busybox\nRUN exit 3\n');
  expect(await own('build', at('ctx'))).toMatchObject({ code: 1, stderr: expect.stringContaining('line 2: ') });
});

hostTest('commit, diff, tag, history, save, load, export, import, df and prune', [...NEEDS], async () => {
  await docker('run', '--name', 'case', 'busybox', 'sh', '-c', 'echo made > /made');
  expect(await docker('diff', 'case')).toBe('A /made');
  const id = await docker('commit', '-m', 'by us', '-c', 'CMD ["cat", "/made"]', 'case', 'own:committed');
  expect(await docker('run', '--rm', 'own:committed')).toBe('made');
  await docker('tag', 'own:committed', 'localhost:5000/other');
  expect(await docker('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')).toContain(
    `localhost:5000/other:latest ${id}`,
  );
  await docker('save', '-o', at('s.tar'), 'own:committed', 'localhost:5000/other');
  await docker('rmi', 'own:committed', 'localhost:5000/other');
  expect(await docker('load', '-i', at('s.tar'))).toContain('own:committed');
  await docker('export', '-o', at('e.tar'), 'case');
  expect(execFileSync('tar', ['-tf', at('e.tar')], { encoding: 'utf8' })).toContain('made');
  await docker('import', '-c', 'CMD ["cat", "/made"]', at('e.tar'), 'own:imported');
  expect(await docker('run', '--rm', 'own:imported')).toBe('made');
  expect(await docker('system', 'df')).toMatch(/^TYPE .*\nImages +\d+ +\d/);
  await docker('commit', 'case');
  expect(await docker('image', 'prune', '-f')).toMatch(/deleted: sha256:[\s\S]*Total reclaimed space/);
  expect(await docker('builder', 'prune', '-f')).toContain('Total reclaimed space');
  await docker('rm', 'case');
});

hostTest('cp in both directions: into directories, under other names, contents only, through pipes', [...NEEDS], async () => {
  fs.mkdirSync(at('up/inner'), { recursive: true });
  fs.writeFileSync(at('up/inner/f'), 'sent');
  await docker('create', '--name', 'box', 'busybox', 'true');
  await docker('cp', at('up'), 'box:/');
  await docker('cp', at('up/inner/f'), 'box:/tmp');
  await docker('cp', at('up/inner/f'), 'box:/tmp/renamed');
  await docker('cp', at('up'), 'box:/other');
  await docker('cp', `${at('up')}/.`, 'box:/tmp');
  fs.mkdirSync(at('down'));
  await docker('cp', 'box:/up', at('down'));
  await docker('cp', 'box:/up', at('new'));
  await docker('cp', 'box:/tmp/renamed', at('down/file'));
  await docker('cp', 'box:/other/.', at('down'));
  for (const path of ['down/up/inner/f', 'new/inner/f', 'down/file', 'down/inner/f'])
    expect(fs.readFileSync(at(path), 'utf8')).toBe('sent');
  expect(await own('cp', 'box:/none', at('x'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Could not find the file /none'),
  });
  expect((await own('cp', at('up'), 'box:/tmp/renamed')).stderr).toContain('cannot copy directory');
  const piped = execFileSync('sh', ['-c', `"$0" "$1" docker -H unix://${daemon.socket} cp box:/tmp/f - | tar -xO`, process.execPath, CLI], {
    encoding: 'utf8',
  });
  expect(piped).toBe('sent');
  await docker('rm', 'box');
});
