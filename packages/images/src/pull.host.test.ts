/** Pulling into a real store, from a registry on the loopback address that does what each test needs. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Descriptor, digestOf, MediaTypes, type Platform } from '@slipway/oci';
import { type Answer, StubRegistry } from '@slipway/registry-client/testing';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import type { ImageStore, PullProgress } from './index.ts';
import { openImageStore } from './open-image-store.ts';
import { configOf, descriptorOf, json, layerOf } from './testing/archives.ts';

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const PLATFORM = { os: 'linux', architecture: 'amd64' };

let root: string;
let stub: StubRegistry;
let store: ImageStore;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'pull-'));
  stub = await StubRegistry.start();
  store = await openImageStore({ root, platform: PLATFORM, snapshotter: 'native' });
});
afterEach(async () => {
  await store.close();
  await stub[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const name = (path: string) => `${stub.host}/${path}`;
const blobKey = (path: string, bytes: Uint8Array) => `GET /v2/${path}/blobs/${digestOf(bytes)}`;

interface Made {
  readonly manifest: Descriptor;
  readonly config: Buffer;
  readonly blobs: readonly Buffer[];
}

/** An image of a plain, a gzip and a zstd layer. */
function serve(path: string, contents = ['one', 'two', 'three'], more: Readonly<Record<string, unknown>> = {}): Made {
  const tars = contents.map((text) => layerOf({ [`${text}.txt`]: `${text} `.repeat(2000) }));
  const pack = [(tar: Buffer) => tar, gzipSync, zstdCompressSync];
  const types = [MediaTypes.ociLayer, MediaTypes.ociLayerGzip, MediaTypes.ociLayerZstd];
  const blobs = tars.map((tar, at) => pack[at % 3]?.(tar) ?? tar);
  const config = configOf(tars, more);
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: descriptorOf(MediaTypes.ociConfig, config),
    layers: blobs.map((bytes, at) => descriptorOf(types[at % 3] ?? '', bytes)),
  };
  for (const bytes of [config, ...blobs]) stub.blob(path, bytes);
  stub.manifest(path, 'latest', manifest);
  return { manifest: descriptorOf(MediaTypes.ociManifest, json(manifest)), config, blobs };
}

const fetches = () => stub.asked.filter((line) => line.includes('/blobs/'));

