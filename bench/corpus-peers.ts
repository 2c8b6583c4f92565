/**
 * Who brings images here and takes them away: our engine, Debian's containerd and Debian's skopeo, all on one tmpfs, and the
 * registries that they speak to, which are Debian's.
 *
 * Knows: how each is started, asked, and brought back to having nothing.
 * Does not know: what is measured.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openImageStore } from '../packages/images/src/index.ts';
import type { CorpusImage } from '../packages/images/src/testing/corpus.ts';
import { parseDiffId } from '../packages/oci/src/index.ts';
import { CHECKOUT, endChild, timeProgram, type Workplace } from './workplace.ts';

const PEERS = `${CHECKOUT}/.slipway/peers`;
const DOCKER_REGISTRY = `${PEERS}/docker-registry/usr/bin/docker-registry`;
const CONTAINERD = `${PEERS}/docker/usr/bin`;
const READY_MS = 20_000;

/** One that pulls, unpacks and pushes; every call answers with milliseconds. */
export interface Puller {
  readonly name: string;
  /** Where `push` finds an image: in what was pulled, or in the layout. */
  readonly pushesFrom: 'store' | 'layout';
  /** Fetches and unpacks an image of the registry. */
  pull(tag: string): Promise<number>;
  /** Pushes an image that is here, its blobs too, to the registry at `host`. */
  push(tag: string, host: string): Promise<number>;
  /** Unpacks an image whose blobs are here. Absent: it cannot do only that. */
  unpack?(image: CorpusImage): Promise<number>;
  /** Has nothing of the image any more. */
  forget(tag: string): Promise<void>;
  stop(): Promise<void>;
}

/** One of Debian's, of its own directory. */
export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Ends it; what it holds goes, too. */
  stop(): Promise<void>;
}

export function missingPeer(): string | undefined {
  return [DOCKER_REGISTRY, `${CONTAINERD}/containerd`].find((path) => !existsSync(path));
}

