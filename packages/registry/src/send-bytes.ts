/**
 * A blob's way into a socket.
 *
 * Knows: how to keep both the disk and the socket busy with two buffers, which are used again and again: fresh ones for each piece cost
 *   more than the copying does.
 * Does not know: what is sent.
 */
import type { Writable } from 'node:stream';
import type { BlobReader } from './backend.ts';
import type { Part } from './byte-range.ts';

const BUFFER_BYTES = 256 * 1024;

/**
 * Resolves once the kernel has every byte, and `to` is ended.
 * @param onSent is told of each piece that the kernel has
 * @throws when the blob is shorter, or the client has gone
 */
export async function sendBytes(blob: BlobReader, { start, length }: Part, to: Writable, onSent: (count: number) => void): Promise<void> {
  const size = Math.min(BUFFER_BYTES, length);
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(length > size ? size : 0)] as const;
  const end = start + length;
  const fill = async (turn: 0 | 1, position: number): Promise<Buffer> => {
    const buffer = buffers[turn].subarray(0, Math.max(0, end - position));
    return buffer.subarray(0, buffer.byteLength === 0 ? 0 : await blob.readAt(buffer, position));
  };
  let turn: 0 | 1 = 0;
  let next = fill(turn, start);
  for (let position = start; position < end; ) {
    const bytes: Buffer = await next;
    if (bytes.byteLength === 0) throw new Error(`a blob ended ${end - position} bytes early`);
    position += bytes.byteLength;
    turn = turn === 0 ? 1 : 0;
    // While these bytes go out, the next ones come in.
    next = fill(turn, position);
    await Promise.all([write(to, bytes), next]);
    onSent(bytes.byteLength);
  }
  await new Promise<void>((resolve, reject) => {
    to.once('error', reject).once('close', resolve);
    to.end(resolve);
  });
}

/** Resolves when the buffer may be used again. */
function write(to: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (to.destroyed) return reject(clientHasGone());
    const left = () => reject(clientHasGone());
    to.once('close', left);
    to.write(bytes, (error) => {
      to.off('close', left);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

function clientHasGone(): Error {
  return Object.assign(new Error('the client has gone'), { code: 'ECONNRESET' });
}
