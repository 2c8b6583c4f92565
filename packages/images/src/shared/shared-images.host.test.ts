/** Images that a store uses where somebody else keeps them: a layout is unpacked once, and two stores stand on it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf, MediaTypes } from '@slipway/oci';
import { StubRegistry } from '@slipway/registry-client/testing';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { checkStore } from '../check/check-store.ts';
import type { ImageStore, ImageStoreOptions } from '../image-store.ts';
import { openImageStore } from '../open-image-store.ts';
import { blobPath, configOf, descriptorOf, json, layerOf, streamOf, tarOf } from '../testing/archives.ts';
import { sharedFiles } from './shared-images.ts';
import { writeSharedImages } from './write-shared-images.ts';

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const PLATFORM = { os: 'linux', architecture: 'amd64' };
const LOWER = layerOf({ kept: 'kept', gone: 'gone' });
const UPPER = tarOf([
  [{ name: '.wh.gone', type: 'file' }, ''],
  [{ name: 'new', type: 'file', mode: 0o640, uid: 7, gid: 8 }, 'new'],
]);
const LAYERS = [LOWER, UPPER];
const CONFIG = configOf(LAYERS);
const MANIFEST = {
  schemaVersion: 2,
  mediaType: MediaTypes.ociManifest,
  config: descriptorOf(MediaTypes.ociConfig, CONFIG),
  layers: LAYERS.map((bytes) => descriptorOf(MediaTypes.ociLayer, bytes)),
};

let base: string;
let stub: StubRegistry;
const stores: ImageStore[] = [];
const shared = () => `${base}/shared`;
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'shared-'));
  stub = await StubRegistry.start();
  for (const bytes of [CONFIG, ...LAYERS]) stub.blob('a', bytes);
  stub.manifest('a', 'latest', MANIFEST);
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await stub[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

async function share(): Promise<void> {
  const manifest = json(MANIFEST);
  const annotations = { 'org.opencontainers.image.ref.name': 'a:latest' };
  const index = { schemaVersion: 2, manifests: [{ ...descriptorOf(MediaTypes.ociManifest, manifest), annotations }] };
  mkdirSync(`${base}/layout/blobs/sha256`, { recursive: true });
  for (const bytes of [CONFIG, manifest, ...LAYERS]) writeFileSync(`${base}/layout/${blobPath(bytes)}`, bytes);
  writeFileSync(`${base}/layout/index.json`, JSON.stringify(index));
  await writeSharedImages(shared(), { layout: `${base}/layout`, names: ['a:latest'], platform: PLATFORM });
}

async function open(name: string, options: Partial<ImageStoreOptions> = {}): Promise<ImageStore> {
  const store = await openImageStore({ root: `${base}/${name}`, platform: PLATFORM, snapshotter: 'overlay', ...options });
  stores.push(store);
  return store;
}

const image = () => `${stub.host}/a`;
const fetched = () => stub.asked.filter((line) => line.startsWith('GET') && line.includes('/blobs/')).length;
const everythingOf = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => {
    const { mode, uid, gid, mtimeMs, ino } = statSync(join(entry.parentPath, entry.name));
    return [entry.parentPath, entry.name, mode, uid, gid, mtimeMs, ino];
  });

hostTest('a pull of a shared image fetches and unpacks nothing, and two stores stand on the same files', [...NEEDS], async () => {
  await share();
  for (const name of ['one', 'two']) {
    const store = await open(name, { shared: shared() });
    await store.pull(image());
    expect(fetched()).toBe(0);
    const { directories } = await store.prepareRootfs(image(), 'c');
    expect(directories.lowers.map((path) => dirname(dirname(path)))).toEqual([`${shared()}/layers`, `${shared()}/layers`]);
    expect(readFileSync(`${directories.lowers[0]}/new`, 'utf8')).toBe('new');
    expect(statSync(`${directories.lowers[0]}/new`)).toMatchObject({ uid: 7, gid: 8 });
    expect(statSync(`${directories.lowers[0]}/gone`).isCharacterDevice()).toBe(true);
    expect(await store.content.list()).toEqual([]);
    await store.removeRootfs('c');
  }
});

hostTest('the control: a store that shares nothing fetches all of it', [...NEEDS], async () => {
  await share();
  const store = await open('one');
  await store.pull(image());
  expect(fetched()).toBe(3);
  expect((await store.snapshots.list()).map(({ isAdopted }) => isAdopted)).toEqual([false, false]);
});

hostTest('removing and collecting take the name only, and count nothing of what is shared', [...NEEDS], async () => {
  await share();
  const before = everythingOf(shared());
  const store = await open('one', { shared: shared() });
  await store.pull(image());
  expect(await store.collectGarbage()).toEqual({ blobs: 0, blobBytes: 0, snapshots: 0 });
  await store.remove(image());
  expect(await store.snapshots.list()).toEqual([]);
  expect(await store.content.delete(digestOf(LOWER))).toBe(false);
  expect(everythingOf(shared())).toEqual(before);
  await store.pull(image());
  expect(fetched()).toBe(0);
});

hostTest('a shared image is saved, loaded and built upon like any other; only what is new is written', [...NEEDS], async () => {
  await share();
  const store = await open('one', { shared: shared() });
  await store.pull(image());
  const archive = Buffer.concat(await Array.fromAsync(await store.save([image()])));
  await store.remove(image());
  await store.loadArchive(streamOf(archive));
  expect((await store.content.list()).map(({ digest }) => digest)).not.toContain(digestOf(LOWER));

  const prepared = await store.prepareRootfs(image(), 'c');
  writeFileSync(`${prepared.directories.own}/mine`, 'mine');
  const packed = await store.packRootfs('c', { mountPoints: [] });
  expect(packed.layer?.descriptor.size).toBeGreaterThan(0);
  await store.removeRootfs('c');

  const other = await open('two');
  await other.loadArchive(streamOf(archive));
  const { mounts } = await other.prepareRootfs(image(), 'c');
  expect(mounts[0]?.type).toBe('overlay');
  await other.removeRootfs('c');
});

hostTest('a check looks at shared blobs and layers, too, and tells when they have gone', [...NEEDS], async () => {
  await share();
  const store = await open('one', { shared: shared() });
  await store.pull(image());
  expect(await checkStore(`${base}/one`)).toMatchObject({ faults: [], leftovers: [], counted: { blobs: 0 } });

  execFileSync('mv', [shared(), `${base}/elsewhere`]);
  const codes = (await checkStore(`${base}/one`)).faults.map(({ code }) => code);
  expect(codes).toContain('snapshot-directory');
  expect(codes).toContain('document-invalid');
  execFileSync('mv', [`${base}/elsewhere`, shared()]);
});

hostTest(
  'layers that overlay does not take are not used, in one sentence, and the image is pulled like any other',
  [...NEEDS],
  async () => {
    await share();
    for (const layer of readdirSync(sharedFiles(shared()).layers)) rmSync(`${shared()}/layers/${layer}/fs`, { recursive: true });
    const said: string[] = [];
    const store = await open('one', { shared: shared(), onLazy: (notice) => said.push(notice.kind === 'trouble' ? notice.message : '') });
    expect(said).toEqual([expect.stringMatching(/^shared images are not used, and are pulled like any other: mount: /)]);
    await store.pull(image());
    expect(fetched()).toBe(3);
    expect((await checkStore(`${base}/one`)).faults).toEqual([]);
  },
);

hostTest('copies share nothing, and a directory that is none is refused', [...NEEDS], async () => {
  await share();
  const store = await open('copies', { shared: shared(), snapshotter: 'native' });
  await store.pull(image());
  expect(fetched()).toBe(3);

  for (const list of ['', '{"layers":[{"chainId":"../../etc","fileBytes":1}]}', '{"layers":[{"chainId":"sha256:1"}]}']) {
    writeFileSync(`${shared()}/layers.json`, list);
    await expect(open('refused', { shared: shared() })).rejects.toMatchObject({ code: 'E_SHARED_IMAGES' });
  }
  expect(existsSync(`${base}/refused/shared-images`)).toBe(false);
});
