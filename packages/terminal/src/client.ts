/**
 * labd's side of the pty host's socket.
 *
 * Knows: calls, channels, and that the connection can be lost.
 * Does not know: how the host is started (launch.ts), browsers.
 */
import { connect, type Socket } from 'node:net';
import { EngineError } from '@slipway/errors';
import { encodeFrame, FrameKind } from './protocol.ts';
import type { AttachRequest, Position, TerminalSpec, TerminalState } from './terminal.ts';
import { type ClientToHost, type HostCall, type HostToClient, receive, sendFrame, sendMessage } from './wire.ts';

/** What one attached reader is told. All calls are synchronous and in order: `positioned` precedes the output it numbers. */
export interface ChannelListener {
  positioned(position: Position): void;
  /** A whole output frame (protocol.ts) carrying this channel's number, ready to be relayed. */
  output(frame: Uint8Array): void;
  inputLost(): void;
  /** The terminal does not exist, or the host is lost: nothing more comes. */
  gone(): void;
}

export interface Channel {
  readonly number: number;
  type(offset: number, payload: Uint8Array): void;
  acknowledge(offset: number): void;
  resize(cols: number, rows: number): void;
  detach(): void;
}

export interface PtyHostListener {
  exited(terminal: TerminalState): void;
  titled(terminal: TerminalState): void;
  /** A shell said which command line begins. */
  commanded(terminal: TerminalState, line: string): void;
  /** The connection is lost; this client is of no more use. */
  lost(): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: EngineError) => void;
}

export class PtyHostClient {
  readonly pid: number;
  readonly #socket: Socket;
  readonly #listener: PtyHostListener;
  readonly #channels = new Map<number, ChannelListener>();
  readonly #pending = new Map<number, Pending>();
  #lastNumber = 0;

  private constructor(socket: Socket, pid: number, listener: PtyHostListener) {
    this.#socket = socket;
    this.pid = pid;
    this.#listener = listener;
  }

  /** @throws the system error (ENOENT, ECONNREFUSED …) when no host listens there */
  static connect(socketPath: string, listener: PtyHostListener): Promise<PtyHostClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath);
      let client: PtyHostClient | undefined;
      socket.on('error', reject);
      socket.once('close', () => {
        if (client === undefined) reject(new Error('the pty host closed the connection'));
        else client.#lose();
      });
      receive<HostToClient>(socket, {
        message: (message) => {
          if (message.note === 'ready') {
            client = new PtyHostClient(socket, message.pid, listener);
            resolve(client);
          } else if (client !== undefined) client.#hear(message);
        },
        frame: (frame) => {
          if (client !== undefined) client.#channels.get(frame.channel)?.output(encodeFrame(frame));
        },
      });
    });
  }

  /** @throws EngineError `unavailable` / `E_PTY_SPAWN`, `E_TERMINAL_LIMIT` */
  async create(spec: TerminalSpec): Promise<TerminalState> {
    return (await this.#call({ call: 'create', spec })) as TerminalState;
  }

  async list(): Promise<readonly TerminalState[]> {
    return (await this.#call({ call: 'list' })) as readonly TerminalState[];
  }

  /** Hangs up and forgets the terminal; absent: nothing to do. */
  async close(terminal: string): Promise<void> {
    await this.#call({ call: 'close', terminal });
  }

  /** Ends all terminals and the host; resolves when its process has let go of the connection. */
  async shutdown(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    await this.#call({ call: 'shutdown' });
    await closed;
  }

  attach(terminal: string, request: AttachRequest, listener: ChannelListener): Channel {
    const channel = ++this.#lastNumber;
    this.#channels.set(channel, listener);
    const say = (message: ClientToHost) => sendMessage(this.#socket, message);
    say({ note: 'attach', channel, terminal, request });
    return {
      number: channel,
      type: (offset, payload) => sendFrame(this.#socket, { kind: FrameKind.input, channel, offset, payload }),
      acknowledge: (offset) => say({ note: 'ack', channel, offset }),
      resize: (cols, rows) => say({ note: 'resize', channel, cols, rows }),
      detach: () => {
        if (this.#channels.delete(channel)) say({ note: 'detach', channel });
      },
    };
  }

  /** Leaves the host and its terminals running. */
  disconnect(): void {
    this.#socket.end();
  }

  #call(call: HostCall): Promise<unknown> {
    const id = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(lost());
      this.#pending.set(id, { resolve, reject });
      sendMessage(this.#socket, { ...call, id });
    });
  }

  #hear(message: HostToClient): void {
    switch (message.note) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.result);
        break;
      case 'refused':
        this.#settle(message.id)?.reject(new EngineError('unavailable', message.message, { code: message.code, op: 'terminal.call' }));
        break;
      case 'positioned':
        this.#channels.get(message.channel)?.positioned(message.position);
        break;
      case 'input-lost':
        this.#channels.get(message.channel)?.inputLost();
        break;
      case 'gone':
        this.#channels.get(message.channel)?.gone();
        this.#channels.delete(message.channel);
        break;
      case 'exited':
        this.#listener.exited(message.terminal);
        break;
      case 'titled':
        this.#listener.titled(message.terminal);
        break;
      case 'commanded':
        this.#listener.commanded(message.terminal, message.line);
        break;
      case 'ready':
        break;
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #lose(): void {
    for (const { reject } of this.#pending.values()) reject(lost());
    for (const channel of this.#channels.values()) channel.gone();
    this.#pending.clear();
    this.#channels.clear();
    this.#listener.lost();
  }
}

function lost(): EngineError {
  return new EngineError('unavailable', 'the pty host is gone', {
    code: 'E_PTY_HOST',
    op: 'terminal.call',
    hint: 'terminals are opened anew',
  });
}
