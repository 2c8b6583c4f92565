/**
 * One terminal: a pty, its numbered output, its screen, its readers and writers.
 *
 * Knows: flow control, exact resume, roles, exactly-once input.
 * Does not know: sockets, machines, learners (`labels` are the caller's business).
 *
 *     pty ─bytes─▶ ring ─▶ readers (≤ 512 KiB unacknowledged each)
 *            └───▶ screen ─▶ snapshots
 */
import { randomBytes } from 'node:crypto';
import { InputGate } from './input-gate.ts';
import { OutputRing } from './output-ring.ts';
import { Paced } from './paced.ts';
import { OUTPUT_WINDOW_BYTES } from './protocol.ts';
import { Pty, type PtyCommand } from './pty.ts';
import { Reader, type ReaderSink } from './reader.ts';
import type { TerminalRole } from './roles.ts';
import { Screen } from './screen.ts';

export interface TerminalSpec extends PtyCommand {
  readonly id: string;
  readonly title: string;
  /** The creator's notes, given back by `list` after a restart, e.g. whose it is. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface TerminalState {
  readonly id: string;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly cols: number;
  readonly rows: number;
  /** Present once the program has ended. */
  readonly exitCode?: number;
}

export interface AttachRequest {
  /** Output bytes the reader has; used only with the right `epoch`. */
  readonly offset: number;
  readonly epoch?: string;
  readonly role: TerminalRole;
  readonly writer: string;
  /** Applied when the role may resize. */
  readonly cols: number;
  readonly rows: number;
}

/** Where a reader stands after attaching, or after it fell behind. */
export interface Position {
  readonly epoch: string;
  /** Present when the bytes asked for are gone: clear, write this, continue at `offset`. */
  readonly snapshot?: string;
  readonly offset: number;
  readonly inputOffset: number;
  readonly cols: number;
  readonly rows: number;
}

export interface TerminalEvents {
  exited(exitCode: number): void;
  titled(title: string): void;
  /** The shell said which command line begins; told at most {@link COMMANDS_PER_SECOND} times a second. */
  commanded(line: string): void;
}

export interface AttachSink extends ReaderSink {
  /** Before the first output, and again whenever the reader fell so far behind that bytes are gone. */
  positioned(position: Position): void;
  /** The program does not read; input was discarded. */
  inputLost(): void;
}

/** Output not yet interpreted by the screen after which the pty waits. */
const SCREEN_LAG_BYTES = 512 * 1024;
/** Titles are told at most this often. */
const TITLE_EVERY_MS = 250;
const COMMANDS_PER_SECOND = 20;

export class Terminal {
  readonly epoch = randomBytes(9).toString('base64url');
  readonly #spec: TerminalSpec;
  readonly #events: TerminalEvents;
  readonly #ring = new OutputRing();
  readonly #gate = new InputGate();
  readonly #readers = new Map<Reader, AttachSink>();
  readonly #screen: Screen;
  readonly #pty: Pty;
  /** Wrapping a long scroll-back anew takes the pty host some 40 ms, and a page may ask for it with every message. */
  readonly #size = new Paced<{ readonly cols: number; readonly rows: number }>((size) => this.#applySize(size));
  #commands = { second: 0, count: 0 };
  #paused = false;
  #disposed = false;
  #cols: number;
  #rows: number;
  #title: string;
  #titleTimer: NodeJS.Timeout | undefined;
  #exitCode: number | undefined;

  /** @throws EngineError `unavailable` / `E_PTY_SPAWN` */
  constructor(spec: TerminalSpec, events: TerminalEvents) {
    this.#spec = spec;
    this.#events = events;
    this.#cols = spec.cols;
    this.#rows = spec.rows;
    this.#title = spec.title;
    this.#screen = new Screen(spec, { titled: (title) => this.#retitle(title), commanded: (line) => this.#onCommand(line) });
    this.#pty = new Pty(spec, { data: (bytes) => this.#onOutput(bytes), exit: (code) => this.#onExit(code) });
  }

  get running(): boolean {
    return this.#exitCode === undefined;
  }

