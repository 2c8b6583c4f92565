/** Layers that are read before they have come, from a registry on the loopback address that stands still, lies, or dies. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { readMounts } from '@slipway/kernel';
import { EstargzWriter, TOC_DIGEST_ANNOTATION } from '@slipway/lazy';
import { chainIds, digestOf, MediaTypes } from '@slipway/oci';
import { StubRegistry } from '@slipway/registry-client/testing';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { checkStore } from './check/check-store.ts';
import type { ImageStore, LazyNotice } from './index.ts';
import { openImageStore } from './open-image-store.ts';
import { configOf, descriptorOf, json, streamOf, tarOf } from './testing/archives.ts';

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const PLATFORM = { os: 'linux', architecture: 'amd64' };
const MIB = 1024 * 1024;

let root: string;
let stub: StubRegistry;
let store: ImageStore;
let notices: LazyNotice[];
const open = () => openImageStore({ root, platform: PLATFORM, snapshotter: 'overlay', onLazy: (notice) => notices.push(notice) });
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'lazy-'));
  stub = await StubRegistry.start();
  notices = [];
  store = await open();
});
afterEach(async () => {
  const image = await store.find(name);
  if (image !== undefined) await store.remove(image.id, { force: true });
  await store.close();
  await stub[Symbol.asyncDispose]();
  expect(mountsBelow(root)).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

let name = '';

interface Made {
  readonly blob: Buffer;
  readonly directory: () => Promise<string>;
}

/** A layer of a small file, and a large one of bytes that do not compress. */
async function serve(change: (blob: Buffer) => Buffer = (blob) => blob, index = true): Promise<Made> {
  const large = Buffer.alloc(3 * MIB);
  for (let at = 0; at < large.byteLength; at += 32) createHash('sha256').update(String(at)).digest().copy(large, at);
  const tar = tarOf([
    [{ name: 'etc/', type: 'directory', mode: 0o750 }],
    [{ name: 'etc/passwd', type: 'file' }, 'root:x:0:0::/:/bin/sh\n'],
    [{ name: 'same', type: 'hardlink', linkName: 'etc/passwd' }],
    [{ name: 'large', type: 'file', mode: 0o755 }, large],
    [{ name: 'last', type: 'file' }, 'the end'],
  ]);
  const writer = new EstargzWriter({ level: 1, chunkBytes: MIB });
  const made = index ? Buffer.concat(await Array.fromAsync(writer.blob(streamOf(tar)))) : gzipSync(tar);
  const diffId = index ? writer.result.diffId : digestOf(tar);
  const config = json({ ...JSON.parse(configOf([]).toString()), rootfs: { type: 'layers', diff_ids: [diffId] }, history: [] });
  const annotations = index ? { [TOC_DIGEST_ANNOTATION]: writer.result.tocDigest } : {};
  const layer = { ...descriptorOf(MediaTypes.ociLayerGzip, made), annotations };
  stub.blob('a', config);
  stub.blob('a', made);
  const said = change(made);
  if (said !== made) {
    stub.blob('b', said);
    const lie = stub.answers.get(`GET /v2/b/blobs/${digestOf(said)}`);
    if (lie !== undefined) stub.answers.set(`GET /v2/a/blobs/${layer.digest}`, lie);
  }
  stub.manifest('a', 'latest', {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: descriptorOf(MediaTypes.ociConfig, config),
    layers: [layer],
  });
  name = `${stub.host}/a`;
  const chain = chainIds([diffId as never])[0] ?? '';
  return {
    blob: made,

    directory: async () => (await store.snapshots.directories(chain)).own,
  };
}

const mountsBelow = (path: string) => readMounts('self').filter(({ mountPoint }) => mountPoint.startsWith(path));

/** The large file's bytes wait until `open` is called; what is before them, and the tail, comes at once. */
function gate(made: Made): { open(): void } {
  const opened = Promise.withResolvers<void>();
  const key = `GET /v2/a/blobs/${digestOf(made.blob)}`;
  const answer = stub.answers.get(key);
  stub.answers.set(key, async (request, response) => {
    if (isLarge(request.range, made)) await opened.promise;
    await answer?.(request, response);
  });
  return { open: () => opened.resolve() };
}

