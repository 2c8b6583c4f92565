/**
 * `slipway registry serve` with the clients that people have: docker, podman, buildah and skopeo of Debian.
 *
 * Digests are the measure: what one pushes, another pulls under the same digest, from our registry as from docker's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync } from 'node:zlib';
import { tarEnd, tarMember } from '@slipway/layers';
import { digestOf, MediaTypes } from '@slipway/oci';
import { type DockerRegistry, startDockerRegistry } from '@slipway/registry/testing';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { dockerdClient, podmanFiles } from '../runc/testing/engines.ts';
import { BUSYBOX_ARCHIVE, PeerPlace } from '../runc/testing/peer-place.ts';
import { eventually } from '../runc/testing/test-runtime.ts';

/** What `htpasswd -B` makes of `secret`. */
const SECRET = '$2b$05$QfalswwxipriroRyhLq83uiCDqb8Z9dVbmoqteKdbUN4cZzScOfLG';
const SLIPWAY = fileURLToPath(new URL('../../../../bin/slipway', import.meta.url));

let place: PeerPlace;
let theirs: DockerRegistry;
const children: ChildProcess[] = [];
/** `127.0.0.1:PORT` of ours. */
let ours = '';

beforeAll(async () => {
  place = new PeerPlace();
  place.write('home/.config/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
  ours = await serve('registry');
  theirs = await startDockerRegistry();
}, 120_000);
afterAll(async () => {
  for (const child of children) await end(child);
  await theirs?.close();
  await place.dispose();
}, 120_000);

async function serve(root: string, ...more: readonly string[]): Promise<string> {
  const args = ['registry', 'serve', '--root', place.path(root), '--listen', '127.0.0.1:0', ...more];
  const child = spawn(SLIPWAY, args, { env: place.env(), stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let said = '';
  child.stdout?.on('data', (bytes) => {
    said += String(bytes);
  });
  await eventually(() => said.includes('\n'), 60_000);
  return /http:\/\/(\S+)/.exec(said)?.[1] ?? '';
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

const skopeo = (...args: readonly string[]) => place.must(['skopeo', '--insecure-policy', ...args]);
const copy = (...args: readonly string[]) => skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...args);

/** Digest of the manifest under a tag, as the registry says it. */
async function digestAt(host: string, repository: string, tag: string): Promise<string> {
  const accept = [MediaTypes.ociIndex, MediaTypes.ociManifest, MediaTypes.dockerManifestList, MediaTypes.dockerManifest].join(', ');
  const reply = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { headers: { accept } });
  const digest = digestOf(Buffer.from(await reply.arrayBuffer()));
  expect([reply.status, reply.headers.get('docker-content-digest')]).toEqual([200, digest]);
  return digest;
}

describe('docker, podman and buildah', () => {
  hostTest('docker pushes, podman and buildah pull what it pushed, under one digest', ['root', 'overlayfs'], async () => {
    const docker = await dockerdClient(place);
    await place.must([...docker, 'load', '-q', '-i', BUSYBOX_ARCHIVE]);
    await place.must([...docker, 'tag', 'busybox', `${ours}/from/docker:1`]);
    const pushed = await place.must([...docker, 'push', `${ours}/from/docker:1`]);
    const digest = await digestAt(ours, 'from/docker', '1');
    expect(pushed).toContain(digest);

    await place.must([...docker, 'rmi', '-f', `${ours}/from/docker:1`, 'busybox']);
    expect(await place.must([...docker, 'pull', `${ours}/from/docker:1`])).toContain(digest);
    await place.must([...docker, 'pull', `${ours}/from/docker@${digest}`]);

    const { podman, buildah, env } = podmanFiles(place);
    await place.must([...podman, 'pull', '-q', '--tls-verify=false', `${ours}/from/docker:1`], env);
    const known = await place.must([...podman, 'inspect', '-f', '{{.Digest}}', `${ours}/from/docker:1`], env);
    expect(known.trim()).toBe(digest);
    await place.must([...buildah, 'pull', '-q', '--tls-verify=false', `${ours}/from/docker@${digest}`], env);
  });

  hostTest('podman and buildah push; docker’s repository lends its layers to theirs', ['root', 'overlayfs'], async () => {
    const { podman, buildah, env } = podmanFiles(place);
    await place.must([...podman, 'load', '-q', '-i', BUSYBOX_ARCHIVE], env);
    for (const [name, program] of [
      ['podman', podman],
      ['buildah', buildah],
    ] as const) {
      const file = place.path(`${name}.digest`);
      await place.must(
        [...program, 'push', '-q', '--tls-verify=false', '--digestfile', file, 'busybox', `docker://${ours}/from/${name}:1`],
        env,
      );
      expect(readFileSync(file, 'utf8')).toBe(await digestAt(ours, `from/${name}`, '1'));
      await copy(`docker://${ours}/from/${name}:1`, `dir:${place.path(`pulled-${name}`)}`);
    }
  });
});

describe('skopeo copies each image ours → layout → docker-registry → ours, the digest stays', () => {
  const corpus: Readonly<Record<string, () => string>> = {
    'busybox as docker-archive': () => `docker-archive:${BUSYBOX_ARCHIVE}`,
    'layers of gzip, zstd and neither': () => `oci:${layout('mixed', mixedImage())}`,
    'an image for two platforms': () => `oci:${layout('platforms', [mixedImage('amd64'), mixedImage('arm64')])}`,
    'an image of forty layers': () => `oci:${layout('deep', manyLayers(40))}`,
    'an image of no layers': () => `oci:${layout('empty', manyLayers(0))}`,
  };
  for (const [title, source] of Object.entries(corpus)) {
    hostTest(title, ['root'], async () => {
      const name = `corpus/${title.replaceAll(/\W+/g, '-').toLowerCase()}`;
      const keep = ['--all', ...(title.includes('archive') ? [] : ['--preserve-digests'])];
      await copy(...keep, source(), `docker://${ours}/${name}:1`);
      const digest = await digestAt(ours, name, '1');
      const between = place.path(`between-${digest.slice(7, 19)}`);
      // A layout holds OCI only; docker's types go by way of a directory.
      const target = title.includes('archive') ? `dir:${between}` : `oci:${between}:1`;
      await copy('--all', '--preserve-digests', `docker://${ours}/${name}:1`, target);
      const peer = new URL(theirs.origin).host;
      await copy('--all', '--preserve-digests', target, `docker://${peer}/${name}:1`);
      expect(await digestAt(peer, name, '1')).toBe(digest);
      await copy('--all', '--preserve-digests', `docker://${peer}/${name}:1`, `docker://${ours}/${name}-back:1`);
      expect(await digestAt(ours, `${name}-back`, '1')).toBe(digest);
    });
  }

  hostTest('sync, list-tags, inspect and delete work, too', ['root'], async () => {
    for (const tag of ['1', '2']) await copy(`docker-archive:${BUSYBOX_ARCHIVE}`, `docker://${ours}/synced:${tag}`);
    await skopeo('sync', '--src-tls-verify=false', '--src', 'docker', '--dest', 'dir', `${ours}/synced`, place.path('synced'));
    const listed = await skopeo('list-tags', '--tls-verify=false', `docker://${ours}/synced`);
    expect(JSON.parse(listed)).toEqual({ Repository: `${ours}/synced`, Tags: ['1', '2'] });
    const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', `docker://${ours}/synced:1`)) as object;
    expect(inspected).toMatchObject({ Digest: await digestAt(ours, 'synced', '1'), RepoTags: ['1', '2'], Os: 'linux' });
    await skopeo('delete', '--tls-verify=false', `docker://${ours}/synced:1`);
    expect((await fetch(`http://${ours}/v2/synced/manifests/1`)).status).toBe(404);
  });
});

describe('with a password, and read-only', () => {
  hostTest('who logs in may push, who does not may not; nobody may where it is read-only', ['root'], async () => {
    const file = place.write('htpasswd', `alice:${SECRET}\n`);
    const guarded = await serve('guarded', '--htpasswd', file);
    const push = ['skopeo', '--insecure-policy', 'copy', '--dest-tls-verify=false', `docker-archive:${BUSYBOX_ARCHIVE}`];
    expect(await place.run([...push, `docker://${guarded}/a:1`])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/auth|log in|unauthorized/i),
    });
    await place.must([...push, '--dest-creds', 'alice:secret', `docker://${guarded}/a:1`]);
    await place.must([
      'skopeo',
      'login',
      '--tls-verify=false',
      '-u',
      'alice',
      '-p',
      'secret',
      '--authfile',
      place.path('auth.json'),
      guarded,
    ]);

    await end(children.pop() as ChildProcess);
    const fixed = await serve('guarded', '--read-only');
    await copy(`docker://${fixed}/a:1`, `dir:${place.path('fixed')}`);
    expect((await place.run([...push, `docker://${fixed}/b:1`])).code).toBe(1);
  });
});

