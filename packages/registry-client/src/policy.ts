/**
 * Where a request may go, and who may see a credential.
 *
 *     the registry itself      whoever named it meant it: public, private and loopback addresses
 *     where it sends us        (redirects, token services, uploads) https, never further inside than the registry itself
 *     a credential             the registry, and token services of its own domain
 *
 * Knows: schemes, hosts, address scopes.
 * Does not know: connections; connect.ts asks here with the address it found.
 */
import { EngineError } from '@slipway/errors';
import { type AddressScope, addressScope } from '@slipway/kernel/ip-address';

/** One registry as we speak to it. */
export interface RegistryOrigin {
  readonly url: URL;
  /** May be asked by plain http, and its certificate is not checked. */
  readonly isInsecure: boolean;
}

/** How far inside an address lies; where a registry sends us may not lie deeper than the registry. */
const DEPTH: Readonly<Record<AddressScope, number>> = { public: 0, private: 1, loopback: 2, 'link-local': 9, reserved: 9 };

/** `localhost` and literal loopback addresses: plain http is allowed there. */
export function isLoopbackHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare.endsWith('.localhost') || addressScope(bare) === 'loopback';
}

/** Refuses an address that a registry may not have, or that `from` may not send us to. `from`: scope of the registry that sent us, absent for itself. */
export function requireAddress(address: string, url: URL, from?: AddressScope): AddressScope {
  const scope = addressScope(address) ?? 'reserved';
  const deepest = from === undefined ? DEPTH.loopback : DEPTH[from];
  if (DEPTH[scope] <= deepest) return scope;
  const why = from === undefined ? `has a ${scope} address` : `leads to a ${scope} address, and comes from a registry at a ${from} one`;
  throw refused(url, why);
}

/** Refuses a URL that a registry may not send us to, by what can be seen before connecting. */
export function requireForeign(target: URL, registry: RegistryOrigin): void {
  if (target.username !== '' || target.password !== '') throw refused(target, 'carries a password');
  if (target.protocol === 'https:') return;
  if (target.protocol !== 'http:') throw refused(target, 'is neither https nor http');
  if (registry.url.protocol === 'https:') throw refused(target, 'leads from https to http');
  const isSame = target.hostname === registry.url.hostname;
  if (!isLoopbackHost(target.hostname) && !(isSame && registry.isInsecure)) throw refused(target, 'is plain http');
}

/** True when a token service at `realm` may see the credential for `registry`. `requireForeign` has been asked before. */
export function mayShowCredential(realm: URL, registry: URL): boolean {
  if (realm.host === registry.host && realm.protocol === registry.protocol) return true;
  if (realm.protocol !== 'https:' || registry.protocol !== 'https:') return false;
  const domain = registrableDomain(registry.hostname);
  return domain !== undefined && registrableDomain(realm.hostname) === domain;
}

/** Second-level labels below which strangers register: `co.uk`. */
const SHARED_SECOND = new Set(['ac', 'co', 'com', 'edu', 'gov', 'mil', 'ne', 'net', 'nom', 'or', 'org', 'sch']);

/** The part of a name that one owner registered, as nearly as names alone tell; undefined for addresses and single labels. */
function registrableDomain(hostname: string): string | undefined {
  if (addressScope(hostname.replace(/^\[|\]$/g, '')) !== undefined) return undefined;
  const labels = hostname.toLowerCase().split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const count = top.length === 2 && SHARED_SECOND.has(second) ? 3 : 2;
  return labels.length < count ? undefined : labels.slice(-count).join('.');
}

/** The URL as it may be shown: without query (signed URLs are passwords), and bounded. */
export function showUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`.slice(0, 300);
}

function refused(url: URL, why: string): EngineError {
  return new EngineError('permission-denied', `not going to ${showUrl(url)}: it ${why}`, {
    code: 'E_REGISTRY_ADDRESS',
    op: 'registry.request',
    subject: url.host,
    hint: 'If you trust that registry, name it itself, or allow it with --insecure-registry.',
  });
}
