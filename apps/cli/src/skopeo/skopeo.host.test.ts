/**
 * Our skopeo beside Debian's: the same line gives the same files, digests and words, wherever nothing has to be packed anew; where it
 * has, Debian's reads what ours wrote, and finds the same layers in it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf, MediaTypes } from '@slipway/oci';
import { type RunningRegistry, serveRegistry } from '@slipway/registry';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { dockerdClient } from '../runc/testing/engines.ts';
import { BUSYBOX_ARCHIVE, PeerPlace } from '../runc/testing/peer-place.ts';

const OURS = fileURLToPath(new URL('../../../../bin/skopeo', import.meta.url));
const LAB_IMAGES = fileURLToPath(new URL('../../../../.slipway/images/layout', import.meta.url));
const BOTH = { ours: OURS, debian: 'skopeo' } as const;
type Who = keyof typeof BOTH;
const WHO: readonly Who[] = ['ours', 'debian'];

let place: PeerPlace;
let registry: RunningRegistry;
/** `127.0.0.1:PORT`. */
let host = '';
/** A layout with an index over two platforms, called `both`, and one image, called `one`. */
let layout = '';

beforeAll(async () => {
  place = new PeerPlace();
  place.write('home/.config/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
  registry = await serveRegistry({ root: place.path('registry'), listen: '127.0.0.1:0', onInternalError: (error) => console.error(error) });
  host = registry.address;
  layout = makeLayout(place.path('source'));
});
afterAll(async () => {
  await registry?.close();
  await place.dispose();
}, 120_000);

const skopeo = (who: Who, ...args: readonly string[]) => place.must([BOTH[who], ...args]);
const copy = (who: Who, ...args: readonly string[]) => skopeo(who, 'copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...args);
const fails = async (who: Who, ...args: readonly string[]) => {
  const { code, stderr } = await place.run([BOTH[who], ...args]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('level=fatal')]);
  return stderr;
};

/** Every file below, by its content. */
function tree(path: string): Record<string, string> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(path, name)).isFile());
  return Object.fromEntries(
    names.toSorted().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(path, name)))
        .digest('hex'),
    ]),
  );
}

async function digestAt(repository: string, tag: string): Promise<string> {
  const reply = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`);
  expect(reply.status).toBe(200);
  return digestOf(Buffer.from(await reply.arrayBuffer()));
}

describe('copy gives what Debian’s gives', () => {
  /** What is written into, read back as files. */
  const cases: Readonly<Record<string, () => readonly string[]>> = {
    'a docker-archive into a directory': () => [`docker-archive:${BUSYBOX_ARCHIVE}`, 'dir:TARGET'],
    'a layout into a directory': () => [`oci:${layout}:one`, 'dir:TARGET'],
    'a layout into a layout': () => [`oci:${layout}:one`, 'oci:TARGET:new'],
    'all of an index': () => ['--all', `oci:${layout}:both`, 'dir:TARGET'],
    'all of an index into a layout': () => ['--all', `oci:${layout}:both`, 'oci:TARGET:new'],
    'of an index, this machine’s image': () => [`oci:${layout}:both`, 'dir:TARGET'],
    'a lesson’s image, plain layers unpacked or packed in a directory': () => [
      '--dest-decompress',
      `oci:${LAB_IMAGES}:web:latest`,
      'dir:TARGET',
    ],
    'OCI in docker’s words': () => ['--format', 'v2s2', `oci:${layout}:one`, 'dir:TARGET'],
  };
  for (const [title, args] of Object.entries(cases)) {
    hostTest(title, ['root'], async () => {
      const trees: Record<string, string>[] = [];
      for (const who of WHO) {
        const target = place.path(`target-${who}`);
        rmSync(target, { recursive: true, force: true });
        await copy(who, ...args().map((arg) => arg.replace('TARGET', target)));
        trees.push(tree(target));
      }
      expect(trees[0]).toEqual(trees[1]);
    });
  }

  hostTest('to a registry and from it, and the digest is in --digestfile', ['root'], async () => {
    const digests = [];
    for (const who of WHO) {
      const file = place.path(`digest-${who}`);
      await copy(who, '--all', '--digestfile', file, `oci:${layout}:both`, `docker://${host}/${who}/both:1`);
      expect(readFileSync(file, 'utf8')).toBe(await digestAt(`${who}/both`, '1'));
      digests.push(await digestAt(`${who}/both`, '1'));
      // Each fetches what the other one has pushed.
      const other = who === 'ours' ? 'debian' : 'ours';
      await copy(other, '--all', `docker://${host}/${who}/both:1`, `dir:${place.path(`fetched-${who}`)}`);
    }
    expect(digests[0]).toBe(digests[1]);
    expect(tree(place.path('fetched-ours'))).toEqual(tree(place.path('fetched-debian')));
  });

  hostTest('--override-arch takes another machine’s image; none for it is an error', ['root'], async () => {
    for (const who of WHO) {
      const target = place.path(`arch-${who}`);
      await skopeo(who, '--override-arch', 'arm64', 'copy', `oci:${layout}:both`, `dir:${target}`);
      expect(readFileSync(`${target}/manifest.json`).toString()).toContain(imageOf('arm64').config.digest);
      expect(await fails(who, '--override-arch', 's390x', 'copy', `oci:${layout}:both`, `dir:${target}-none`)).toContain('s390x');
    }
  });
});

