/**
 * Fifty containers started at once: how long until all run, and whether one of them pays for the others.
 *
 * The containers are created before, and asked to start by as many requests at the same moment. Ours and Debian's dockerd take turns, each
 * with nothing of the other's running.
 *
 * Knows: what is asked for, and what we want to see.
 * Does not know: the engines.
 */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DebianDocker, findDockerClient } from './debian-docker.ts';
import { EngineUnderTest } from './engine-under-test.ts';
import type { BenchOptions } from './run.ts';
import { formatTarget, Samples } from './table.ts';
import { Workplace } from './workplace.ts';

const CONTAINERS = 50;
/** A crowd is some hundred megabytes of work: a few say enough. */
const MAX_ROUNDS = 5;
const PAUSE_MS = 500;

const OURS = 'ours';
const DEBIAN = 'Debian’s dockerd';
const total = (name: string) => `${name}: ${CONTAINERS} at once, until the last answer`;
const single = (name: string) => `${name}: one of them`;
const slowest = (name: string) => `${name}: the slowest of them`;

export async function benchCrowd({ rounds }: BenchOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const place = new Workplace();
  const closers: (() => unknown)[] = [() => place.dispose()];
  try {
    const engine = await EngineUnderTest.start(place);
    closers.push(() => engine.stop());
    const sockets = new Map([[OURS, engine.socket]]);
    const client = findDockerClient();
    const peer = client === undefined ? undefined : await DebianDocker.start(place, client, say);
    if (peer === undefined) say('Debian’s dockerd is left out');
    else {
      closers.push(() => peer.stop());
      sockets.set(DEBIAN, peer.host.replace('unix://', ''));
    }
    const samples = new Samples();
    for (let round = -1; round < Math.min(rounds, MAX_ROUNDS); round++) {
      for (const [name, socket] of sockets) await startCrowd(name, socket, round < 0 ? new Samples() : samples);
    }
    process.stdout.write(`${samples.format(total(OURS))}\n${judge(samples)}`);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function startCrowd(name: string, socket: string, samples: Samples): Promise<void> {
  const ids: string[] = [];
  try {
    const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' } };
    for (let count = 0; count < CONTAINERS; count++) ids.push(JSON.parse(await ask(socket, 'POST', '/containers/create', body)).Id);
    await sleep(PAUSE_MS);
    const began = performance.now();
    const tookMs = await Promise.all(
      ids.map(async (id) => {
        await ask(socket, 'POST', `/containers/${id}/start`);
        return performance.now() - began;
      }),
    );
    samples.add(total(name), performance.now() - began);
    for (const ms of tookMs) samples.add(single(name), ms);
    samples.add(slowest(name), Math.max(...tookMs));
  } finally {
    for (const id of ids) await ask(socket, 'DELETE', `/containers/${id}?force=1`);
    await sleep(PAUSE_MS);
  }
}

/** Over a connection of its own, as fifty clients would. @throws for answers of 400 and more */
function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
    let content = '';
    response.setEncoding('utf8').on('data', (chunk) => {
      content += chunk;
    });
    response.on('end', () => ((response.statusCode ?? 500) < 400 ? resolve(content) : reject(new Error(`${method} ${path}: ${content}`))));
  });
  sent.on('error', reject);
  sent.end(text);
  return promise;
}

function judge(samples: Samples): string {
  const ratio = (above: string, below: string) => {
    const [a, b] = [samples.median(above), samples.median(below)];
    return a === undefined || b === undefined ? undefined : a / b;
  };
  return [
    formatTarget('dockerd takes times ours, all of them', ratio(total(DEBIAN), total(OURS)), 'at least 5', (value) => value >= 5),
    formatTarget('our slowest start, times our median', ratio(slowest(OURS), single(OURS)), 'at most 10', (value) => value <= 10),
    formatTarget('dockerd’s slowest, times its median', ratio(slowest(DEBIAN), single(DEBIAN)), 'for information', () => true),
  ].join('');
}
