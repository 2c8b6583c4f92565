/**
 * A file of the web, for `ADD` in a Dockerfile: whoever wrote that may be a stranger, so what is fetched must be what everybody could fetch.
 *
 *     public addresses         http and https, by way of at most five redirects, never from https to http
 *     any other address        only of hosts that the engine's owner has named
 *     credentials, cookies     none; a URL that holds a password is refused
 *
 * Knows: where to go, and when to stop.
 * Does not know: what the bytes are for.
 */
import { EngineError, findEngineError } from '@slipway/errors';
import { Wire, type WireResponse } from './connect.ts';
import { showUrl } from './policy.ts';
import type { ProxyRules } from './proxy.ts';
import { discard } from './read-body.ts';

export interface FetchFileOptions {
  /** `host[:port]` that may have any address. */
  readonly allowedHosts: readonly string[];
  readonly proxies?: ProxyRules | undefined;
  /** The file may have so many bytes, and take so long. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

export interface FetchedFile {
  /** Seconds since 1970; absent: the server did not say. */
  readonly modifiedSeconds?: number;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const AGENT = 'slipway/0.1 (linux)';

/** @throws EngineError `permission-denied` / `E_FETCH_ADDRESS`; `unavailable` / `E_FETCH_FAILED` */
export async function fetchFile(url: URL, options: FetchFileOptions): Promise<FetchedFile> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const wires: Wire[] = [];
  try {
    const response = await follow(url, { ...options, signal }, wires);
    await take(response, options);
    const modified = Date.parse(response.headers['last-modified'] ?? '') / 1000;
    return Number.isFinite(modified) && modified >= 0 ? { modifiedSeconds: Math.floor(modified) } : {};
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toFetchError(url, deadline.aborted ? new Error(`it took longer than ${options.timeoutMs / 1000} s`) : error);
  } finally {
    for (const wire of wires) wire.close();
  }
}

async function follow(from: URL, { allowedHosts, proxies, signal }: FetchFileOptions, wires: Wire[]): Promise<WireResponse> {
  let url = from;
  for (let hops = 0; ; hops++) {
    requireFetchable(url, from);
    const isAllowed = allowedHosts.some((listed) => listed === url.host || listed === url.hostname);
    const wire = new Wire({ isInsecure: false, proxies, ...(isAllowed ? {} : { from: 'public' }) });
    wires.push(wire);
    const headers = { 'user-agent': AGENT, accept: '*/*', 'accept-encoding': 'identity' };
    const response = await wire.send({ method: 'GET', url, headers, signal });
    if (response.status === 200) return response;
    await discard(response.body);
    const next = REDIRECTS.has(response.status) ? URL.parse(response.headers.location ?? '', url) : null;
    if (next === null) throw new Error(`it answered with status ${response.status}`);
    if (hops >= MAX_REDIRECTS) throw new Error('it redirects without end');
    url = next;
  }
}

/** By what can be seen before connecting. */
function requireFetchable(url: URL, from: URL): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw denied(url, 'is neither https nor http');
  if (from.protocol === 'https:' && url.protocol === 'http:') throw denied(url, 'leads from https to http');
  if (url.username !== '' || url.password !== '') throw denied(url, 'holds a password');
}

async function take({ body, headers }: WireResponse, { maxBytes, write }: FetchFileOptions): Promise<void> {
  const announced = Number(headers['content-length'] ?? 0);
  let total = 0;
  try {
    if (announced > maxBytes) throw new Error(`it has ${announced} bytes, at most ${maxBytes} are fetched`);
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      total += chunk.byteLength;
      if (total > maxBytes) throw new Error(`it has more than the ${maxBytes} bytes that are fetched`);
      await write(chunk);
    }
  } finally {
    body.destroy();
  }
}

function denied(url: URL, why: string): EngineError {
  return new EngineError('permission-denied', `${showUrl(url)} is not fetched: it ${why}`, {
    code: 'E_FETCH_ADDRESS',
    op: 'fetch.file',
    subject: url.host,
  });
}

function toFetchError(url: URL, cause: unknown): EngineError {
  const known = findEngineError(cause);
  if (known?.code === 'E_FETCH_ADDRESS') return known;
  if (known?.code === 'E_REGISTRY_ADDRESS') {
    return new EngineError('permission-denied', `${showUrl(url)} is not fetched: it leads to an address that is not public`, {
      code: 'E_FETCH_ADDRESS',
      op: 'fetch.file',
      subject: url.host,
      hint: 'If you trust that host, start slipwayd with --build-add-host HOST[:PORT].',
      cause,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('unavailable', `${showUrl(url)} cannot be fetched: ${why.slice(0, 300)}`, {
    code: 'E_FETCH_FAILED',
    op: 'fetch.file',
    subject: url.host,
    cause,
  });
}
