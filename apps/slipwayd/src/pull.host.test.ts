/** Pulling and pushing as people do it: the real docker client and our own, against Debian's docker-registry and our registry; skopeo as witness. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningRegistry, serveRegistry } from '@slipway/registry';
import { type DockerRegistry, startDockerRegistry } from '@slipway/registry/testing';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type CommandResult, TestDaemon } from './testing/test-daemon.ts';

const run = promisify(execFile);
const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const OUR_CLIENT = fileURLToPath(new URL('../../../bin/docker', import.meta.url));

let base: string;
let theirs: DockerRegistry;
let ours: RunningRegistry;
let daemon: TestDaemon;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'pull-journeys-'));
  theirs = await startDockerRegistry();
  ours = await serveRegistry({
    root: join(base, 'registry'),
    listen: '127.0.0.1:0',
    checkPassword: async (user, password) => user === 'alice' && password === 'secret',
    onInternalError: () => undefined,
  });
  daemon = await TestDaemon.start();
  await daemon.down('SIGTERM');
  await daemon.up('--registry-mirror', theirs.origin);
});
afterAll(async () => {
  await daemon?.dispose();
  await ours?.close();
  await theirs?.close();
  rmSync(base, { recursive: true, force: true });
});

const docker = (...args: readonly string[]) => daemon.docker(...args);
const their = () => new URL(theirs.origin).host;

/** Our own client, with the same home. */
function ourDocker(...args: readonly string[]): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: daemon.base, DOCKER_HOST: `unix://${daemon.socket}` };
  return new Promise((resolve) => {
    execFile(OUR_CLIENT, args, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 255), stdout, stderr }),
    );
  });
}

async function must(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result;
  expect([code, stderr.replaceAll(/WARNING.*\n?|Configure.*\n?|https:\/\/docs.*\n?/g, '').trim()]).toEqual([0, '']);
  return stdout;
}

async function digestAt(host: string, name: string, ...more: readonly string[]): Promise<string> {
  const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', ...more, `docker://${host}/${name}`]);
  return stdout.trim();
}

const finished = (name: string) =>
  daemon
    .readJournal()
    .flatMap(({ span }) => (typeof span === 'object' && span !== null ? [span as Record<string, unknown>] : []))
    .filter((span) => span['name'] === name && span['endMs'] !== undefined && span['response'] !== undefined)
    .map(({ response }) => JSON.parse(String(response)) as Record<string, unknown>);

describe('docker-registry', () => {
  hostTest('docker pushes; skopeo finds the digest that docker was told; docker pulls it back and runs it', [...NEEDS], async () => {
    await must(docker('tag', 'busybox', `${their()}/lab/box:1`));
    const pushed = await must(docker('push', `${their()}/lab/box:1`));
    const digest = await digestAt(their(), 'lab/box:1');
    expect(pushed).toContain(`1: digest: ${digest} size:`);
    await must(docker('rmi', `${their()}/lab/box:1`, 'busybox'));

    const pulled = await must(docker('pull', `${their()}/lab/box:1`));
    expect(pulled).toContain(`Digest: ${digest}`);
    expect(await must(docker('run', '--rm', `${their()}/lab/box@${digest}`, 'echo', 'by digest'))).toBe('by digest\n');
    expect(await must(docker('images', '--digests', '--format', '{{.Repository}} {{.Digest}}'))).toBe(`${their()}/lab/box ${digest}\n`);
    expect(await must(docker('pull', `${their()}/lab/box:1`))).toContain(`Image is up to date for ${their()}/lab/box:1`);
  });

  hostTest(
    'what skopeo pushed comes through the mirror when run names it; layers that are there are not sent again',
    [...NEEDS],
    async () => {
      await run('skopeo', [
        '--insecure-policy',
        'copy',
        '--preserve-digests',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        `docker://${their()}/lab/box:1`,
        `docker://${their()}/library/mirrored:latest`,
      ]);
      const { code, stdout, stderr } = await docker('run', '--rm', 'mirrored', 'echo', 'pulled');
      expect([code, stdout]).toEqual([0, 'pulled\n']);
      expect(stderr).toContain("Unable to find image 'mirrored:latest' locally");
      expect(stderr).toContain('Already exists');

      await must(docker('tag', 'mirrored', `${their()}/other/box:2`));
      expect(await must(docker('push', `${their()}/other/box:2`))).toMatch(/Mounted from (lab\/box|library\/mirrored)/);
      expect(await digestAt(their(), 'other/box:2')).toBe(await digestAt(their(), 'lab/box:1'));
    },
  );

  hostTest('what is not there is said in the registry’s words, and a platform that is not', [...NEEDS], async () => {
    const nope = await docker('pull', `${their()}/lab/nope`);
    expect([nope.code, nope.stderr]).toEqual([1, expect.stringMatching(/no manifest latest of lab\/nope: (manifest|name)_unknown/)]);
    const missing = await docker('run', '--rm', `${their()}/lab/nope`);
    expect(missing.code).toBe(125);
    const arm = await docker('pull', '--platform', 'linux/arm64/v8/x', `${their()}/lab/box:1`);
    expect(arm.code).toBe(1);
  });

  hostTest('GET /distribution tells what a registry has', [...NEEDS], async () => {
    const url = `http://x/distribution/${their()}/lab/box:1/json`;
    const { stdout } = await run('curl', ['-s', '--unix-socket', daemon.socket, url]);
    expect(JSON.parse(stdout)).toMatchObject({
      Descriptor: { digest: await digestAt(their(), 'lab/box:1') },
      Platforms: [{ os: 'linux' }],
    });
  });
});

