/**
 * Unix sockets by their paths.
 *
 * Knows: which failure to connect proves that nobody listens any more.
 * Does not know: what is spoken.
 */
import { createConnection } from 'node:net';
import { isErrno } from './confined.ts';

/** Whether somebody listens at `path`: also one who is too busy to answer, whose socket must not be taken away. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(!isErrno(error, 'ECONNREFUSED', 'ENOENT', 'ENOTDIR')));
  });
}
