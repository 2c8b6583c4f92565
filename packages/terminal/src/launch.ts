/**
 * Finding the pty host, or starting one.
 *
 * Knows: that a host listening on the socket is to be used, and a dead socket to be replaced.
 * Does not know: what is said on the socket.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '@slipway/errors';
import { PtyHostClient, type PtyHostListener } from './client.ts';

export interface PtyHostLaunch {
  /** In a directory of its own, which becomes 0700. */
  readonly socketPath: string;
  /** Where its stderr goes. */
  readonly logPath: string;
  readonly idleMs: number;
}

const MAIN = fileURLToPath(new URL('./pty-host-main.ts', import.meta.url));
const START_TIMEOUT_MS = 10_000;
const POLL_MS = 25;

/**
 * Connects to the host on `socketPath`; starts one first where none answers. The host is in a session of its own: neither a
 * Ctrl-C nor the death of its starter ends it.
 *
 * @throws EngineError `unavailable` / `E_PTY_HOST` when it does not come up
 */
export async function openPtyHost(launch: PtyHostLaunch, listener: PtyHostListener): Promise<PtyHostClient> {
  const running = await tryConnect(launch.socketPath, listener);
  if (running !== undefined) return running;
  mkdirSync(dirname(launch.socketPath), { recursive: true, mode: 0o700 });
  rmSync(launch.socketPath, { force: true });
  const log = openSync(launch.logPath, 'a', 0o600);
  const child = spawn(process.execPath, [MAIN, launch.socketPath, String(launch.idleMs)], {
    detached: true,
    stdio: ['ignore', 'ignore', log],
    cwd: '/',
    env: { LANG: 'C.UTF-8' },
  });
  closeSync(log);
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const client = await tryConnect(launch.socketPath, listener);
    if (client !== undefined) return client;
  }
  throw new EngineError('unavailable', 'the pty host does not start', { code: 'E_PTY_HOST', op: 'terminal.launch', hint: 'see its log' });
}

async function tryConnect(socketPath: string, listener: PtyHostListener): Promise<PtyHostClient | undefined> {
  try {
    return await PtyHostClient.connect(socketPath, listener);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}
