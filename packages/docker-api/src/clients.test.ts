/** Clients that come, go and stand still as they please, over a real socket. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createConnection, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { createTracer } from '@slipway/journal';
import { afterEach, expect, test, vi } from 'vitest';
import type { Backend, BackendAttachment, BackendEvent } from './backend.ts';
import { createDockerApi, type DockerApi } from './server.ts';
import { pumpOutput } from './stream-pump.ts';
import { FACTS, fakeBackend } from './testing/containers.ts';

const bugs: unknown[] = [];
const opened: DockerApi[] = [];
afterEach(async () => {
  bugs.length = 0;
  for (const api of opened.splice(0)) await api.close();
});

async function connect(changes: Partial<Backend> = {}): Promise<Socket> {
  const api = await createDockerApi({
    backend: fakeBackend(changes),
    tracer: createTracer({ emit: () => undefined, now: () => 0 }),
    facts: FACTS,
    logPath: (id) => id,
    onInternalError: (error) => bugs.push(error),
  });
  opened.push(api);
  api.http.listen(0, '127.0.0.1');
  await once(api.http, 'listening');
  const socket = createConnection((api.http.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the other side ends. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const upgrade = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;

test.each([['//'], ['/v1.47//'], ['/exec/%ff/start']])(
  'an upgrade of %s is refused in a sentence, and the connection ends',
  async (path) => {
    const socket = await connect();
    socket.write(upgrade(path));
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"message":"[^"]+"\}$/);
    expect(bugs).toEqual([]);
  },
);

test('a bug behind an upgrade is logged, and the client learns only that there was one', async () => {
  const socket = await connect({ attach: () => Promise.reject(new TypeError('/root/secret')) });
  socket.write(upgrade('/containers/web/attach?stream=1&stdout=1'));
  expect(await readAll(socket)).toContain('{"message":"internal error: see the log of slipwayd"}');
  expect(bugs).toHaveLength(1);
});

test('a log that cannot be read on breaks the answer off instead of leaving its reader waiting', async () => {
  const socket = await connect({
    logs: async function* () {
      yield { stream: 'stdout', time: '', content: Buffer.from('first') };
      throw new Error('EIO');
    },
  });
  socket.write('GET /containers/web/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n');
  await readAll(socket).catch(() => ''); // a reset is as good an end
  expect(bugs).toEqual([new Error('EIO')]);
});

test('a listener to events that reads none of them is cut off before they fill the memory; one that reads goes on', async () => {
  const listeners = new Set<(event: BackendEvent) => void>();
  const changes: Partial<Backend> = {
    onEvent: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  // As JSON it is a little longer than twice its action.
  const event = { type: 'container', action: 'x'.repeat(100_000), id: 'i', attributes: {}, timeNs: 1n };
  const publish = () => {
    for (const listener of [...listeners]) listener(event);
  };
  const socket = await connect(changes);
  socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  for (let count = 0; count < 1000 && listeners.size > 0; count++) {
    publish();
    await new Promise(setImmediate);
  }
  expect(listeners.size).toBe(0);
  socket.destroy();

  const reading = await connect(changes);
  let read = 0;
  reading.on('data', (bytes) => {
    read += bytes.length;
  });
  reading.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => listeners.size).toBe(1);
  for (let count = 1; count <= 40; count++) {
    publish();
    await vi.waitFor(() => expect(read).toBeGreaterThan(count * 200_000), { interval: 1, timeout: 10_000 });
  }
  expect(listeners.size).toBe(1);
  reading.destroy();
});

test('events until a moment end there, and nothing is written behind the end', async () => {
  let tell: (event: BackendEvent) => void = () => undefined;
  let isListening = false;
  const socket = await connect({
    onEvent: (listener) => {
      tell = listener;
      isListening = true;
      return () => {
        isListening = false;
      };
    },
  });
  socket.write(`GET /events?until=${Math.floor(Date.now() / 1000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await expect.poll(() => isListening).toBe(false);
  tell({ type: 'container', action: 'late', id: 'i', attributes: {}, timeNs: 1n });
  expect(await readAll(socket)).not.toContain('late');
});

test('output for a client that left before it began is let go at once', async () => {
  const sink = new PassThrough();
  sink.destroy();
  await once(sink, 'close');
  const ended = Promise.withResolvers<void>();
  const attachment: BackendAttachment = {
    ended: ended.promise,
    onOutput: () => undefined,
    write: async () => undefined,
    closeStdin: async () => undefined,
    pauseOutput: () => undefined,
    close: () => ended.resolve(),
  };
  await pumpOutput(attachment, sink, false);
});
