/**
 * The one HTTP server: page, API and socket on one origin.
 *
 * Knows: what is put before and around the routes, and limits that hold for all of them.
 * Does not know: what the routes do.
 */
import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import websocket from '@fastify/websocket';
import { EngineError } from '@slipway/errors';
import Fastify, { type FastifyBaseLogger, type FastifyError, type FastifyInstance, LogController } from 'fastify';
import { type Door, openDoor } from '../access/door.ts';
import { addGuard } from '../access/guard.ts';
import { API_POLICY, SECURITY_HEADERS } from '../access/headers.ts';
import type { Sessions } from '../access/sessions.ts';
import { toFailure } from '../failures.ts';
import type { Learners } from '../lab/learners.ts';
import type { HostFacts, HostObserver } from '../ports.ts';
import { addSocket } from '../socket/add-socket.ts';
import { addNotFound, addPageFiles } from './page-files.ts';
import { addRoutes } from './routes.ts';

export interface ServerOptions {
  readonly host: string;
  readonly publicOrigin: string | undefined;
  readonly devOrigin: string | undefined;
  /** The exported page. */
  readonly webDir: string;
  readonly learners: Learners;
  readonly sessions: Sessions;
  readonly observer: Pick<HostObserver, 'trace'>;
  readonly facts: HostFacts;
  readonly log: FastifyBaseLogger;
}

export interface LabServer {
  readonly app: FastifyInstance;
  /** Has to be told before the first request: allow-lists and the cookie's name carry it. Cookies know no ports. */
  setPort(port: number): void;
  /** Says goodbye to every page; whoever does not answer, or takes a download slowly, is cut off. */
  close(): Promise<void>;
}

const BODY_BYTES = 64 * 1024;
const HEADERS_MS = 10_000;
/** A page that is awake answers a close at once. */
const GOODBYE_MS = 1000;
const REQUEST_MS = 120_000;
/** Largest message of a page: a config.json on its way to the workbench; an input frame is half of it. */
const SOCKET_PAYLOAD_BYTES = 160 * 1024;

export async function createServer(options: ServerOptions): Promise<LabServer> {
  let port = 0;
  let door: Door | undefined;
  const secureCookie = options.publicOrigin !== undefined;
  // With the prefix, browsers take the cookie from this very host only: no sibling of its domain can plant one.
  const cookieName = () => `${secureCookie ? '__Host-' : ''}slipway-${port}`;
  const app = Fastify({
    loggerInstance: options.log,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    connectionTimeout: 0,
    forceCloseConnections: true,
    http: { headersTimeout: HEADERS_MS, maxHeaderSize: 16 * 1024 },
    routerOptions: { maxParamLength: 100 },
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: false,
  });
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const { status, failure } = toFailure(fromFastify(error));
    if (status >= 500) options.log.error({ err: error }, 'a request failed');
    return reply.code(status).send(failure);
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', API_POLICY);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  await app.register(websocket, {
    options: { maxPayload: SOCKET_PAYLOAD_BYTES, perMessageDeflate: false, maxFragments: 64, maxBufferedChunks: 1024 },
  });
  addGuard(app, { door: () => (door ??= openDoor({ ...options, port })), sessions: options.sessions, cookieName });
  addNotFound(app, options.webDir);
  addRoutes(app, { ...options, host: options.facts, cookieName, secureCookie });
  addSocket(app, options);
  await addPageFiles(app, options.webDir);
  return {
    app,
    setPort: (value) => {
      port = value;
      door = undefined;
    },
    close: () => closeServer(app),
  };
}

async function closeServer(app: FastifyInstance): Promise<void> {
  const { clients } = app.websocketServer;
  for (const socket of clients) socket.close(1001, 'the lab ends');
  const deadline = setTimeout(() => {
    for (const socket of clients) socket.terminate();
  }, GOODBYE_MS);
  await app.close();
  clearTimeout(deadline);
}

/** Fastify's own refusals in our words. */
function fromFastify(error: FastifyError): unknown {
  if (error instanceof EngineError) return error;
  const codes: Readonly<Record<number, `E_${string}`>> = { 413: 'E_BODY_TOO_LARGE', 415: 'E_CONTENT_TYPE', 429: 'E_TOO_MANY_REQUESTS' };
  const status = error.statusCode ?? 500;
  if (status < 400 || status >= 500) return error;
  return new EngineError('invalid-argument', error.message, { code: codes[status] ?? 'E_REQUEST', op: 'request.parse', cause: error });
}
