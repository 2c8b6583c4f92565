/**
 * Requests to one registry: authorized, redirected within the rules, tried again where that makes sense.
 *
 * Knows: which answers are answered (401), followed (3xx) or waited for (429, 5xx).
 * Does not know: manifests or blobs.
 */
import { isKind } from '@slipway/errors';
import { delay } from '@slipway/kernel';
import { Authority } from './authority.ts';
import { type TlsFiles, Wire, type WireResponse } from './connect.ts';
import type { Credentials } from './credentials.ts';
import { isLoopbackHost, type RegistryOrigin, requireForeign } from './policy.ts';
import type { ProxyRules } from './proxy.ts';
import { discard } from './read-body.ts';
import { brokenAnswer, responseError } from './registry-errors.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Waits before the second, third, … attempt. */
export const RETRY_MS: readonly number[] = [250, 1000, 3000];
const MAX_RETRY_AFTER_MS = 10_000;
const AGENT = 'slipway/0.1 (linux)';

export interface SessionOptions {
  readonly registry: RegistryOrigin;
  readonly credentials: Credentials | undefined;
  readonly tls?: TlsFiles;
  /** What requests say of who asks; absent: the engine. */
  readonly userAgent?: string;
  readonly proxies?: ProxyRules | undefined;
  /** As OpenOptions. */
  readonly localHeaders?: Readonly<Record<string, string>> | undefined;
  /** Tests shorten it. */
  readonly retryMs?: readonly number[];
}

export interface SessionRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Absolute, or a path of the registry. */
  readonly url: URL | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every attempt. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  /** What the token must be good for, e.g. `repository:library/busybox:pull`. */
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** `leave`: a challenge is the answer. Default: it is answered. */
  readonly challenge?: 'leave';
}

/** Everything said to one registry in one operation. Close it. */
export class RegistrySession {
  readonly registry: RegistryOrigin;
  readonly #options: SessionOptions;
  readonly #own: Wire;
  readonly #authority: Authority;
  #foreign: Wire | undefined;

  constructor(options: SessionOptions) {
    const { registry, tls, proxies } = options;
    this.registry = registry;
    this.#options = options;
    this.#own = new Wire({ isInsecure: registry.isInsecure, proxies, ...(tls === undefined ? {} : { tls }) });
    this.#authority = new Authority({ ...options, own: this.#own, foreign: () => this.#elsewhere() });
  }

  /** One answer, whatever its status; 401 has been tried to be answered, redirects of GET and HEAD have been followed. */
  async send(request: SessionRequest): Promise<WireResponse> {
    const { scopes, signal } = request;
    const sent = this.#authority.header(scopes);
    const response = await this.#follow(request, sent);
    // A challenge from anywhere else is not ours to answer.
    if (response.status !== 401 || request.challenge === 'leave' || !this.#isOwn(response.url)) return response;
    const authorization = await this.#authority.answer(response, { scopes, sent, signal });
    if (authorization === undefined) return response;
    await discard(response.body);
    return await this.#follow(request, authorization);
  }

  /** Does it again, after a while, as long as it fails with something that may pass. */
  async patiently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const waits = this.#options.retryMs ?? RETRY_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const wait = waits[attempt];
        if (wait === undefined || !isKind(error, 'unavailable') || isHopeless(error)) throw error;
        await delay(wait);
        signal?.throwIfAborted();
      }
    }
  }

  /** As {@link send}; any status but `expected` is a failure. @throws as responseError */
  async require(request: SessionRequest, what: string, expected: readonly number[] = [200]): Promise<WireResponse> {
    const response = await this.send(request);
    if (expected.includes(response.status)) return response;
    const failure = await responseError(response, what);
    await delay(retryAfterMs(response));
    throw failure;
  }

  /** Where an answer's `Location` leads; an upload goes on there. */
  location(response: WireResponse): URL {
    const text = response.headers.location;
    const target = text === undefined ? null : URL.parse(text, response.url);
    if (target === null) throw brokenAnswer(response.url, 'it names no Location');
    if (!this.#isOwn(target)) requireForeign(target, this.registry);
    return target;
  }

  close(): void {
    this.#own.close();
    this.#foreign?.close();
  }

  async #follow(request: SessionRequest, authorization: string | undefined): Promise<WireResponse> {
    let url = typeof request.url === 'string' ? new URL(request.url, this.registry.url) : request.url;
    for (let hops = 0; ; hops++) {
      const isOwn = this.#isOwn(url);
      const wire = isOwn ? this.#own : this.#elsewhere();
      const headers = {
        'user-agent': this.#options.userAgent ?? AGENT,
        ...(isOwn && isLoopbackHost(url.hostname) ? this.#options.localHeaders : {}),
        ...request.headers,
        ...(isOwn && authorization !== undefined ? { authorization } : {}),
      };
      const body = request.body?.();
      const response = await wire.send({
        method: request.method,
        url,
        headers,
        signal: request.signal,
        ...(body === undefined ? {} : { body }),
      });
      if (!REDIRECTS.has(response.status) || (request.method !== 'GET' && request.method !== 'HEAD')) return response;
      url = this.location(response);
      await discard(response.body);
      if (hops >= MAX_REDIRECTS) throw brokenAnswer(url, 'it redirects without end');
    }
  }

  #isOwn({ protocol, host }: URL): boolean {
    return protocol === this.registry.url.protocol && host === this.registry.url.host;
  }

  /** Known only once we are connected: before that nobody can have sent us anywhere. */
  #elsewhere(): Wire {
    this.#foreign ??= new Wire({ from: this.#own.scope ?? 'public', isInsecure: false, proxies: this.#options.proxies });
    return this.#foreign;
  }
}

/** Nobody has this name, or nobody listens: a moment later that is hardly different, and somebody waits. */
function isHopeless(error: unknown): boolean {
  const { cause } = error as Error;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOTFOUND' || cause.code === 'ECONNREFUSED');
}

function retryAfterMs({ headers }: WireResponse): number {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 0;
}