/** Whether a request is one for bytes of the large file. */
function isLarge(range: string | undefined, { blob }: Made): boolean {
  const [, first = '0', last = '0'] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  return Number(last) < blob.byteLength - 1 && Number(last) - Number(first) > 300_000;
}

function serverPid(): number {
  const [session = ''] = readdirSync(`${root}/lazy`);
  return (JSON.parse(readFileSync(`${root}/lazy/${session}/process.json`, 'utf8')) as { readonly pid: number }).pid;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 600) throw new Error(`never: ${what}; ${JSON.stringify(notices.slice(-5))}`);
    await delay(50);
  }
}

const eventsOf = (name: string) => notices.filter((notice) => notice.kind === 'event' && notice.event.event === name);
const isWhole = () => notices.some(({ kind }) => kind === 'whole');

hostTest('an image is there before its bytes are, and becomes an ordinary one behind whoever reads it', [...NEEDS], async () => {
  const made = await serve();
  const { open: openGate } = gate(made);
  const report = await store.pull(name, { lazy: true });
  expect(report.warnings).toEqual([]);
  const directory = await made.directory();
  expect(mountsBelow(directory).map(({ fsType }) => fsType)).toEqual(['fuse']);
  // The tail holds what is at the end of the layer, the first request what is at its beginning.
  expect(await readFile(`${directory}/etc/passwd`, 'utf8')).toContain('root');
  expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');
  expect(isWhole()).toBe(false);
  await expect(store.save([name])).rejects.toMatchObject({ code: 'E_LAYER_ARRIVING' });

  expect((await checkStore(root)).faults).toEqual([]);
  expect((await store.get(name)).layers[0]?.hereBytes).toBeLessThan(made.blob.byteLength);

  const seen = readdirSync(directory).toSorted();
  openGate();
  await until(isWhole, 'whole');
  await until(() => mountsBelow(root).length === 0, 'without mounts');
  expect(readdirSync(directory).toSorted()).toEqual(seen);
  expect(readFileSync(`${directory}/large`).byteLength).toBe(3 * MIB);
  expect((await store.content.stat(digestOf(made.blob)))?.sizeBytes).toBe(made.blob.byteLength);
  await until(() => readdirSync(`${root}/lazy`).length === 0, 'the session gone');
  expect((await store.get(name)).layers[0]?.hereBytes).toBeUndefined();
});

hostTest('a piece that is not what the index says is EIO and never served; its neighbours are', [...NEEDS], async () => {
  const made = await serve((blob) => {
    const lie = Buffer.from(blob);
    lie.fill(0x55, Math.floor(blob.byteLength * 0.5), Math.floor(blob.byteLength * 0.5) + 64);
    return lie;
  });
  await store.pull(name, { lazy: true });
  const directory = await made.directory();
  await expect(readFile(`${directory}/large`)).rejects.toMatchObject({ code: 'EIO' });
  expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');
  await until(() => notices.some((notice) => notice.kind === 'trouble' && /stays lazy/.test(notice.message)), 'told');
  expect(isWhole()).toBe(false);
  expect(await store.content.stat(digestOf(made.blob))).toBeUndefined();
});

hostTest('without an index, and without ranges, an image is pulled as ever, and the report says why', [...NEEDS], async () => {
  await serve(undefined, false);
  expect((await store.pull(name, { lazy: true })).warnings).toEqual(['not lazily: its layers have no index']);
  await store.remove(name);
  const made = await serve();
  stub.answers.set(`GET /v2/a/blobs/${digestOf(made.blob)}`, (_request, response) => response.writeHead(200).end(made.blob));
  expect((await store.pull(name, { lazy: true })).warnings[0]).toMatch(/does not send parts/);
  expect(mountsBelow(root)).toEqual([]);
  expect(await readFile(`${await made.directory()}/last`, 'utf8')).toBe('the end');
});

