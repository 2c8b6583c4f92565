import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const at = (name: string) => join(daemon.base, name);

/** The docker client, which must succeed. */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args);
  expect([code, stderr], `docker ${args.join(' ')}`).toEqual([0, expect.any(String)]);
  return stdout.trim();
}

const inspect = async (name: string) => JSON.parse(await docker('image', 'inspect', name))[0] as Record<string, Record<string, unknown>>;

hostTest('commit: what a container wrote and how it was run become an image', [...NEEDS], async () => {
  await docker('run', '--name', 'writer', '-e', 'A=1', '-w', '/tmp', 'busybox', 'sh', '-c', 'echo hello > /made; rm /etc/passwd; mkdir /d');
  const changes = ['-c', 'CMD ["cat", "/made"]', '-c', 'ENV B="2 2" C=$A', '-c', 'LABEL by=test', '-c', 'EXPOSE 80'];
  const id = await docker('commit', '-a', 'An Author', '-m', 'a message', ...changes, 'writer', 'made:v1');

  expect(await docker('run', '--rm', 'made:v1')).toBe('hello');
  expect(await docker('run', '--rm', 'made:v1', 'sh', '-c', 'pwd; echo $A $B $C; ls -d /d /etc/passwd 2>&1; true')).toBe(
    '/tmp\n1 2 2 1\nls: /etc/passwd: No such file or directory\n/d',
  );
  const made = await inspect('made:v1');
  expect(made).toMatchObject({ Id: id, Author: 'An Author', Comment: 'a message' });
  expect(made['Config']).toMatchObject({ Labels: { by: 'test' }, ExposedPorts: { '80/tcp': {} }, WorkingDir: '/tmp' });
  expect(await docker('history', '--no-trunc', '--format', '{{.Comment}} {{.Size}}', 'made:v1')).toMatch(/^a message 6B\n/);
  const none = await docker('commit', '--pause=false', 'writer');
  expect(await docker('images', '-f', 'dangling=true', '-q', '--no-trunc')).toBe(none);
  expect((await daemon.docker('commit', '-c', 'RUN true', 'writer')).stderr).toContain('RUN is not a valid change command');
});

hostTest('commit freezes a running container and lets it go on', [...NEEDS], async () => {
  await docker('run', '-d', '--name', 'running', 'busybox', 'sh', '-c', 'i=0; while true; do i=$((i+1)); echo $i > /t; mv /t /n; done');
  await expect.poll(async () => (await daemon.docker('exec', 'running', 'cat', '/n')).code, { timeout: 20_000 }).toBe(0);
  await docker('commit', 'running', 'frozen');
  expect(Number(await docker('run', '--rm', 'frozen', 'cat', '/n'))).toBeGreaterThan(0);
  expect(await docker('inspect', '-f', '{{.State.Status}}', 'running')).toBe('running');
  await docker('rm', '-f', 'running');
  await docker('rmi', 'frozen');
});

hostTest('diff tells what the container did, and nothing that the runtime did', [...NEEDS], async () => {
  const script = 'echo > /added; echo x >> /etc/group; rm /etc/passwd; mkdir -p /new/inner';
  await docker('run', '--name', 'differs', 'busybox', 'sh', '-c', script);
  expect(await docker('diff', 'differs')).toBe('A /added\nC /etc\nC /etc/group\nD /etc/passwd\nA /new\nA /new/inner');
  await docker('create', '--name', 'untouched', 'busybox', 'true');
  expect(await docker('diff', 'untouched')).toBe('');
  await docker('rm', 'differs', 'untouched');
});

hostTest('export, import, and what comes back is the same tree', [...NEEDS], async () => {
  await docker('run', '--name', 'source', 'busybox', 'sh', '-c', 'echo exported > /file; ln /file /hard; chmod 4755 /file');
  await docker('export', '-o', at('e.tar'), 'source');
  expect(execFileSync('tar', ['-tf', at('e.tar')], { encoding: 'utf8' }).split('\n')).toEqual(
    expect.arrayContaining(['file', 'hard', 'bin/sh']),
  );
  const id = await docker(
    'import',
    '-c',
    'CMD ["/bin/sh", "-c", "cat /hard; stat -c %a /file"]',
    '-m',
    'from a tar',
    at('e.tar'),
    'imported:x',
  );
  expect(await docker('run', '--rm', 'imported:x')).toBe('exported\n4755');
  expect(await inspect('imported:x')).toMatchObject({ Id: id, Comment: 'from a tar' });
  execFileSync('gzip', ['-k', at('e.tar')]);
  await docker('import', at('e.tar.gz'), 'imported:gz');
  expect((await inspect('imported:gz'))['RootFS']).toEqual((await inspect('imported:x'))['RootFS']);
  fs.writeFileSync(at('noise'), 'this is no archive'.repeat(100));
  expect((await daemon.docker('import', at('noise'))).code).not.toBe(0);
  await docker('rm', 'source');
});