describe('our registry, with a password', () => {
  hostTest('docker logs in, pushes and pulls; without a login it may not', [...NEEDS], async () => {
    const name = `${ours.address}/secret/box:1`;
    await must(docker('tag', `${their()}/lab/box:1`, name));
    expect((await docker('push', name)).code).toBe(1);
    expect((await daemon.dockerWith('wrong', 'login', '-u', 'alice', '--password-stdin', ours.address)).code).toBe(1);
    expect((await daemon.dockerWith('secret', 'login', '-u', 'alice', '--password-stdin', ours.address)).stdout).toContain(
      'Login Succeeded',
    );
    await must(docker('push', name));
    expect(await digestAt(ours.address, 'secret/box:1', '--creds', 'alice:secret')).toBe(await digestAt(their(), 'lab/box:1'));
    await must(docker('pull', name));
    await must(docker('logout', ours.address));
    expect((await docker('pull', name)).code).toBe(1);
  });

  hostTest('our own client does the same', [...NEEDS], async () => {
    const name = `${ours.address}/secret/own:1`;
    await must(docker('tag', `${their()}/lab/box:1`, name));
    const login = ['login', '-u', 'alice', '-p', 'secret', ours.address];
    expect((await ourDocker(...login)).stdout).toBe('Login Succeeded\n');
    expect((await ourDocker('push', name)).stdout).toContain(`1: digest: ${await digestAt(their(), 'lab/box:1')} size:`);
    await must(ourDocker('rmi', name));
    expect((await ourDocker('run', '--rm', name, 'echo', 'ours')).stdout).toBe('ours\n');
    expect((await ourDocker('pull', name)).stdout).toContain('Image is up to date');
    expect((await ourDocker('logout', ours.address)).stdout).toContain('Removing login credentials');
    const refused = await ourDocker('pull', name);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no manifest 1 of secret/own')]);
  });
});

hostTest('the journal has every layer’s download and unpacking, with bytes, and no password', [...NEEDS], async () => {
  expect(finished('image.resolve').some(({ origin }) => origin === theirs.origin)).toBe(true);
  const downloads = finished('layer.download');
  expect(downloads.some(({ state, bytes, resumedAt }) => state === 'verified' && Number(bytes) > 0 && resumedAt === 0)).toBe(true);
  const verified = downloads.filter(({ state }) => state === 'verified');
  expect(verified.map(({ points, bytes }) => (points as number[][]).at(-1)?.[1] === bytes)).toEqual(verified.map(() => true));
  expect(verified.every(({ arrivedMs }) => Number(arrivedMs) >= 0)).toBe(true);
  expect(finished('image.resolve').some(({ isMirror }) => isMirror === false)).toBe(true);
  expect(finished('image.push').some(({ origin }) => origin === theirs.origin)).toBe(true);
  const announced = finished('image.layers').flatMap(({ layers }) => layers as readonly { readonly size: number }[]);
  expect(announced.map(({ size }) => size)).toEqual(expect.arrayContaining(verified.map(({ bytes }) => bytes)));
  expect(downloads.some(({ state }) => state === 'exists')).toBe(true);
  expect(new Set(finished('layer.unpack').map(({ state }) => state))).toEqual(new Set(['done', 'exists']));
  expect(finished('layer.upload').some(({ state, from }) => state === 'mounted' && from !== undefined)).toBe(true);
  const journal = JSON.stringify(daemon.readJournal());
  expect(journal).not.toContain('"secret"');
  expect(journal).not.toContain(Buffer.from('alice:secret').toString('base64'));
});

hostTest('an ended pull is taken up where it stopped, also by another daemon [B25, B27]', [...NEEDS], async () => {
  const tar = join(base, 'noise.tar');
  execFileSync('sh', [
    '-c',
    `mkdir ${base}/noise && head -c 30000000 /dev/urandom > ${base}/noise/noise && tar -C ${base}/noise -cf ${tar} .`,
  ]);
  await must(docker('import', tar, `${their()}/big:1`));
  await must(docker('push', `${their()}/big:1`));
  await must(docker('rmi', `${their()}/big:1`));
  const before = finished('layer.download').length;
  const pulling = docker('pull', `${their()}/big:1`);
  const ingests = join(daemon.root, 'content/ingests');
  const deadline = Date.now() + 30_000;
  const partial = () => existsSync(ingests) && execFileSync('du', ['-sb', ingests], { encoding: 'utf8' });
  while (Number.parseInt(partial() || '0', 10) < 1_000_000 && finished('layer.download').length === before && Date.now() < deadline);
  await daemon.down('SIGKILL');
  await pulling;
  await daemon.up('--registry-mirror', theirs.origin);
  expect(await must(docker('images', '-q', `${their()}/big`))).toBe('');
  await must(docker('pull', `${their()}/big:1`));
  expect(await must(docker('images', '--format', '{{.Repository}}', `${their()}/big`))).toBe(`${their()}/big\n`);
});
