/**
 * A page as the socket sees it, without a browser.
 *
 * Knows: the page's half of the conversation, as far as tests need it.
 * Does not know: how labd works.
 */
import type { ClientMessage, ServerMessage } from '@slipway/contracts';
import type { JournalEvent } from '@slipway/journal';
import { decodeFrame, encodeFrame, FrameKind } from '@slipway/terminal';
import { WebSocket } from 'ws';
import type { Served, Signed } from './serve.ts';

export type Of<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>;

export async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function openSocket(lab: Pick<Served, 'port'>, headers: Record<string, string>): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${lab.port}/api/socket`, { headers });
}

/** How an upgrade ended: `open`, or the HTTP status it was refused with. */
export function outcome(socket: WebSocket): Promise<'open' | number> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve('open'));
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', (error) => reject(error));
  });
}

export class TestPage {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  readonly events: JournalEvent[] = [];
  /** Output by channel, and where it stands. */
  readonly text = new Map<number, string>();
  readonly offsets = new Map<number, number>();
  closeCode: number | undefined;
  /** Acknowledge output at once. */
  acknowledge = true;
  readonly #terminals = new Map<number, string>();

  constructor(lab: Pick<Served, 'port' | 'headers'>, who: Signed) {
    this.socket = openSocket(lab, lab.headers(who));
    this.socket.on('message', (data: Buffer, binary) => (binary ? this.#output(data) : this.#take(JSON.parse(data.toString()))));
    this.socket.on('close', (code) => {
      this.closeCode = code;
    });
    this.socket.on('error', () => undefined);
  }

  /** Connects and is welcomed. */
  static async open(
    lab: Pick<Served, 'port' | 'headers'>,
    who: Signed,
    hello: Omit<Extract<ClientMessage, { readonly type: 'hello' }>, 'type' | 'token'> = {},
  ): Promise<TestPage> {
    const page = new TestPage(lab, who);
    await outcome(page.socket);
    page.say({ type: 'hello', token: who.token, ...hello });
    await page.heard('welcome');
    return page;
  }

  say(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  async heard<Type extends ServerMessage['type']>(type: Type, count = 1): Promise<Of<Type>> {
    const found = () => this.messages.filter((message): message is Of<Type> => message.type === type);
    await until(() => found().length >= count);
    const message = found()[count - 1];
    if (message === undefined) throw new Error(`no ${type}`);
    return message;
  }

  /** Opens a terminal and answers its position. */
  async terminal(id: string, known: { readonly offset: number; readonly epoch?: string } = { offset: 0 }): Promise<Of<'terminal.opened'>> {
    const count = this.messages.filter(({ type }) => type === 'terminal.opened').length;
    this.say({ type: 'terminal.open', terminal: id, cols: 80, rows: 24, ...known });
    return await this.heard('terminal.opened', count + 1);
  }

  type(channel: number, offset: number, text: string): void {
    this.socket.send(encodeFrame({ kind: FrameKind.input, channel, offset, payload: Buffer.from(text) }));
  }

  async close(): Promise<void> {
    this.socket.terminate();
    await until(() => this.closeCode !== undefined);
  }

  #take(message: ServerMessage): void {
    this.messages.push(message);
    if (message.type === 'journal') this.events.push(...message.events);
    if (message.type !== 'terminal.opened') return;
    this.#terminals.set(message.channel, message.terminal);
    this.text.set(message.channel, message.snapshot ?? '');
    this.offsets.set(message.channel, message.offset);
  }

  #output(data: Buffer): void {
    const frame = decodeFrame(data);
    if (frame === undefined) throw new Error('no frame');
    const { channel, offset, payload } = frame;
    if (offset !== this.offsets.get(channel)) throw new Error(`hole: at ${this.offsets.get(channel)}, got ${offset}`);
    this.text.set(channel, `${this.text.get(channel)}${Buffer.from(payload).toString('latin1')}`);
    this.offsets.set(channel, offset + payload.length);
    const terminal = this.#terminals.get(channel);
    if (this.acknowledge && terminal !== undefined) this.say({ type: 'terminal.ack', terminal, offset: offset + payload.length });
  }
}
