/**
 * One client attached to a process's streams, perhaps before the process exists.
 *
 * Knows: that `docker run` attaches first and starts afterwards, and must not lose a byte.
 * Does not know: how bytes are framed for the client (packages/docker-api).
 */
import type { ShimConnection, ShimStream } from '@slipway/launcher';

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export type OutputListener = (stream: ShimStream, bytes: Uint8Array) => void;

export class Attachment {
  readonly options: AttachOptions;
  /** Resolves when the process ended with its output delivered, the shim was lost, or the client left. */
  readonly ended: Promise<void>;
  readonly #connected = Promise.withResolvers<ShimConnection>();
  readonly #ended = Promise.withResolvers<void>();
  #connection: ShimConnection | undefined;
  #listener: OutputListener | undefined;
  #closed = false;

  constructor(options: AttachOptions) {
    this.options = options;
    this.ended = this.#ended.promise;
    this.#connected.promise.catch(() => undefined);
  }

  /** The process exists: output flows from here on. Its end counts once `noted` has settled: what a client then asks for is recorded. */
  bind(connection: ShimConnection, noted: Promise<unknown> = Promise.resolve()): void {
    if (this.#closed) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#connected.resolve(connection);
    this.#listen();
    const end = () => this.#ended.resolve();
    void Promise.allSettled([connection.exit, noted]).then(end);
  }

  /** One listener; output waits in the shim until there is one. */
  onOutput(listener: OutputListener): void {
    this.#listener = listener;
    this.#listen();
  }

  /** To the process's stdin; waits for the process to exist. Quiet once the process is gone. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.options.stdin) return;
    const connection = await this.#connected.promise.catch(() => undefined);
    await connection?.write(bytes).catch(() => undefined);
  }

  /** The client will send no more. */
  async closeStdin(): Promise<void> {
    if (!this.options.stdin) return;
    (await this.#connected.promise.catch(() => undefined))?.closeStdin();
  }

  pauseOutput(paused: boolean): void {
    this.#connection?.pauseOutput(paused);
  }

  /** The client left, or there will be no process. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connected.reject(new Error('closed'));
    this.#connection?.close();
    this.#ended.resolve();
  }

  #listen(): void {
    const { stdout, stderr } = this.options;
    const listener = this.#listener;
    if (listener === undefined || this.#connection === undefined || !(stdout || stderr)) return;
    this.#connection.onOutput((stream, bytes) => {
      if (stream === 'stdout' ? stdout : stderr) listener(stream, bytes);
    });
  }
}
