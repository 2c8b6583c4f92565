/**
 * Credentials, as Docker's clients send them.
 *
 * Knows: the `X-Registry-Auth` and `X-Registry-Config` headers and docker's names for Docker Hub.
 * Does not know: where a client keeps them (docker-config.ts), or who may see them (policy.ts).
 */
import { EngineError } from '@slipway/errors';
import { isObject } from '@slipway/oci';

/** At least one of password, identityToken and registryToken is set. */
export interface Credentials {
  readonly username: string;
  readonly password?: string;
  /** An OAuth refresh token, in place of a password. */
  readonly identityToken?: string;
  /** A bearer token to be sent as it is. */
  readonly registryToken?: string;
  /** The registry that they are for, as the client wrote it; absent: the one that is being asked. */
  readonly server?: string;
}

const MAX_HEADER = 64 * 1024;
const HUB = 'docker.io';
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com', 'registry.docker.io']);

/** Key of Docker Hub in docker's configuration. */
export const HUB_SERVER = 'https://index.docker.io/v1/';

/** Reads the header (base64url of JSON). Undefined when it holds nothing. @throws `invalid-argument` / `E_REGISTRY_AUTH_HEADER` */
export function parseRegistryAuth(header: string): Credentials | undefined {
  return header === '' ? undefined : readCredentials(decodeHeader(header));
}

/**
 * Reads `X-Registry-Config`, by which a build may ask several registries: server → AuthConfig, base64url of JSON.
 * @returns by domain, as in references @throws as parseRegistryAuth
 */
export function parseRegistryConfig(header: string): ReadonlyMap<string, Credentials> {
  const value = header === '' ? {} : decodeHeader(header);
  if (!isObject(value)) throw badHeader('is not an object');
  return new Map(
    Object.entries(value).flatMap(([server, entry]) => {
      const credentials = readCredentials(entry);
      return credentials === undefined ? [] : [[registryDomain(server), { ...credentials, server }] as const];
    }),
  );
}

function decodeHeader(header: string): unknown {
  if (header.length > MAX_HEADER) throw badHeader('is too long');
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch (cause) {
    throw badHeader('is not base64url of JSON', cause);
  }
}

/** Docker's AuthConfig. Undefined when it holds nothing that could be shown to a registry. */
export function readCredentials(value: unknown): Credentials | undefined {
  if (value === null) return undefined;
  if (!isObject(value)) throw badHeader('is not an object');
  const text = (name: string): string | undefined => {
    const field = value[name] ?? '';
    if (typeof field !== 'string') throw badHeader(`has a ${name} that is no string`);
    return field === '' ? undefined : field;
  };
  const [user, secret] = splitAuth(text('auth'));
  const password = text('password') ?? secret;
  const [identityToken, registryToken, server] = [text('identitytoken'), text('registrytoken'), text('serveraddress')];
  if (password === undefined && identityToken === undefined && registryToken === undefined) return undefined;
  return {
    username: text('username') ?? user ?? '',
    ...(password === undefined ? {} : { password }),
    ...(identityToken === undefined ? {} : { identityToken }),
    ...(registryToken === undefined ? {} : { registryToken }),
    ...(server === undefined ? {} : { server }),
  };
}

/** `auth` of docker's configuration: base64 of `user:password`. */
function splitAuth(auth: string | undefined): readonly [user?: string, secret?: string] {
  if (auth === undefined) return [];
  const [, user, secret] = /^([^:]*):([\s\S]+)$/.exec(Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')) ?? [];
  return user === undefined || secret === undefined ? [] : [user, secret];
}

/** The host that a server address or a reference's domain means; all of Docker Hub's names are `docker.io`. */
export function registryDomain(server: string): string {
  const host = server
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return HUB_NAMES.has(host) ? HUB : host;
}

/** Those that are meant for this registry; others are not shown to it. */
export function credentialsFor(domain: string, given: Credentials | undefined): Credentials | undefined {
  if (given?.server === undefined) return given;
  return registryDomain(given.server) === registryDomain(domain) ? given : undefined;
}

function badHeader(why: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', `the registry credentials cannot be read: the value ${why}`, {
    code: 'E_REGISTRY_AUTH_HEADER',
    op: 'registry.credentials',
    hint: 'Log in again with docker login.',
    cause,
  });
}
