/**
 * One reader of a terminal's output: what it was sent, what it has drawn, what it may be sent next.
 *
 * Knows: the window of unacknowledged bytes.
 * Does not know: the pty (terminal.ts decides when to pause it), the socket.
 */
import type { OutputRing } from './output-ring.ts';
import { OUTPUT_WINDOW_BYTES } from './protocol.ts';
import { mayType, type TerminalRole } from './roles.ts';

/** Largest payload of one output frame. */
const CHUNK_BYTES = 64 * 1024;

/** What a reader is told; implemented over a socket. */
export interface ReaderSink {
  output(offset: number, bytes: Uint8Array): void;
}

export class Reader {
  readonly role: TerminalRole;
  /** Whose input is counted together, see InputGate. */
  readonly writer: string;
  readonly #sink: ReaderSink;
  #sent = 0;
  #acked = 0;
  /** True from its creation, and after falling behind, until `start`: a snapshot is being taken for it. */
  #waiting = true;

  constructor(role: TerminalRole, writer: string, sink: ReaderSink) {
    this.role = role;
    this.writer = writer;
    this.#sink = sink;
  }

  get mayType(): boolean {
    return mayType(this.role);
  }

  /** The reader has everything before `offset`: send what follows from here. */
  start(offset: number): void {
    this.#sent = offset;
    this.#acked = offset;
    this.#waiting = false;
  }

  /** Acknowledgements never go back, nor beyond what was sent. */
  acknowledge(offset: number): void {
    if (!this.#waiting) this.#acked = Math.min(Math.max(this.#acked, offset), this.#sent);
  }

  /** Bytes of `ring` this reader has not drawn; 0 while it waits for a snapshot. */
  backlog(ring: OutputRing): number {
    return this.#waiting ? 0 : ring.end - this.#acked;
  }

  /**
   * Sends what the window allows.
   *
   * @returns false when bytes it needs are gone; it then waits for `start` with a snapshot's offset
   */
  pump(ring: OutputRing): boolean {
    if (this.#waiting) return true;
    while (this.#sent < ring.end) {
      const room = OUTPUT_WINDOW_BYTES - (this.#sent - this.#acked);
      // Also when bytes are already gone: a snapshot for somebody who draws nothing would only pile up.
      if (room <= 0) return true;
      const bytes = ring.read(this.#sent, Math.min(CHUNK_BYTES, room));
      if (bytes === undefined) {
        this.#waiting = true;
        return false;
      }
      this.#sink.output(this.#sent, bytes);
      this.#sent += bytes.length;
    }
    return true;
  }
}
