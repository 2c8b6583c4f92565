/**
 * What a pull of one layer of 4 GiB makes our engine and its worker hold: the highest resident set of each, for bytes that do not shrink and
 * for a file that is mostly nothing.
 *
 * The registry is in this process and makes the layer's bytes as they are asked for, so that the disk (a tmpfs) holds the blob and its files only.
 *
 * Knows: the layer, and where the kernel says how much a process has held.
 * Does not know: the engine.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tarEnd, tarHeader } from '../packages/layers/src/index.ts';
import { digestOf, MediaTypes } from '../packages/oci/src/index.ts';
import { startOurs } from './corpus-peers.ts';
import { formatTable, formatTarget } from './table.ts';
import { childrenOf, Workplace } from './workplace.ts';

const LAYER_BYTES = 4 * 1024 ** 3;
const PIECE = 4 * 1024 ** 2;
const MOST_MIB = 200;

export async function benchLargeLayer(): Promise<void> {
  const rows: string[][] = [];
  let highest = 0;
  for (const [what, piece] of [
    ['bytes that do not shrink', randomFillSync(Buffer.alloc(PIECE))],
    ['zeros', Buffer.alloc(PIECE)],
  ] as const) {
    const { daemon, worker, ms } = await pullOnce(piece);
    highest = Math.max(highest, daemon);
    rows.push([what, `${daemon} MiB`, `${worker} MiB`, `${(LAYER_BYTES / 1024 ** 2 / (ms / 1000)).toFixed(0)} MiB/s`]);
  }
  process.stdout.write(formatTable(['a plain layer of 4 GiB', 'engine', 'worker', 'pulled with'], rows));
  process.stdout.write(
    formatTarget('highest resident set of the engine, MiB', highest, `at most ${MOST_MIB}`, (value) => value <= MOST_MIB),
  );
}

async function pullOnce(piece: Buffer): Promise<{ readonly daemon: number; readonly worker: number; readonly ms: number }> {
  const place = new Workplace('9g');
  const server = createServer();
  try {
    const host = await serveImage(server, piece);
    const ours = await startOurs(place, host, '');
    let worker = 0;
    const watch = setInterval(() => {
      worker = Math.max(worker, ...childrenOf(ours.pid).map(peakMib));
    }, 100);
    try {
      const ms = await ours.pull('1');
      return { daemon: peakMib(ours.pid), worker, ms };
    } finally {
      clearInterval(watch);
      await ours.stop();
    }
  } finally {
    server.closeAllConnections();
    server.close();
    place.dispose();
  }
}

/** @returns `127.0.0.1:PORT` of a registry that has the image as `corpus:1` */
async function serveImage(server: ReturnType<typeof createServer>, piece: Buffer): Promise<string> {
  const head = Buffer.from(tarHeader({ name: 'large', type: 'file', sizeBytes: LAYER_BYTES }));
  const size = head.byteLength + LAYER_BYTES + tarEnd().byteLength;
  const hash = createHash('sha256');
  for (const bytes of layerBytes(head, piece)) hash.update(bytes);
  const digest = `sha256:${hash.digest('hex')}`;
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] } }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: { mediaType: MediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength },
      layers: [{ mediaType: MediaTypes.ociLayer, digest, size }],
    }),
  );
  server.on('request', ({ url = '' }, response) => {
    const send = (bytes: Buffer, type: string) =>
      response.writeHead(200, { 'content-type': type, 'content-length': bytes.byteLength }).end(bytes);
    if (url === '/v2/') send(Buffer.from('{}'), 'application/json');
    else if (url.includes('/manifests/')) send(manifest, MediaTypes.ociManifest);
    else if (url.endsWith(digestOf(config))) send(config, MediaTypes.ociConfig);
    else void sendLayer(response.writeHead(200, { 'content-length': size }), layerBytes(head, piece));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function* layerBytes(head: Buffer, piece: Buffer): Generator<Uint8Array> {
  yield head;
  for (let at = 0; at < LAYER_BYTES; at += PIECE) yield piece;
  yield tarEnd();
}

async function sendLayer(response: ServerResponse, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const bytes of pieces) if (!response.write(bytes)) await new Promise((resolve) => response.once('drain', resolve));
  response.end();
}

/** VmHWM; 0 for a process that has ended. */
function peakMib(pid: number): number {
  try {
    return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
