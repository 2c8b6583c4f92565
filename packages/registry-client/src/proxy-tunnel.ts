/**
 * TLS through a proxy: CONNECT, and then the connection is ours.
 *
 * Knows: that request.
 * Does not know: which proxy (proxy.ts), or what is sent.
 *
 * @spec RFC 9110#section-9.3.6
 */
import type * as Http from 'node:http';
import type * as Https from 'node:https';
import type { Duplex } from 'node:stream';
import type * as Tls from 'node:tls';
import { proxyAuthorization } from './proxy.ts';

const http: typeof Http = process.getBuiltinModule('node:http');
const tls: typeof Tls = process.getBuiltinModule('node:tls');

export interface TunnelRequest {
  readonly proxy: URL;
  /** What an agent has for the connection: target, names and certificates. */
  readonly options: Https.RequestOptions;
  readonly timeoutMs: number;
}

/** Calls back once, with the TLS connection to the target or with why there is none. */
export function openTunnel({ proxy, options, timeoutMs }: TunnelRequest, done: (error: Error | null, socket?: Duplex) => void): void {
  const authorization = proxyAuthorization(proxy);
  const { host, port, path: _, ...tlsOptions } = options;
  const target = `${host?.includes(':') === true ? `[${host}]` : host}:${port}`;
  const request = http.request({
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? 80 : proxy.port,
    path: target,
    headers: { host: target, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
    agent: false,
    timeout: timeoutMs,
  });
  request.once('timeout', () => request.destroy(new Error(`the proxy said nothing for ${timeoutMs / 1000} s`)));
  request.once('error', (error) => done(error));
  request.once('connect', ({ statusCode = 0 }, socket) => {
    if (statusCode === 200) return done(null, tls.connect({ ...(tlsOptions as Tls.ConnectionOptions), socket }));
    socket.destroy();
    done(new Error(`the proxy at ${proxy.host} answered ${statusCode}`));
  });
  // A proxy that answers CONNECT with an ordinary answer has refused, too.
  request.once('response', (response) => {
    response.destroy();
    done(new Error(`the proxy at ${proxy.host} answered ${response.statusCode}`));
  });
  request.end();
}
