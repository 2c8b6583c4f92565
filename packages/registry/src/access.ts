/**
 * Who may ask.
 *
 * Knows: Basic credentials, and how to tell a web page's request from a client's.
 * Does not know: users; somebody else says whether a password is right.
 */
import type { IncomingMessage } from 'node:http';
import { refuse } from './registry-failure.ts';

/** Resolves to whether the password is the user's. */
export type CheckPassword = (user: string, password: string) => Promise<boolean>;

/**
 * A browser that visits some page must not be its way into a registry that listens on the loopback address. A page's requests have an
 * origin or come from another site; one whose name was bound to our address after it had loaded asks for that name, in somebody's
 * language. Clients of registries send none of these headers, and looking at an address by hand stays possible.
 *
 * @throws EngineError `permission-denied` / `E_REGISTRY_PAGE`
 */
export function refusePages({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site'];
  const isBrowser = headers['accept-language'] !== undefined;
  const isOtherSite = site !== undefined && site !== 'none';
  if (headers.origin === undefined && !isOtherSite && (!isBrowser || LITERAL_HOST.test(headers.host ?? ''))) return;
  throw refuse('permission-denied', 'E_REGISTRY_PAGE', 'web pages may not speak to this registry');
}

/** What no name server answers for. */
const LITERAL_HOST = /^(?:[0-9.]+|\[[0-9a-f:.]+\]|localhost)(?::\d+)?$/i;

/** @throws EngineError `permission-denied` / `E_REGISTRY_LOGIN` */
export async function requireLogin({ headers }: IncomingMessage, check: CheckPassword): Promise<void> {
  const [, encoded] = /^basic ([a-z0-9+/=]{1,2048})$/i.exec(headers.authorization ?? '') ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  if (colon > 0 && (await check(text.slice(0, colon), text.slice(colon + 1)))) return;
  throw refuse('permission-denied', 'E_REGISTRY_LOGIN', encoded === undefined ? 'log in first' : 'wrong user name or password');
}
