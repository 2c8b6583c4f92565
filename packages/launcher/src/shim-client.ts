/**
 * Talking to a shim: attach to its process's streams, and read the two files it keeps.
 *
 * Knows: the names in a shim's directory and the meaning of each frame.
 * Does not know: how a frame is cut out of a byte stream (shim-frames.ts), nor which container a directory belongs to.
 */
import { open, readFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { EngineError } from '@slipway/errors';
import { ShimFiles } from './launcher.ts';
import { encodeFrame, type Frame, FrameReader, FrameType } from './shim-frames.ts';

/** How a process ended, as its shim recorded it. */
export interface ShimExit {
  readonly pid: number;
  /** The process's own code, or 128+n when signal n ended it. */
  readonly exitCode: number;
  /** Signal number; 0 when it ended by itself. */
  readonly signal: number;
  /** The kernel's OOM killer ended some process of the cgroup while this one ran. */
  readonly oomKilled: boolean;
  /** CLOCK_MONOTONIC milliseconds with a fraction, as in OperationRecord. */
  readonly exitedAtMs: number;
  /** Wall clock, RFC 3339 with nanoseconds, UTC. */
  readonly exitedAt: string;
}

/** Who a shim supervises. */
export interface ShimPid {
  /** In the pid namespace of whoever launched it. */
  readonly pid: number;
  readonly shimPid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names the process across pid reuse. */
  readonly startTime: string;
}

export type ShimStream = 'stdout' | 'stderr';

export interface AttachOptions {
  /** False: a watcher, which sees no output but can write, resize and await the exit. Default true. */
  readonly output?: boolean;
}

/**
 * One connection to a shim. Output from before the attach is not replayed: read the log for that.
 *
 * A reader that is slow makes the shim stop reading from the container; one that takes nothing for ten seconds is
 * disconnected, and `exit` rejects.
 */
export interface ShimConnection {
  /**
   * Calls `listener` for each piece of output, in order. One listener; the connection reads nothing after the attach until there is
   * one, so that no byte is lost in between. A reader of the exit alone attaches with `output: false`.
   */
  onOutput(listener: (stream: ShimStream, bytes: Uint8Array) => void): void;
  /** Sends to the process's stdin or terminal; resolves when the bytes have left this process. */
  write(bytes: Uint8Array): Promise<void>;
  /** Terminal size; ignored by a process without one. */
  resize(rows: number, columns: number): void;
  /** The process reads end-of-file once it has read what was written. Ignored by a process with a terminal. */
  closeStdin(): void;
  /** Makes the shim open its log path anew, after somebody renamed the file. */
  reopenLog(): void;
  /** Stops (true) or goes on (false) receiving; the shim then holds the container back. */
  pauseOutput(paused: boolean): void;
  /** Resolves once the process ended and its output is drained; rejects with E_SHIM_LOST when the connection breaks before. */
  readonly exit: Promise<ShimExit>;
  /** Leaves; the process goes on. `exit` rejects if it has not settled. */
  close(): void;
}

/**
 * Connects to the shim of `dir`. Once this resolves, no later byte of output is missed.
 *
 * @throws `failed-precondition` E_SHIM_GONE when no shim listens there: its process ended (see {@link readExit}) or it was killed
 */
export async function attachShim(dir: string, options: AttachOptions = {}): Promise<ShimConnection> {
  const socket = await connect(dir);
  const connection = new Connection(socket, dir);
  await connection.attach(options.output ?? true);
  return connection;
}

/** How the process of `dir` ended; undefined while it runs, or when its shim was killed before it could say. */
export async function readExit(dir: string): Promise<ShimExit | undefined> {
  const text = await readIfThere(join(dir, ShimFiles.exit));
  return text === undefined ? undefined : parseExit(text, dir);
}

/** Who the shim of `dir` supervises; undefined before the process exists. */
export async function readPid(dir: string): Promise<ShimPid | undefined> {
  const text = await readIfThere(join(dir, ShimFiles.pid));
  if (text === undefined) return undefined;
  const { pid, shimPid, startTime } = parseDocument(text, dir);
  if (typeof pid === 'number' && typeof shimPid === 'number' && typeof startTime === 'string') return { pid, shimPid, startTime };
  throw malformed(dir, text);
}

class Connection implements ShimConnection {
  readonly exit: Promise<ShimExit>;
  readonly #socket: Socket;
  readonly #dir: string;
  readonly #reader = new FrameReader();
  readonly #exit = Promise.withResolvers<ShimExit>();
  readonly #attached = Promise.withResolvers<void>();
  #listener: ((stream: ShimStream, bytes: Uint8Array) => void) | undefined;
  /** Frames that came in the same piece as the answer to our attach, before anybody could listen. */
  #early: Frame[] = [];

  constructor(socket: Socket, dir: string) {
    this.#socket = socket;
    this.#dir = dir;
    this.exit = this.#exit.promise;
    // Both may go unobserved; a lost shim is no reason to end the process.
    this.exit.catch(() => undefined);
    this.#attached.promise.catch(() => undefined);
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => this.#lost());
  }

  async attach(output: boolean): Promise<void> {
    this.#send(FrameType.attach, Uint8Array.of(output ? 1 : 0));
    await this.#attached.promise;
    // Nobody listens to output yet; without any, there is nothing to lose.
    if (output && this.#listener === undefined) this.#socket.pause();
  }

  onOutput(listener: (stream: ShimStream, bytes: Uint8Array) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const frame of early) this.#handle(frame);
    this.#socket.resume();
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(encodeFrame(FrameType.stdin, bytes), (error) => (error ? reject(lost(this.#dir, error)) : resolve()));
    });
  }

  resize(rows: number, columns: number): void {
    const size = new Uint8Array(4);
    const view = new DataView(size.buffer);
    view.setUint16(0, rows, true);
    view.setUint16(2, columns, true);
    this.#send(FrameType.resize, size);
  }

  closeStdin(): void {
    this.#send(FrameType.closeStdin);
  }

  reopenLog(): void {
    this.#send(FrameType.reopenLog);
  }

  pauseOutput(paused: boolean): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(type: number, payload?: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(type, payload));
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const frame of this.#reader.push(bytes)) this.#handle(frame);
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : undefined);
    }
  }

  #handle(frame: Frame): void {
    if (frame.type === FrameType.attached) this.#attached.resolve();
    else if (frame.type === FrameType.exit) this.#exit.resolve(parseExit(Buffer.from(frame.payload).toString('utf8'), this.#dir));
    else if (this.#listener === undefined) this.#early.push(frame);
    else this.#listener(frame.type === FrameType.stderr ? 'stderr' : 'stdout', frame.payload);
  }

  #lost(): void {
    const error = lost(this.#dir);
    this.#attached.reject(gone(this.#dir));
    this.#exit.reject(error);
  }
}

