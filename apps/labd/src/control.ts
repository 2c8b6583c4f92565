/**
 * The lab's own small socket for root: keeps a second lab off the same data, and hands out login codes.
 *
 * Knows: one word a connection.
 * Does not know: HTTP. It lies in a 0700 directory, so whoever can open it is root already.
 *
 *     $ echo code | nc -U /run/slipway/lab/control/labd.sock
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '@slipway/errors';
import { isServed, listening } from '@slipway/kernel';

export interface Control {
  close(): void;
}

export interface ControlOptions {
  /** Answers `code` with an address to open. */
  readonly onCode: () => string;
  /** Told of connections that could not be accepted. */
  readonly onTrouble: (error: Error) => void;
}

const WORD_BYTES = 16;
const WORD_MS = 2000;

/**
 * Takes the place of the one lab on this socket.
 * @throws EngineError `failed-precondition` / `E_LAB_RUNNING`
 */
export async function openControl(path: string, { onCode, onTrouble }: ControlOptions): Promise<Control> {
  if (await isServed(path)) {
    throw new EngineError('failed-precondition', 'a lab with this data directory is running already', {
      code: 'E_LAB_RUNNING',
      op: 'lab.start',
      hint: 'end it first, or give another directory with --data',
    });
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(dirname(path), 0o700);
  rmSync(path, { force: true });
  const server = serve(onCode);
  await listening(server, { path, onTrouble });
  return {
    close: () => {
      server.close();
      rmSync(path, { force: true });
    },
  };
}

function serve(onCode: () => string): Server {
  return createServer((socket) => {
    let word = '';
    socket.setTimeout(WORD_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      word += chunk.toString('latin1');
      if (word.length > WORD_BYTES) socket.destroy();
      else if (word.includes('\n')) socket.end(word.trim() === 'code' ? `${onCode()}\n` : 'say: code\n');
    });
  });
}