hostTest('save: docker, skopeo and umoci read one archive; load brings back the same ids', [...NEEDS], async () => {
  await docker('tag', 'busybox', 'registry.example/box:one');
  await docker('save', '-o', at('s.tar'), 'busybox', 'registry.example/box:one', 'made:v1');
  const ids = [await docker('images', '-q', '--no-trunc', 'busybox'), await docker('images', '-q', '--no-trunc', 'made')];
  const names = execFileSync('tar', ['-tf', at('s.tar')], { encoding: 'utf8' });
  expect(names).toMatch(/index\.json\nmanifest\.json\noci-layout\nrepositories\n$/);

  const skopeo = (reference: string) =>
    JSON.parse(execFileSync('skopeo', ['inspect', reference], { encoding: 'utf8' })) as { Labels: unknown };
  expect(skopeo(`docker-archive:${at('s.tar')}:made:v1`).Labels).toEqual({ by: 'test' });
  fs.mkdirSync(at('layout'));
  execFileSync('tar', ['-xf', at('s.tar'), '-C', at('layout')]);
  execFileSync('skopeo', ['copy', '-q', '--insecure-policy', `oci:${at('layout')}:v1`, `oci:${at('copied')}:v1`]);
  execFileSync('umoci', ['unpack', '--image', `${at('copied')}:v1`, at('bundle')], { stdio: 'ignore' });
  expect(fs.readFileSync(at('bundle/rootfs/made'), 'utf8')).toBe('hello\n');

  await docker('rm', 'writer');
  await docker('rmi', '-f', 'registry.example/box:one', 'made:v1');
  expect((await daemon.docker('image', 'inspect', 'made:v1')).code).toBe(1);
  expect(await docker('load', '-i', at('s.tar'))).toContain('Loaded image: made:v1');
  expect([await docker('images', '-q', '--no-trunc', 'busybox'), await docker('images', '-q', '--no-trunc', 'made')]).toEqual(ids);
  expect((await daemon.docker('save', 'nothing-here')).stderr).toContain('No such image: nothing-here');
});

hostTest('rmi takes names away one by one, and an id with several only by force', [...NEEDS], async () => {
  const id = await docker('images', '-q', '--no-trunc', 'made:v1');
  await docker('tag', 'made:v1', 'made:v2');
  expect((await daemon.docker('rmi', id)).stderr).toContain('several names');
  expect(await docker('rmi', 'made:v2')).toBe('Untagged: made:v2');
  await docker('create', '--name', 'user', 'made:v1');
  expect((await daemon.docker('rmi', 'made:v1')).stderr).toContain('is being used by stopped container');
  expect(await docker('rmi', '-f', 'made:v1')).toContain(`Deleted: ${id}`);
  await docker('start', 'user'); // its layers stay as long as it needs them
  await docker('rm', '-f', 'user');
});

hostTest('prune removes what has no name, or what nobody uses; df counts', [...NEEDS], async () => {
  await docker('container', 'prune', '-f');
  await docker('run', '--name', 'big', 'busybox', 'sh', '-c', 'head -c 3000000 /dev/zero | tr "\\\\0" x > /big');
  await docker('commit', 'big');
  const rows = (await docker('system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Size}}')).split('\n');
  expect(rows[1]).toMatch(/^Containers 1 3(\.\d+)?MB$/);
  expect(await docker('image', 'prune', '-f')).toMatch(/deleted: sha256:[\s\S]*Total reclaimed space: 3(\.\d+)?MB$/);
  expect(await docker('images', '-q', '-f', 'dangling=true')).toBe('');
  await docker('image', 'prune', '-af');
  expect(new Set((await docker('images', '--format', '{{.Repository}}')).split('\n'))).toEqual(
    new Set(['busybox', 'registry.example/box']),
  );
  await docker('rm', 'big');
});

