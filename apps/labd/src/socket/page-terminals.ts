/**
 * The terminals one page has opened on one socket.
 *
 * Knows: channels, and that a page reaches only its own machine's terminals.
 * Does not know: the pty host's protocol beyond its client.
 */
import type { ClientMessage, ServerMessage } from '@slipway/contracts';
import { type Channel, decodeFrame, FrameKind, type Position } from '@slipway/terminal';
import { toFailure } from '../failures.ts';
import type { Terminals } from '../lab/terminals.ts';

type OpenMessage = Extract<ClientMessage, { readonly type: 'terminal.open' }>;

export interface PageTerminalsOptions {
  readonly terminals: Terminals;
  readonly machine: string;
  /** Whose input is numbered together. */
  readonly writer: string;
  readonly send: (message: ServerMessage) => void;
  readonly sendBytes: (bytes: Uint8Array) => void;
}

/** Terminals of one socket; a page has no use for more. */
const MAX_OPEN = 64;

export class PageTerminals {
  readonly #options: PageTerminalsOptions;
  readonly #byTerminal = new Map<string, Channel>();
  readonly #byNumber = new Map<number, Channel>();
  #closed = false;

  constructor(options: PageTerminalsOptions) {
    this.#options = options;
  }

  /** Opens, or opens again from where the page is. */
  async open(message: OpenMessage): Promise<void> {
    const { terminals, machine, writer } = this.#options;
    const { terminal, offset, epoch, cols, rows } = message;
    this.detach(terminal);
    if (this.#byTerminal.size >= MAX_OPEN) return;
    try {
      const request = { offset, role: 'owner', writer, cols, rows } as const;
      const channel = await terminals.attach(machine, terminal, epoch === undefined ? request : { ...request, epoch }, {
        positioned: (position) => this.#position(terminal, channel.number, position),
        output: (frame) => this.#options.sendBytes(frame),
        inputLost: () => this.#fail(terminal, 'E_INPUT_LOST', 'the program does not read its input; what was typed is lost'),
        gone: () => this.#forget(terminal),
      });
      if (this.#closed) return channel.detach();
      this.detach(terminal);
      this.#byTerminal.set(terminal, channel);
      this.#byNumber.set(channel.number, channel);
    } catch (error) {
      const { failure } = toFailure(error);
      this.#options.send({ type: 'failure', failure, about: terminal });
    }
  }

  /** A binary frame of the page. Anything but input on an open channel is passed over. */
  type(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame?.kind === FrameKind.input) this.#byNumber.get(frame.channel)?.type(frame.offset, frame.payload);
  }

  acknowledge(terminal: string, offset: number): void {
    this.#byTerminal.get(terminal)?.acknowledge(offset);
  }

  resize(terminal: string, cols: number, rows: number): void {
    this.#byTerminal.get(terminal)?.resize(cols, rows);
  }

  detach(terminal: string): void {
    this.#byTerminal.get(terminal)?.detach();
    this.#forget(terminal);
  }

  close(): void {
    this.#closed = true;
    for (const terminal of [...this.#byTerminal.keys()]) this.detach(terminal);
  }

  #position(terminal: string, channel: number, position: Position): void {
    const { send, terminals, machine } = this.#options;
    send({ type: 'terminal.opened', terminal, channel, role: 'owner', ...position });
    const exitCode = terminals.of(machine).find(({ id }) => id === terminal)?.exitCode;
    if (exitCode !== undefined) send({ type: 'terminal.exited', terminal, exitCode });
  }

  #forget(terminal: string): void {
    const channel = this.#byTerminal.get(terminal);
    if (channel === undefined) return;
    this.#byTerminal.delete(terminal);
    this.#byNumber.delete(channel.number);
  }

  #fail(terminal: string, code: string, message: string): void {
    this.#options.send({ type: 'failure', failure: { code, message }, about: terminal });
  }
}
