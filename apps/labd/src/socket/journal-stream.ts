/**
 * Sends one page the journal, from where it is, as fast as it takes it.
 *
 * Knows: batches and the socket's backlog. A slow page gets fewer and larger batches; when the ring has moved on meanwhile, it
 * gets the keyframes and a gap (the ring's doing). Nothing is queued here: the ring is the queue.
 * Does not know: what events mean.
 */
import type { JournalEvent } from '@slipway/journal';

/** The part of a journal that is read here. */
export interface StreamedJournal {
  readonly id: string;
  readonly lastSeq: number;
  read(afterSeq: number, limit: number): readonly JournalEvent[];
  subscribe(listener: () => void): () => void;
}

export interface StreamSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
}

/** Most events of one message; pictures of a busy machine are large, so fewer where they come to more than this many characters. */
const BATCH_EVENTS = 500;
const BATCH_CHARS = 512 * 1024;
/** Bytes on the way to a page after which it gets nothing more until it has taken some. */
const BACKLOG_BYTES = 1024 * 1024;
const RETRY_MS = 50;

export class JournalStream {
  readonly #socket: StreamSocket;
  readonly #journal: StreamedJournal;
  readonly #unsubscribe: () => void;
  #after: number;
  #retry: NodeJS.Timeout | undefined;

  constructor(socket: StreamSocket, journal: StreamedJournal, after: number) {
    this.#socket = socket;
    this.#journal = journal;
    this.#after = after;
    this.#unsubscribe = journal.subscribe(() => this.#pump());
    this.#pump();
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#unsubscribe();
  }

  #pump(): void {
    if (this.#retry !== undefined) return;
    while (this.#after < this.#journal.lastSeq) {
      if (this.#socket.bufferedAmount > BACKLOG_BYTES) {
        this.#pumpLater();
        return;
      }
      const texts: string[] = [];
      let chars = 0;
      for (const event of this.#journal.read(this.#after, BATCH_EVENTS)) {
        const text = JSON.stringify(event);
        chars += text.length;
        if (texts.length > 0 && chars > BATCH_CHARS) break;
        texts.push(text);
        this.#after = event.seq;
      }
      // What is not held any more is not waited for.
      if (texts.length === 0) this.#after = this.#journal.lastSeq;
      else this.#socket.send(`{"type":"journal","journal":${JSON.stringify(this.#journal.id)},"events":[${texts.join(',')}]}`);
    }
  }

  #pumpLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#pump();
    }, RETRY_MS);
  }
}