describe('what has to be packed anew', () => {
  hostTest('plain layers are packed for a registry and a layout; Debian’s finds the same ones in them', ['root'], async () => {
    await copy('ours', `docker-archive:${BUSYBOX_ARCHIVE}`, `docker://${host}/packed:1`);
    await copy('ours', `docker-archive:${BUSYBOX_ARCHIVE}`, `oci:${place.path('packed')}:1`);
    for (const [name, source] of Object.entries({ registry: `docker://${host}/packed:1`, layout: `oci:${place.path('packed')}:1` })) {
      expect(await skopeo('debian', 'inspect', '--tls-verify=false', '--raw', source)).toMatch(/tar[.+]gzip/);
      await copy('debian', '--dest-decompress', source, `dir:${place.path(`unpacked-${name}`)}`);
      const files = Object.values(tree(place.path(`unpacked-${name}`)));
      expect(files).toEqual(expect.arrayContaining(diffIds().map((digest) => digest.slice(7))));
    }
  });

  hostTest('zstd, too, where it is asked for', ['root'], async () => {
    await copy('ours', '--dest-compress-format', 'zstd', `docker-archive:${BUSYBOX_ARCHIVE}`, `oci:${place.path('zstd')}:1`);
    expect(await skopeo('debian', 'inspect', '--raw', `oci:${place.path('zstd')}:1`)).toContain('tar+zstd');
    await copy('ours', `oci:${place.path('zstd')}:1`, `docker-archive:${place.path('zstd.tar')}:zstd:1`);
    expect(layersOf(await skopeo('debian', 'inspect', `docker-archive:${place.path('zstd.tar')}`))).toEqual(diffIds());
  });

  hostTest('archives: Debian’s reads ours, ours reads Debian’s, names and all', ['root'], async () => {
    for (const who of WHO) {
      const other = who === 'ours' ? 'debian' : 'ours';
      const docker = place.path(`${who}.docker.tar`);
      await copy(who, '--additional-tag', 'second:2', `oci:${LAB_IMAGES}:web:latest`, `docker-archive:${docker}:first:1`);
      const listed = JSON.parse(await skopeo(other, 'list-tags', `docker-archive:${docker}`)) as { Tags: string[] };
      expect(listed.Tags.toSorted()).toEqual(['docker.io/library/first:1', 'docker.io/library/second:2']);
      await copy(other, `docker-archive:${docker}:second:2`, `dir:${place.path(`of-${who}`)}`);
      await fails(who, 'copy', `oci:${layout}:one`, `docker-archive:${docker}:more:1`);

      const oci = place.path(`${who}.oci.tar`);
      await copy(who, '--all', `oci:${layout}:both`, `oci-archive:${oci}:both`);
      await copy(other, '--all', `oci-archive:${oci}:both`, `dir:${place.path(`oci-of-${who}`)}`);
    }
    expect(tree(place.path('of-ours'))).toEqual(tree(place.path('of-debian')));
    expect(tree(place.path('oci-of-ours'))).toEqual(tree(place.path('oci-of-debian')));
  });

  hostTest('to dockerd and back through its socket', ['root', 'overlayfs'], async () => {
    const docker = await dockerdClient(place);
    const socket = `unix://${place.path('dockerd.sock')}`;
    await copy('ours', '--dest-daemon-host', socket, `docker-archive:${BUSYBOX_ARCHIVE}`, 'docker-daemon:from/skopeo:1');
    const id = (await place.must([...docker, 'inspect', '-f', '{{.Id}}', 'from/skopeo:1'])).trim();
    expect(id).toBe(digestOf(Buffer.from(await skopeo('debian', 'inspect', '--raw', '--config', `docker-archive:${BUSYBOX_ARCHIVE}`))));
    await copy('ours', '--src-daemon-host', socket, 'docker-daemon:from/skopeo:1', `docker-archive:${place.path('back.tar')}:b:1`);
    expect(layersOf(await skopeo('debian', 'inspect', `docker-archive:${place.path('back.tar')}`))).toEqual(diffIds());
    await skopeo('ours', 'delete', '--daemon-host', socket, 'docker-daemon:from/skopeo:1');
    expect((await place.run([...docker, 'inspect', 'from/skopeo:1'])).code).toBe(1);
  });
});

