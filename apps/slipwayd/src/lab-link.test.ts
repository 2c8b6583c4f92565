import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createJournalFeed } from './journal-feed.ts';
import { type LabLink, openLabLink } from './lab-link.ts';

let base = '';
let server: Server;
let link: LabLink | undefined;
let received: string[] = [];
let sockets: Socket[] = [];
const feed = () => createJournalFeed();
const path = () => join(base, 'lab.sock');
const options = (onProblem: (message: string) => void = () => undefined) => ({ path: path(), root: '/engine', onProblem });
const notice = (text: string) => ({ type: 'notice', level: 'info', text }) as const;
const numbers = () => received.flatMap((line) => (line.includes('"n":') ? [Number(/"n":(\d+)/.exec(line)?.[1])] : []));

async function listen(greeting: object): Promise<void> {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.write(`${JSON.stringify(greeting)}\n`);
    socket.on('data', (bytes) => received.push(...String(bytes).split('\n').filter(Boolean)));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(path(), resolve));
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'lab-link-'));
  received = [];
  sockets = [];
});
afterEach(async () => {
  link?.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(base, { recursive: true, force: true });
});

test('a labd that knows nothing gets hello and everything, then what comes', async () => {
  const journal = feed();
  journal.emit(notice('a'), 1);
  await listen({ resumeAfter: 0, boot: null });
  link = openLabLink(options(), journal);
  await expect.poll(numbers).toEqual([1]);
  journal.emit(notice('b'), 2);
  await expect.poll(numbers).toEqual([1, 2]);
  expect(JSON.parse(received[0] ?? '')).toEqual({ hello: { boot: journal.boot, pid: process.pid, root: '/engine' } });
  expect(JSON.parse(received[1] ?? '')).toEqual({ type: 'notice', level: 'info', text: 'a', atMs: 1, n: 1 });
});

test('a labd that knows this run goes on where it was; one that knows another begins anew', async () => {
  const journal = feed();
  for (let n = 1; n <= 3; n++) journal.emit(notice(String(n)), n);
  await listen({ resumeAfter: 2, boot: journal.boot });
  link = openLabLink(options(), journal);
  await expect.poll(numbers).toEqual([3]);
  link.close();
  await new Promise((resolve) => server.close(resolve));
  received = [];
  await listen({ resumeAfter: 2, boot: 'another' });
  link = openLabLink(options(), journal);
  await expect.poll(numbers).toEqual([1, 2, 3]);
});

test('labd may come late, and again after it was gone', async () => {
  const journal = feed();
  const problems: string[] = [];
  journal.emit(notice('a'), 1);
  link = openLabLink(
    options((message) => problems.push(message)),
    journal,
  );
  await expect.poll(() => problems.length).toBeGreaterThan(0);
  await listen({ resumeAfter: 0, boot: null });
  await expect.poll(numbers, { timeout: 8000 }).toEqual([1]);
  sockets[0]?.destroy();
  await expect.poll(numbers, { timeout: 8000 }).toEqual([1, 1]);
}, 20_000);

test('an event too large for labd becomes a gap, so that its absence is known', async () => {
  const journal = feed();
  journal.emit(notice('x'.repeat(70_000)), 5);
  await listen({ resumeAfter: 0, boot: null });
  link = openLabLink(options(), journal);
  await expect.poll(numbers).toEqual([1]);
  expect(JSON.parse(received[1] ?? '')).toMatchObject({ type: 'gap', count: 1, n: 1, atMs: 5 });
});
