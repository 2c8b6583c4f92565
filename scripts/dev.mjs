/**
 * `npm run dev`: the lab with the page reloading as it is edited; with `--fake`, the page over a simulated machine, without root.
 *
 *     browser ── :4600 ──┬─ /api, /healthz, /api/socket ──► labd       :4601   (lessons reload by themselves)
 *                        └─ everything else ──────────────► next dev   :4602   (hot reload)
 *
 * Knows: how to put both behind one origin, so that cookies and Origin checks are the real ones.
 * Does not know: what either serves.
 */
import { spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import process from 'node:process';
import { projectNode } from './bootstrap/node-modules.mjs';
import { ROOT } from './bootstrap/paths.mjs';

const PORT = 4600;
const LAB_PORT = PORT + 1;
const PAGE_PORT = PORT + 2;
const ORIGIN = `http://127.0.0.1:${PORT}`;

const fake = process.argv.includes('--fake');
const lab = fake ? ['apps/web/dev/fake-labd.ts'] : ['apps/labd/src/main.ts', '--no-open', '--data', `${ROOT}/.slipway/dev`];
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', PATH: `${ROOT}/node_modules/.bin:${process.env.PATH}` };

const children = [
  spawn(projectNode(), [...lab, '--port', String(LAB_PORT), '--dev-origin', ORIGIN], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
  spawn(projectNode(), [`${ROOT}/node_modules/.bin/next`, 'dev', '--port', String(PAGE_PORT), '--hostname', '127.0.0.1'], {
    cwd: `${ROOT}/apps/web`,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  }),
];
// The address is the proxy's; labd's own port serves no page here.
children[0].stdout.on('data', (chunk) => process.stdout.write(chunk.toString().replace(`:${LAB_PORT}`, `:${PORT}`)));

const server = createServer((incoming, answer) => {
  const onward = request(targetOf(incoming), (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  onward.on('error', (error) => answer.writeHead(502).end(`not up yet: ${error.message}; try again in a moment\n`));
  incoming.pipe(onward);
});
server.on('upgrade', (incoming, socket, head) => {
  const { port, headers } = targetOf(incoming);
  const onward = connect(port, '127.0.0.1', () => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });
  const cut = () => {
    socket.destroy();
    onward.destroy();
  };
  socket.on('error', cut);
  onward.on('error', cut);
});
server.listen(PORT, '127.0.0.1');

function targetOf({ url = '/', method, headers }) {
  const isLab = /^\/(api|healthz)(\/|\?|$)/.test(url);
  const host = isLab ? headers.host : `127.0.0.1:${PAGE_PORT}`;
  return { host: '127.0.0.1', port: isLab ? LAB_PORT : PAGE_PORT, path: url, method, headers: { ...headers, host } };
}

const stop = () => {
  for (const child of children) child.kill('SIGTERM');
  server.close();
};
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
for (const child of children) child.on('exit', stop);
