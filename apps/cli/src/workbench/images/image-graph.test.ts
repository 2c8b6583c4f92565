/** Images in a real registry and a real content store: every way in, and documents that lie. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageNode } from '@slipway/contracts';
import { digestOf, hostPlatform, MediaTypes } from '@slipway/oci';
import { type RunningRegistry, serveRegistry } from '@slipway/registry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineBlobs } from './engine-blobs.ts';
import { readImageGraph } from './image-graph.ts';
import { listAllImages } from './image-list.ts';
import { MachineRegistry } from './machine-registry.ts';

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const { architecture } = hostPlatform(process.arch);
let base: string;
let registry: RunningRegistry | undefined;
let liar: Server | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'image-graph-'));
  for (const place of ['layout', 'content']) mkdirSync(join(base, place, 'blobs/sha256'), { recursive: true });
});
afterEach(async () => {
  await registry?.close();
  await new Promise((resolve) => (liar ? liar.close(resolve) : resolve(undefined)));
  [registry, liar] = [undefined, undefined];
  rmSync(base, { recursive: true, force: true });
});

function put(content: string | object, mediaType: string, place = 'layout'): Blob {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const digest = digestOf(bytes);
  writeFileSync(join(base, place, 'blobs', digest.replace(':', '/')), bytes);
  return { mediaType, digest, size: bytes.byteLength };
}

function image(name: string, layers: readonly Blob[], place = 'layout'): Blob & { readonly config: Blob } {
  const steps = layers.map((_, index) => ({ created_by: `step ${index + 1} of ${name}` }));
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  const config = put(
    { os: 'linux', architecture, author: name, rootfs, history: [...steps, { empty_layer: true }] },
    MediaTypes.ociConfig,
    place,
  );
  const manifest = put({ schemaVersion: 2, mediaType: MediaTypes.ociManifest, config, layers }, MediaTypes.ociManifest, place);
  return { ...manifest, config };
}

async function serve(names: Readonly<Record<string, Blob>>): Promise<MachineRegistry> {
  const manifests = Object.entries(names).map(([name, blob]) => ({ ...blob, annotations: { 'io.containerd.image.name': name } }));
  writeFileSync(join(base, 'layout/index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  const onInternalError = (error: unknown) => {
    throw error;
  };
  registry = await serveRegistry({ root: join(base, 'root'), images: join(base, 'layout'), listen: '127.0.0.1:0', onInternalError });
  return new MachineRegistry(`http://${registry.address}`);
}

const places = (from: MachineRegistry) => ({ registry: from, blobs: new EngineBlobs(join(base, 'content')) });
const nowhere = new MachineRegistry('http://127.0.0.1:1');
const layer = (text: string, place?: string) => put(text, MediaTypes.ociLayer, place);
const find = (nodes: readonly ImageNode[], { digest }: { readonly digest: string }) => nodes.find((node) => node.digest === digest);

test('from the name down: index, manifests, configs, layers; the machine’s own platform is marked', async () => {
  const [low, high, foreign] = [layer('low'), layer('high'), layer('foreign')];
  const [mine, other] = [image('mine', [low, high]), image('other', [low, foreign])];
  const manifests = [
    { ...other, platform: { os: 'linux', architecture: 'sparc64' } },
    { ...mine, platform: { os: 'linux', architecture } },
  ];
  const index = put({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }, MediaTypes.ociIndex);
  const { root, nodes, notes } = await readImageGraph('both:1', undefined, places(await serve({ 'docker.io/library/both:1': index })));
  expect([root, notes]).toEqual([index.digest, []]);
  expect(nodes.map(({ kind }) => kind).toSorted()).toEqual([
    'config',
    'config',
    'index',
    'layer',
    'layer',
    'layer',
    'manifest',
    'manifest',
  ]);
  expect(find(nodes, index)).toMatchObject({ kind: 'index', children: [other.digest, mine.digest] });
  expect(find(nodes, mine)).toMatchObject({
    platform: `linux/${architecture}`,
    taken: true,
    children: [mine.config.digest, low.digest, high.digest],
  });
  expect(find(nodes, other)?.taken).toBeUndefined();
  expect(find(nodes, high)).toMatchObject({
    createdBy: 'step 2 of mine',
    diffId: high.digest,
    served: `/v2/library/both/blobs/${high.digest}`,
  });
  expect(find(nodes, high)?.document, 'a layer is no document').toBeUndefined();
});

test('each node’s address in the registry gives its bytes', async () => {
  const from = await serve({ 'docker.io/library/one:latest': image('one', [layer('only')]) });
  const { nodes } = await readImageGraph('one', undefined, places(from));
  for (const { served = '', digest, mediaType } of nodes) {
    const answer = await fetch(`http://${registry?.address}${served}`, { headers: { accept: mediaType } });
    expect(digestOf(Buffer.from(await answer.arrayBuffer()))).toBe(digest);
  }
});

test('an image that only the engine has is found by its config, with the files that hold it', async () => {
  const built = image('built', [layer('mine alone', 'content')], 'content');
  image('another', [layer('else', 'content')], 'content');
  const local = { id: built.config.digest, repoDigests: [`built@${digestOf(Buffer.from('never pushed'))}`] };
  const { root, nodes } = await readImageGraph('built', local, places(nowhere));
  expect(root).toBe(built.digest);
  expect(nodes.map(({ kind, served }) => [kind, served])).toEqual([
    ['manifest', undefined],
    ['config', undefined],
    ['layer', undefined],
  ]);
  expect(nodes.every(({ file = '' }) => file.startsWith(base))).toBe(true);
});

test('a name that means another image in the registry is told, and the engine’s is shown', async () => {
  const built = image('rebuilt', [layer('new', 'content')], 'content');
  const from = await serve({ 'docker.io/library/same:latest': image('as it was', [layer('old')]) });
  const { root, nodes, notes } = await readImageGraph('same', { id: built.config.digest, repoDigests: [] }, places(from));
  expect(root).toBe(built.digest);
  expect(notes).toEqual([expect.stringContaining('another image under this name')]);
  expect(find(nodes, built)).toMatchObject({ kind: 'manifest' });
});

test('an image that is nowhere is refused with what to do; where the registry is silent, nobody can tell', async () => {
  await expect(readImageGraph('absent:1', undefined, places(await serve({})))).rejects.toMatchObject({
    code: 'E_WORKBENCH_IMAGE',
    hint: 'docker pull absent:1',
  });
  await expect(readImageGraph('absent:1', undefined, places(nowhere))).rejects.toMatchObject({ code: 'E_WORKBENCH_REGISTRY' });
});

test('a registry whose bytes are not the digest’s is not believed', async () => {
  const true_ = image('true', [layer('x')]);
  liar = createServer((request, response) => {
    response.setHeader('content-type', MediaTypes.ociManifest);
    const lies = request.url?.includes('/blobs/')
      ? '{"author":"somebody else"}'
      : JSON.stringify({ schemaVersion: 2, config: true_.config, layers: [] });
    response.end(lies);
  });
  await new Promise<void>((resolve) => liar?.listen(0, '127.0.0.1', resolve));
  const from = new MachineRegistry(`http://127.0.0.1:${(liar.address() as AddressInfo).port}`);
  const { nodes, notes } = await readImageGraph('lied', undefined, places(from));
  expect(find(nodes, true_.config)?.document).toBeUndefined();
  expect(notes).toEqual([`the config ${true_.config.digest} cannot be read here`]);
});

test.each([
  ['manifests that are no list', { manifests: 7 }],
  ['descriptors that are none', { config: { digest: 'sha256:short' }, layers: [null, 3, { digest: [] }] }],
  ['pointers at itself by a false digest', { config: { digest: `sha256:${'0'.repeat(64)}`, size: -1 }, layers: [] }],
])('a document with %s leads nowhere', async (_name, document) => {
  const odd = put({ schemaVersion: 2, ...document }, MediaTypes.ociManifest, 'content');
  const config = put({ os: 'linux' }, MediaTypes.ociConfig, 'content');
  await expect(readImageGraph('odd', { id: config.digest, repoDigests: [`odd@${odd.digest}`] }, places(nowhere))).rejects.toMatchObject({
    code: 'E_WORKBENCH_IMAGE',
  });
});

test('of a crowded index some manifests are read, this machine’s among them, and the rest is told', async () => {
  const shared = layer('shared');
  const mine = { ...image('mine', [shared]), platform: { os: 'linux', architecture } };
  const others = Array.from({ length: 40 }, (_, at) => ({
    ...image(`n${at}`, [shared]),
    platform: { os: 'linux', architecture: `cpu${at}` },
  }));
  const index = put({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: [...others, mine] }, MediaTypes.ociIndex);
  const { nodes, notes } = await readImageGraph('crowd', undefined, places(await serve({ 'docker.io/library/crowd:latest': index })));
  expect(find(nodes, mine)?.children).toHaveLength(2);
  expect(nodes.filter(({ kind, children }) => kind === 'manifest' && children !== undefined)).toHaveLength(24);
  expect(find(nodes, index)?.children).toHaveLength(41);
  expect(notes).toEqual(['only 24 of 41 manifests were read']);
});

test('the list joins what the engine has and what the registry serves', async () => {
  const one = image('one', [layer('x')]);
  const from = await serve({ 'docker.io/library/one:latest': one, 'docker.io/team/tool:2': one, 'docker.io/library/two:1': one });
  expect(await listAllImages(['mine:1', 'one:latest'], from)).toEqual({
    notes: [],
    images: [
      { name: 'mine:1', local: true, served: false },
      { name: 'one:latest', local: true, served: true },
      { name: '127.0.0.1:5000/team/tool:2', local: false, served: true },
      { name: 'two:1', local: false, served: true },
    ],
  });
  expect(await listAllImages(['mine:1'], nowhere), 'of a silent registry that is said').toEqual({
    notes: [expect.stringContaining('registry does not answer')],
    images: [{ name: 'mine:1', local: true, served: false }],
  });
});
