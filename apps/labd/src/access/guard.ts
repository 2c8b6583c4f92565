/**
 * The checks that stand before every route, upgrade or not.
 *
 * Knows: their order (door, kind of body, session, token) and which routes ask less.
 * Does not know: what the routes do. A route that says nothing about itself needs everything.
 */
import { EngineError } from '@slipway/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Door } from './door.ts';
import { type LearnerSession, type Sessions, sameSecret } from './sessions.ts';

/** `public`: the page's files and health; `login`: a body but no session yet; `session`: everything else. */
type Access = 'public' | 'login' | 'session';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** The one route that may be upgraded. */
    socket?: boolean;
  }
  interface FastifyRequest {
    learnerSession: LearnerSession | null;
  }
}

export interface GuardOptions {
  readonly door: () => Door;
  readonly sessions: Sessions;
  readonly cookieName: () => string;
}

/** The header that a page of another origin cannot add without asking, and whose value it does not know. */
const TOKEN_HEADER = 'x-slipway';

export function addGuard(app: FastifyInstance, options: GuardOptions): void {
  app.decorateRequest('learnerSession', null);
  app.addHook('onRequest', async (request) => {
    const upgrade = request.headers.upgrade !== undefined;
    options.door().check({
      method: request.method,
      target: request.raw.url ?? '',
      upgrade,
      host: request.headers.host,
      origin: request.headers.origin,
      site: header(request, 'sec-fetch-site'),
    });
    const { access = 'session', socket = false } = request.routeOptions.config;
    if (upgrade && !socket)
      throw new EngineError('invalid-argument', 'nothing to upgrade to here', { code: 'E_UPGRADE', op: 'guard.check' });
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (changes) requireJson(request);
    if (access !== 'session') return;
    const session = requireSession(request, options);
    if (changes) requireToken(request, session);
    request.learnerSession = session;
  });
}

/** The session the guard found; only routes with access `session` have one. */
export function sessionOf(request: FastifyRequest): LearnerSession {
  if (request.learnerSession !== null) return request.learnerSession;
  throw new EngineError('internal', 'a route without a session asked for it', { code: 'E_SESSION', op: 'guard.session' });
}

function requireSession(request: FastifyRequest, { sessions, cookieName }: GuardOptions): LearnerSession {
  const session = sessions.find(request.cookies[cookieName()]);
  if (session !== undefined) return session;
  throw new EngineError('permission-denied', 'you are not logged in', {
    code: 'E_SESSION',
    op: 'guard.session',
    hint: 'open the address that the lab printed when it started',
  });
}

function requireToken(request: FastifyRequest, session: LearnerSession): void {
  if (sameSecret(header(request, TOKEN_HEADER) ?? '', session.token)) return;
  throw new EngineError('permission-denied', `the header ${TOKEN_HEADER} does not carry this session's token`, {
    code: 'E_TOKEN',
    op: 'guard.token',
  });
}

/** A form or plain text can be sent by any page without asking; JSON cannot. */
function requireJson(request: FastifyRequest): void {
  if (/^application\/json(?:\s*;.*)?$/i.test(request.headers['content-type'] ?? '')) return;
  throw new EngineError('invalid-argument', 'the body must be application/json', { code: 'E_CONTENT_TYPE', op: 'guard.body' });
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
