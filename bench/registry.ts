/**
 * Pulling from our registry and from Debian's docker-registry, in turn: the same files, the same client.
 *
 * Knows: what is pulled and how it is counted.
 * Does not know: how either registry works. The client is a bare socket, which takes bytes as fast as they come, and skopeo, which
 * checks and writes them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchOptions } from './run.ts';
import { formatTable } from './table.ts';
import { CHECKOUT, endChild, timeProgram, Workplace } from './workplace.ts';

const DOCKER_REGISTRY = `${CHECKOUT}/.slipway/peers/docker-registry/usr/bin/docker-registry`;
const LARGE_BYTES = 192 * 1024 ** 2;
const SMALL_BYTES = 4096;
const SMALL_COUNT = 500;
const AT_ONCE = 8;
const MIB = 1024 ** 2;

interface Registry {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
}

/** What is measured, in units for which more is better. */
interface Measure {
  readonly what: string;
  readonly unit: string;
  readonly run: (registry: Registry) => Promise<number>;
}

export async function benchRegistry({ rounds }: BenchOptions): Promise<void> {
  if (!existsSync(DOCKER_REGISTRY)) {
    process.stdout.write('Debian’s docker-registry is not unpacked (`npm test` fetches it): nothing to compare with\n');
    return;
  }
  const place = new Workplace();
  const registries: Registry[] = [];
  try {
    registries.push(await startOurs(place), await startTheirs(place));
    const large = randomBytes(LARGE_BYTES);
    const small = randomBytes(SMALL_BYTES);
    const blobs = { large: digestOf(large), small: digestOf(small) };
    for (const registry of registries) for (const bytes of [large, small]) await push(registry, bytes);
    const measures = planMeasures(place, blobs, await pushImages(place, registries));
    const found = await measureInTurn(measures, registries, Math.min(rounds, 15));
    process.stdout.write(formatTable(['', ...registries.map(({ name }) => name), 'ours × theirs'], found));
  } finally {
    for (const { child } of registries) await endChild(child);
    place.dispose();
  }
}

function planMeasures(place: Workplace, blobs: { readonly large: string; readonly small: string }, image: string): Measure[] {
  const path = (digest: string) => `/v2/bench/blobs/${digest}`;
  return [
    {
      what: `one blob of ${LARGE_BYTES / MIB} MiB`,
      unit: 'MiB/s',
      run: async ({ port }) => (LARGE_BYTES / MIB) * (await perSecond(() => drain(port, path(blobs.large)))),
    },
    {
      what: `the same, ${AT_ONCE} parts at once`,
      unit: 'MiB/s',
      run: async ({ port }) => (LARGE_BYTES / MIB) * (await perSecond(() => drainParts(port, path(blobs.large)))),
    },
    {
      what: `blobs of ${SMALL_BYTES} bytes, ${AT_ONCE} connections`,
      unit: '1/s',
      run: async ({ port }) => SMALL_COUNT * (await perSecond(() => requestOften(port, path(blobs.small)))),
    },
    {
      what: 'skopeo copies the lesson’s debian',
      unit: '1/s',
      run: async ({ port }) => {
        const target = place.path('copy');
        rmSync(target, { recursive: true, force: true });
        const from = `docker://127.0.0.1:${port}/${image}`;
        return 1000 / (await timeProgram('skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', from, `dir:${target}`]));
      },
    },
  ];
}

