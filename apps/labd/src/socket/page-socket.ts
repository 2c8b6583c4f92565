/**
 * One page's WebSocket, from its hello to its end.
 *
 * Knows: the order of the conversation (packages/contracts/src/socket.ts), and every limit on it.
 * Does not know: HTTP; the upgrade passed the guard, the session is known.
 */
import { ClientMessage, type ServerMessage } from '@slipway/contracts';
import type { RawData, WebSocket } from 'ws';
import { type LearnerSession, type Sessions, sameSecret } from '../access/sessions.ts';
import type { LabJournal } from '../lab/journal.ts';
import type { Learner, Learners } from '../lab/learners.ts';
import type { WorkbenchPage } from '../lab/workbench.ts';
import { Allowance } from '../rate.ts';
import { JournalStream } from './journal-stream.ts';
import { PageTerminals } from './page-terminals.ts';

export interface PageSocketOptions {
  readonly learners: Learners;
  readonly sessions: Pick<Sessions, 'stands'>;
  readonly session: LearnerSession;
}

type Hello = Extract<ClientMessage, { readonly type: 'hello' }>;

const HELLO_MS = 5000;
/** A page that has not answered one by the next is gone; its terminals must not wait for it. */
const HEARTBEAT_MS = 15_000;
/** Acknowledging 64 KiB of 100 MiB/s is 1600 messages; pings and typing are few. */
const MESSAGES_PER_SECOND = 2500;
const MESSAGES_BURST = 10_000;
/** A page that takes nothing for so long that this much waits is cut off; it comes back and resumes. */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024;

const CLOSE = { policy: 1008, unsupported: 1003 } as const;

export class PageSocket {
  readonly #socket: WebSocket;
  readonly #options: PageSocketOptions;
  readonly #learner: Learner;
  readonly #allowance = new Allowance(MESSAGES_PER_SECOND, MESSAGES_BURST);
  readonly #stops: Array<() => void> = [];
  #terminals: PageTerminals | undefined;
  #stream: JournalStream | undefined;
  #workbench: WorkbenchPage | undefined;
  #letGoOfLesson: () => void = () => undefined;
  #alive = true;
  #ended = false;

  constructor(socket: WebSocket, options: PageSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#learner = options.learners.require(options.session.learner);
    const deadline = setTimeout(() => this.#end(CLOSE.policy, 'no hello'), HELLO_MS);
    const heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#stops.push(
      () => clearTimeout(deadline),
      () => clearInterval(heartbeat),
    );
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary, deadline));
    socket.on('ping', () => this.#count());
    socket.on('pong', () => {
      this.#alive = true;
      this.#count();
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#stop());
  }

  #receive(data: RawData, isBinary: boolean, deadline: NodeJS.Timeout): void {
    if (this.#ended || !this.#count()) return;
    this.#alive = true;
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    const message = isBinary ? undefined : parseMessage(bytes);
    if (isBinary) this.#terminals?.type(bytes);
    else if (message === undefined) this.#end(CLOSE.unsupported, 'not a message of this protocol');
    else if (this.#terminals !== undefined) this.#handle(message, this.#terminals);
    else this.#greet(message, deadline);
  }

  #greet(message: ClientMessage, deadline: NodeJS.Timeout): void {
    clearTimeout(deadline);
    if (message.type !== 'hello') this.#end(CLOSE.policy, 'the first message must be hello');
    else if (!sameSecret(message.token, this.#options.session.token)) this.#end(CLOSE.policy, 'wrong token');
    else this.#welcome(message);
  }

  #welcome(hello: Hello): void {
    const { lab } = this.#learner;
    const { learners, session } = this.#options;
    this.#terminals = new PageTerminals({
      terminals: learners.terminals,
      machine: lab.machine,
      writer: `${session.key}:${hello.page ?? ''}`,
      send: (message) => this.#send(message),
      sendBytes: (bytes) => this.#sendBytes(bytes),
    });
    const { id, firstSeq, lastSeq } = lab.journal;
    this.#send({ type: 'welcome', journal: id, firstSeq, lastSeq, machine: lab.status, terminals: lab.terminals });
    this.#workbench = lab.workbench.join((message) => this.#send(message));
    const known = hello.journal === id ? (hello.after ?? 0) : 0;
    this.#stops.push(lab.subscribe((message) => this.#send(message)));
    let after = Math.min(known, lastSeq);
    this.#stops.push(
      lab.onJournal((journal) => {
        this.#follow(journal, after);
        after = 0;
      }),
    );
    if (hello.lesson !== undefined) this.#show(hello.lesson);
  }

  #handle(message: ClientMessage, terminals: PageTerminals): void {
    switch (message.type) {
      case 'hello':
        this.#end(CLOSE.policy, 'a second hello');
        break;
      case 'lesson':
        this.#show(message.lesson);
        break;
      case 'terminal.open':
        void terminals.open(message);
        break;
      case 'terminal.detach':
        terminals.detach(message.terminal);
        break;
      case 'terminal.resize':
        terminals.resize(message.terminal, message.cols, message.rows);
        break;
      case 'terminal.ack':
        terminals.acknowledge(message.terminal, message.offset);
        break;
      case 'workbench':
        void this.#workbench?.ask(message.id, message.request);
        break;
      case 'ping':
        this.#send({ type: 'pong', id: message.id });
        break;
    }
  }

  #follow(journal: LabJournal, after: number): void {
    this.#stream?.stop();
    this.#stream = new JournalStream(this.#socket, journal, after);
  }

  #show(lesson: string): void {
    const { lessons, lab } = this.#learner;
    const before = this.#letGoOfLesson;
    this.#letGoOfLesson = lessons.show(lesson);
    before();
    if (lessons.has(lesson)) lab.tell({ type: 'progress', lesson, tasks: lessons.progress(lesson) });
  }

  /** @returns false when the page was cut off for talking too much */
  #count(): boolean {
    if (this.#allowance.take()) return true;
    this.#end(CLOSE.policy, 'too many messages');
    return false;
  }

  #beat(): void {
    if (!this.#alive) this.#socket.terminate();
    else if (!this.#options.sessions.stands(this.#options.session)) this.#end(CLOSE.policy, 'the session has ended');
    else this.#socket.ping();
    this.#alive = false;
  }

  #send(message: ServerMessage): void {
    if (this.#hasRoom()) this.#socket.send(JSON.stringify(message));
  }

  #sendBytes(bytes: Uint8Array): void {
    if (this.#hasRoom()) this.#socket.send(bytes);
  }

  #hasRoom(): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false;
    if (this.#socket.bufferedAmount <= MAX_BACKLOG_BYTES) return true;
    this.#socket.terminate();
    return false;
  }

  /** A polite close, and a hard one when the page does not answer it. */
  #end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), 1000).unref();
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#stream?.stop();
    this.#terminals?.close();
    this.#workbench?.leave();
    this.#letGoOfLesson();
  }
}

function parseMessage(bytes: Buffer): ClientMessage | undefined {
  try {
    return ClientMessage.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}