interface Made {
  readonly manifest: Buffer;
  readonly blobs: readonly Buffer[];
  readonly architecture: string;
}

function mixedImage(architecture = 'amd64'): Made {
  const tar = (name: string) =>
    Buffer.concat([tarMember({ name, type: 'file', mode: 0o644, mtime: 0 }, `${name} ${architecture}`), tarEnd()]);
  const [plain, packed] = [tar('plain'), tar('packed')];
  return image(architecture, [
    { tar: plain, blob: plain, mediaType: MediaTypes.ociLayer },
    { tar: packed, blob: zstdCompressSync(packed), mediaType: MediaTypes.ociLayerZstd },
  ]);
}

function manyLayers(count: number): Made {
  const tars = Array.from({ length: count }, (_, at) =>
    Buffer.concat([tarMember({ name: `file-${at}`, type: 'file', mode: 0o644, mtime: 0 }, `layer ${at}`), tarEnd()]),
  );
  return image(
    'amd64',
    tars.map((tar) => ({ tar, blob: tar, mediaType: MediaTypes.ociLayer })),
  );
}

function image(architecture: string, layers: readonly { tar: Buffer; blob: Buffer; mediaType: string }[]): Made {
  const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.byteLength });
  const diffIds = layers.map(({ tar }) => `sha256:${createHash('sha256').update(tar).digest('hex')}`);
  const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: descriptor(MediaTypes.ociConfig, config),
      layers: layers.map(({ blob, mediaType }) => descriptor(mediaType, blob)),
    }),
  );
  return { manifest, blobs: [config, ...layers.map(({ blob }) => blob)], architecture };
}

/** Writes an OCI layout of one image, or of one index over several. */
function layout(name: string, made: Made | readonly Made[]): string {
  const dir = place.path(`layout-${name}`);
  mkdirSync(`${dir}/blobs/sha256`, { recursive: true });
  const put = (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    writeFileSync(`${dir}/blobs/sha256/${digest.slice(7)}`, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const images = [made].flat() as readonly Made[];
  const manifests = images.map(({ manifest, blobs, architecture }) => {
    for (const blob of blobs) put('', blob);
    return { ...put(MediaTypes.ociManifest, manifest), platform: { os: 'linux', architecture } };
  });
  const index = { schemaVersion: 2, mediaType: MediaTypes.ociIndex };
  const top = manifests.length === 1 ? manifests[0] : put(MediaTypes.ociIndex, Buffer.from(JSON.stringify({ ...index, manifests })));
  writeFileSync(`${dir}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [top] }));
  writeFileSync(`${dir}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  return dir;
}