describe('inspect, list-tags, delete, sync', () => {
  hostTest('inspect says the same, word for word', ['root'], async () => {
    await copy('debian', '--all', `oci:${layout}:both`, `docker://${host}/inspected:1`);
    const images = [
      `docker-archive:${BUSYBOX_ARCHIVE}`,
      `oci:${layout}:one`,
      `oci:${LAB_IMAGES}:debian:latest`,
      `docker://${host}/inspected:1`,
    ];
    for (const image of images) {
      for (const flags of [[], ['--raw'], ['--format', '{{.Name}} {{.Digest}} {{.Architecture}}'], ['--no-tags'], ['--raw', '--config']]) {
        const [ours, debian] = await Promise.all(WHO.map((who) => skopeo(who, 'inspect', '--tls-verify=false', ...flags, image)));
        expect([image, flags, ours]).toEqual([image, flags, debian]);
      }
    }
  });

  hostTest('list-tags and delete', ['root'], async () => {
    for (const tag of ['b', 'a', 'c']) await copy('debian', `oci:${layout}:one`, `docker://${host}/listed:${tag}`);
    const [ours, debian] = await Promise.all(WHO.map((who) => skopeo(who, 'list-tags', '--tls-verify=false', `docker://${host}/listed`)));
    expect(ours).toBe(debian);
    await skopeo('ours', 'delete', '--tls-verify=false', `docker://${host}/listed:a`);
    expect(JSON.parse(await skopeo('debian', 'list-tags', '--tls-verify=false', `docker://${host}/listed`))).toMatchObject({ Tags: [] });
    const own = place.path('deleting');
    cpSync(layout, own, { recursive: true });
    await skopeo('ours', 'delete', `oci:${own}:one`);
    expect(await fails('debian', 'inspect', `oci:${own}:one`)).toContain('no descriptor found');
    await skopeo('debian', 'inspect', `oci:${own}:both`);
  });

  hostTest('sync: a repository to directories, as Debian’s does; and from there to another registry’s repository', ['root'], async () => {
    for (const tag of ['1', '2']) await copy('debian', `oci:${layout}:one`, `docker://${host}/deep/synced:${tag}`);
    for (const scoped of [[], ['--scoped']]) {
      const trees: Record<string, string>[] = [];
      for (const who of WHO) {
        const target = place.path(`sync-${who}${scoped.length}`);
        await skopeo(who, 'sync', '--src-tls-verify=false', '--src', 'docker', '--dest', 'dir', ...scoped, `${host}/deep/synced`, target);
        trees.push(tree(target));
      }
      expect(Object.keys(trees[0] ?? {}).length).toBeGreaterThan(6);
      expect(trees[0]).toEqual(trees[1]);
    }
    await skopeo(
      'ours',
      'sync',
      '--dest-tls-verify=false',
      '--src',
      'dir',
      '--dest',
      'docker',
      place.path('sync-ours0'),
      `${host}/arrived`,
    );
    expect(await digestAt('arrived/synced', '2')).toBe(await digestAt('deep/synced', '2'));
    const yaml = place.write('sync.yml', `${host}:\n  tls-verify: false\n  images:\n    deep/synced:\n      - "2"\n`);
    await skopeo('ours', 'sync', '--src-tls-verify=false', '--src', 'yaml', '--dest', 'dir', yaml, place.path('sync-yaml'));
    expect(readdirSync(place.path('sync-yaml'))).toEqual(['synced:2']);
  });
});

