/**
 * How soon what is typed shows, while nothing happens and while an image of 1 GiB is pulled: through the engine, as `docker attach` does it,
 * to a container with a terminal and back.
 *
 * A key waits for its echo, so that a pause holds up one sample only; the slowest ones are what a learner notices. The pulls are asked
 * for by Debian's docker, and come from Debian's registry on the same two cores.
 *
 * Knows: the container, the image, and what we want to see.
 * Does not know: how the engine keeps terminals and pulls apart.
 */
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CorpusLayout } from '../packages/images/src/testing/corpus.ts';
import { missingPeer, seed, startRegistry } from './corpus-peers.ts';
import { EngineUnderTest } from './engine-under-test.ts';
import { formatTable, formatTarget, quantile } from './table.ts';
import { CHECKOUT, timeProgram, Workplace } from './workplace.ts';

const DOCKER = `${CHECKOUT}/.slipway/peers/docker/usr/bin/docker`;
/** Of the corpus's few large files: three layers of 341 MiB. */
const GIBIBYTE = 16 / 3;
const PULLS = 3;
const IDLE_KEYS = 500;
const PAUSE_MS = 15;
const MOST_MS = 50;

export async function benchEcho(): Promise<void> {
  const missing = missingPeer();
  if (missing !== undefined) {
    process.stdout.write(`${missing} is not unpacked (npm test fetches it): nothing to pull from\n`);
    return;
  }
  const place = new Workplace('9g');
  const closers: (() => Promise<void>)[] = [];
  try {
    const engine = await EngineUnderTest.start(place);
    closers.push(() => engine.stop());
    const registry = await startRegistry(place);
    closers.push(registry.stop);
    const layout = place.path('layout');
    const { tag } = new CorpusLayout(layout).add('few-large', 'zstd', 'oci', GIBIBYTE);
    await seed(place, layout, tag, registry.host);
    const id = await startContainer(engine);
    closers.push(async () => void (await engine.call('DELETE', `/containers/${id}?force=1`))); // it would outlive the engine
    const terminal = await openTerminal(engine, id);
    let isIdle = true;
    const idle = await typeWhile(terminal, (typed) => typed < IDLE_KEYS);
    const pulling = pullAgainAndAgain(engine, `${registry.host}/corpus:${tag}`).finally(() => {
      isIdle = false;
    });
    const busy = await typeWhile(terminal, () => isIdle);
    await pulling;
    report([
      ['nothing else happens', idle],
      ['a pull of 1 GiB', busy],
    ]);
    terminal.destroy();
  } finally {
    for (const close of closers.reverse()) await close();
    place.dispose();
  }
}

async function pullAgainAndAgain(engine: EngineUnderTest, name: string): Promise<void> {
  const docker = (...args: readonly string[]) => timeProgram(DOCKER, ['-H', `unix://${engine.socket}`, ...args]);
  for (let count = 0; count < PULLS; count++) {
    await docker('pull', name);
    await docker('rmi', name);
  }
}

/** A container whose terminal shows what is typed, since its tty does; nothing in it needs to run for that. */
async function startContainer(engine: EngineUnderTest): Promise<string> {
  const settings = { Image: 'busybox', Cmd: ['sleep', '3600'], Tty: true, OpenStdin: true, HostConfig: { NetworkMode: 'none' } };
  const { Id } = JSON.parse(await engine.call('POST', '/containers/create', settings));
  await engine.call('POST', `/containers/${Id}/start`);
  return String(Id);
}

async function openTerminal(engine: EngineUnderTest, id: string): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const path = `/containers/${id}/attach?stream=1&stdin=1&stdout=1`;
  const headers = { connection: 'Upgrade', upgrade: 'tcp' };
  const sent = request({ socketPath: engine.socket, method: 'POST', path, headers });
  sent.on('upgrade', (_response, socket) => resolve(socket));
  sent.on('response', ({ statusCode }) => reject(new Error(`attach answers ${statusCode}`)));
  sent.on('error', reject);
  sent.end();
  return await promise;
}

/** Milliseconds from each key to its echo. */
async function typeWhile(terminal: Duplex, more: (typed: number) => boolean): Promise<readonly number[]> {
  const times: number[] = [];
  for (; more(times.length); await sleep(PAUSE_MS)) {
    const began = performance.now();
    const shown = new Promise((resolve) => terminal.once('data', resolve));
    terminal.write(times.length % 60 === 59 ? '\n' : 'x');
    await shown;
    times.push(performance.now() - began);
  }
  return times;
}

function report(measured: readonly (readonly [string, readonly number[]])[]): void {
  const shown = (value: number) => `${value.toFixed(2)} ms`;
  const rows = measured.map(([name, times]) => [name, ...[0.5, 0.99, 1].map((part) => shown(quantile(times, part))), String(times.length)]);
  process.stdout.write(formatTable(['key to echo, while', 'p50', 'p99', 'slowest', 'n'], rows));
  const during = quantile(measured.at(-1)?.[1] ?? [], 0.99);
  process.stdout.write(formatTarget('ms from a key to its echo during a pull, p99', during, `under ${MOST_MS}`, (ms) => ms < MOST_MS));
}
