/**
 * A conversation over a unix socket that speaks D-Bus without a bus in between, such as systemd's own.
 *
 * Knows: who we say we are, which answer belongs to which call, and that none may be waited for without end.
 * Does not know: what is asked.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html#auth-protocol
 */
import { createConnection, type Socket } from 'node:net';
import { getuid } from 'node:process';
import { EngineError } from '@slipway/errors';
import { type DbusMessage, formatMessage, messageBytes, parseMessage } from './message.ts';
import type { DbusValue } from './values.ts';

const TIMEOUT_MS = 30_000;
/** Of the line that ends the authentication. */
const MAX_LINE_BYTES = 4096;

export interface DbusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Types of `body`. */
  readonly signature: string;
  readonly body: readonly DbusValue[];
}

/** The peer answered with an error. */
export class DbusError extends Error {
  override readonly name = 'DbusError';
  /** Such as `org.freedesktop.systemd1.NoSuchUnit`. */
  readonly error: string;

  constructor({ error = '', body }: DbusMessage) {
    super(String(body[0] ?? error));
    this.error = error;
  }
}

interface Waiting {
  readonly isFor: (message: DbusMessage) => boolean;
  readonly resolve: (message: DbusMessage) => void;
  readonly reject: (cause: unknown) => void;
}

/** Close it with `await using`. */
export class DbusConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Set<Waiting>();
  /** A signal may come before its receiver knows that it waits for it. */
  readonly #signals: DbusMessage[] = [];
  /** Until the peer has taken us for who we are: a message that reaches systemd together with the introduction stays unread there. */
  #unsent: Buffer[] | undefined = [];
  #bytes = Buffer.alloc(0);
  #serial = 0;
  #failure: unknown;

  /** @throws nothing yet: what goes wrong is the first call's error */
  constructor(path: string) {
    this.#socket = createConnection(path);
    this.#socket.on('data', (bytes) => this.#receive(bytes));
    this.#socket.on('error', (cause) => this.#fail(cause));
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')));
    const uid = Buffer.from(String(getuid?.() ?? 0)).toString('hex');
    this.#socket.write(`\0AUTH EXTERNAL ${uid}\r\nBEGIN\r\n`);
  }

  /** Resolves to the answer's values. @throws DbusError; EngineError `unavailable` / `E_DBUS` */
  async call(call: DbusCall): Promise<readonly DbusValue[]> {
    this.#serial += 1;
    const serial = this.#serial;
    const answer = this.#waitFor((message) => message.replySerial === serial, `an answer to ${call.member}`);
    this.#send(formatMessage({ type: 'call', serial, ...call }));
    const message = await answer;
    if (message.type === 'error') throw new DbusError(message);
    return message.body;
  }

  /** The first signal of this name, since the connection was opened, whose values are the right ones. @throws EngineError `unavailable` / `E_DBUS` */
  async signal(member: string, isRight: (body: readonly DbusValue[]) => boolean): Promise<readonly DbusValue[]> {
    const isFor = (message: DbusMessage) => message.type === 'signal' && message.member === member && isRight(message.body);
    return (this.#signals.find(isFor) ?? (await this.#waitFor(isFor, `the signal ${member}`))).body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #send(bytes: Buffer): void {
    if (this.#unsent === undefined) this.#socket.write(bytes);
    else this.#unsent.push(bytes);
  }

  async #waitFor(isFor: Waiting['isFor'], what: string): Promise<DbusMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<DbusMessage>();
    const waiting = { isFor, resolve, reject };
    const timer = setTimeout(() => reject(new Error(`nothing came within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    this.#waiting.add(waiting);
    if (this.#failure !== undefined) reject(this.#failure);
    try {
      return await promise;
    } catch (cause) {
      throw new EngineError('unavailable', `waited in vain for ${what} over D-Bus`, {
        code: 'E_DBUS',
        op: 'dbus.call',
        subject: what,
        cause,
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  #receive(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    try {
      if (this.#unsent !== undefined) this.#readIntroduction(this.#unsent);
      if (this.#unsent === undefined) this.#readMessages();
    } catch (cause) {
      this.#fail(cause);
      this.#socket.destroy();
    }
  }

  #readIntroduction(unsent: readonly Buffer[]): void {
    const end = this.#bytes.indexOf('\r\n');
    if (end < 0 && this.#bytes.length < MAX_LINE_BYTES) return;
    const line = this.#bytes.subarray(0, Math.max(end, 0)).toString('latin1');
    if (!line.startsWith('OK ')) throw new Error(`the peer does not take us for who we are: ${JSON.stringify(line.slice(0, 100))}`);
    this.#bytes = this.#bytes.subarray(end + 2);
    this.#unsent = undefined;
    for (const bytes of unsent) this.#socket.write(bytes);
  }

  #readMessages(): void {
    for (let size = messageBytes(this.#bytes); size !== undefined && size <= this.#bytes.length; size = messageBytes(this.#bytes)) {
      this.#deliver(parseMessage(this.#bytes.subarray(0, size)));
      this.#bytes = this.#bytes.subarray(size);
    }
  }

  #deliver(message: DbusMessage): void {
    if (message.type === 'signal') this.#signals.push(message);
    for (const { isFor, resolve } of this.#waiting) if (isFor(message)) resolve(message);
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause;
    for (const { reject } of this.#waiting) reject(this.#failure);
  }
}