/** Each round asks both, the other one first every other time; the first does not count. */
async function measureInTurn(measures: readonly Measure[], registries: readonly Registry[], rounds: number): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { what, unit, run } of measures) {
    const values = new Map(registries.map((registry) => [registry, [] as number[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const registry of round % 2 === 0 ? registries : registries.toReversed()) {
        const value = await run(registry);
        if (round > 0) values.get(registry)?.push(value);
      }
    }
    const medians = registries.map((registry) => median(values.get(registry) ?? []));
    const [ours = Number.NaN, theirs = Number.NaN] = medians;
    rows.push([what, ...medians.map((value) => `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`), (ours / theirs).toFixed(2)]);
  }
  return rows;
}

async function startOurs(place: Workplace): Promise<Registry> {
  const port = await freePort();
  const args = ['registry', 'serve', '--root', place.path('ours'), '--listen', `127.0.0.1:${port}`];
  return await ready({ name: 'ours', port, child: spawn(`${CHECKOUT}/bin/slipway`, args, { stdio: 'ignore' }) });
}

async function startTheirs(place: Workplace): Promise<Registry> {
  const port = await freePort();
  const config = place.path('docker-registry.yml');
  const storage = `storage: { filesystem: { rootdirectory: '${place.path('theirs')}' }, cache: { blobdescriptor: inmemory } }`;
  const log = 'log: { level: error, accesslog: { disabled: true } }';
  writeFileSync(config, `version: 0.1\n${log}\nhttp: { addr: '127.0.0.1:${port}' }\n${storage}\n`);
  return await ready({ name: 'docker-registry', port, child: spawn(DOCKER_REGISTRY, ['serve', config], { stdio: 'ignore' }) });
}

async function ready(registry: Registry): Promise<Registry> {
  for (let waited = 0; waited < 300; waited++, await sleep(50)) {
    const up = await ask(registry.port, 'GET', '/v2/').catch(() => undefined);
    if (up?.status === 200) return registry;
  }
  await endChild(registry.child);
  throw new Error(`${registry.name} does not answer`);
}

async function push({ port }: Registry, bytes: Buffer): Promise<void> {
  const { location } = await ask(port, 'POST', '/v2/bench/blobs/uploads/');
  const url = new URL(location, `http://127.0.0.1:${port}`);
  url.searchParams.set('digest', digestOf(bytes));
  const { status } = await ask(port, 'PUT', `${url.pathname}${url.search}`, { body: bytes });
  if (status !== 201) throw new Error(`pushing to port ${port} was answered with ${status}`);
}

async function pushImages(place: Workplace, registries: readonly Registry[]): Promise<string> {
  const source = `oci:${CHECKOUT}/.slipway/images/layout:debian:latest`;
  for (const { port } of registries) {
    const target = `docker://127.0.0.1:${port}/bench/debian:1`;
    await timeProgram('skopeo', ['--insecure-policy', '--tmpdir', place.directory, 'copy', '--dest-tls-verify=false', source, target]);
  }
  return 'bench/debian:1';
}

interface Answer {
  readonly status: number;
  readonly location: string;
}

function ask(port: number, method: string, path: string, { body, agent }: { body?: Buffer; agent?: Agent } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': body?.byteLength ?? 0, 'Content-Type': 'application/octet-stream' };
    const sent = request({ host: '127.0.0.1', port, method, path, headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      response.on('end', () => resolve({ status: response.statusCode ?? 0, location: String(response.headers.location) }));
      response.on('error', reject);
      response.resume();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Takes all bytes of an answer, and looks at none. */
function drain(port: number, path: string, range = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.alloc(MIB);
    let bytes = 0;
    const onread = {
      buffer,
      callback: (count: number) => {
        bytes += count;
        return true;
      },
    };
    const socket = connect({ host: '127.0.0.1', port, onread }, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${range}Connection: close\r\n\r\n`);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(bytes));
  });
}

async function drainParts(port: number, path: string): Promise<void> {
  const part = LARGE_BYTES / AT_ONCE;
  const ranges = Array.from({ length: AT_ONCE }, (_, at) => `Range: bytes=${at * part}-${(at + 1) * part - 1}\r\n`);
  const counts = await Promise.all(ranges.map((range) => drain(port, path, range)));
  if (counts.some((count) => count < part)) throw new Error('a part came short');
}

async function requestOften(port: number, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  await Promise.all(Array.from({ length: SMALL_COUNT }, () => ask(port, 'GET', path, { agent })));
  agent.destroy();
}

/** Times that `work` can be done in a second. */
async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return 1000 / (performance.now() - began);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
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
