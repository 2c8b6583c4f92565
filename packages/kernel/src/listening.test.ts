import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listening } from './listening.ts';

let directory: string;
let server: Server;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'listening-'));
  server = createServer((socket) => socket.end('hello'));
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

async function hear(path: string): Promise<string> {
  const [bytes] = await once(createConnection(path), 'data');
  return String(bytes);
}

test('failures after it has begun are told once a row, and it goes on', async () => {
  const path = join(directory, 's');
  const told: string[] = [];
  await listening(server, { path, onTrouble: ({ message }) => told.push(message) });
  // As Node tells of an accept(2) that failed.
  for (const message of ['accept ENFILE', 'accept ENFILE']) server.emit('error', new Error(message));
  expect(told).toEqual(['accept ENFILE']);
  expect(await hear(path)).toBe('hello');
  server.emit('error', new Error('accept ENOBUFS'));
  expect(told).toEqual(['accept ENFILE', 'accept ENOBUFS']);
});

test('an address that cannot be had is refused, and the mask holds for the socket alone', async () => {
  const onTrouble = () => undefined;
  const taken = join(directory, 'taken');
  writeFileSync(taken, '');
  await expect(listening(server, { path: taken, onTrouble })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const before = process.umask();
  await listening(server, { path: join(directory, 's'), umask: 0o177, onTrouble });
  expect(statSync(join(directory, 's')).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(before);
});
