/**
 * Answering a registry's challenge: Basic, or a bearer token from the token service it names.
 *
 * Knows: who may see a credential (policy.ts decides), tokens' lifetimes.
 * Does not know: what is asked for with the token.
 *
 * @spec https://distribution.github.io/distribution/spec/auth/token and /oauth
 */
import { monotonicMs } from '@slipway/kernel';
import { isObject } from '@slipway/oci';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Wire, WireResponse } from './connect.ts';
import type { Credentials } from './credentials.ts';
import { mayShowCredential, type RegistryOrigin, requireForeign } from './policy.ts';
import { readBounded } from './read-body.ts';
import { brokenAnswer, responseError } from './registry-errors.ts';

const MAX_TOKEN_BYTES = 64 * 1024;
const MAX_TOKEN_TEXT = 48 * 1024;
/** Least lifetime, which a service that names none grants. */
const DEFAULT_LIFETIME_S = 60;
const CLIENT_ID = 'slipway';

export interface AuthorityOptions {
  readonly registry: RegistryOrigin;
  readonly credentials: Credentials | undefined;
  /** To the registry itself. */
  readonly own: Wire;
  /** To wherever it sends us. */
  readonly foreign: () => Wire;
}

interface Token {
  readonly header: string;
  readonly untilMs: number;
}

/** The authorization for one registry; each scope has a token of its own. */
export class Authority {
  readonly #options: AuthorityOptions;
  readonly #tokens = new Map<string, Token>();
  #basic: string | undefined;

  constructor(options: AuthorityOptions) {
    this.#options = options;
  }

  /** What to send without being asked again; undefined: nothing yet. */
  header(scopes: readonly string[]): string | undefined {
    const token = this.#tokens.get(scopes.join(' '));
    if (token !== undefined && token.untilMs > monotonicMs()) return token.header;
    return this.#basic;
  }

  /** Answers a 401 to a request that had `sent`. @returns the header to try with; undefined when there is nothing (more) to show */
  async answer(
    response: WireResponse,
    {
      scopes,
      sent,
      signal,
    }: { readonly scopes: readonly string[]; readonly sent: string | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<string | undefined> {
    const challenges = parseChallenges([response.headers['www-authenticate'] ?? ''].flat().join(', '));
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) return await this.#bearer(bearer, scopes, signal);
    const { username, password } = this.#options.credentials ?? {};
    if (!challenges.some(({ scheme }) => scheme === 'basic') || username === undefined || password === undefined) return undefined;
    const header = basic(username, password);
    // Requests side by side are each asked for it once; one that has shown it has nothing more to show.
    if (sent === header) return undefined;
    this.#basic = header;
    return header;
  }

  async #bearer(challenge: Challenge, scopes: readonly string[], signal?: AbortSignal): Promise<string> {
    const { credentials, registry } = this.#options;
    if (credentials?.registryToken !== undefined) return `Bearer ${credentials.registryToken}`;
    const realm = readRealm(challenge, registry);
    const isOwn = realm.host === registry.url.host && realm.protocol === registry.url.protocol;
    const shown = mayShowCredential(realm, registry.url) ? credentials : undefined;
    const wire = isOwn ? this.#options.own : this.#options.foreign();
    const service = challenge.parameters.get('service') ?? '';
    const request =
      shown?.identityToken === undefined ? tokenRequest(realm, service, scopes, shown) : oauthRequest(realm, service, scopes, shown);
    const response = await wire.send({ ...request, signal });
    if (response.status !== 200) throw await responseError(response, withheld(credentials, shown, realm));
    const token = readToken(await readBounded(response.body, MAX_TOKEN_BYTES), realm);
    this.#tokens.set(scopes.join(' '), token);
    return token.header;
  }
}

function readRealm({ parameters }: Challenge, registry: RegistryOrigin): URL {
  const text = parameters.get('realm') ?? '';
  const realm = URL.parse(text, registry.url);
  if (realm === null || text === '') throw brokenAnswer(registry.url, 'its challenge names no token service');
  if (realm.host !== registry.url.host || realm.protocol !== registry.url.protocol) requireForeign(realm, registry);
  return realm;
}

function tokenRequest(realm: URL, service: string, scopes: readonly string[], credentials: Credentials | undefined) {
  const url = new URL(realm);
  if (service !== '') url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const { username, password } = credentials ?? {};
  if (username === undefined || password === undefined) return { method: 'GET', url, headers: {} };
  url.searchParams.set('account', username);
  return { method: 'GET', url, headers: { authorization: basic(username, password) } };
}

function oauthRequest(realm: URL, service: string, scopes: readonly string[], { identityToken = '' }: Credentials) {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: identityToken, service, client_id: CLIENT_ID });
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  const body = Buffer.from(form.toString());
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.byteLength) },
    body,
  };
}

function readToken(bytes: Uint8Array, realm: URL): Token {
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw brokenAnswer(realm, 'its token is not JSON');
  }
  const { token, access_token: access, expires_in: expires } = isObject(answer) ? answer : {};
  const text = typeof token === 'string' && token !== '' ? token : access;
  if (typeof text !== 'string' || text.length > MAX_TOKEN_TEXT || !/^[\x21-\x7e]+$/.test(text))
    throw brokenAnswer(realm, 'it sent no token');
  const lifetime = typeof expires === 'number' && expires >= DEFAULT_LIFETIME_S ? expires : DEFAULT_LIFETIME_S;
  // Some seconds earlier, so that it does not end on the way.
  return { header: `Bearer ${text}`, untilMs: monotonicMs() + (lifetime - 10) * 1000 };
}

function withheld(credentials: Credentials | undefined, shown: Credentials | undefined, realm: URL): string {
  if (credentials === undefined || shown !== undefined) return 'the token service refused';
  return `the token service at ${realm.host} refused, and may not see your password`;
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
