/** Images that a registry has from the beginning: a layout on the disk, under the names it gives itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MediaTypes } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningRegistry, serveRegistry } from './serve.ts';
import { type TestManifest, testImage, testIndex } from './testing/images.ts';
import { pushManifest } from './testing/pushing.ts';
import { errorCodes, json, send } from './testing/registry-client.ts';

const CHECKOUT = new URL('../../..', import.meta.url).pathname;

let base: string;
let registry: RunningRegistry | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fixed-'));
});
afterEach(async () => {
  await registry?.close();
  registry = undefined;
  rmSync(base, { recursive: true, force: true });
});

/** A layout of manifests by full name; what `children` hold is in it, without a name. */
function layout(named: Readonly<Record<string, TestManifest>>, children: readonly TestManifest[] = []): string {
  mkdirSync(join(base, 'layout/blobs/sha256'), { recursive: true });
  const put = (digest: string, bytes: Buffer) => writeFileSync(join(base, 'layout/blobs', digest.replace(':', '/')), bytes);
  for (const manifest of [...Object.values(named), ...children]) {
    put(manifest.digest, manifest.bytes);
    for (const { descriptor, bytes } of manifest.blobs) put(descriptor.digest, bytes);
  }
  const manifests = Object.entries(named).map(([name, { descriptor }]) => ({
    ...descriptor,
    annotations: { 'io.containerd.image.name': name },
  }));
  writeFileSync(join(base, 'layout/index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return join(base, 'layout');
}

async function serve(images: string): Promise<string> {
  const onInternalError = (error: unknown) => {
    throw error;
  };
  registry = await serveRegistry({ root: join(base, 'root'), images, listen: '127.0.0.1:0', onInternalError });
  return `http://${registry.address}`;
}

describe('a registry with fixed images', () => {
  test('shows them under their names, whole, beside what is pushed', async () => {
    const [one, two] = [testImage('one'), testImage('two')];
    const index = testIndex([one, two]);
    const origin = await serve(layout({ 'docker.io/library/both:1': index, 'docker.io/b/one:latest': one }, [one, two]));
    for (const [path, bytes] of [
      ['library/both/manifests/1', index.bytes],
      [`library/both/manifests/${two.digest}`, two.bytes],
      ['b/one/manifests/latest', one.bytes],
      [`b/one/blobs/${one.blobs[1]?.descriptor.digest}`, one.blobs[1]?.bytes],
    ] as const) {
      expect(await send(origin, 'GET', `/v2/${path}`)).toMatchObject({ status: 200, body: bytes });
      expect((await send(origin, 'HEAD', `/v2/${path}`)).status).toBe(200);
    }
    for (const path of ['b/one/manifests/1', `b/one/manifests/${two.digest}`, `b/one/blobs/${two.blobs[1]?.descriptor.digest}`]) {
      expect((await send(origin, 'GET', `/v2/${path}`)).status).toBe(404);
    }
    expect(json(await send(origin, 'GET', '/v2/library/both/tags/list'))).toEqual({ name: 'library/both', tags: ['1'] });
    for (const name of ['a', 'c', 'm', 'z']) await pushManifest(origin, name, testImage(name), 'x');
    const pages = [];
    let path: string | undefined = '/v2/_catalog?n=2';
    while (path !== undefined && pages.length < 9) {
      const reply: Awaited<ReturnType<typeof send>> = await send(origin, 'GET', path);
      pages.push(json(reply)['repositories']);
      path = /<([^>]+)>/.exec(String(reply.headers.link))?.[1];
    }
    expect(pages.flat()).toEqual(['a', 'b/one', 'c', 'library/both', 'm', 'z']);
  });

  test('lets nobody change them; under another name the same image may be pushed', async () => {
    const image = testImage('fixed');
    const origin = await serve(layout({ 'docker.io/library/fixed:latest': image }));
    const { digest } = image.blobs[0]?.descriptor ?? {};
    for (const [method, path] of [
      ['POST', 'blobs/uploads/'],
      ['PUT', 'manifests/latest'],
      ['DELETE', 'manifests/latest'],
      ['DELETE', `blobs/${digest}`],
    ] as const) {
      const headers = { 'Content-Type': MediaTypes.ociManifest };
      const reply = await send(origin, method, `/v2/library/fixed/${path}`, { body: method === 'PUT' ? image.bytes : '', headers });
      expect([reply.status, errorCodes(reply)]).toEqual([403, ['DENIED']]);
    }
    expect((await send(origin, 'POST', `/v2/mine/blobs/uploads/?mount=${digest}&from=library/fixed`, { body: '' })).status).toBe(202);
    await pushManifest(origin, 'mine', image, 'latest');
  });

  test('does not begin when the layout lacks a manifest', async () => {
    const images = layout({ 'docker.io/library/x:1': testImage('x') });
    rmSync(join(images, 'blobs'), { recursive: true });
    await expect(serve(images)).rejects.toMatchObject({ code: 'E_LAYOUT_INVALID' });
  });
});

hostTest(
  'the lessons’ images are the same bytes whenever they are made',
  ['root'],
  async () => {
    const prepared = `${CHECKOUT}.slipway/images`;
    execFileSync(process.execPath, [`${CHECKOUT}scripts/make-lab-images.ts`, join(base, 'again'), `${prepared}/busybox.tar`]);
    expect(readFileSync(join(base, 'again/index.json'), 'utf8')).toBe(readFileSync(`${prepared}/layout/index.json`, 'utf8'));
    execFileSync('umoci', ['unpack', '--image', `${join(base, 'again')}:debian:latest`, join(base, 'debian')], { stdio: 'ignore' });
    const script = 'bash -c "grep -c root /etc/passwd; find /usr/bin/sed | sed s/sed/SED/; id -u"';
    expect(execFileSync('chroot', [join(base, 'debian/rootfs'), '/bin/sh', '-c', script], { encoding: 'utf8' })).toBe(
      '1\n/usr/bin/SED\n0\n',
    );
  },
  180_000,
);