export async function startRegistry(place: Workplace): Promise<Registry> {
  const host = `127.0.0.1:${await freePort()}`;
  const root = place.path(`registry-${host}`);
  const config = `${root}.yml`;
  const storage = `storage: { filesystem: { rootdirectory: '${root}' } }`;
  writeFileSync(config, `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nhttp: { addr: '${host}' }\n${storage}\n`);
  const child = spawn(DOCKER_REGISTRY, ['serve', config], { stdio: 'ignore' });
  await until(async () => (await fetch(`http://${host}/v2/`).catch(() => undefined))?.status === 200, 'a registry does not answer');
  return {
    host,
    stop: async () => {
      await endChild(child);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Copies an image of a layout into a registry, byte for byte. */
export async function seed(place: Workplace, layout: string, tag: string, host: string): Promise<void> {
  const args = ['--insecure-policy', '--tmpdir', place.directory, 'copy', '--preserve-digests', '--dest-tls-verify=false'];
  await timeProgram('skopeo', [...args, `oci:${layout}:${tag}`, `docker://${host}/corpus:${tag}`]);
}

export async function startOurs(place: Workplace, from: string, layout: string): Promise<Puller & { readonly pid: number }> {
  const socketPath = place.path('slipway.sock');
  const flags = ['--root', place.path('slipway'), '--state', place.path('slipway-run'), '--docker-socket', socketPath];
  const child = spawn(`${CHECKOUT}/bin/slipwayd`, [...flags, '--cgroup-parent', place.cgroup, '--log-level', 'warn'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await until(async () => existsSync(socketPath), 'slipwayd did not come up');
  const ask = (method: string, path: string) => askEngine(socketPath, method, path);
  const corpus = encodeURIComponent(`${from}/corpus`);
  return {
    name: 'ours',
    pushesFrom: 'store',
    pid: child.pid ?? 0,
    pull: (tag) => timed(() => ask('POST', `/images/create?fromImage=${corpus}&tag=${tag}`)),
    push: async (tag, host) => {
      const pushed = encodeURIComponent(`${host}/pushed`);
      await ask('POST', `/images/${corpus}:${tag}/tag?repo=${pushed}&tag=1`);
      const took = await timed(() => ask('POST', `/images/${pushed}/push?tag=1`));
      await ask('DELETE', `/images/${pushed}:1`);
      return took;
    },
    unpack: (image) => unpackHere(place, layout, image),
    forget: async (tag) => void (await ask('DELETE', `/images/${corpus}:${tag}?force=1`)),
    stop: () => endChild(child),
  };
}

/** The image store itself, in this process; its workers are processes of their own. */
async function unpackHere(place: Workplace, layout: string, { target }: CorpusImage): Promise<number> {
  const root = place.path('unpack');
  const blob = (digest: string) => readFileSync(`${layout}/blobs/sha256/${digest.slice('sha256:'.length)}`);
  const manifest = JSON.parse(blob(target.digest).toString());
  const { rootfs } = JSON.parse(blob(manifest.config.digest).toString());
  const store = await openImageStore({ root, platform: { os: 'linux', architecture: 'amd64' } });
  try {
    for (const { digest } of manifest.layers) await store.content.put(blob(digest));
    const layers = manifest.layers.map((descriptor: CorpusImage['target'], at: number) => ({
      descriptor,
      diffId: parseDiffId(rootfs.diff_ids[at]),
    }));
    return await timed(() => store.unpack(layers));
  } finally {
    await store.collectGarbage(); // what stays is what Node compiled, as in an engine that has unpacked before
    await store.close();
  }
}

export async function startContainerd(place: Workplace, from: string): Promise<Puller> {
  const address = place.path('containerd.sock');
  const config = place.path('containerd.toml');
  const where = `root = '${place.path('containerd')}'\nstate = '${place.path('containerd-run')}'\n`;
  writeFileSync(config, `version = 2\n${where}disabled_plugins = ['io.containerd.grpc.v1.cri']\n[grpc]\naddress = '${address}'\n`);
  const env = { ...process.env, PATH: `${CONTAINERD}:${process.env['PATH']}` };
  const child = spawn(`${CONTAINERD}/containerd`, ['--config', config, '--log-level', 'error'], { stdio: 'ignore', env });
  const ctr = (...args: readonly string[]) => timeProgram(`${CONTAINERD}/ctr`, ['--address', address, ...args]);
  await until(
    () =>
      ctr('version').then(
        () => true,
        () => false,
      ),
    'containerd did not come up',
  );
  const name = (tag: string) => `${from}/corpus:${tag}`;
  return {
    name: 'containerd',
    pushesFrom: 'store',
    pull: (tag) => ctr('images', 'pull', '--plain-http', name(tag)),
    push: (tag, host) => ctr('images', 'push', '--plain-http', `${host}/pushed:1`, name(tag)),
    unpack: async ({ tag, target }) => {
      await ctr('content', 'fetch', '--plain-http', name(tag));
      const took = await ctr('snapshots', 'unpack', target.digest);
      await ctr('images', 'rm', '--sync', name(tag));
      return took;
    },
    forget: async (tag) => void (await ctr('images', 'rm', '--sync', name(tag))),
    stop: () => endChild(child),
  };
}

/**
 * skopeo into the storage that podman and buildah use; pushes go out of a layout, since that storage has no blobs left. So does unpacking, which podman
 * knows only as a part of bringing an image: reading and checking the blobs is in its time.
 */
export function openSkopeo(place: Workplace, from: string, layout: string): Puller {
  const storage = place.path('containers');
  const stored = (tag: string) => `containers-storage:[overlay@${storage}/root+${storage}/run]corpus:${tag}`;
  const copy = (...args: readonly string[]) =>
    timeProgram('skopeo', [
      '--insecure-policy',
      '--tmpdir',
      place.directory,
      'copy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      ...args,
    ]);
  const forgetAll = () => {
    for (const path of [`${storage}/root/overlay`, `${storage}/root`]) if (isMounted(path)) execFileSync('umount', ['-l', path]);
    rmSync(storage, { recursive: true, force: true });
  };
  return {
    name: 'skopeo',
    pushesFrom: 'layout',
    pull: (tag) => {
      mkdirSync(storage, { recursive: true });
      return copy(`docker://${from}/corpus:${tag}`, stored(tag));
    },
    push: (tag, host) => copy('--preserve-digests', `oci:${layout}:${tag}`, `docker://${host}/pushed:1`),
    unpack: async ({ tag }) => {
      mkdirSync(storage, { recursive: true });
      const took = await copy(`oci:${layout}:${tag}`, stored(tag));
      forgetAll();
      return took;
    },
    forget: async () => forgetAll(),
    stop: async () => undefined,
  };
}

function isMounted(path: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `);
}

function askEngine(socketPath: string, method: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'X-Registry-Auth': Buffer.from('{}').toString('base64') };
  const sent = request({ socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
    let tail = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-2000);
    });
    response.on('end', () => {
      const failed = (response.statusCode ?? 500) >= 400 || tail.includes('"errorDetail"');
      failed ? reject(new Error(`${method} ${path}: ${tail}`)) : resolve(tail);
    });
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (const deadline = Date.now() + READY_MS; !(await holds()); await sleep(50)) if (Date.now() > deadline) throw new Error(otherwise);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
