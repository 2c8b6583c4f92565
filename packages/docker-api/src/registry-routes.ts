/**
 * Docker API: pulling, pushing, logging in, and looking at what a registry has.
 *
 * @spec docker-api/v1.47#operation/ImageCreate, ImagePush, SystemAuth, DistributionInspect
 */
import { formatPlatform, type Platform, parsePlatform, parseReference } from '@slipway/oci';
import { type Credentials, parseRegistryAuth, readCredentials, registryDomain } from '@slipway/registry-client/credentials';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BackendPullProgress } from './backend.ts';
import { badRequest, notFound, toDockerError } from './docker-status.ts';
import { queryText } from './fields.ts';
import { param, query, type RouteContext, spanOf } from './route-context.ts';
import { failedMessage, pulledMessages, pullMessages, pushedMessages, pushMessages, type TransferMessage } from './transfer-json.ts';

export async function registryRoutes(app: FastifyInstance, { backend }: RouteContext): Promise<void> {
  app.post('/auth', async (request, reply) => {
    const credentials = readCredentials(request.body ?? null);
    if (credentials === undefined) throw badRequest('no password and no token', 'send username and password');
    const domain = registryDomain(credentials.server ?? 'docker.io');
    try {
      await backend.logIn(domain, credentials);
    } catch (error) {
      const { status, body } = toDockerError(error);
      // Clients ask again for a password when, and only when, it is 401.
      return reply.status(status === 403 ? 401 : status).send(body);
    }
    return { Status: 'Login Succeeded', IdentityToken: '' };
  });

  app.get('/distribution/*', async (request) => {
    const [, name] = /^(.+)\/json$/.exec(param(request, '*')) ?? [];
    if (name === undefined) throw notFound('page not found');
    const { descriptor, platforms } = await backend.lookAtRegistry(name, credentialsOf(request), spanOf(request));
    return { Descriptor: descriptor, Platforms: platforms };
  });
}

/**
 * `POST /images/create?fromImage=…`: answers with docker's messages, the first of which comes once the registry has answered.
 * A name with neither tag nor digest means every tag of the repository.
 */
export async function answerPull(request: FastifyRequest, reply: FastifyReply, { backend }: RouteContext): Promise<FastifyReply> {
  const { fromImage, tag, platform, lazy } = query(request);
  const name = withTag(queryText(fromImage) ?? '', queryText(tag));
  const stream = new MessageStream(reply);
  // No parameter of docker's: our own client asks so.
  const early = queryText(lazy) === '1' ? { lazy: true } : {};
  const wanted = { ...platformOf(queryText(platform)), ...credentialsOf(request), ...early, signal: stream.signal };
  return await stream.run(async (send) => {
    const references = /[:@][^/]*$/.test(name) ? [name] : (await backend.remoteTags(name, wanted)).map((each) => `${name}:${each}`);
    for (const reference of references) {
      const toMessages = pullMessages(reference, Date.now);
      const options = { ...wanted, onProgress: (progress: BackendPullProgress) => send(toMessages(progress)) };
      send(pulledMessages(reference, await backend.pullImage(reference, options, spanOf(request))));
    }
  });
}

/** `POST /images/{name}/push`: one tag, or every tag of the repository when none is named. */
export async function answerPush(
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
  { backend }: RouteContext,
): Promise<FastifyReply> {
  const tag = queryText(query(request)['tag']);
  const names = tag === undefined && !/:[^/]*$/.test(name) ? await tagsOf(name, backend) : [withTag(name, tag)];
  const stream = new MessageStream(reply);
  return await stream.run(async (send) => {
    for (const each of names) {
      const toMessages = pushMessages(each, Date.now);
      const options = { ...credentialsOf(request), signal: stream.signal };
      const report = await backend.pushImage(each, { ...options, onProgress: (progress) => send(toMessages(progress)) }, spanOf(request));
      send(pushedMessages(report));
    }
  });
}

async function tagsOf(name: string, backend: RouteContext['backend']): Promise<readonly string[]> {
  const { domain, path } = parseReference(name);
  const images = await backend.images();
  const names = images.flatMap(({ references }) => references).filter((each) => each.startsWith(`${domain}/${path}:`));
  if (names.length > 0) return names.toSorted();
  throw notFound(`An image does not exist locally with the tag: ${name.slice(0, 200)}`);
}

/** Docker's clients send name and tag apart, and a digest as the tag. */
function withTag(name: string, tag: string | undefined): string {
  if (name === '') throw badRequest('no image is named', 'send fromImage=');
  if (tag === undefined) return name;
  return tag.includes(':') ? `${name}@${tag}` : `${name.replace(/:[^:/@]*$/, '')}:${tag}`;
}

function platformOf(text: string | undefined): { readonly platform?: Platform } {
  if (text === undefined) return {};
  const platform = parsePlatform(text);
  if (platform === undefined)
    throw badRequest(
      `"${text.slice(0, 100)}" is no platform`,
      `write OS/ARCHITECTURE, e.g. ${formatPlatform({ os: 'linux', architecture: 'amd64' })}`,
    );
  return { platform };
}

function credentialsOf(request: FastifyRequest): { readonly credentials?: Credentials } {
  const header = [request.headers['x-registry-auth'] ?? ''].flat()[0] ?? '';
  const credentials = parseRegistryAuth(header);
  return credentials === undefined ? {} : { credentials };
}

/** Messages as they come; a failure before the first one is an ordinary answer. */
class MessageStream {
  readonly #reply: FastifyReply;
  readonly #gone = new AbortController();
  #began = false;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    reply.raw.once('close', () => this.#gone.abort(new Error('the client has left')));
  }

  /** Aborts when the client goes away: that is how a pull is given up. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  async run(work: (send: (messages: readonly TransferMessage[]) => void) => Promise<void>): Promise<FastifyReply> {
    try {
      await work((messages) => this.#send(messages));
    } catch (error) {
      if (!this.#began) throw error;
      this.#send([failedMessage(toDockerError(error).body.message)]);
    }
    this.#reply.raw.end();
    return this.#reply;
  }

  #send(messages: readonly TransferMessage[]): void {
    const { raw } = this.#reply;
    if (!this.#began) {
      this.#began = true;
      this.#reply.hijack();
      raw.writeHead(200, { 'Content-Type': 'application/json' });
    }
    // A bar that nobody reads fast enough is not worth memory; its ends are few.
    if (!raw.destroyed) for (const message of messages) raw.write(`${JSON.stringify(message)}\n`);
  }
}
