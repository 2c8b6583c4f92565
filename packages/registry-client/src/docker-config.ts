/**
 * Where docker's clients keep credentials: `~/.docker/config.json`, and the helpers it names.
 *
 *     credHelpers[server]  ▶  credsStore  ▶  auths[server]
 *
 * Knows: the file's fields and the helpers' protocol.
 * Does not know: registries.
 *
 * @see https://github.com/docker/docker-credential-helpers
 */
import { EngineError } from '@slipway/errors';
import { ensurePrivateDirectory, findText, runProgram, writeFileAtomic } from '@slipway/kernel';
import { isObject } from '@slipway/oci';
import { type Credentials, HUB_SERVER, readCredentials, registryDomain } from './credentials.ts';

export interface DockerConfigOptions {
  /** Directory of `config.json`: `$DOCKER_CONFIG`, else `~/.docker`. */
  readonly directory: string;
  /** For helpers. */
  readonly env?: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

/** What a helper writes instead of a password when the secret is an identity token. */
const TOKEN_USER = '<token>';
const NOT_FOUND = /credentials not found/i;

export class DockerConfig {
  readonly #options: DockerConfigOptions;

  constructor(options: DockerConfigOptions) {
    this.#options = options;
  }

  /** Undefined when nothing is known for this registry. `domain` as in a reference. @throws `E_CREDENTIAL_HELPER`, `E_DOCKER_CONFIG` */
  async find(domain: string): Promise<Credentials | undefined> {
    const config = await this.#read();
    const server = serverOf(domain);
    const helper = helperOf(config, server);
    if (helper !== undefined) {
      const stored = await this.#ask(helper, 'get', server);
      return stored === undefined ? undefined : fromHelper(stored, server);
    }
    const auths = asObject(config['auths']);
    const key = Object.keys(auths).find((name) => registryDomain(name) === registryDomain(domain));
    return key === undefined ? undefined : readCredentials({ ...asObject(auths[key]), serveraddress: server });
  }

  /** Everything that is known without a helper, and what helpers know of the registries that the file names for them; by server. */
  async all(): Promise<ReadonlyMap<string, Credentials>> {
    const config = await this.#read();
    const servers = [...Object.keys(asObject(config['auths'])), ...Object.keys(asObject(config['credHelpers']))];
    const found = new Map<string, Credentials>();
    for (const server of new Set(servers.map((name) => serverOf(registryDomain(name))))) {
      const credentials = await this.find(registryDomain(server));
      if (credentials !== undefined) found.set(server, credentials);
    }
    return found;
  }

  /** Keeps credentials for a registry. @returns where: the helper's name, or the file */
  async store(domain: string, { username, password = '', identityToken }: Credentials): Promise<string> {
    const config = await this.#read();
    const server = serverOf(domain);
    const helper = helperOf(config, server);
    const secret = identityToken ?? password;
    if (helper !== undefined) {
      const entry = { ServerURL: server, Username: identityToken === undefined ? username : TOKEN_USER, Secret: secret };
      await this.#ask(helper, 'store', JSON.stringify(entry));
      return helper;
    }
    const auth = Buffer.from(`${username}:${identityToken === undefined ? password : ''}`).toString('base64');
    const entry = { auth, ...(identityToken === undefined ? {} : { identitytoken: identityToken }) };
    await this.#write({ ...config, auths: { ...asObject(config['auths']), [server]: entry } });
    return this.#path;
  }

  /** Forgets them. False when nothing was known. */
  async erase(domain: string): Promise<boolean> {
    const config = await this.#read();
    const server = serverOf(domain);
    const helper = helperOf(config, server);
    if (helper !== undefined) await this.#ask(helper, 'erase', server);
    const auths = Object.entries(asObject(config['auths']));
    const kept = auths.filter(([name]) => registryDomain(name) !== registryDomain(domain));
    if (kept.length < auths.length) await this.#write({ ...config, auths: Object.fromEntries(kept) });
    return helper !== undefined || kept.length < auths.length;
  }

  get #path(): string {
    return `${this.#options.directory}/config.json`;
  }

  async #read(): Promise<Json> {
    const text = (await findText(this.#path)) ?? '{}';
    try {
      const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
      if (isObject(value)) return value;
    } catch {
      // said below
    }
    throw new EngineError('invalid-argument', `${this.#path} is no JSON object`, {
      code: 'E_DOCKER_CONFIG',
      op: 'credentials.read',
      hint: 'Mend it, or move it away and log in again.',
    });
  }

  async #write(config: Json): Promise<void> {
    await ensurePrivateDirectory(this.#options.directory);
    await writeFileAtomic(this.#path, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600 });
  }

  /** Undefined: it knows nothing. */
  async #ask(helper: string, verb: 'get' | 'store' | 'erase', stdin: string): Promise<string | undefined> {
    const { env = {} } = this.#options;
    const program = `docker-credential-${helper}`;
    const { exitCode, stdout, stderr } = await runProgram({ program, args: [verb], stdin, env });
    if (exitCode === 0) return stdout;
    if (NOT_FOUND.test(stdout)) return undefined;
    throw new EngineError('unavailable', `${program} ${verb} failed: ${(stdout || stderr).trim().slice(0, 300)}`, {
      code: 'E_CREDENTIAL_HELPER',
      op: 'credentials.helper',
      subject: program,
    });
  }
}

function serverOf(domain: string): string {
  const name = registryDomain(domain);
  return name === 'docker.io' ? HUB_SERVER : name;
}

/** The name becomes part of a program's, so it may hold no path. */
function helperOf(config: Json, server: string): string | undefined {
  const named = asObject(config['credHelpers'])[server] ?? asObject(config['credHelpers'])[registryDomain(server)] ?? config['credsStore'];
  if (typeof named !== 'string' || named === '') return undefined;
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(named)) return named;
  throw new EngineError('invalid-argument', `${JSON.stringify(named.slice(0, 100))} is no name of a credential helper`, {
    code: 'E_DOCKER_CONFIG',
    op: 'credentials.read',
  });
}

function fromHelper(stdout: string, server: string): Credentials | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(stdout);
  } catch {
    entry = undefined;
  }
  const { Username: username, Secret: secret } = asObject(entry);
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  return username === TOKEN_USER ? { username: '', identityToken: secret, server } : { username, password: secret, server };
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