describe('a pull', () => {
  hostTest('brings manifest, config and layers, unpacked, under its name and its digest', [...NEEDS], async () => {
    const { manifest, config, blobs } = serve('a');
    const seen: PullProgress[] = [];
    const report = await store.pull(name('a'), { onProgress: (progress) => seen.push(progress) });
    expect(report).toEqual({ id: digestOf(config), name: `${stub.host}/a:latest`, digest: manifest.digest, isNew: true, warnings: [] });

    const image = await store.get(name('a'));
    expect(image).toMatchObject({ names: [`${stub.host}/a:latest`], repoDigests: [`${stub.host}/a@${manifest.digest}`] });
    expect((await store.get(`${stub.host}/a@${manifest.digest}`)).id).toBe(image.id);
    const { directories } = await store.prepareRootfs(name('a'), 'c1');
    expect(readdirSync(directories.own)).toEqual(['one.txt', 'three.txt', 'two.txt']);
    await store.removeRootfs('c1');

    expect(seen[0]).toMatchObject({ phase: 'resolved', origin: `http://${stub.host}`, target: manifest });
    const ends = seen.flatMap((progress) =>
      progress.phase === 'download' && progress.state === 'verified' ? [progress.layer.digest] : [],
    );
    expect(new Set(ends)).toEqual(new Set(blobs.map((bytes) => digestOf(bytes))));
    expect(seen.filter((progress) => progress.phase === 'unpack' && progress.state === 'done')).toHaveLength(3);
  });

  hostTest('fetches nothing that is here', [...NEEDS], async () => {
    serve('a');
    serve('b', ['one', 'two', 'other']);
    await store.pull(name('a'));
    const before = fetches().length;
    expect(await store.pull(name('a'))).toMatchObject({ isNew: false });
    expect(fetches().length).toBe(before);
    await store.pull(name('b'));
    expect(fetches().length).toBe(before + 2);
  });

  hostTest('takes the variant that fits best, and keeps the index', [...NEEDS], async () => {
    const images = ['v5', 'v7', 'v6'].map((variant) => ({ variant, ...serve(`arm-${variant}`, [variant]) }));
    const manifests = images.map(({ manifest, variant }) => ({ ...manifest, platform: { os: 'linux', architecture: 'arm', variant } }));
    const artifact = { mediaType: 'application/vnd.example+json', digest: digestOf('x'), size: 1 };
    const index = { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: [artifact, ...manifests] };
    stub.manifest('arm', 'latest', index, MediaTypes.ociIndex);
    for (const { variant, manifest, config, blobs } of images) {
      const serve = stub.answers.get(`GET /v2/arm-${variant}/manifests/latest`) as Answer;
      stub.answers.set(`GET /v2/arm/manifests/${manifest.digest}`, serve);
      for (const bytes of [config, ...blobs]) stub.blob('arm', bytes);
    }
    const pulled = async (platform: Platform) => (await store.pull(name('arm'), { platform })).id;
    expect(await pulled({ os: 'linux', architecture: 'arm', variant: 'v7' })).toBe(digestOf(images[1]?.config ?? ''));
    expect(await pulled({ os: 'linux', architecture: 'arm', variant: 'v8' })).toBe(digestOf(images[1]?.config ?? ''));
    expect(await pulled({ os: 'linux', architecture: 'arm', variant: 'v6' })).toBe(digestOf(images[2]?.config ?? ''));
    await store.collectGarbage();
    expect(await store.content.stat(digestOf(json(index)))).toBeDefined();
    await expect(store.pull(name('arm'))).rejects.toMatchObject({ code: 'E_IMAGE_PLATFORM' });
  });

  hostTest('of an image of one layer three times fetches it once', [...NEEDS], async () => {
    const tar = layerOf({ x: 'x' });
    const config = configOf([tar, tar, tar]);
    const layer = descriptorOf(MediaTypes.ociLayer, tar);
    stub.blob('same', config);
    stub.blob('same', tar);
    stub.manifest('same', 'latest', {
      schemaVersion: 2,
      config: descriptorOf(MediaTypes.ociConfig, config),
      layers: [layer, layer, layer],
    });
    expect((await store.pull(name('same'))).isNew).toBe(true);
    expect(fetches().filter((line) => line.includes(layer.digest))).toHaveLength(1);
  });
});

