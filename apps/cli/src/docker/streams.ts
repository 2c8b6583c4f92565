/**
 * The bytes between a terminal and a container.
 *
 * Knows: the framing of streams without a tty (8-byte heads), raw mode, resizing, the detach keys.
 * Does not know: which container, or how the connection was opened.
 */
import type { Socket } from 'node:net';
import type { Hijacked } from './daemon.ts';

const HEAD_BYTES = 8;
const STDERR = 2;
const CTRL_P = 0x10;
const CTRL_Q = 0x11;

/** Splits a multiplexed stream: feed it chunks, it writes payloads to stdout or stderr. */
export class Demultiplexer {
  #pending: Buffer = Buffer.alloc(0);
  readonly #write: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;

  constructor(write: (stream: 'stdout' | 'stderr', bytes: Buffer) => void) {
    this.#write = write;
  }

  feed(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= HEAD_BYTES) {
      const size = this.#pending.readUInt32BE(4);
      if (this.#pending.length < HEAD_BYTES + size) return;
      this.#write(this.#pending[0] === STDERR ? 'stderr' : 'stdout', this.#pending.subarray(HEAD_BYTES, HEAD_BYTES + size));
      this.#pending = this.#pending.subarray(HEAD_BYTES + size);
    }
  }
}

export interface Session {
  readonly tty: boolean;
  /** Whether our stdin is passed on. */
  readonly stdin: boolean;
}

/**
 * Joins our standard streams to the container's until the container's end closes.
 * @returns `detached` when the learner pressed Ctrl-P Ctrl-Q
 */
export function joinStreams({ socket, head }: Hijacked, { tty, stdin }: Session): Promise<'closed' | 'detached'> {
  const demultiplexer = new Demultiplexer((stream, bytes) => void process[stream].write(bytes));
  const receive = (chunk: Buffer) => (tty ? void process.stdout.write(chunk) : demultiplexer.feed(chunk));
  if (head.length > 0) receive(head);
  socket.on('data', receive);
  return new Promise((resolve) => {
    const finish = (how: 'closed' | 'detached') => {
      stopTyping?.();
      socket.destroy();
      resolve(how);
    };
    const stopTyping = stdin ? passTyping(socket, tty, () => finish('detached')) : undefined;
    socket.on('end', () => finish('closed'));
    socket.on('error', () => finish('closed'));
    socket.on('close', () => finish('closed'));
  });
}

function passTyping(socket: Socket, tty: boolean, detach: () => void): () => void {
  const raw = tty && process.stdin.isTTY;
  if (raw) process.stdin.setRawMode(true);
  let sawCtrlP = false;
  const onData = (chunk: Buffer) => {
    if (raw && (sawCtrlP ? chunk[0] === CTRL_Q : chunk.includes(Buffer.from([CTRL_P, CTRL_Q])))) return detach();
    sawCtrlP = raw && chunk.at(-1) === CTRL_P;
    socket.write(chunk);
  };
  const onEnd = () => void socket.end();
  process.stdin.on('data', onData);
  process.stdin.on('end', onEnd);
  process.stdin.resume();
  return () => {
    process.stdin.off('data', onData);
    process.stdin.off('end', onEnd);
    if (raw) process.stdin.setRawMode(false);
    process.stdin.pause();
    // A file has no hold on the event loop, and no such method.
    process.stdin.unref?.();
  };
}

/** Our terminal's rows and columns, as requests tell them; without one there is nothing to tell. */
export function consoleSize(): { readonly ConsoleSize?: readonly [rows: number, columns: number] } {
  const { rows, columns } = process.stdout;
  return rows > 0 && columns > 0 ? { ConsoleSize: [rows, columns] } : {};
}

/** Tells `resize` our size now and whenever it changes. */
export function followSize(resize: (rows: number, columns: number) => Promise<unknown>): () => void {
  const tell = () => {
    if (process.stdout.rows > 0) resize(process.stdout.rows, process.stdout.columns).catch(() => undefined); // it may have ended just now
  };
  tell();
  process.stdout.on('resize', tell);
  return () => void process.stdout.off('resize', tell);
}
