/**
 * The worker's side of worker-process.ts: reading inherited descriptors, and answering.
 *
 * Knows: descriptors and stdout.
 * Does not know: what the worker does.
 */
import { createReadStream, writeSync } from 'node:fs';

export const workerDescriptor = {
  /** Ends this process when the parent does, so that nobody goes on writing for a caller that is gone. */
  endWithParent(): void {
    process.stdin.once('close', () => process.exit(1)).resume();
    // Waiting for that must not keep a worker alive that has finished. A pipe's stream is a socket, which can be left alone.
    if ('unref' in process.stdin) process.stdin.unref();
  },
  /** The bytes of an inherited file from its start; the shared file offset is neither used nor moved. */
  stream(fd: number): AsyncIterable<Uint8Array> {
    return createReadStream('', { fd, start: 0, autoClose: false, highWaterMark: 256 * 1024 });
  },
  /** Writes to an inherited pipe, waiting while nobody reads. @throws EPIPE when the reader has left */
  write(fd: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done);
  },
  /** One line of JSON to the parent. */
  answer(message: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
  },
};
