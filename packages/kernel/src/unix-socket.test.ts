import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isServed } from './unix-socket.ts';

const base = mkdtempSync(join(tmpdir(), 'unix-socket-'));
afterAll(() => rmSync(base, { recursive: true }));

test('whoever listens is there, also with more callers than it can take; one that was killed is not', async () => {
  const path = join(base, 'busy.sock');
  const server = spawn(process.execPath, [
    '-e',
    `net.createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log())`,
  ]);
  await once(server.stdout, 'data');
  expect(await isServed(path)).toBe(true);
  server.kill('SIGSTOP');
  const waiting: Socket[] = [];
  const refused = Promise.withResolvers<unknown>();
  for (let count = 0; count < 8; count++) {
    const socket = createConnection(path);
    socket.once('error', refused.resolve);
    waiting.push(socket);
  }
  expect(await refused.promise).toMatchObject({ code: 'EAGAIN' });
  expect(await isServed(path)).toBe(true);
  for (const socket of waiting) socket.destroy();
  server.kill('SIGKILL');
  await once(server, 'exit');
  expect(await isServed(path)).toBe(false);
});

test.each(['nothing', 'nothing/here'])('%s is served by nobody', async (name) => {
  expect(await isServed(join(base, name))).toBe(false);
});
