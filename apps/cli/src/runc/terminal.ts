/**
 * Staying with a process: its terminal on ours, our signals to it, its exit code back.
 *
 * Knows: raw mode, window sizes, and which signals a terminal sends to both of us anyway.
 * Does not know: how the process was made.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachShim, type ShimConnection, type Supervision } from '@slipway/launcher';

/** A directory for a shim, and the way to hold its terminal; removed when disposed. */
export interface Relay extends AsyncDisposable {
  readonly supervision: Supervision;
  /** Of the terminal we are on, which the program's has to have before its first look; undefined: we are on none. */
  readonly consoleSize: ConsoleSize | undefined;
  /** Once the process exists. From here on no byte of output is lost. */
  attach(): Promise<void>;
  /** Relays until the process ends; its exit code. */
  run(): Promise<number>;
}

/** Far more than a container's whole output needs to pass through: no log is kept. */
const NO_LOG = 0;

interface ConsoleSize {
  readonly height: number;
  readonly width: number;
}

function terminalSize(): ConsoleSize | undefined {
  const { isTTY, rows, columns } = process.stdout;
  return isTTY && rows > 0 && columns > 0 ? { height: rows, width: columns } : undefined;
}

export async function openRelay(): Promise<Relay> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-run-'));
  const consoleSize = terminalSize();
  let connection: ShimConnection | undefined;
  return {
    consoleSize,
    supervision: { mode: 'shim', dir, terminal: true, openStdin: true, stdinOnce: false, logMaxBytes: NO_LOG },
    attach: async () => {
      connection = await attachShim(dir);
    },
    run: async () => {
      // The shim tells us the exit over the connection; a command that is killed from here on leaves no directory.
      await removeShared(dir);
      return connection === undefined ? 1 : await relay(connection, consoleSize);
    },
    [Symbol.asyncDispose]: async () => {
      connection?.close();
      await removeShared(dir);
    },
  };
}

/** The shim may be writing a last record there just now, which makes a directory full again that was found empty. */
async function removeShared(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}

async function relay(connection: ShimConnection, born: ConsoleSize | undefined): Promise<number> {
  const { stdin, stdout } = process;
  let told = born;
  const resize = () => {
    const size = terminalSize();
    // Who writes to a shim that has just gone loses what it said last: only news is told.
    if (size !== undefined && !(size.height === told?.height && size.width === told.width)) connection.resize(size.height, size.width);
    told = size;
  };
  const isTerminal = stdin.isTTY === true;
  if (isTerminal) stdin.setRawMode(true);
  resize();
  process.on('SIGWINCH', resize);
  connection.onOutput((_stream, bytes) => {
    if (stdout.write(bytes)) return;
    connection.pauseOutput(true);
    stdout.once('drain', () => connection.pauseOutput(false));
  });
  stdin.on('data', (bytes: Buffer) => {
    stdin.pause();
    connection.write(bytes).then(
      () => stdin.resume(),
      () => undefined, // The process is gone; its exit follows.
    );
  });
  try {
    return (await connection.exit).exitCode;
  } finally {
    if (isTerminal) stdin.setRawMode(false);
    process.off('SIGWINCH', resize);
    stdin.pause();
    stdin.unref();
  }
}

/** Sent by a terminal to its whole foreground group, so the launcher in that group has them already. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];
const FORWARDED: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'];

/** Passes our signals on for as long as it is not disposed; keeps them from ending us. */
export function forwardSignals(send: (signal: number) => Promise<void>): Disposable {
  const handlers = FORWARDED.map((name) => {
    const handler = () => {
      if (process.stdin.isTTY === true && FROM_TERMINAL.includes(name)) return;
      // A process that has just ended takes no more signals.
      send(constants.signals[name]).catch(() => undefined);
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  return {
    [Symbol.dispose]: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
