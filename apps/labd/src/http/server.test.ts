/** Whoever holds a connection must not hold up the end of the lab, after which nobody would remove its machines. */
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { TestPage, until } from '../testing/page.ts';
import { serve } from '../testing/serve.ts';

/** Sends a request and reads no more of the answer than its first bytes. */
async function askSlowly(port: number, lines: readonly string[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write([...lines, '\r\n'].join('\r\n'));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket.pause();
}

test('the server closes although one page sleeps and another takes a download slowly', async () => {
  const lab = await serve({ listen: true });
  const { host = '', origin = '', cookie = '' } = lab.headers(lab.alice);
  const about = [`Host: ${host}`, `Origin: ${origin}`, `Cookie: ${cookie}`];
  const emit = lab.observer.emit.get('alice');
  for (let i = 0; i < 10_000; i += 1) emit?.({ type: 'notice', level: 'info', text: 'x'.repeat(2000) }, i);
  const download = await askSlowly(lab.port, ['GET /api/journal HTTP/1.1', ...about]);
  const asleep = await askSlowly(lab.port, [
    'GET /api/socket HTTP/1.1',
    ...about,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]);
  const awake = await TestPage.open(lab, lab.bob);

  let closed = false;
  const closing = lab.close().then(() => {
    closed = true;
  });
  await until(() => closed, 15_000);
  await closing;
  expect(awake.closeCode).toBe(1001);
  for (const socket of [download, asleep]) socket.destroy();
});
