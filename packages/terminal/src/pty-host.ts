/**
 * The process that owns the terminals: serves them on a unix socket and outlives labd.
 *
 * Knows: clients, channels, when it may end.
 * Does not know: browsers, learners. Whoever can open the socket (0600, in a 0700 directory) may do everything.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '@slipway/errors';
import { FrameKind } from './protocol.ts';
import type { Reader } from './reader.ts';
import { type AttachRequest, type AttachSink, Terminal, type TerminalSpec } from './terminal.ts';
import { type ClientToHost, type HostCall, type HostToClient, receive, sendFrame, sendMessage } from './wire.ts';

export interface PtyHostOptions {
  readonly socketPath: string;
  /** Ends when it has had neither a client nor a running terminal for this long. */
  readonly idleMs: number;
  readonly onEnd: () => void;
}

/** Terminals one host holds, ended ones included. */
const MAX_TERMINALS = 512;
/** Time for programs to go after a hang-up at shutdown; longer than the grace after which a pty kills. */
const SHUTDOWN_MS = 4000;

export class PtyHost {
  readonly #options: PtyHostOptions;
  readonly #terminals = new Map<string, Terminal>();
  readonly #clients = new Set<Socket>();
  readonly #server: Server;
  #idle: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: PtyHostOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens. Fails with EADDRINUSE when another host already owns the socket. */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    chmodSync(dirname(socketPath), 0o700);
    // The mask, not a later chmod: the socket must never exist with wider permissions.
    const mask = process.umask(0o177);
    const listening = new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(socketPath, resolve));
    process.umask(mask);
    await listening;
    this.#watchIdleness();
  }

  /** Ends every terminal and the host. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    for (const terminal of this.#terminals.values()) terminal.close();
    const deadline = Date.now() + SHUTDOWN_MS;
    while (this.#running() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#server.close();
    for (const client of this.#clients) client.end();
    rmSync(this.#options.socketPath, { force: true });
    this.#options.onEnd();
  }

  #running(): boolean {
    return [...this.#terminals.values()].some((terminal) => terminal.running);
  }

  #serve(socket: Socket): void {
    const channels = new Map<number, { readonly terminal: Terminal; readonly reader: Reader }>();
    this.#clients.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients.delete(socket);
      for (const { terminal, reader } of channels.values()) terminal.detach(reader);
      this.#watchIdleness();
    });
    receive<ClientToHost>(socket, {
      frame: ({ kind, channel, offset, payload }) => {
        const at = channels.get(channel);
        if (kind === FrameKind.input) at?.terminal.type(at.reader, offset, payload);
      },
      message: (message) => {
        if ('call' in message) return this.#answer(socket, message);
        const at = channels.get(message.channel);
        if (message.note === 'attach') {
          const attached = this.#attach(socket, message.channel, message.terminal, message.request);
          if (attached) channels.set(message.channel, attached);
        } else if (message.note === 'detach') {
          at?.terminal.detach(at.reader);
          channels.delete(message.channel);
        } else if (message.note === 'ack') at?.terminal.acknowledge(at.reader, message.offset);
        else at?.terminal.resize(at.reader, message.cols, message.rows);
      },
    });
    sendMessage(socket, { note: 'ready', pid: process.pid });
  }

  #attach(socket: Socket, channel: number, id: string, request: AttachRequest): { terminal: Terminal; reader: Reader } | undefined {
    const terminal = this.#terminals.get(id);
    if (terminal === undefined) return void sendMessage(socket, { note: 'gone', channel });
    const sink: AttachSink = {
      positioned: (position) => sendMessage(socket, { note: 'positioned', channel, position }),
      output: (offset, payload) => sendFrame(socket, { kind: FrameKind.output, channel, offset, payload }),
      inputLost: () => sendMessage(socket, { note: 'input-lost', channel }),
    };
    return { terminal, reader: terminal.attach(request, sink) };
  }

  #answer(socket: Socket, message: HostCall & { readonly id: number }): void {
    const { id } = message;
    try {
      sendMessage(socket, { note: 'answer', id, result: this.#perform(message) });
    } catch (error) {
      const code = error instanceof EngineError ? error.code : 'E_PTY_HOST';
      sendMessage(socket, { note: 'refused', id, code, message: error instanceof Error ? error.message : String(error) });
    }
    if (message.call === 'shutdown') void this.end();
  }

  #perform(message: HostCall): unknown {
    switch (message.call) {
      case 'create':
        return this.#create(message.spec).state;
      case 'list':
        return [...this.#terminals.values()].map((terminal) => terminal.state);
      case 'close':
        return this.#close(message.terminal);
      case 'shutdown':
        return null;
    }
  }

  /** The same id again answers the terminal that already has it: a caller that lost the answer may ask again. */
  #create(spec: TerminalSpec): Terminal {
    const existing = this.#terminals.get(spec.id);
    if (existing !== undefined) return existing;
    if (this.#terminals.size >= MAX_TERMINALS) {
      throw new EngineError('unavailable', `there are already ${MAX_TERMINALS} terminals`, {
        code: 'E_TERMINAL_LIMIT',
        op: 'terminal.create',
      });
    }
    const terminal: Terminal = new Terminal(spec, {
      exited: () => {
        this.#tell({ note: 'exited', terminal: terminal.state });
        this.#watchIdleness();
      },
      titled: () => this.#tell({ note: 'titled', terminal: terminal.state }),
      commanded: (line) => this.#tell({ note: 'commanded', terminal: terminal.state, line }),
    });
    this.#terminals.set(spec.id, terminal);
    this.#watchIdleness();
    return terminal;
  }

  #close(id: string): null {
    const terminal = this.#terminals.get(id);
    if (terminal !== undefined) {
      this.#terminals.delete(id);
      terminal.close();
      terminal.dispose();
    }
    return null;
  }

  #tell(message: HostToClient): void {
    for (const client of this.#clients) sendMessage(client, message);
  }

  #watchIdleness(): void {
    clearTimeout(this.#idle);
    if (this.#clients.size > 0 || this.#running()) return;
    this.#idle = setTimeout(() => void this.end(), this.#options.idleMs);
  }
}
