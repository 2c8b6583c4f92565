/**
 * Connections: node's own http and https, with the address checked before anything is sent.
 *
 * Knows: name look-ups, agents, time limits, certificates.
 * Does not know: what is asked, or who may see it.
 */
import type { LookupAddress } from 'node:dns';
import type * as Http from 'node:http';
import type * as Https from 'node:https';
import type { Duplex } from 'node:stream';
import type * as Tls from 'node:tls';
import { EngineError } from '@slipway/errors';
import type { AddressScope } from '@slipway/kernel/ip-address';
import { requireAddress, showUrl } from './policy.ts';
import { type ProxyRules, proxyAuthorization, proxyFor } from './proxy.ts';
import { openTunnel } from './proxy-tunnel.ts';

/** Not imported: as ES modules they would load all of undici for their exports. */
const http: typeof Http = process.getBuiltinModule('node:http');
const https: typeof Https = process.getBuiltinModule('node:https');
const dns = process.getBuiltinModule('node:dns');
const tls: typeof Tls = process.getBuiltinModule('node:tls');

/** A connection that is silent for so long is given up. */
const IDLE_MS = 30_000;
const KEEP_ALIVE_MS = 4_000;
const SOCKETS_PER_HOST = 8;
const MAX_HEADER_BYTES = 32 * 1024;

export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Http.IncomingHttpHeaders;
  /** To be read to its end or destroyed. */
  readonly body: Http.IncomingMessage;
  readonly url: URL;
}

/** What a certificate is checked with; absent fields: the system's authorities, no client certificate. */
export interface TlsFiles {
  readonly authorities: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
}

export interface WireOptions {
  /** Scope of the registry that sends us; absent: this is the registry itself. */
  readonly from?: AddressScope;
  /** Certificates are not checked. */
  readonly isInsecure: boolean;
  readonly tls?: TlsFiles;
  /** Absent: no proxies. Where a request goes through one, only literal addresses can be checked: names are the proxy's to look up. */
  readonly proxies?: ProxyRules | undefined;
}