describe('what goes wrong', () => {
  hostTest('a layer with another diff id than the config says is not recorded; the honest twin is [B16]', [...NEEDS], async () => {
    const good = layerOf({ a: 'a' });
    const other = layerOf({ a: 'b' });
    const config = configOf([good]);
    const publish = (path: string, bytes: Buffer) => {
      stub.blob(path, config);
      stub.blob(path, bytes);
      const layers = [descriptorOf(MediaTypes.ociLayer, bytes)];
      stub.manifest(path, 'latest', { schemaVersion: 2, config: descriptorOf(MediaTypes.ociConfig, config), layers });
    };
    publish('bad', other);
    await expect(store.pull(name('bad'))).rejects.toMatchObject({ code: 'E_LAYER_DIFF_ID' });
    expect(await store.list()).toEqual([]);
    expect(await store.snapshots.list()).toEqual([]);
    publish('good', good);
    await store.pull(name('good'));
  });

  hostTest('a layer that is not what its digest says leaves nothing visible, and others are not fetched on [B16]', [...NEEDS], async () => {
    const { blobs } = serve('a');
    stub.answers.set(blobKey('a', blobs[1] ?? Buffer.alloc(0)), (_seen, response) => response.end(Buffer.alloc(blobs[1]?.byteLength ?? 0)));
    await expect(store.pull(name('a'))).rejects.toMatchObject({ code: 'E_BLOB_DIGEST' });
    expect(await store.list()).toEqual([]);
    serve('a');
    await expect(store.pull(name('a'))).resolves.toMatchObject({ isNew: true });
  });

  hostTest('what a killed pull has fetched is not fetched again [B25, B27]', [...NEEDS], async () => {
    const { blobs } = serve('a', ['one']);
    const [layer = Buffer.alloc(0)] = blobs;
    const half = Math.floor(layer.byteLength / 2);
    const ending = new AbortController();
    const serveAll = stub.answers.get(blobKey('a', layer)) as Answer;
    stub.answers.set(blobKey('a', layer), (_seen, response) => {
      response.writeHead(200, { 'content-length': layer.byteLength });
      response.write(layer.subarray(0, half));
    });
    const onProgress = (progress: PullProgress) => {
      if (progress.phase === 'download' && progress.bytes >= half) ending.abort(new Error('enough'));
    };
    await expect(store.pull(name('a'), { signal: ending.signal, onProgress })).rejects.toThrow('enough');

    await store.close();
    store = await openImageStore({ root, platform: PLATFORM, snapshotter: 'native' });
    stub.answers.set(blobKey('a', layer), serveAll);
    const resumed: number[] = [];
    await store.pull(name('a'), {
      onProgress: (progress) => {
        if (progress.phase === 'download' && progress.state === 'verified') resumed.push(progress.resumedAt ?? 0);
      },
    });
    expect(resumed).toEqual([half]);
    expect(stub.seen.at(-1)?.range).toBe(`bytes=${half}-`);
  });

  hostTest('a foreign layer’s urls are not followed [B21]', [...NEEDS], async () => {
    await using elsewhere = await StubRegistry.start();
    const tar = layerOf({ a: 'a' });
    const config = configOf([tar]);
    const layer = {
      ...descriptorOf('application/vnd.oci.image.layer.nondistributable.v1.tar', tar),
      urls: [`http://${elsewhere.host}/layer`, 'http://169.254.169.254/', 'file:///etc/shadow'],
    };
    stub.blob('f', config);
    stub.manifest('f', 'latest', { schemaVersion: 2, config: descriptorOf(MediaTypes.ociConfig, config), layers: [layer] });
    await expect(store.pull(name('f'))).rejects.toMatchObject({ code: 'E_REGISTRY_NOT_FOUND' });
    expect(elsewhere.seen).toEqual([]);
    stub.blob('f', tar);
    await store.pull(name('f'));
  });
});

describe('several at once', () => {
  hostTest(
    'twenty pulls of two images that share layers fetch each layer once; one that is given up holds up nobody [B26]',
    [...NEEDS],
    async () => {
      const a = serve('a');
      const b = serve('b', ['one', 'two', 'other']);
      const leader = new AbortController();
      const first = store.pull(name('a'), {
        signal: leader.signal,
        onProgress: (progress) => {
          if (progress.phase === 'download' && progress.state === 'started') leader.abort(new Error('left'));
        },
      });
      const others = Array.from({ length: 19 }, (_, at) => store.pull(name(at % 2 === 0 ? 'a' : 'b')));
      await expect(first).rejects.toThrow('left');
      const ids = new Set((await Promise.all(others)).map(({ id }) => id));
      expect(ids).toEqual(new Set([digestOf(a.config), digestOf(b.config)]));
      const counts = Map.groupBy(fetches(), (line) => line.split('/').at(-1));
      expect([...counts.values()].every((lines) => lines.length <= 2)).toBe(true);
      expect(await store.list()).toHaveLength(2);
    },
  );

  hostTest('collections and removals meanwhile take nothing that a pull needs [B29]', [...NEEDS], async () => {
    serve('a');
    for (let round = 0; round < 10; round++) {
      const pulling = store.pull(name('a'));
      await Promise.all([store.collectGarbage(), store.collectGarbage()]);
      await pulling;
      await store.collectGarbage();
      const { key } = await store.prepareRootfs(name('a'), `c${round}`);
      await store.removeRootfs(key);
      for (const { descriptor } of (await store.get(name('a'))).layers) expect(await store.content.stat(descriptor.digest)).toBeDefined();
      await store.remove(name('a'));
      expect(await store.content.list()).toEqual([]);
    }
  });
});
