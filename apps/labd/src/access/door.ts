/**
 * Which requests come in at all: by host name, by origin, by what the browser says about their site.
 *
 * Knows: the allow-lists and the order of the questions. Pure.
 * Does not know: sessions (guard.ts), Fastify.
 *
 * Host and Origin are asked apart: after a DNS rebinding both carry the attacker's name and agree with each other.
 */
import { EngineError } from '@slipway/errors';

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  readonly publicOrigin: string | undefined;
  readonly devOrigin: string | undefined;
}

interface DoorRequest {
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly upgrade: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `sec-fetch-site`, which a page cannot forge. */
  readonly site: string | undefined;
}

export interface Door {
  /** @throws EngineError `permission-denied` / `E_HOST`, `E_ORIGIN`, `E_TARGET` */
  check(request: DoorRequest): void;
}

const SAFE_METHODS = new Set(['GET', 'HEAD']);

export function openDoor(options: DoorOptions): Door {
  const names = new Set(['127.0.0.1', 'localhost', '[::1]', bracketed(options.host)]);
  const { publicOrigin, devOrigin } = options;
  const hosts = new Set([...names].map((name) => `${name}:${options.port}`));
  if (options.port === 80) for (const name of names) hosts.add(name);
  const origins = new Set([...hosts].map((host) => `http://${host}`));
  if (publicOrigin !== undefined) {
    hosts.add(new URL(publicOrigin).host);
    origins.add(publicOrigin);
  }
  if (devOrigin !== undefined) {
    hosts.add(new URL(devOrigin).host);
    origins.add(devOrigin);
  }
  return { check: (request) => check(request, hosts, origins) };
}

function check(request: DoorRequest, hosts: ReadonlySet<string>, origins: ReadonlySet<string>): void {
  const { method, target, upgrade, host, origin, site } = request;
  if (!target.startsWith('/') || target.startsWith('//')) throw refusal('E_TARGET', 'the request target must be a path');
  // Names compare without case; ours are in small letters.
  if (host === undefined || !hosts.has(host.toLowerCase())) throw refusal('E_HOST', `this server is not "${(host ?? '').slice(0, 100)}"`);
  const changes = upgrade || !SAFE_METHODS.has(method);
  if (origin !== undefined && !origins.has(origin))
    throw refusal('E_ORIGIN', `origin "${origin.slice(0, 100)}" may not talk to this server`);
  if (changes && origin === undefined) throw refusal('E_ORIGIN', 'the request does not say which origin it comes from');
  if (changes && site !== undefined && site !== 'same-origin')
    throw refusal('E_ORIGIN', `a ${site.slice(0, 20)} request may change nothing`);
  if (target.startsWith('/api/') && (site === 'cross-site' || site === 'same-site')) {
    throw refusal('E_ORIGIN', `a ${site} request may not read this`);
  }
}

function refusal(code: `E_${string}`, message: string): EngineError {
  return new EngineError('permission-denied', message, { code, op: 'door.check' });
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
