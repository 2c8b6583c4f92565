/** Connections are free: whatever a machine is held to must hold for all of them together. */
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../testing/page.ts';
import { temporaryDirectory } from '../testing/stand-in.ts';
import { EngineFeed } from './engine-feed.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let feed: EngineFeed;
let spans: string[];
const sockets: Socket[] = [];

beforeEach(async () => {
  directory = temporaryDirectory();
  spans = [];
  mkdirSync(`${directory.path}/lab`, { mode: 0o755 });
  feed = await EngineFeed.open({
    labDir: `${directory.path}/lab`,
    mark: () => undefined,
    onMark: () => undefined,
    onTrouble: (error) => {
      throw error;
    },
    emit: (body) => body.type === 'span' && spans.push(body.span.name),
  });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await feed.close();
  directory.remove();
});

function speak(root: string, lines: Iterable<string>): Socket {
  const socket = connect(`${directory.path}/lab/journal.sock`);
  sockets.push(socket);
  socket.on('error', () => undefined).resume();
  socket.write(`${JSON.stringify({ hello: { boot: 'b', root } })}\n`);
  for (const line of lines) socket.write(`${line}\n`);
  return socket;
}

const span = (name: string, request = '') =>
  JSON.stringify({ type: 'span', span: { id: name, trace: name, actor: 'engine', name, startMs: 1, request } });
const many = (count: number, line: string) => Array.from({ length: count }, () => line);

test('a machine that connects again and again is heard no faster than one that stays', async () => {
  const began = performance.now();
  const bytes = 8000;
  for (let connection = 0; connection < 3; connection += 1) {
    const before = spans.length;
    const socket = speak('', many(1000, span(`of ${connection}`, 'x'.repeat(bytes))));
    await until(() => spans.length >= before + 1000);
    socket.destroy();
  }
  const seconds = (performance.now() - began) / 1000;
  // Slower is always fine: that much time must have gone by for so much to be read.
  expect(spans.length * bytes).toBeLessThan((16 + 4 * seconds + 1) * 2 ** 20);
});

test('nor may it report more events', async () => {
  const began = performance.now();
  for (let connection = 0; connection < 3; connection += 1) {
    const socket = speak('', [...many(5000, span('s')), span(`end of ${connection}`)]);
    socket.end();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  const seconds = (performance.now() - began) / 1000;
  expect(spans.length).toBeLessThanOrEqual(8000 + 2000 * seconds);
});

test('an engine beside is heard although others were there before it and have gone', async () => {
  for (const root of ['/a', '/b', '/c', '/d', '/e']) {
    const socket = speak(root, [span(root)]);
    await until(() => spans.includes(root));
    socket.end();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  const here = ['/f', '/g', '/h'].map((root) => speak(root, [span(root)]));
  await until(() => ['/f', '/g', '/h'].every((root) => spans.includes(root)));
  const refused = speak('/i', [span('/i')]);
  await new Promise((resolve) => refused.once('close', resolve));
  expect(spans).not.toContain('/i');
  expect(here.every(({ destroyed }) => !destroyed)).toBe(true);
});
