/** A daemon that serves a registry, as skopeo sees it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { dockerClient, TestDaemon } from './testing/test-daemon.ts';

const run = promisify(execFile);
const SKOPEO = new URL('../../../bin/skopeo', import.meta.url).pathname;
const LAB_IMAGES = new URL('../../../.slipway/images/layout', import.meta.url).pathname;
const BUSYBOX = new URL('../../../.slipway/images/busybox.tar', import.meta.url).pathname;

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

/** Where it says that it serves; port 0 let it choose. */
function servedAt(): string {
  const found = [...daemon.log.matchAll(/serving a registry address=(\S+)/g)].at(-1);
  expect(found).toBeDefined();
  return String(found?.[1]);
}

hostTest('what is pushed stays over a restart of the daemon', ['root', 'linux', 'overlayfs'], async () => {
  await daemon.down('SIGTERM');
  await daemon.up('--registry-listen', '127.0.0.1:0');
  await run('skopeo', ['copy', '--dest-tls-verify=false', `docker-archive:${BUSYBOX}`, `docker://${servedAt()}/busybox:1`]);
  await daemon.down('SIGKILL');
  await daemon.up('--registry-listen', '127.0.0.1:0');
  const copy = join(daemon.base, 'copy');
  await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${servedAt()}/busybox:1`, `dir:${copy}`]);
  const { stdout } = await run('skopeo', ['list-tags', '--tls-verify=false', `docker://${servedAt()}/busybox`]);
  expect(JSON.parse(stdout)).toMatchObject({ Tags: ['1'] });
});

hostTest('what a registry is asked stands in the journal of its daemon', ['root', 'linux', 'overlayfs'], async () => {
  await daemon.down('SIGTERM');
  const journal = join(daemon.base, 'asked.ndjson');
  await daemon.up('--registry-listen', '127.0.0.1:0', '--journal-file', journal);
  await fetch(`http://${servedAt()}/v2/looked/manifests/at`, { headers: { 'user-agent': 'slipway-workbench' } });
  await fetch(`http://${servedAt()}/v2/busybox/manifests/none`, { headers: { 'user-agent': 'a learner' } });
  const spans = () =>
    readFileSync(journal, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"actor":"registry"'));
  await vi.waitFor(() => expect(spans()).toHaveLength(1), 10_000);
  const { span } = JSON.parse(String(spans()[0])) as { readonly span: Record<string, string> };
  expect(span).toMatchObject({ name: 'GET /v2/busybox/manifests/none', error: { code: 'MANIFEST_UNKNOWN' } });
  expect(JSON.parse(String(span['request']))).toMatchObject({
    kind: 'manifest',
    repository: 'busybox',
    tag: 'none',
    userAgent: 'a learner',
  });
  expect(JSON.parse(String(span['response']))).toMatchObject({ status: 404, received: 0 });
  expect(span['parent'], 'nobody said for whom').toBeUndefined();

  // What the engine itself asks for belongs to its pull, in the same request's trace.
  await daemon.docker('pull', `${servedAt()}/busybox:1`);
  const all = () =>
    readFileSync(journal, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"type":"span"') && line.endsWith('}'))
      .map((line) => (JSON.parse(line) as { readonly span: Record<string, string> }).span);
  await vi.waitFor(() => {
    const pull = all().find(({ name }) => name === 'image.pull');
    const gets = all().filter(({ actor, name }) => actor === 'registry' && name?.startsWith('GET /v2/busybox/blobs/'));
    expect(gets.length).toBeGreaterThan(0);
    for (const get of gets) expect(get).toMatchObject({ parent: pull?.['id'], trace: pull?.['trace'] });
  }, 10_000);
});

hostTest(
  'our skopeo puts an image into the engine’s store, docker pulls all tags of a repository',
  ['root', 'linux', 'overlayfs'],
  async () => {
    await daemon.down('SIGTERM');
    await daemon.up('--registry-listen', '127.0.0.1:0');
    const env = { ...process.env, DOCKER_HOST: `unix://${daemon.socket}` };
    const copy = (from: string, to: string) =>
      run(SKOPEO, ['copy', '--src-tls-verify=false', '--dest-tls-verify=false', from, to], { env });
    await copy(`oci:${LAB_IMAGES}:hello:latest`, `docker://${servedAt()}/hello:1`);
    await copy(`docker://${servedAt()}/hello:1`, 'containers-storage:from/registry:1');
    expect((await daemon.docker('run', '--rm', 'from/registry:1')).stdout).toContain('Hello from a container');
    await copy(`oci:${LAB_IMAGES}:busybox:latest`, `docker://${servedAt()}/hello:2`);
    expect((await daemon.docker('pull', '-a', `${servedAt()}/hello`)).stdout.match(/^Digest: sha256:/gm)).toHaveLength(2);
    const tags = await daemon.docker('images', '--format', '{{.Tag}}', `${servedAt()}/hello`);
    expect(tags.stdout.split('\n').sort()).toEqual(['', '1', '2']);
  },
);

hostTest('a build begins with an image of a registry, and asks for it again only with --pull', ['root', 'linux', 'overlayfs'], async () => {
  await daemon.down('SIGTERM');
  await daemon.up('--registry-listen', '127.0.0.1:0');
  const name = `${servedAt()}/base:1`;
  const push = (image: string) => run(SKOPEO, ['copy', '--dest-tls-verify=false', `oci:${LAB_IMAGES}:${image}`, `docker://${name}`]);
  const context = mkdtempSync(join(daemon.base, 'context-'));
  const build = async (...flags: string[]) => {
    const { DOCKER_BUILDKIT, ...env } = { ...process.env, DOCKER_BUILDKIT: '0' };
    const { stdout } = await run(dockerClient(), ['build', '-q', ...flags, context], {
      env: { ...env, DOCKER_BUILDKIT, DOCKER_HOST: `unix://${daemon.socket}` },
    });
    return stdout.trim();
  };
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name}\nLABEL built=here\n`);
  await push('hello:latest');
  const first = await build();
  await push('busybox:latest');
  expect(await build()).toBe(first);
  expect(await build('--pull')).not.toBe(first);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${servedAt()}/nothing:1\n`);
  await expect(build()).rejects.toThrow(/line 1: .*nothing/);
  writeFileSync(join(context, 'Dockerfile'), `FROM --platform=plan9/mips ${name}\n`);
  await expect(build()).rejects.toThrow(/line 1: FROM --platform=plan9\/mips/);
});

test('an address that is taken is said in a sentence', async () => {
  await daemon.down('SIGTERM');
  await daemon.up('--registry-listen', '127.0.0.1:0');
  const other = join(daemon.base, 'other');
  const flags = ['--root', other, '--state', `${other}-state`, '--docker-socket', join(daemon.base, 'other.sock')];
  const { code, stderr } = await daemon.second(...flags, '--registry-listen', servedAt());
  expect(code).toBe(1);
  expect(stderr).toMatch(/cannot listen on 127\.0\.0\.1:\d+/);
});