/** A path socket's name has 108 bytes at most, so a long directory is reached through a file descriptor of it. */
async function connect(dir: string): Promise<Socket> {
  await using directory = await open(dir, 'r').catch((error: unknown) => {
    throw gone(dir, error);
  });
  const socket = createConnection(`/proc/self/fd/${directory.fd}/${ShimFiles.socket}`);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(gone(dir, error)));
  });
  socket.removeAllListeners('error');
  return socket;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseExit(text: string, dir: string): ShimExit {
  const { pid, exitCode, signal, oomKilled, exitedAtMs, exitedAt } = parseDocument(text, dir);
  if (
    typeof pid === 'number' &&
    typeof exitCode === 'number' &&
    typeof signal === 'number' &&
    typeof oomKilled === 'boolean' &&
    typeof exitedAtMs === 'number' &&
    typeof exitedAt === 'string'
  ) {
    return { pid, exitCode, signal, oomKilled, exitedAtMs, exitedAt };
  }
  throw malformed(dir, text);
}

function parseDocument(text: string, dir: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return { ...document };
  } catch {
    // said below, with the text
  }
  throw malformed(dir, text);
}

function malformed(dir: string, text: string): EngineError {
  return new EngineError('data-loss', `unreadable shim record "${text.slice(0, 80)}"`, {
    code: 'E_SHIM_RECORD',
    op: 'shim.read',
    subject: dir,
  });
}

function gone(dir: string, cause?: unknown): EngineError {
  return new EngineError('failed-precondition', `no shim answers in "${dir}"`, {
    code: 'E_SHIM_GONE',
    op: 'shim.attach',
    subject: dir,
    hint: 'the process has ended, or its shim was killed',
    cause,
  });
}

function lost(dir: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', `the connection to the shim in "${dir}" ended before its process did`, {
    code: 'E_SHIM_LOST',
    op: 'shim.attach',
    subject: dir,
    hint: 'attach again; when that fails, read the exit record',
    cause,
  });
}
