/**
 * How soon a container says something when its image of 250 MiB is not here: pulled whole, and read while it comes, over a line of 25 MB a second.
 *
 * The registry is ours, in this process, and so is the line: whoever is served through it shares its rate. What the program reads is busybox,
 * in the image's lowest layer; the bytes above it do not compress.
 *
 * Knows: the image, the line, and what is typed.
 * Does not know: how layers are served.
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { serveRegistry } from '../packages/registry/src/index.ts';
import { EngineUnderTest } from './engine-under-test.ts';
import type { BenchOptions } from './run.ts';
import { formatTable, formatTarget, quantile } from './table.ts';
import { CHECKOUT, timeProgram, Workplace } from './workplace.ts';

const IMAGE_MIB = 250;
const FILES = 10;
const BYTES_PER_SECOND = 25_000_000;
/** Each whole pull takes ten seconds. */
const MOST_ROUNDS = 5;
const KINDS = ['whole', 'lazily'] as const;

export async function benchLazy({ rounds }: BenchOptions): Promise<void> {
  const place = new Workplace('3g');
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const registry = await serveRegistry({ root: place.path('registry'), listen: '127.0.0.1:0', onInternalError: () => undefined });
    closers.push(() => registry.close());
    const engine = await EngineUnderTest.start(place);
    closers.push(() => engine.stop());
    await makeImages(place, engine, registry.address);
    const line = await openSlowLine(registry.address);
    closers.push(async () => line.close());
    const host = `127.0.0.1:${(line.address() as AddressInfo).port}`;
    const times = new Map<string, number[]>(KINDS.map((kind) => [kind, []]));
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
      for (const kind of KINDS) times.get(kind)?.push(await firstOutput(engine, `${host}/${kind}:1`, kind));
    }
    report(times);
  } finally {
    for (const close of closers.reverse()) await close();
    place.dispose();
  }
}

function docker(engine: EngineUnderTest, ...args: readonly string[]): Promise<number> {
  return timeProgram(`${CHECKOUT}/bin/docker`, ['-H', `unix://${engine.socket}`, ...args]);
}

/** The same files twice in the registry, once with an index; nothing of them is left in the engine. */
async function makeImages(place: Workplace, engine: EngineUnderTest, registry: string): Promise<void> {
  const context = place.path('context');
  mkdirSync(context);
  for (let file = 0; file < FILES; file++)
    writeFileSync(`${context}/part-${file}`, randomFillSync(Buffer.alloc((IMAGE_MIB / FILES) * 1024 ** 2)));
  writeFileSync(`${context}/Dockerfile`, 'FROM busybox\nCOPY part-* /data/\n');
  const [whole, lazily] = KINDS.map((kind) => `${registry}/${kind}:1`);
  await docker(engine, 'build', '-q', '-t', String(whole), context);
  await docker(engine, 'push', '-q', String(whole));
  await timeProgram(`${CHECKOUT}/bin/slipway`, ['image', 'convert', '--lazy', `docker://${whole}`, `docker://${lazily}`]);
  await docker(engine, 'rmi', '-f', String(whole), 'busybox');
  await docker(engine, 'builder', 'prune', '-af');
}

/** Milliseconds until the container has said something and ended; the image is removed afterwards. */
async function firstOutput(engine: EngineUnderTest, name: string, kind: (typeof KINDS)[number]): Promise<number> {
  const pulled = await docker(engine, 'pull', '-q', ...(kind === 'lazily' ? ['--lazy'] : []), name);
  const ran = await docker(engine, 'run', '--rm', '--network', 'none', name, 'echo', 'here');
  await docker(engine, 'rmi', '-f', name);
  return pulled + ran;
}

/** A proxy to `target` that lets so many bytes a second through to all its clients together. */
async function openSlowLine(target: string): Promise<Server> {
  const [address, port] = target.split(':');
  let freeAtMs = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), address ?? '');
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      upstream.pause();
      const now = performance.now();
      freeAtMs = Math.max(now, freeAtMs) + (bytes.byteLength / BYTES_PER_SECOND) * 1000;
      setTimeout(() => {
        client.write(bytes);
        upstream.resume();
      }, freeAtMs - now);
    });
    for (const end of [client, upstream]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function report(times: ReadonlyMap<string, readonly number[]>): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  const whole = quantile(times.get('whole') ?? [], 0.5);
  const rows = [...times].map(([kind, values]) => {
    const median = quantile(values, 0.5);
    return [`pulled ${kind}`, seconds(median), seconds(quantile(values, 0.95)), (median / whole).toFixed(2), String(values.length)];
  });
  process.stdout.write(formatTable([`${IMAGE_MIB} MiB at 25 MB/s`, 'first output', 'p95', '× whole', 'n'], rows));
  const ratio = quantile(times.get('lazily') ?? [], 0.5) / whole;
  process.stdout.write(formatTarget('first output, lazily against whole', ratio, 'under 0.5', (value) => value < 0.5));
}
