/**
 * The Docker Engine API as an HTTP server over a unix socket; a Fastify instance of its own, as other plugins break `Upgrade: tcp`.
 *
 * Knows: versions, errors, tracing and limits that hold for every route.
 * Does not know: who may connect (the socket's mode says so), nor where the socket is.
 *
 * @spec docker-api/v1.47
 */
import { createServer, type Server } from 'node:http';
import { sourceOfStack, type Tracer } from '@slipway/journal';
import Fastify, { type FastifyInstance } from 'fastify';
import { absentRoutes } from './absent-routes.ts';
import { API_VERSION, stripVersion } from './api-version.ts';
import { archiveRoutes } from './archive-routes.ts';
import type { Backend, BackendBuilder, SystemFacts } from './backend.ts';
import { buildRoutes } from './build-routes.ts';
import { clientSpan } from './client-span.ts';
import { containerRoutes } from './container-routes.ts';
import { toDockerError } from './docker-status.ts';
import { imageRoutes } from './image-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import { type RouteContext, spanOf } from './route-context.ts';
import { streamRoutes } from './stream-routes.ts';
import { systemRoutes } from './system-routes.ts';
import { handleUpgrade } from './upgrade-routes.ts';

export interface DockerApiOptions {
  readonly backend: Backend;
  /** Absent: builds are refused. */
  readonly builder?: BackendBuilder;
  readonly tracer: Tracer;
  readonly facts: SystemFacts;
  readonly logPath: (id: string) => string;
  /** A failure that is a bug here; clients only learn that there was one. */
  readonly onInternalError: (error: unknown) => void;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is passed on unread, whatever type it says. */
    rawBody?: boolean;
  }
}

/** JSON bodies; archives have no such limit, the store bounds them while it reads. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** A server that is ready to listen: `http` is listened on, `app` is for `inject` in tests. */
export interface DockerApi {
  readonly app: FastifyInstance;
  readonly http: Server;
  /** Ends every connection; containers and their shims do not notice. */
  close(): Promise<void>;
}

export async function createDockerApi(options: DockerApiOptions): Promise<DockerApi> {
  const http = createServer();
  const context: RouteContext = options;
  const app = Fastify({
    serverFactory: (handler) => http.on('request', handler),
    rewriteUrl: ({ url = '/' }) => stripVersion(url),
    bodyLimit: BODY_LIMIT_BYTES,
    // Streams live as long as their container.
    requestTimeout: 0,
    keepAliveTimeout: 30_000,
    routerOptions: { maxParamLength: 512 },
    exposeHeadRoutes: false,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  readBodies(app);
  answerInDockersWords(app, options);
  traceRequests(app, options.tracer);
  await app.register(systemRoutes, context);
  await app.register(containerRoutes, context);
  await app.register(streamRoutes, context);
  await app.register(archiveRoutes, context);
  await app.register(buildRoutes, context);
  await app.register(imageRoutes, context);
  await app.register(registryRoutes, context);
  await app.register(absentRoutes, context);
  await app.ready();
  http.on('upgrade', (request, socket, head) => void handleUpgrade(context, { request, socket, head }));
  return {
    app,
    http,
    close: async () => {
      http.closeAllConnections();
      await app.close();
    },
  };
}

/** Bodies are read by the readers beside the routes. Fastify's own compilers for schemas, loaded whether used or not, are 150 modules. */
function noSchemas(): never {
  throw new Error('a route has a schema, which nobody compiles here');
}

function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(Object.assign(new Error('invalid JSON in the body'), { statusCode: 400 }));
    }
  });
  app.addContentTypeParser(['application/x-tar', 'application/tar', 'application/octet-stream'], (_request, payload, done) =>
    done(null, payload),
  );
  // Old clients send `text/plain` with no body at all.
  app.addContentTypeParser('*', (request, payload, done) => {
    // Docker's client names no type, or a wrong one, for some archives.
    if (request.routeOptions.config.rawBody === true) return done(null, payload);
    payload.once('data', () => done(Object.assign(new Error('unsupported Content-Type: use application/json'), { statusCode: 400 })));
    payload.once('end', () => done(null, undefined));
    payload.once('error', (error) => done(error));
  });
}

function answerInDockersWords(app: FastifyInstance, { onInternalError }: DockerApiOptions): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'Api-Version': API_VERSION,
      'Docker-Experimental': 'false',
      Ostype: 'linux',
      Server: 'Slipway (linux)',
      Swarm: 'inactive',
    });
    done();
  });
  app.setNotFoundHandler(async (_request, reply) => reply.status(404).send({ message: 'page not found' }));
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = toDockerError(error);
    spanOf(request)?.close(error);
    if (status === 500) onInternalError(error);
    return reply.status(status).send(body);
  });
}

/** One span for each request, whose children are the engine's. The hooks call back: a promise for each is a turn of the queue for each. */
function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  app.decorateRequest('span', null);
  const sources = new Map<string, string | undefined>();
  app.addHook('onRoute', ({ method, url }) => {
    // Whoever declares a route is on the stack; this file and fastify are passed over.
    const frames = (new Error().stack ?? '').split('\n').filter((frame) => !frame.includes('docker-api/src/server.ts'));
    for (const each of [method].flat()) sources.set(routeKey(each, url), sourceOfStack(frames.join('\n')));
  });
  app.addHook('preHandler', (request, reply, done) => {
    const isJson = typeof request.body === 'object' && request.headers['content-type']?.startsWith('application/json') === true;
    const client = clientSpan(request.headers, tracer);
    const span = tracer.open({
      actor: 'api',
      name: `${request.method} ${request.url.split('?', 1)[0]}`,
      protocol: 'HTTP over unix socket',
      parent: client.parent,
      request: isJson ? request.body : request.url.includes('?') ? request.url : undefined,
      source: sources.get(routeKey(request.method, request.routeOptions.url)),
    });
    request.span = span;
    // A hijacked reply has no onResponse hook.
    reply.raw.once('close', () => {
      span.close();
      client.answered();
    });
    done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    const shown = typeof payload === 'string' ? payload : undefined;
    spanOf(request)?.note({ response: shown ?? `HTTP ${reply.statusCode}` });
    // Docker's clients compare the media type as text, and JSON is UTF-8 by definition.
    if (String(reply.getHeader('content-type')).startsWith('application/json')) reply.header('content-type', 'application/json');
    done(null, payload);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    spanOf(request)?.close();
    done();
  });
}

function routeKey(method: string, url: string | undefined): string {
  return `${method} ${url ?? ''}`;
}
