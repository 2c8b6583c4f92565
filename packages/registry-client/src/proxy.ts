/**
 * Which proxy a request goes through, by the variables that everybody knows.
 *
 *     HTTP_PROXY, http_proxy     for http addresses:  http://[user:password@]host[:port]
 *     HTTPS_PROXY, https_proxy   for https addresses, through a tunnel
 *     NO_PROXY, no_proxy         `*`, or a list of: name (with everything below it), .name (what is below it only), address, network/bits; each with :port or without
 *
 * Loopback addresses are never asked for through a proxy.
 *
 * Knows: these rules, which are those of docker and other Go programs.
 * Does not know: connections.
 *
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy
 */
import { EngineError } from '@slipway/errors';
import { addressScope, isInSubnet } from '@slipway/kernel/ip-address';
import { isLoopbackHost } from './policy.ts';

/** Plain data; may hold a password. */
export interface ProxyRules {
  /** URLs, for http and https addresses. */
  readonly http?: string;
  readonly https?: string;
  /** As NO_PROXY lists them. */
  readonly except: readonly string[];
}

/** Undefined when no variable names a proxy. @throws EngineError `invalid-argument` / `E_REGISTRY_PROXY` */
export function readProxyRules(env: Readonly<Record<string, string | undefined>>): ProxyRules | undefined {
  const [http, https] = [readProxy(env, 'HTTP_PROXY'), readProxy(env, 'HTTPS_PROXY')];
  if (http === undefined && https === undefined) return undefined;
  const except = (env['NO_PROXY'] || env['no_proxy'] || '').toLowerCase().split(',');
  return {
    ...(http === undefined ? {} : { http }),
    ...(https === undefined ? {} : { https }),
    except: except.map((each) => each.trim()).filter(Boolean),
  };
}

/** Undefined: directly. */
export function proxyFor(url: URL, rules: ProxyRules | undefined): URL | undefined {
  const proxy = url.protocol === 'https:' ? rules?.https : rules?.http;
  if (rules === undefined || proxy === undefined || isLoopbackHost(url.hostname)) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? { 'https:': '443', 'http:': '80' }[url.protocol] : url.port;
  return rules.except.some((each) => isExcepted(each, host, port ?? '')) ? undefined : new URL(proxy);
}

/** Header that the proxy knows us by; undefined when its URL has no user. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === '') return undefined;
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
}

function readProxy(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const text = env[name] || env[name.toLowerCase()] || '';
  if (text === '') return undefined;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && url.protocol === 'http:' && url.hostname !== '') return url.href;
  // It may hold a password, so it is not quoted.
  throw new EngineError('invalid-argument', `${name} names no proxy that can be used`, {
    code: 'E_REGISTRY_PROXY',
    op: 'registry.proxy',
    subject: name,
    hint: 'Write http://HOST:PORT; proxies that are spoken to by TLS or SOCKS are not available.',
  });
}

function isExcepted(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (addressScope(host) !== undefined && entry.includes('/')) return isInSubnet(host, entry);
  const [, bracketed, plain = '', wantedPort = port] = /^(?:\[([^\]]+)\]|([^:]*|[0-9a-f:]*:[0-9a-f:.]*))(?::([0-9]+))?$/.exec(entry) ?? [];
  if (wantedPort !== port) return false;
  const name = (bracketed ?? plain).replace(/^\*\./, '.');
  if (name.startsWith('.')) return host.endsWith(name);
  return name !== '' && (host === name || (addressScope(host) === undefined && host.endsWith(`.${name}`)));
}
