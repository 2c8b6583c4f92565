/**
 * One pseudo-terminal with a program on it.
 *
 * Knows: node-pty and its traps: flow control, the master's lifetime, writes that would block.
 * Does not know: numbering, readers, roles.
 */
import { write } from 'node:fs';
import { EngineError } from '@slipway/errors';
import { type IPty, spawn } from 'node-pty';

/** What runs on a terminal. Taken as it is: no shell, no inherited environment. */
export interface PtyCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
}

export interface PtyEvents {
  data(bytes: Uint8Array): void;
  /** The program has ended and its last output was delivered. `exitCode` is 128+n after signal n. */
  exit(exitCode: number): void;
}

/**
 * node-pty's fork lets every earlier master through to the new program: a learner could read and type into other terminals.
 * This closes all but the standard three, then becomes the program. `-p` keeps bash from reading anything the environment names.
 */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's parameter expansion
const CLOSE_INHERITED = 'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@"';
const SHELL = '/bin/bash';

/** Input that waits because the program does not read; more is discarded, as a full tty does. */
const INPUT_QUEUE_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 20;
/** After a hang-up, a program that stays gets this long. */
const HANGUP_GRACE_MS = 2000;

export class Pty {
  readonly pid: number;
  readonly #pty: IPty;
  readonly #fd: number;
  #state: 'open' | 'closing' | 'ended' = 'open';
  #paused = false;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #writing = false;
  #retry: NodeJS.Timeout | undefined;

  /** @throws EngineError `unavailable` / `E_PTY_SPAWN` when no pty or process can be had */
  constructor(command: PtyCommand, events: PtyEvents) {
    this.#pty = openPty(command);
    this.pid = this.#pty.pid;
    this.#fd = masterOf(this.#pty);
    this.#pty.onData((data: unknown) => {
      if (data instanceof Uint8Array) events.data(data);
    });
    this.#pty.onExit(({ exitCode, signal }) => {
      this.#end();
      events.exit(signal ? 128 + signal : exitCode);
    });
  }

  /** Stops (or goes on) reading the master; the program blocks when the kernel's buffer is full. */
  setPaused(paused: boolean): void {
    if (paused === this.#paused || this.#state !== 'open') return;
    this.#paused = paused;
    if (paused) this.#pty.pause();
    else this.#pty.resume();
  }

  /** @returns false when the program reads too slowly and the bytes were discarded */
  write(bytes: Uint8Array): boolean {
    if (this.#state !== 'open' || bytes.length === 0) return true;
    if (this.#queuedBytes + bytes.length > INPUT_QUEUE_BYTES) return false;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#drain();
    return true;
  }

  resize(cols: number, rows: number): void {
    if (this.#state === 'open') this.#pty.resize(cols, rows);
  }

  /** Hangs up: closes the master, which tells the session; kills the program if it stays. `exit` follows. Idempotent. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#discardInput();
    // A write under way holds the descriptor's number; it must not be free for somebody else meanwhile.
    if (!this.#writing) this.#hangUp();
  }

  #hangUp(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
    setTimeout(() => this.#state === 'closing' && killQuietly(this.pid), HANGUP_GRACE_MS).unref();
  }

  #end(): void {
    this.#state = 'ended';
    this.#discardInput();
  }

  #discardInput(): void {
    clearTimeout(this.#retry);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  // Not node-pty's own write: that one retries a full tty in a busy loop and queues without bound.
  #drain(): void {
    const [next] = this.#queue;
    if (next === undefined || this.#writing || this.#state !== 'open') return;
    this.#writing = true;
    write(this.#fd, next, 0, next.length, null, (error, written) => {
      this.#writing = false;
      if (this.#state === 'closing') this.#hangUp();
      if (this.#state !== 'open') return;
      if (error) return this.#afterWriteError(error);
      this.#queuedBytes -= written;
      if (written < next.length) this.#queue[0] = next.subarray(written);
      else this.#queue.shift();
      this.#drain();
    });
  }

  #afterWriteError(error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN') this.#retry = setTimeout(() => this.#drain(), RETRY_MS);
    else this.#discardInput();
  }
}

function openPty(command: PtyCommand): IPty {
  const { file, args, env, cwd, cols, rows } = command;
  try {
    return spawn(SHELL, ['--noprofile', '--norc', '-p', '-c', CLOSE_INHERITED, file, file, ...args], {
      name: env['TERM'] ?? 'xterm-256color',
      env: { ...env },
      cwd,
      cols,
      rows,
      encoding: null,
    });
  } catch (cause) {
    throw new EngineError('unavailable', `cannot open a terminal for "${file}"`, {
      code: 'E_PTY_SPAWN',
      op: 'terminal.create',
      subject: file,
      hint: 'close terminals that are not needed; the number of ptys and processes is limited',
      cause,
    });
  }
}

/** node-pty's typings hide the master's descriptor. */
function masterOf(pty: IPty): number {
  const fd: unknown = Reflect.get(pty, 'fd');
  if (typeof fd === 'number') return fd;
  throw new EngineError('internal', 'node-pty has no master descriptor here', { code: 'E_PTY_SPAWN', op: 'terminal.create' });
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the check and here.
  }
}
