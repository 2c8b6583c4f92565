/**
 * Talking to the engine: HTTP over its unix socket.
 *
 * Knows: requests, streams and the hijacked connection of attach and exec.
 * Does not know: what any command means. Every request carries the trace of the command line that caused it, so that the call chain
 * begins where the learner pressed Enter.
 */
import { randomBytes } from 'node:crypto';
import type * as Http from 'node:http';
import type { Socket } from 'node:net';
import { UsageError } from '../flags.ts';

/** Not imported: as an ES module it would load all of undici for its exports, 20 ms that every command would feel. */
const http: typeof Http = process.getBuiltinModule('node:http');

/** The engine refused: `message` is its own sentence. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Nobody listens, or we may not talk to it. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export interface Hijacked {
  readonly socket: Socket;
  /** Bytes that came with the answer's head. */
  readonly head: Buffer;
}

export interface Daemon {
  /** Parsed JSON of the answer; undefined for an empty one. */
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  /** The answer's body as it comes. */
  stream(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Http.IncomingMessage>;
  /** Sends a file's bytes; by POST unless told otherwise. */
  upload(path: string, contentType: string, body: AsyncIterable<Uint8Array>, options?: UploadOptions): Promise<Http.IncomingMessage>;
  hijack(path: string, body?: unknown): Promise<Hijacked>;
}

export interface UploadOptions {
  readonly method?: 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DaemonOptions {
  readonly socketPath: string;
  /** The command line, for the journal. */
  readonly command: string;
  /** CLOCK_MONOTONIC milliseconds when the command began. */
  readonly startedMs: number;
}

/** From `-H` or DOCKER_HOST; absent: docker's own place. @throws UsageError for what is no unix socket */
export function socketPath(host: string | undefined): string {
  if (host === undefined || host === '') return '/var/run/docker.sock';
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  throw new UsageError(`cannot connect to ${JSON.stringify(host)}: this client speaks to unix sockets only; write unix:///path`);
}

/** Oldest API that has everything used here. */
const API = '/v1.41';

export function openDaemon(options: DaemonOptions): Daemon {
  const trace = randomBytes(8).toString('hex');
  const base: Http.RequestOptions = {
    socketPath: options.socketPath,
    headers: {
      host: 'slipway',
      'x-slipway-span': `${trace}/${trace}`,
      'x-slipway-command': encodeURIComponent(options.command.slice(0, 1000)),
      'x-slipway-started': String(options.startedMs),
    },
  };
  const stream: Daemon['stream'] = (method, path, body, headers) =>
    send({ ...base, headers: { ...base.headers, ...headers } as Http.OutgoingHttpHeaders }, method, path, body);
  return {
    stream,
    call: async <T>(method: string, path: string, body?: unknown) => (await readJson(await stream(method, path, body))) as T,
    upload: async (path, contentType, body, { method = 'POST', headers } = {}) => {
      const request = begin(base, method, path, { 'content-type': contentType, ...headers });
      const answer = answered(request, options.socketPath);
      for await (const chunk of body) {
        if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve));
      }
      request.end();
      return await checked(await answer);
    },
    hijack: (path, body) => hijack(base, path, body),
  };
}

async function send(base: Http.RequestOptions, method: string, path: string, body: unknown): Promise<Http.IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const request = begin(
    base,
    method,
    path,
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) },
  );
  request.end(text);
  return await checked(await answered(request, base.socketPath ?? ''));
}

function begin(base: Http.RequestOptions, method: string, path: string, headers: Record<string, string>): Http.ClientRequest {
  return http.request({ ...base, method, path: API + path, headers: { ...base.headers, ...headers } });
}

function answered(request: Http.ClientRequest, socketPath: string): Promise<Http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', (cause) => reject(unreachable(cause, socketPath)));
  });
}

async function checked(response: Http.IncomingMessage): Promise<Http.IncomingMessage> {
  const status = response.statusCode ?? 0;
  if (status < 400) return response;
  throw new DaemonError(status, await readMessage(response));
}

async function readMessage(response: Http.IncomingMessage): Promise<string> {
  const text = await readText(response);
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? text);
  } catch {
    return text.trim() === '' ? `status ${response.statusCode}` : text.trim();
  }
}

export async function readText(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function readJson(response: Http.IncomingMessage): Promise<unknown> {
  const text = await readText(response);
  return text.trim() === '' ? undefined : JSON.parse(text);
}

function hijack(base: Http.RequestOptions, path: string, body: unknown): Promise<Hijacked> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    connection: 'Upgrade',
    upgrade: 'tcp',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
  };
  const request = begin(base, 'POST', path, headers);
  return new Promise((resolve, reject) => {
    request.on('upgrade', (_response, socket, head) => resolve({ socket: socket as Socket, head }));
    request.on('response', (response) => {
      checked(response).then(() => reject(new DaemonError(500, 'the engine did not open a stream')), reject);
    });
    request.on('error', (cause) => reject(unreachable(cause, base.socketPath ?? '')));
    request.end(text);
  });
}

function unreachable(cause: Error & { code?: string }, socketPath: string): Error {
  if (cause.code === 'EACCES')
    return new UnreachableError(`permission denied while trying to connect to the engine at unix://${socketPath}: are you root?`);
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') {
    return new UnreachableError(`cannot connect to the engine at unix://${socketPath}. Is slipwayd running?`);
  }
  return cause;
}
