/**
 * Attach and exec: an HTTP request that becomes a raw two-way stream.
 *
 *     client: POST /exec/…/start  Upgrade: tcp      {"Tty":false}
 *     server: HTTP/1.1 101 UPGRADED                 …then bytes, both ways
 *
 * Knows: Docker's upgrade, and reading a body that Node hands over unparsed.
 * Does not know: what the stream is attached to.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, toDockerError } from './docker-status.ts';

/** Bodies of upgraded requests are small documents. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The body of an upgraded request; what follows it goes back to the socket, as it is the stream's. */
export async function readUpgradeBody(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<unknown> {
  if (request.headers['transfer-encoding'] !== undefined) throw badRequest('an upgraded request needs a Content-Length');
  const length = Number(request.headers['content-length'] ?? 0);
  if (!Number.isInteger(length) || length < 0 || length > MAX_BODY_BYTES) throw badRequest('the body is too large');
  let bytes = head;
  while (bytes.length < length) bytes = Buffer.concat([bytes, await nextChunk(socket)]);
  if (bytes.length > length) socket.unshift(bytes.subarray(length));
  if (length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', 0, length));
  } catch {
    throw badRequest('the body is not JSON');
  }
}

async function nextChunk(socket: Duplex): Promise<Buffer> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    if (chunk instanceof Uint8Array) return Buffer.from(chunk);
  }
  throw badRequest('the connection ended inside the body');
}

/** From here on the connection is the stream's. */
export function acceptUpgrade(socket: Duplex, mediaType: string): void {
  socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${mediaType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
}

/** Answers with a failure in place of the upgrade, and ends the connection. @returns the status that it was answered with */
export function refuseUpgrade(socket: Duplex, error: unknown): number {
  const { status, body } = toDockerError(error);
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
  return status;
}
