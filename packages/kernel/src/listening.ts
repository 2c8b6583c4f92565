/**
 * A server that begins to listen, and what becomes of its later failures.
 *
 * Knows: that an 'error' nobody listens to ends the process, and that a connection which cannot be accepted is no reason to.
 * Does not know: what is served.
 */
import type { ListenOptions, Server } from 'node:net';

export interface Listening extends ListenOptions {
  /** Of a unix socket: which permissions it does not get, from its first moment on. Absent: the process's mask. */
  readonly umask?: number;
  /** Told of later failures; of a row of them, in which nobody gets through, once. */
  readonly onTrouble: (error: Error) => void;
}

/**
 * Resolves once `server` accepts connections.
 *
 * @throws what bind(2) or listen(2) refuses
 */
export function listening(server: Server, { umask, onTrouble, ...where }: Listening): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // A unix socket is bound within the call, so the mask is another one for nothing else.
    const before = umask === undefined ? undefined : process.umask(umask);
    try {
      server.listen(where, () => {
        tellTroubles(server, onTrouble);
        server.off('error', reject);
        resolve();
      });
    } finally {
      if (before !== undefined) process.umask(before);
    }
  });
}

function tellTroubles(server: Server, onTrouble: (error: Error) => void): void {
  let isTold = false;
  server.on('connection', () => {
    isTold = false;
  });
  server.on('error', (error) => {
    if (!isTold) onTrouble(error);
    isTold = true;
  });
}