describe('what strangers wrote', () => {
  hostTest('a blob with other bytes than its name is refused, and nothing is there afterwards [B16]', ['root'], async () => {
    const bad = place.path('bad');
    cpSync(layout, bad, { recursive: true });
    writeFileSync(join(bad, 'blobs/sha256', imageOf('amd64').layer.digest.slice(7)), imageOf('amd64').layerBytes.fill(0));
    expect(await fails('ours', 'copy', `oci:${bad}:one`, `oci:${place.path('bad-copy')}:one`)).toContain('digest');
    await fails('debian', 'inspect', `oci:${place.path('bad-copy')}:one`);
    await fails('ours', 'copy', '--dest-tls-verify=false', `oci:${bad}:one`, `docker://${host}/bad:1`);
    expect((await fetch(`http://${host}/v2/bad/manifests/1`)).status).toBe(404);
  });

  hostTest('an archive’s links and paths lead nowhere but into the archive [B35]', ['root'], async () => {
    const secret = place.write('secret', 'not in the archive');
    const dir = place.path('tricks');
    mkdirSync(dir);
    writeFileSync(join(dir, 'config.json'), '{}');
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: [], Layers: ['layer.tar'] }]));
    symlinkSync(secret, join(dir, 'layer.tar'));
    execFileSync('tar', ['-cf', place.path('link.tar'), '-C', dir, 'config.json', 'manifest.json', 'layer.tar']);
    await fails('ours', 'copy', `docker-archive:${place.path('link.tar')}`, `dir:${place.path('link-copy')}`);
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: [], Layers: ['../../secret'] }]));
    execFileSync('tar', ['-cf', place.path('path.tar'), '-C', dir, 'config.json', 'manifest.json']);
    await fails('ours', 'copy', `docker-archive:${place.path('path.tar')}`, `dir:${place.path('path-copy')}`);
  });

  hostTest('mistakes are said in a sentence', ['root'], async () => {
    expect(await fails('ours', 'copy', 'foo', 'bar')).toContain('expected colon-separated transport:reference');
    expect(await fails('ours', 'copy', 'oci:/none:x', 'dir:/none')).toContain('no such file or directory');
    expect(await fails('ours', 'copy', '--nonsense', 'a', 'b')).toContain('unknown flag: --nonsense');
    expect(await fails('ours', 'copy', '--format', 'v2s1', `oci:${layout}:one`, `dir:${place.path('x')}`)).toContain('v2s1');
    const full = place.path('home');
    expect(await fails('ours', 'copy', `oci:${layout}:one`, `dir:${full}`)).toContain('not empty');
  });
});

/** The tars that busybox's archive holds, by digest. */
function diffIds(): readonly string[] {
  const config = execFileSync('skopeo', ['inspect', '--config', '--raw', `docker-archive:${BUSYBOX_ARCHIVE}`], { encoding: 'utf8' });
  return (JSON.parse(config) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
}

function layersOf(inspected: string): readonly string[] {
  return (JSON.parse(inspected) as { Layers: string[] }).Layers;
}

interface MadeImage {
  readonly config: { readonly digest: string; readonly bytes: Buffer };
  readonly layer: { readonly digest: string };
  readonly layerBytes: Buffer;
  readonly manifest: Buffer;
}

/** Gzipped by hand, so that it has the same digest everywhere. */
function imageOf(architecture: string): MadeImage {
  const tar = execFileSync('tar', ['--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-cf', '-', '-C', '/etc', 'hostname']);
  const layerBytes = execFileSync('gzip', ['-n'], { input: tar });
  const describeBlob = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.byteLength });
  const config = Buffer.from(
    JSON.stringify({
      created: '2026-01-02T03:04:05.6Z',
      architecture,
      os: 'linux',
      config: { Env: ['A=1'], Labels: { a: 'b' } },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: describeBlob(MediaTypes.ociConfig, config),
      layers: [describeBlob(MediaTypes.ociLayerGzip, layerBytes)],
    }),
  );
  return { config: { digest: digestOf(config), bytes: config }, layer: { digest: digestOf(layerBytes) }, layerBytes, manifest };
}

function makeLayout(dir: string): string {
  mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
  const put = (mediaType: string, bytes: Buffer) => {
    writeFileSync(join(dir, 'blobs/sha256', digestOf(bytes).slice(7)), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  };
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const { config, layerBytes, manifest } = imageOf(architecture);
    put('', config.bytes);
    put('', layerBytes);
    return { ...put(MediaTypes.ociManifest, manifest), platform: { architecture, os: 'linux' } };
  });
  const index = put(MediaTypes.ociIndex, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests })));
  const named = (entry: object, name: string) => ({ ...entry, annotations: { 'org.opencontainers.image.ref.name': name } });
  writeFileSync(
    join(dir, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [named(manifests[0] ?? {}, 'one'), named(index, 'both')] }),
  );
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return dir;
}
