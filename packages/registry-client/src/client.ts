/**
 * Registries by the names people type.
 *
 *     busybox                 docker.io's mirrors in order, then https://registry-1.docker.io
 *     localhost:5000/a        https or, as it is a loopback address, http
 *     registry.lan/a          https; http too where that registry is listed as insecure
 *
 * Knows: mirrors, insecure registries, certificates of docker's directory.
 * Does not know: what is pulled or pushed.
 */
import { EngineError } from '@slipway/errors';
import { findText, listNames } from '@slipway/kernel';
import type { Reference } from '@slipway/oci';
import type { TlsFiles } from './connect.ts';
import { type Credentials, credentialsFor } from './credentials.ts';
import type { FetchedManifest } from './manifests.ts';
import type { Mirror } from './mirror.ts';
import { isLoopbackHost } from './policy.ts';
import type { ProxyRules } from './proxy.ts';
import { discard } from './read-body.ts';
import { Repository, type RepositoryPlace } from './repository.ts';
import { RegistrySession, type SessionOptions } from './session.ts';

export interface RegistryClientOptions {
  /** Asked in order before the registry itself, when pulling; without credentials. */
  readonly mirrors?: readonly Mirror[];
  /** `host[:port]` of registries that may be asked by http, and whose certificates are not checked. Loopback addresses always may. */
  readonly insecureRegistries?: readonly string[];
  /** Holds `<host[:port]>/*.crt`, `client.cert`, `client.key`, as docker's does. Default: `/etc/docker/certs.d`. */
  readonly certificatesDirectory?: string;
  /** What requests say of who asks; absent: the engine. */
  readonly userAgent?: string;
  /** Absent: none. */
  readonly proxies?: ProxyRules | undefined;
}

export interface OpenOptions {
  readonly credentials?: Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Added to requests to a registry on this host, and to no other's: what its journal is told of who asks. */
  readonly localHeaders?: Readonly<Record<string, string>> | undefined;
}

/** A manifest, and the repository that had it; to be disposed of. */
export interface ResolvedReference extends FetchedManifest {
  readonly repository: Repository;
  /** A mirror had it, not the registry that the reference names. */
  readonly isMirror: boolean;
}

/** How one repository is asked. */
interface SessionParts extends Partial<Pick<SessionOptions, 'credentials' | 'localHeaders' | 'retryMs'>> {
  readonly tls: TlsFiles | undefined;
}

const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';
const MAX_PEM_BYTES = 1024 * 1024;

export class RegistryClient {
  readonly #options: RegistryClientOptions;
  /** Host → how it was reached last. */
  readonly #origins = new Map<string, URL>();

  constructor(options: RegistryClientOptions = {}) {
    this.#options = options;
  }