  get state(): TerminalState {
    const { id, labels } = this.#spec;
    const base = { id, labels, title: this.#title, pid: this.#pty.pid, cols: this.#cols, rows: this.#rows };
    return this.#exitCode === undefined ? base : { ...base, exitCode: this.#exitCode };
  }

  /** Adds a reader; `sink.positioned` follows at once, or after a snapshot was taken. */
  attach(request: AttachRequest, sink: AttachSink): Reader {
    const reader = new Reader(request.role, request.writer, sink);
    this.#readers.set(reader, sink);
    this.resize(reader, request.cols, request.rows);
    if (request.epoch === this.epoch && this.#ring.holds(request.offset)) {
      this.#start(reader, sink, { offset: request.offset });
    } else {
      void this.#startFromSnapshot(reader, sink);
    }
    return reader;
  }

  detach(reader: Reader): void {
    this.#readers.delete(reader);
    this.#regulate();
  }

  /** Types. Frames of viewers, repeated bytes and frames with missing predecessors have no effect. */
  type(reader: Reader, offset: number, payload: Uint8Array): void {
    if (!reader.mayType || !this.running) return;
    const fresh = this.#gate.take(reader.writer, offset, payload);
    if (fresh !== undefined && !this.#pty.write(Uint8Array.from(fresh))) this.#readers.get(reader)?.inputLost();
  }

  acknowledge(reader: Reader, offset: number): void {
    reader.acknowledge(offset);
    this.#pump(reader);
    this.#regulate();
  }

  resize(reader: Reader, cols: number, rows: number): void {
    if (reader.mayType) this.#size.set({ cols, rows });
  }

  #applySize({ cols, rows }: { readonly cols: number; readonly rows: number }): void {
    if (cols === this.#cols && rows === this.#rows) return;
    this.#cols = cols;
    this.#rows = rows;
    this.#screen.resize(cols, rows);
    this.#pty.resize(cols, rows);
  }

  /** Hangs up; `exited` follows while the program is running. */
  close(): void {
    this.#pty.close();
  }

  /** Lets go of everything but the closing pty. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#titleTimer);
    this.#size.stop();
    this.#readers.clear();
    this.#screen.dispose();
  }

  #onOutput(bytes: Uint8Array): void {
    if (this.#disposed) return;
    this.#ring.append(bytes);
    this.#screen.write(bytes, () => this.#regulate());
    for (const reader of this.#readers.keys()) this.#pump(reader);
    this.#regulate();
  }

  #onExit(exitCode: number): void {
    this.#exitCode = exitCode;
    this.#events.exited(exitCode);
  }

  #pump(reader: Reader): void {
    const sink = this.#readers.get(reader);
    if (sink !== undefined && !reader.pump(this.#ring)) void this.#startFromSnapshot(reader, sink);
  }

  async #startFromSnapshot(reader: Reader, sink: AttachSink): Promise<void> {
    if (this.#disposed) return;
    const { text, offset } = await this.#screen.snapshot();
    if (this.#readers.has(reader)) this.#start(reader, sink, { snapshot: text, offset });
  }

  #start(reader: Reader, sink: AttachSink, at: { readonly offset: number; readonly snapshot?: string }): void {
    reader.start(at.offset);
    sink.positioned({ ...at, epoch: this.epoch, inputOffset: this.#gate.taken(reader.writer), cols: this.#cols, rows: this.#rows });
    this.#pump(reader);
    this.#regulate();
  }

  /**
   * The pty waits for the fastest of those who drive it: one slow or sleeping page must not stop another. Slower ones skip ahead
   * by snapshot; with nobody attached the program runs on. The screen always has to follow.
   */
  #regulate(): void {
    const backlogs = [...this.#readers.keys()].filter((reader) => reader.mayType).map((reader) => reader.backlog(this.#ring));
    const least = backlogs.length === 0 ? 0 : Math.min(...backlogs);
    const limit = this.#paused ? OUTPUT_WINDOW_BYTES / 2 : OUTPUT_WINDOW_BYTES;
    this.#paused = least >= limit || this.#screen.pendingBytes >= SCREEN_LAG_BYTES;
    this.#pty.setPaused(this.#paused);
  }

  #onCommand(line: string): void {
    const second = Math.floor(performance.now() / 1000);
    this.#commands = this.#commands.second === second ? { second, count: this.#commands.count + 1 } : { second, count: 1 };
    if (this.#commands.count <= COMMANDS_PER_SECOND) this.#events.commanded(line);
  }

  #retitle(title: string): void {
    this.#title = title;
    this.#titleTimer ??= setTimeout(() => {
      this.#titleTimer = undefined;
      this.#events.titled(this.#title);
    }, TITLE_EVERY_MS);
  }
}
