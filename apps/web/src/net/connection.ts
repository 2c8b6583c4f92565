/**
 * Drives the WebSocket `/api/socket`: the state machine's hands.
 *
 * Knows: WebSocket, timers, the browser's online and visibility events, how frames are told apart.
 * Does not know: what messages mean; listeners do.
 */
import type { ClientMessage, ServerMessage } from '@slipway/contracts';
import { decodeFrame, encodeFrame, FrameKind, type TerminalFrame } from '@slipway/terminal/protocol';
import { type ConnectionEvent, type ConnectionState, initialConnection, stepConnection } from './connection-machine.ts';

type Hello = Extract<ClientMessage, { type: 'hello' }>;

export interface ConnectionListeners {
  /** The first frame of each connection: what the page already holds. */
  hello(): Hello;
  /** Asked before every attempt after the first: is the session still good, and what is its token? False: sign in again. */
  probe(): Promise<'ok' | 'refused' | 'unreachable'>;
  state(state: ConnectionState): void;
  message(message: ServerMessage): void;
  output(frame: TerminalFrame): void;
}

const TICK_MS = 500;

export class Connection {
  #state = initialConnection();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #opened = 0;
  readonly #listeners: ConnectionListeners;
  readonly #wake = () => {
    if (document.visibilityState === 'visible') this.#step({ type: 'wake' });
  };

  constructor(listeners: ConnectionListeners) {
    this.#listeners = listeners;
  }

  get live(): boolean {
    return this.#state.phase === 'live';
  }

  start(): void {
    window.addEventListener('online', this.#wake);
    window.addEventListener('focus', this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
    this.#timer ??= setInterval(() => this.#step({ type: 'tick' }), TICK_MS);
    this.#step({ type: 'start' });
  }

  stop(): void {
    window.removeEventListener('online', this.#wake);
    window.removeEventListener('focus', this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#step({ type: 'stop' });
  }

  /** Try at once instead of waiting out the back-off. */
  retry(): void {
    this.#step({ type: 'wake' });
  }

  /** @returns false when not connected; the caller sends again after the next welcome */
  send(message: ClientMessage): boolean {
    if (!this.#ready()) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  /** @returns false when not connected */
  sendInput(channel: number, offset: number, payload: Uint8Array): boolean {
    if (!this.#ready()) return false;
    this.#socket?.send(encodeFrame({ kind: FrameKind.input, channel, offset, payload }));
    return true;
  }

  #ready(): boolean {
    return this.#state.phase === 'live' && this.#socket?.readyState === WebSocket.OPEN;
  }

  #step(event: ConnectionEvent): void {
    // The wall clock goes on while a laptop sleeps; performance.now() may not.
    const step = stepConnection(this.#state, event, Date.now());
    const changed = step.state.phase !== this.#state.phase || step.state.attempt !== this.#state.attempt;
    this.#state = step.state;
    for (const effect of step.effects) {
      if (effect.do === 'open') void this.#open();
      else if (effect.do === 'close') this.#close();
      else if (effect.do === 'hello') this.#socket?.send(JSON.stringify(this.#listeners.hello()));
      else this.#socket?.send(JSON.stringify({ type: 'ping', id: effect.id } satisfies ClientMessage));
    }
    if (changed) this.#listeners.state(this.#state);
  }

  async #open(): Promise<void> {
    this.#close();
    const first = this.#opened === 0;
    this.#opened += 1;
    const mine = this.#opened;
    const session = first ? 'ok' : await this.#listeners.probe();
    if (mine !== this.#opened || this.#state.phase !== 'opening') return;
    if (session === 'refused') return this.#step({ type: 'refused' });
    if (session === 'unreachable') return this.#step({ type: 'closed' });

    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/api/socket`);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    const current = () => this.#socket === socket;
    socket.onopen = () => current() && this.#step({ type: 'opened' });
    socket.onclose = () => {
      if (!current()) return;
      this.#socket = undefined;
      this.#step({ type: 'closed' });
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => current() && this.#receive(data);
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      const frame = decodeFrame(new Uint8Array(data));
      if (frame?.kind === FrameKind.output) this.#listeners.output(frame);
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === 'pong') this.#step({ type: 'pong', id: message.id });
    // Live first: what the listener of the welcome wants to send must go out.
    if (message.type === 'welcome') this.#step({ type: 'welcome' });
    this.#listeners.message(message);
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
  }
}
