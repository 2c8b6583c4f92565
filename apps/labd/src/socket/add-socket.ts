/**
 * The route of the one WebSocket.
 *
 * Knows: its path.
 * Does not know: the conversation (page-socket.ts). The guard has checked host, origin and session before the upgrade.
 */
import type { FastifyInstance } from 'fastify';
import { sessionOf } from '../access/guard.ts';
import type { Sessions } from '../access/sessions.ts';
import type { Learners } from '../lab/learners.ts';
import { PageSocket } from './page-socket.ts';

export interface SocketOptions {
  readonly learners: Learners;
  readonly sessions: Sessions;
}

export function addSocket(app: FastifyInstance, { learners, sessions }: SocketOptions): void {
  app.get('/api/socket', { websocket: true, config: { socket: true } }, (socket, request) => {
    new PageSocket(socket, { learners, sessions, session: sessionOf(request) });
  });
}