hostTest('the server outlives the daemon; the next one finds it, or starts another where it was killed, too', [...NEEDS], async () => {
  const made = await serve();
  const { open: openGate } = gate(made);
  await store.pull(name, { lazy: true });
  const directory = await made.directory();
  await store.close();
  expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');

  const pid = serverPid();
  process.kill(pid, 'SIGKILL');
  await until(() => !existsSync(`/proc/${pid}`), 'killed');
  await expect(readFile(`${directory}/large`)).rejects.toMatchObject({ code: 'ENOTCONN' });

  store = await open();
  expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');
  openGate();
  await until(isWhole, 'whole');
});

hostTest('an image that is removed while it arrives leaves no mount, no server and no file', [...NEEDS], async () => {
  const made = await serve();
  const { open: openGate } = gate(made);
  await store.pull(name, { lazy: true });
  const pid = serverPid();
  await store.remove(name);
  expect(mountsBelow(root)).toEqual([]);
  await until(() => !existsSync(`/proc/${pid}`), 'ended');
  expect(readdirSync(`${root}/lazy`)).toEqual([]);
  openGate();
});

hostTest(
  'a registry that goes away midway: what is here is read, the rest is EIO, and filling goes on when it is back',
  [...NEEDS],
  async () => {
    const made = await serve();
    const key = `GET /v2/a/blobs/${digestOf(made.blob)}`;
    const whole = stub.answers.get(key) ?? (() => undefined);
    let isThere = true;
    stub.answers.set(key, (request, response) =>
      isThere || !isLarge(request.range, made) ? whole(request, response) : void response.destroy(),
    );
    isThere = false;
    await store.pull(name, { lazy: true });
    const directory = await made.directory();
    await expect(readFile(`${directory}/large`)).rejects.toMatchObject({ code: 'EIO' });
    expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');
    expect(eventsOf('stalled')).not.toEqual([]);
    expect((await checkStore(root)).faults).toEqual([]);

    isThere = true;
    await until(isWhole, 'whole');
    expect(readFileSync(`${directory}/large`).byteLength).toBe(3 * MIB);
  },
  // The client tries four times, and the kernel asks twice.
  120_000,
);

hostTest('who is killed while it waits for the registry is gone at once, and nobody else is hurt', [...NEEDS], async () => {
  const made = await serve();
  const { open: openGate } = gate(made);
  await store.pull(name, { lazy: true });
  const directory = await made.directory();
  const reader = spawn('cat', [`${directory}/large`], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => reader.once('close', (_code, signal) => resolve(signal)));
  // Asleep in the kernel: it has asked, and nothing came.
  await until(() => stub.seen.some(({ range }) => isLarge(range, made)), 'asked');
  await until(() => /^State:\s+[DS]/m.test(readFileSync(`/proc/${reader.pid}/status`, 'utf8')), 'waiting');
  reader.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');

  expect(isWhole()).toBe(false);
  expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');
  openGate();
  await until(isWhole, 'whole');
  expect(readFileSync(`${directory}/large`).byteLength).toBe(3 * MIB);
});

hostTest(
  'a daemon that is killed beside its server: the next one takes the same server up, and the image becomes whole',
  [...NEEDS],
  async () => {
    const made = await serve();
    const { open: openGate } = gate(made);
    await store.close();
    const index = new URL('./index.ts', import.meta.url).href;
    const script = `const { openImageStore } = await import(${JSON.stringify(index)});
    const store = await openImageStore({ root: ${JSON.stringify(root)}, platform: ${JSON.stringify(PLATFORM)}, snapshotter: 'overlay' });
    await store.pull(${JSON.stringify(name)}, { lazy: true });
    process.stdout.write('pulled'); setInterval(() => {}, 1000);`;
    const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => daemon.stdout.once('data', resolve));
    daemon.kill('SIGKILL');
    await new Promise((resolve) => daemon.once('close', resolve));

    const before = serverPid();
    store = await open();
    const directory = await made.directory();
    expect(serverPid()).toBe(before);
    expect(existsSync(`/proc/${before}`)).toBe(true);
    expect(await readFile(`${directory}/last`, 'utf8')).toBe('the end');
    expect((await checkStore(root)).faults).toEqual([]);
    openGate();
    await until(isWhole, 'whole');
    await until(() => !existsSync(`/proc/${before}`), 'ended');
  },
);
