/**
 * Listening on a unix socket path.
 *
 * Knows: that a killed daemon leaves its socket behind, that a living one's must not be taken away, and who may connect.
 * Does not know: what is served.
 */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '@slipway/errors';
import { isServed, listening } from '@slipway/kernel';

/** Owner and group may connect; nobody else can, not even for a moment. */
const SOCKET_UMASK = 0o117;
/** sun_path has 108 bytes, one of them the closing NUL. */
const MAX_PATH_BYTES = 107;

/**
 * Resolves once `server` accepts connections on `path`. `onTrouble` is told of connections that cannot be accepted later.
 *
 * @throws failed-precondition / E_SOCKET_IN_USE when somebody answers there, or something else has the name
 */
export async function listenOn(server: Server, path: string, onTrouble: (error: Error) => void): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refuse(path, `has more than ${MAX_PATH_BYTES} bytes`, 'use a shorter path');
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  await removeDeadSocket(path);
  try {
    await listening(server, { path, umask: SOCKET_UMASK, onTrouble });
  } catch (cause) {
    throw refuse(path, cause instanceof Error ? cause.message : String(cause), 'check the path and its directory', cause);
  }
}

async function removeDeadSocket(path: string): Promise<void> {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) return;
  if (!info.isSocket()) throw refuse(path, 'exists and is no socket', 'remove it, or use another path');
  if (await isServed(path)) throw refuse(path, 'is served by a running daemon', 'stop that one, or use another path');
  rmSync(path, { force: true });
}

function refuse(path: string, why: string, hint: string, cause?: unknown): EngineError {
  return new EngineError('failed-precondition', `the socket "${path}" ${why}`, {
    code: 'E_SOCKET_IN_USE',
    op: 'daemon.listen',
    subject: path,
    hint,
    cause,
  });
}
