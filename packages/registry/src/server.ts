/**
 * The registry as an HTTP server.
 *
 * Knows: which method of which path is which route, and what holds for all of them.
 * Does not know: where it listens, nor what is behind the routes.
 *
 * @spec distribution-spec/spec.md#endpoints
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { findEngineError } from '@slipway/errors';
import { isErrno } from '@slipway/kernel';
import { type CheckPassword, refusePages, requireLogin } from './access.ts';
import type { RegistryBackend } from './backend.ts';
import { deleteBlob, getBlob, headBlob } from './blob-routes.ts';
import { answer, type Exchange } from './exchange.ts';
import { listReferrers, listRepositories, listTags } from './listing-routes.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifest-routes.ts';
import { refuse, toRegistryFailure } from './registry-failure.ts';
import { parseTarget, type Target, type TargetKind } from './request-path.ts';
import { type Findings, type RequestRecord, recordRequest, type Traffic } from './request-record.ts';
import { cancelUpload, finishUpload, startUpload, uploadChunk, uploadStatus } from './upload-routes.ts';

export interface RegistryServerOptions {
  readonly backend: RegistryBackend;
  /** Absent: everybody may do everything. */
  readonly checkPassword?: CheckPassword;
  /** Nothing is taken in and nothing is removed. */
  readonly readOnly?: boolean;
  /** A failure that is a bug here; clients only learn that there was one. */
  readonly onInternalError: (error: unknown) => void;
  /** Told of every request once it has ended, refused ones included. */
  readonly onRequest?: (record: RequestRecord) => void;
}

/** One request as this file passes it along. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly traffic: Traffic;
  readonly findings: Findings;
}

type Route<K extends TargetKind> = (exchange: Exchange, target: Extract<Target, { kind: K }>) => Promise<void>;
type Routes = { readonly [K in TargetKind]: Readonly<Record<string, Route<K>>> };

const base = async (exchange: Exchange) => answer(exchange, 200, {}, {});

const ROUTES: Routes = {
  base: { GET: base, HEAD: base },
  catalog: { GET: listRepositories },
  tags: { GET: listTags },
  referrers: { GET: listReferrers },
  blob: { GET: getBlob, HEAD: headBlob, DELETE: deleteBlob },
  uploads: { POST: startUpload },
  upload: { GET: uploadStatus, PATCH: uploadChunk, PUT: finishUpload, DELETE: cancelUpload },
  manifest: { GET: getManifest, HEAD: headManifest, PUT: putManifest, DELETE: deleteManifest },
};

const READS = new Set(['GET', 'HEAD']);
/** A connection that says nothing for so long is closed; a slow upload may take all day. */
const SILENCE_MS = 5 * 60_000;

/** A server that is ready to listen. */
export function createRegistryServer(options: RegistryServerOptions): Server {
  const http = createServer({ requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 30_000 }, (request, response) => {
    void serve(options, request, response);
  });
  http.timeout = SILENCE_MS;
  return http;
}

async function serve(options: RegistryServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('Docker-Distribution-API-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const visit: Visit = { request, response, traffic: { receivedBytes: 0, sentBytes: 0 }, findings: {} };
  if (options.onRequest !== undefined) recordRequest(visit, visit, options.onRequest);
  try {
    await dispatch(options, visit);
  } catch (error) {
    fail(error, visit, options.onInternalError);
  }
}

async function dispatch(options: RegistryServerOptions, { request, response, traffic, findings }: Visit): Promise<void> {
  refusePages(request);
  if (options.checkPassword !== undefined) await requireLogin(request, options.checkPassword);
  const { url = '/', method = 'GET' } = request;
  const [path = '/'] = url.split('?', 1);
  const target = parseTarget(path);
  if (target === undefined) throw refuse('not-found', 'E_REPOSITORY_UNKNOWN', 'the API has no such path');
  findings.target = target;
  // The table pairs kinds and routes; TypeScript cannot follow the pair through the look-up.
  const routes = ROUTES[target.kind] as unknown as Readonly<Record<string, (exchange: Exchange, target: Target) => Promise<void>>>;
  const route = Object.hasOwn(routes, method) ? routes[method] : undefined;
  if (route === undefined) {
    response.setHeader('Allow', Object.keys(routes).join(', '));
    throw refuse('unsupported', 'E_REGISTRY_METHOD', `no ${method} here`);
  }
  if (options.readOnly === true && !READS.has(method)) throw refuse('unsupported', 'E_REGISTRY_READ_ONLY', 'this registry is read-only');
  const query = new URLSearchParams(url.slice(path.length + 1));
  await route({ backend: options.backend, request, response, query, traffic }, target);
}

/** Whatever goes wrong, the client hears of it, unless it has gone or is half-way through a blob. */
function fail(error: unknown, visit: Visit, onInternalError: (error: unknown) => void): void {
  const { request, response, findings } = visit;
  const hasLeft = (response.socket?.destroyed ?? true) || isErrno(error, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE');
  if (hasLeft || response.headersSent) {
    if (!hasLeft) onInternalError(error);
    response.destroy();
    return;
  }
  const { status, body } = toRegistryFailure(error);
  const [first] = body.errors;
  if (first !== undefined) findings.failure = { code: first.code, message: first.message };
  if (status >= 500) onInternalError(error);
  if (findEngineError(error)?.code === 'E_REGISTRY_LOGIN')
    response.setHeader('WWW-Authenticate', 'Basic realm="registry", charset="UTF-8"');
  if (!request.complete) leaveRestUnread(request, response);
  answer(visit, status, {}, body);
}

/** The rest of a refused body is not worth receiving; the client gets a moment to read why. */
function leaveRestUnread(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  response.once('finish', () => {
    request.resume();
    setTimeout(() => request.socket.destroy(), 2000).unref();
  });
}
