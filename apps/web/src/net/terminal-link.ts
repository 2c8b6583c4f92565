/**
 * One terminal's half of the protocol on the page: offsets, acknowledgements, the input queue, replay.
 *
 * Knows: terminal.open/opened, epochs, snapshots, back-pressure. Survives any number of connections.
 * Does not know: xterm.js (a Screen is told what to draw) nor sockets (a Wire sends).
 */
import type { ClientMessage, ServerMessage } from '@slipway/contracts';
import { ACK_EVERY_BYTES } from '@slipway/terminal/protocol';
import { InputQueue } from './input-queue.ts';

type Opened = Extract<ServerMessage, { type: 'terminal.opened' }>;

/** What draws; xterm.js in the page, an array in tests. */
export interface Screen {
  /** `done` once the bytes are parsed, which is when back-pressure may ease. */
  write(bytes: Uint8Array | string, done: () => void): void;
  /** Back to an empty screen of this size. */
  reset(cols: number, rows: number): void;
}

export interface Wire {
  send(message: ClientMessage): boolean;
  sendInput(channel: number, offset: number, payload: Uint8Array): boolean;
}

export interface LinkStatus {
  readonly role: Opened['role'];
  readonly open: boolean;
  readonly exitCode: number | undefined;
  /** Typed and not yet sent, because the connection is down. */
  readonly pendingBytes: number;
}

/** Answers that a terminal gives by itself (cursor position, attributes, colours); never a keystroke. */
const REPLY = /^(?:\u001b\[[?>=]?[\d;]*[cnRty]|\u001b\[[IO]|\u001b[\]P][^\u0007\u001b]*(?:\u0007|\u001b\\))+$/;

export class TerminalLink {
  readonly id: string;
  readonly #wire: Wire;
  readonly #screen: Screen;
  readonly #changed: (status: LinkStatus) => void;
  readonly #queue = new InputQueue();
  #channel: number | undefined;
  #epoch: string | undefined;
  #received = 0;
  #drawn = 0;
  #acked = 0;
  #replaying = 0;
  #role: Opened['role'] = 'owner';
  #exitCode: number | undefined;
  #size = { cols: 80, rows: 24 };

  constructor(id: string, options: { readonly wire: Wire; readonly screen: Screen; readonly changed: (status: LinkStatus) => void }) {
    this.id = id;
    this.#wire = options.wire;
    this.#screen = options.screen;
    this.#changed = options.changed;
  }

  get channel(): number | undefined {
    return this.#channel;
  }

  get role(): Opened['role'] {
    return this.#role;
  }

  /** Asks for the terminal on the present connection; call after each welcome and once at the start. */
  open(): void {
    const known = this.#epoch === undefined ? { offset: 0 } : { offset: this.#received, epoch: this.#epoch };
    this.#wire.send({ type: 'terminal.open', terminal: this.id, ...known, ...this.#size });
  }

  /** The connection is gone: what is typed waits. */
  lost(): void {
    this.#channel = undefined;
    this.#report();
  }

  close(): void {
    if (this.#channel !== undefined) this.#wire.send({ type: 'terminal.detach', terminal: this.id });
    this.#channel = undefined;
  }

  opened(message: Opened): void {
    const anew = this.#epoch !== undefined && message.epoch !== this.#epoch;
    if (anew) this.#queue.forget();
    this.#channel = message.channel;
    this.#role = message.role;
    this.#exitCode = undefined;
    if (message.snapshot !== undefined || anew || this.#epoch === undefined) {
      this.#screen.reset(message.cols, message.rows);
      this.#received = message.offset;
      this.#drawn = message.offset;
      this.#acked = message.offset;
    }
    this.#epoch = message.epoch;
    if (message.snapshot !== undefined) this.#replay(message.snapshot);
    this.#queue.resume(message.inputOffset);
    this.#flush();
    if (message.cols !== this.#size.cols || message.rows !== this.#size.rows) this.resize(this.#size.cols, this.#size.rows);
    this.#report();
  }

  /** Output bytes from the server. What is already drawn is cut off; a hole asks for the terminal again. */
  output(offset: number, payload: Uint8Array): void {
    if (offset > this.#received) {
      this.open();
      return;
    }
    const fresh = payload.subarray(this.#received - offset);
    if (fresh.length === 0) return;
    this.#received += fresh.length;
    this.#screen.write(fresh, () => {
      this.#drawn += fresh.length;
      this.#acknowledge();
    });
  }

  /** Text from the keyboard, a paste, or the screen's own replies. */
  type(text: string): boolean {
    if (this.#role === 'viewer' || this.#exitCode !== undefined) return false;
    // While an old screen is drawn again, its old questions must not be answered into the shell.
    if (this.#replaying > 0 && REPLY.test(text)) return false;
    const taken = this.#queue.push(new TextEncoder().encode(text));
    this.#flush();
    if (this.#channel === undefined) this.#report();
    return taken;
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows };
    if (this.#role !== 'viewer' && this.#channel !== undefined) {
      this.#wire.send({ type: 'terminal.resize', terminal: this.id, cols, rows });
    }
  }

  exited(exitCode: number): void {
    this.#exitCode = exitCode;
    this.#report();
  }

  #replay(snapshot: string): void {
    this.#replaying += 1;
    this.#screen.write(snapshot, () => {
      this.#replaying -= 1;
    });
  }

  #flush(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    for (const frame of this.#queue.take()) this.#wire.sendInput(channel, frame.offset, frame.payload);
  }

  #acknowledge(): void {
    if (this.#drawn - this.#acked < ACK_EVERY_BYTES) return;
    if (this.#wire.send({ type: 'terminal.ack', terminal: this.id, offset: this.#drawn })) this.#acked = this.#drawn;
  }

  #report(): void {
    this.#changed({
      role: this.#role,
      open: this.#channel !== undefined,
      exitCode: this.#exitCode,
      pendingBytes: this.#queue.pendingBytes,
    });
  }
}