hostTest('cp: files, directories and links, into and out of running and stopped containers', [...NEEDS], async () => {
  fs.mkdirSync(at('up/inner'), { recursive: true });
  fs.writeFileSync(at('up/inner/f'), 'sent', { mode: 0o640 });
  fs.symlinkSync('inner/f', at('up/link'));
  for (const state of ['stopped', 'running']) {
    await docker('create', '--name', state, 'busybox', 'sleep', '1000');
    if (state === 'running') await docker('start', state);
    await docker('cp', at('up'), `${state}:/`);
    await docker('cp', at('up/inner/f'), `${state}:/tmp/renamed`);
    await docker('cp', `${state}:/up`, at(`down-${state}`));
    await docker('cp', `${state}:/tmp/renamed`, at(`file-${state}`));
    await docker('cp', `${state}:/up/.`, `${at('')}/`);
    expect(fs.readFileSync(at(`down-${state}/inner/f`), 'utf8')).toBe('sent');
    expect(fs.readlinkSync(at(`down-${state}/link`))).toBe('inner/f');
    expect(fs.readFileSync(at(`file-${state}`), 'utf8')).toBe('sent');
    expect(fs.statSync(at(`file-${state}`)).mode & 0o777).toBe(0o640);
    expect(fs.readFileSync(at('inner/f'), 'utf8')).toBe('sent');
    expect((await daemon.docker('cp', `${state}:/nothing`, at('x'))).stderr).toContain('No such container:path');
    expect((await daemon.docker('cp', at('up'), `${state}:/etc/group`)).code).not.toBe(0);
    if (state === 'stopped') await docker('start', state);
    expect(await docker('exec', state, 'cat', '/up/link', '/tmp/renamed')).toBe('sentsent');
    await docker('rm', '-f', state);
  }
});

hostTest('cp never leaves the container, whatever changes in it meanwhile [C05]', [...NEEDS], async () => {
  const canary = at('canary');
  fs.mkdirSync(canary);
  fs.writeFileSync(join(canary, 'secret'), 'host');
  // A control: on the host the swapped path does lead to the canary.
  const swap = `mkdir -p /real${canary}; while true; do rm -rf /swap; ln -s ${canary} /swap; rm -f /swap; mkdir /swap; echo inside > /swap/secret; done`;
  await docker('run', '-d', '--name', 'swapper', 'busybox', 'sh', '-c', swap);
  fs.writeFileSync(at('payload'), 'payload');
  let [reached, refused] = [0, 0];
  for (let round = 0; round < 40; round++) {
    const out = await daemon.docker('cp', 'swapper:/swap/secret', at('got'));
    if (out.code === 0) {
      expect(fs.readFileSync(at('got'), 'utf8')).not.toBe('host');
      reached++;
    } else refused++;
    await daemon.docker('cp', at('payload'), 'swapper:/swap/');
  }
  expect(reached + refused).toBe(40);
  expect(fs.readdirSync(canary)).toEqual(['secret']);
  expect(fs.readFileSync(join(canary, 'secret'), 'utf8')).toBe('host');
  await docker('rm', '-f', 'swapper');

  await docker(
    'run',
    '-d',
    '--name',
    'legal',
    'busybox',
    'sh',
    '-c',
    'mkdir -p /run/x /var; ln -s /run /var/run; echo ok > /run/x/f; sleep 1000',
  );
  await expect.poll(async () => (await daemon.docker('cp', 'legal:/var/run/x/f', at('twin'))).code, { timeout: 20_000 }).toBe(0);
  expect(fs.readFileSync(at('twin'), 'utf8')).toBe('ok\n');
  await docker('rm', '-f', 'legal');
});

hostTest('a client that leaves in the middle of an export leaves nothing running', [...NEEDS], async () => {
  await docker('run', '--name', 'large', 'busybox', 'sh', '-c', 'head -c 60000000 /dev/zero > /zeros');
  const client = spawn('curl', [
    '-s',
    '--unix-socket',
    daemon.socket,
    '--limit-rate',
    '100k',
    '-o',
    '/dev/null',
    'http://d/containers/large/export',
  ]);
  const workers = () => execFileSync('ps', ['--ppid', String(daemon.pid), '-o', 'args='], { encoding: 'utf8' });
  await expect.poll(workers, { timeout: 20_000 }).toContain('pack-worker');
  client.kill('SIGKILL');
  await expect
    .poll(() => execFileSync('sh', ['-c', `ps --ppid ${daemon.pid} -o args= | grep -c pack-worker || true`], { encoding: 'utf8' }).trim(), {
      timeout: 20_000,
    })
    .toBe('0');
  await docker('rm', 'large');
});