/** Connections under one rule; never shared with another rule's, as a kept connection is not checked again. */
export class Wire {
  readonly #options: WireOptions;
  readonly #agents: { readonly 'http:': Http.Agent; 'https:'?: Https.Agent; tunnel?: Https.Agent; proxy?: Http.Agent };
  /** Scope of the address last connected to. */
  scope: AddressScope | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#agents = { 'http:': this.#checked(new http.Agent(agentOptions())) };
  }

  /** @throws EngineError `permission-denied` / `E_REGISTRY_ADDRESS`; `unavailable` / `E_REGISTRY_UNREACHABLE` */
  async send(request: WireRequest): Promise<WireResponse> {
    const { url } = request;
    request.signal?.throwIfAborted();
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (/^[\d.]+$|:/.test(literal)) requireAddress(literal, url, this.#options.from);
    try {
      return await this.#exchange(request);
    } catch (cause) {
      if (cause instanceof EngineError || request.signal?.aborted === true) throw cause;
      throw unreachable(url, cause);
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #exchange({ method, url, headers, body, signal }: WireRequest): Promise<WireResponse> {
    const isTls = url.protocol === 'https:';
    const way = this.#wayTo(url);
    return new Promise((resolve, reject) => {
      const options = { method, maxHeaderSize: MAX_HEADER_BYTES, ...way, ...(signal === undefined ? {} : { signal }) };
      const request = (isTls ? https : http).request(url, { ...options, headers: { ...headers, ...way.headers } });
      request.setTimeout(IDLE_MS, () => request.destroy(new Error(`nothing came for ${IDLE_MS / 1000} s`)));
      request.on('error', reject);
      request.on('response', (response) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response, url }));
      sendBody(request, body).catch((error: unknown) => request.destroy(error instanceof Error ? error : new Error(String(error))));
    });
  }

  /** Straight there, or through a proxy, which is the one that resolves names then. */
  #wayTo(url: URL): Http.RequestOptions {
    const proxy = proxyFor(url, this.#options.proxies);
    if (proxy === undefined)
      return { agent: url.protocol === 'https:' ? this.#tlsAgent() : this.#agents['http:'], lookup: this.#lookup(url) };
    if (url.protocol === 'https:') return { agent: this.#tunnelAgent(proxy) };
    const authorization = proxyAuthorization(proxy);
    const headers = { host: url.host, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) };
    this.#agents.proxy ??= new http.Agent(agentOptions());
    return { agent: this.#agents.proxy, host: proxy.hostname, hostname: proxy.hostname, port: proxy.port || 80, path: url.href, headers };
  }

  /** Every address that a name has is checked; so one of several cannot be chosen that would be refused. */
  #lookup(url: URL) {
    const { from } = this.#options;
    type Done = (error: Error | null, address: string | LookupAddress[], family?: number) => void;
    return (hostname: string, options: { readonly all?: boolean | undefined }, done: Done): void => {
      dns.lookup(hostname, { all: true, verbatim: true }, (error, addresses) => {
        const [first] = addresses ?? [];
        if (error !== null || first === undefined) return done(error ?? new Error(`no address for ${hostname}`), []);
        try {
          for (const { address } of addresses) requireAddress(address, url, from);
        } catch (refusal) {
          return done(refusal as Error, []);
        }
        if (options.all === true) done(null, addresses);
        else done(null, first.address, first.family);
      });
    };
  }

  /** Holds back the connection until its real address is known to be allowed. */
  #checked<T extends Http.Agent>(agent: T): T {
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      const socket = connect(options) as Duplex & { remoteAddress?: string };
      const { host } = options as { host?: string | null };
      const fail = (error: Error) => callback?.(error, socket);
      socket.once('error', fail);
      socket.once('connect', () => {
        try {
          this.scope = requireAddress(socket.remoteAddress ?? '', new URL(`tcp://${bracket(host ?? 'unknown')}`), this.#options.from);
        } catch (refusal) {
          socket.destroy();
          return fail(refusal as Error);
        }
        socket.off('error', fail);
        callback?.(null, socket);
      });
      return undefined;
    };
    return agent;
  }

  #tlsAgent(): Https.Agent {
    this.#agents['https:'] ??= this.#checked(new https.Agent(this.#tlsOptions()));
    return this.#agents['https:'];
  }

  /** One proxy serves all https addresses. */
  #tunnelAgent(proxy: URL): Https.Agent {
    if (this.#agents.tunnel !== undefined) return this.#agents.tunnel;
    const agent = new https.Agent(this.#tlsOptions());
    agent.createConnection = (options, callback) => {
      openTunnel({ proxy, options, timeoutMs: IDLE_MS }, (error, socket) => callback?.(error, socket as Duplex));
      return undefined;
    };
    this.#agents.tunnel = agent;
    return agent;
  }

  #tlsOptions(): Https.AgentOptions {
    const { isInsecure, tls: files } = this.#options;
    return {
      ...agentOptions(),
      rejectUnauthorized: !isInsecure,
      secureContext: files === undefined ? commonContext() : contextOf(files),
    };
  }
}

function agentOptions(): Http.AgentOptions {
  return { keepAlive: true, timeout: KEEP_ALIVE_MS, maxSockets: SOCKETS_PER_HOST };
}

let common: Tls.SecureContext | undefined;

/** Reading every authority holds up the whole process for some 30 ms: once, for all registries without files of their own. */
function commonContext(): Tls.SecureContext {
  common ??= contextOf({ authorities: [] });
  return common;
}

function contextOf({ authorities, certificate, key }: TlsFiles): Tls.SecureContext {
  const client = certificate === undefined ? {} : { cert: certificate, key };
  return tls.createSecureContext({ ca: [...systemAuthorities(), ...authorities], ...client });
}

/** Of the host, as docker does; node's own where it has none. */
function systemAuthorities(): readonly string[] {
  const system = tls.getCACertificates('system');
  return system.length > 0 ? system : tls.getCACertificates('default');
}

async function sendBody(request: Http.ClientRequest, body: WireRequest['body']): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) return void request.end(body);
  for await (const chunk of body) {
    if (request.destroyed) return;
    if (!request.write(chunk)) await drained(request);
  }
  request.end();
}

function drained(request: Http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done).off('close', done);
      resolve();
    };
    request.on('drain', done).on('close', done);
  });
}

function bracket(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function unreachable(url: URL, cause: unknown): EngineError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('unavailable', `cannot talk to ${showUrl(url)}: ${why.slice(0, 300)}`, {
    code: 'E_REGISTRY_UNREACHABLE',
    op: 'registry.request',
    subject: url.host,
    hint: 'Check the name, the network, and whether that registry speaks https.',
    cause,
  });
}
