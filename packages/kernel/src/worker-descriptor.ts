/**
 * The worker's side of worker-process.ts: reading inherited descriptors, and answering.
 *
 * Knows: descriptors and stdout.
 * Does not know: what the worker does.
 */
import { closeSync, constants, openSync, read, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const PIECE_BYTES = 256 * 1024;

export const workerDescriptor = {
  /** Ends this process when the parent does, so that nobody goes on writing for a caller that is gone. */
  endWithParent(): void {
    process.stdin.once('close', () => process.exit(1)).resume();
    // Waiting for that must not keep a worker alive that has finished. A pipe's stream is a socket, which can be left alone.
    if ('unref' in process.stdin) process.stdin.unref();
  },
  /**
   * The bytes of an inherited file from its start; the shared file offset is neither used nor moved. One piece is read ahead. Not a stream of
   * Node's, which closes its descriptor when its reader leaves early, and some time later.
   */
  async *stream(fd: number): AsyncGenerator<Uint8Array> {
    let next = readPiece(fd, 0);
    for (let position = 0; ; ) {
      const piece = await next;
      if (piece.byteLength === 0) return;
      position += piece.byteLength;
      next = readPiece(fd, position);
      next.catch(() => undefined); // told when it is asked for, if it is
      yield piece;
    }
  },
  /** A descriptor of its own of what `fd` has open for reading; to be closed with {@link close}. */
  reopen(fd: number): number {
    return openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY);
  },
  close(fd: number): void {
    closeSync(fd);
  },
  /** Writes to an inherited pipe, waiting while nobody reads. @throws EPIPE when the reader has left */
  write(fd: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done);
  },
  /**
   * Does what the parent asks, one task after the other, until it closes our stdin or is gone. `work` gets descriptors of its own for what
   * the parent has open, and answers; it must not throw. See openWorkerSession.
   */
  async serve(parentPid: number, work: (task: unknown, descriptors: readonly number[]) => Promise<unknown>): Promise<void> {
    // A task may be under way when the parent goes: nobody may go on writing for a caller that is gone.
    process.stdin.once('close', () => process.exit(0));
    for await (const line of createInterface({ input: process.stdin })) {
      const { task, descriptors } = JSON.parse(line) as { readonly task: unknown; readonly descriptors: readonly number[] };
      const own = descriptors.map((fd) => openSync(`/proc/${parentPid}/fd/${fd}`, constants.O_RDONLY));
      const answer = await work(task, own);
      for (const fd of own) closeSync(fd);
      workerDescriptor.answer(answer);
    }
  },
  /** All of stdin, as text. */
  async input(): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
    return Buffer.concat(parts).toString('utf8');
  },
  /** One more line of an inherited file. Quiet where it cannot be written: nobody may have to wait for those who read it. */
  appendLine(fd: number, line: string): void {
    try {
      writeSync(fd, `${line}\n`);
    } catch {
      // A full disk must not end who writes.
    }
  },
  /** One line of JSON to the parent. */
  answer(message: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
  },
};

/** Up to a piece; empty at the end. */
function readPiece(fd: number, position: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, PIECE_BYTES, position, (error, count) => (error === null ? resolve(buffer.subarray(0, count)) : reject(error)));
  });
}
