/** A peer on a socket: who answers as the protocol says, who refuses, who breaks off and who talks nonsense. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { DbusConnection, DbusError } from './connection.ts';
import { type DbusMessage, formatMessage, messageBytes, parseMessage } from './message.ts';

const CALL = {
  destination: 'org.example',
  path: '/',
  interface: 'org.example.Manager',
  member: 'Start',
  signature: 's',
  body: ['one'],
} as const;

let dir: string;
let server: Server;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'slipway-dbus-'));
});
afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

/** Says `hello` to whoever introduces themselves, then hands each call to `answer`. @returns a connection to it, and all that came before the hello */
async function connected(hello: string, answer: (call: DbusMessage, peer: Socket) => void) {
  const path = join(dir, 'socket');
  let introduction = '';
  server = createServer((peer) => {
    peer.once('data', (first) => {
      introduction = first.toString('latin1');
      let bytes = Buffer.alloc(0);
      peer.on('data', (more) => {
        bytes = Buffer.concat([bytes, more]);
        if (messageBytes(bytes) === bytes.length) answer(parseMessage(bytes), peer);
      });
      peer.write(hello);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { connection: new DbusConnection(path), introduction: () => introduction };
}

hostTest('a call is answered, and a signal that came before the answer is not lost', ['linux'], async () => {
  const { connection, introduction } = await connected('OK 0123\r\n', ({ serial, body }, peer) => {
    const signal = formatMessage({
      type: 'signal',
      serial: 1,
      path: '/',
      interface: 'i',
      member: 'Done',
      signature: 'so',
      body: ['x', '/job/1'],
    });
    const reply = formatMessage({ type: 'reply', serial: 2, replySerial: serial, signature: 'so', body: [...body, '/job/1'] });
    // In pieces, as a stream may bring them.
    const bytes = Buffer.concat([signal, reply]);
    peer.write(bytes.subarray(0, 30));
    setImmediate(() => peer.write(bytes.subarray(30)));
  });
  await using systemd = connection;

  expect(await systemd.call(CALL)).toEqual(['one', '/job/1']);
  expect(await systemd.signal('Done', ([, job]) => job === '/job/1')).toEqual(['x', '/job/1']);
  // A peer may read no further than the introduction until more comes.
  expect(introduction()).toMatch(/^\0AUTH EXTERNAL [0-9a-f]+\r\nBEGIN\r\n$/);
});

hostTest('an error of the peer keeps its name', ['linux'], async () => {
  const { connection } = await connected('OK 0123\r\n', ({ serial }, peer) => {
    peer.write(
      formatMessage({ type: 'error', serial: 1, replySerial: serial, error: 'org.example.NoSuchUnit', signature: 's', body: ['no'] }),
    );
  });
  await using systemd = connection;

  const failure = await systemd.call(CALL).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DbusError);
  expect(failure).toMatchObject({ error: 'org.example.NoSuchUnit', message: 'no' });
});

hostTest('who is refused, left, or told nonsense hears so, and does not wait', ['linux'], async () => {
  const cases: readonly (readonly [hello: string, answer: (call: DbusMessage, peer: Socket) => void])[] = [
    ['REJECTED EXTERNAL\r\n', () => undefined],
    ['OK 0123\r\n', (_call, peer) => peer.end()],
    ['OK 0123\r\n', (_call, peer) => peer.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['x'.repeat(5000), () => undefined],
  ];
  for (const [hello, answer] of cases) {
    const { connection } = await connected(hello, answer);
    await using systemd = connection;
    await expect(systemd.call(CALL), hello).rejects.toMatchObject({ kind: 'unavailable', code: 'E_DBUS' });
    server.close();
    rmSync(join(dir, 'socket'), { force: true });
  }
  await using nobody = new DbusConnection(join(dir, 'nowhere'));
  await expect(nobody.call(CALL)).rejects.toMatchObject({ code: 'E_DBUS' });
});