  /**
   * Finds what a reference means now, asking mirrors first; one that does not have it, or fails, is passed over.
   * @throws as Repository.manifest, of the registry itself
   */
  async resolve(reference: Reference, options: OpenOptions = {}): Promise<ResolvedReference> {
    const { domain, path } = reference;
    const { signal } = options;
    const target = reference.digest ?? reference.tag ?? 'latest';
    for (const mirror of (this.#options.mirrors ?? []).filter(({ registry }) => registry === domain)) {
      const found = await this.#tryMirror(mirror, { path, target }, options);
      if (found !== undefined) return found;
    }
    const repository = await this.open(reference, 'pull', options);
    try {
      return { repository, isMirror: false, ...(await repository.manifest(target, signal)) };
    } catch (error) {
      repository[Symbol.dispose]();
      throw error;
    }
  }

  /** A repository of the registry itself. Dispose of it. */
  async open(
    { domain, path }: Pick<Reference, 'domain' | 'path'>,
    action: 'pull' | 'push',
    { credentials, signal, localHeaders }: OpenOptions = {},
  ): Promise<Repository> {
    const host = domain === HUB ? HUB_HOST : domain;
    const tls = await readCertificates(`${this.#options.certificatesDirectory ?? '/etc/docker/certs.d'}/${domain}`);
    const url = await this.#originOf(host, tls, signal);
    const session = this.#session(url, { tls, credentials: credentialsFor(domain, credentials), localHeaders });
    return new Repository(session, { path, certificatesOf: domain, domain }, action);
  }

  /** A repository where it was found before, for pulling. Dispose of it. */
  async reopen({ origin, path, certificatesOf, domain }: RepositoryPlace, credentials?: Credentials): Promise<Repository> {
    const tls = await readCertificates(`${this.#options.certificatesDirectory ?? '/etc/docker/certs.d'}/${certificatesOf}`);
    const allowed = domain === undefined ? undefined : credentialsFor(domain, credentials);
    const place = { path, certificatesOf, ...(domain === undefined ? {} : { domain }) };
    return new Repository(this.#session(new URL(origin), { tls, credentials: allowed }), place, 'pull');
  }

  /** Without credentials. */
  async #tryMirror(
    mirror: Mirror,
    { path, target }: { readonly path: string; readonly target: string },
    { signal, localHeaders }: OpenOptions,
  ): Promise<ResolvedReference | undefined> {
    const tls = await readCertificates(`${this.#options.certificatesDirectory ?? '/etc/docker/certs.d'}/${mirror.url.host}`);
    const session = this.#session(mirror.url, { tls, retryMs: [], localHeaders });
    const repository = new Repository(session, { path, certificatesOf: mirror.url.host }, 'pull');
    try {
      return { repository, isMirror: true, ...(await repository.manifest(target, signal)) };
    } catch (error) {
      repository[Symbol.dispose]();
      if (!(error instanceof EngineError) || signal?.aborted === true) throw error;
      return undefined;
    }
  }

  #session(url: URL, { tls, ...how }: SessionParts): RegistrySession {
    const registry = { url, isInsecure: this.#isInsecure(url.host) };
    const { userAgent, proxies } = this.#options;
    return new RegistrySession({
      credentials: undefined,
      ...how,
      registry,
      proxies,
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(tls === undefined ? {} : { tls }),
    });
  }

  #isInsecure(host: string): boolean {
    const hostname = host.replace(/:\d+$/, '');
    return isLoopbackHost(hostname) || (this.#options.insecureRegistries ?? []).some((listed) => listed === host || listed === hostname);
  }

  /** https; where http is allowed too, whichever answers. */
  async #originOf(host: string, tls: TlsFiles | undefined, signal: AbortSignal | undefined): Promise<URL> {
    const secure = new URL(`https://${host}`);
    if (!this.#isInsecure(host)) return secure;
    const known = this.#origins.get(host);
    for (const url of known === undefined ? [secure, new URL(`http://${host}`)] : [known, secure, new URL(`http://${host}`)]) {
      if (await this.#answers(url, tls, signal)) {
        this.#origins.set(host, url);
        return url;
      }
    }
    return secure;
  }

  async #answers(url: URL, tls: TlsFiles | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const session = this.#session(url, { tls });
    try {
      const { body, status } = await session.send({ method: 'GET', url: '/v2/', scopes: [], signal, challenge: 'leave' });
      await discard(body);
      // 400 is what a server of https says to plain http.
      return status !== 400 && status < 500;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return false;
    } finally {
      session.close();
    }
  }
}

/** Undefined when nothing is there for this registry. */
async function readCertificates(directory: string): Promise<TlsFiles | undefined> {
  const names = await listNames(directory);
  const read = async (name: string) => (await findText(`${directory}/${name}`, { maxBytes: MAX_PEM_BYTES })) ?? '';
  const authorities = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read));
  const pair = names.find((name) => name.endsWith('.cert') && names.includes(name.replace(/\.cert$/, '.key')));
  if (authorities.length === 0 && pair === undefined) return undefined;
  return {
    authorities,
    ...(pair === undefined ? {} : { certificate: await read(pair), key: await read(pair.replace(/\.cert$/, '.key')) }),
  };
}
