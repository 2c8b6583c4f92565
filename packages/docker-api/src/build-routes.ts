/**
 * Docker API: builds, by the classic builder's endpoint.
 *
 * @spec docker-api/v1.47#operation/ImageBuild
 */
import type { FastifyInstance } from 'fastify';
import { bodyOf } from './archive-routes.ts';
import type { BackendBuild } from './backend.ts';
import { badRequest, notSupported, toDockerError } from './docker-status.ts';
import { queryFlag, queryText, queryTexts } from './fields.ts';
import { query, type RouteContext, spanOf } from './route-context.ts';

/** What a client may ask for and would notice to be missing. */
const NOT_HERE: readonly string[] = [
  'remote',
  'squash',
  'platform',
  'memory',
  'memswap',
  'cpushares',
  'cpuquota',
  'cpusetcpus',
  'cgroupparent',
  'outputs',
];

export async function buildRoutes(app: FastifyInstance, { builder, onInternalError }: RouteContext): Promise<void> {
  if (builder === undefined) {
    app.post('/build', async () => Promise.reject(notSupported('this engine builds no images')));
    return;
  }
  app.post('/build', { config: { rawBody: true } }, async (request, reply) => {
    const wanted = readBuild(query(request));
    const context = bodyOf(request);
    reply.hijack();
    const sink = reply.raw;
    sink.writeHead(200, { 'Content-Type': 'application/json' });
    sink.flushHeaders();
    const gone = new AbortController();
    sink.on('close', () => gone.abort(new Error('the client has left')));
    const send = (message: object) => void sink.write(`${JSON.stringify(message)}\n`);
    const onOutput = (stream: string) => wanted.quiet || send({ stream });
    try {
      const { id } = await builder.build({ ...wanted, context, onOutput, signal: gone.signal }, spanOf(request));
      send({ aux: { ID: id } });
      if (wanted.quiet) send({ stream: `${id}\n` });
      else {
        send({ stream: `Successfully built ${id.slice('sha256:'.length, 'sha256:'.length + 12)}\n` });
        for (const name of wanted.names) send({ stream: `Successfully tagged ${/:[^/]*$/.test(name) ? name : `${name}:latest`}\n` });
      }
    } catch (error) {
      const { status, body } = toDockerError(error);
      if (status === 500) onInternalError(error);
      const { message } = body;
      send({ errorDetail: { message }, error: message });
    }
    sink.end();
    return reply;
  });

  app.post('/build/prune', async () => {
    const { blobBytes } = await builder.prune();
    return { CachesDeleted: [], SpaceReclaimed: blobBytes };
  });
}

function readBuild(
  options: Readonly<Record<string, unknown>>,
): Omit<BackendBuild, 'context' | 'onOutput' | 'signal'> & { readonly quiet: boolean } {
  if (queryText(options['version']) === '2') {
    throw notSupported('BuildKit is not available, builds are those of the classic builder', 'set DOCKER_BUILDKIT=0 for the docker client');
  }
  for (const name of NOT_HERE) {
    const value = queryText(options[name]);
    if (value !== undefined && value !== '0' && value !== 'null')
      throw notSupported(`docker build: ${name} is not available`, 'leave it out');
  }
  const network = queryText(options['networkmode']) ?? 'default';
  if (!['default', 'none', 'host'].includes(network))
    throw notSupported(`network ${JSON.stringify(network)} is not available`, 'there are none and host');
  const target = queryText(options['target']);
  return {
    dockerfile: queryText(options['dockerfile']) ?? 'Dockerfile',
    names: queryTexts(options['t']),
    buildArgs: readMap(options['buildargs'], 'buildargs'),
    labels: readMap(options['labels'], 'labels'),
    ...(target === undefined ? {} : { target }),
    noCache: queryFlag(options['nocache']),
    pull: queryFlag(options['pull']),
    network: network === 'host' ? 'host' : 'none',
    quiet: queryFlag(options['q']),
  };
}

/** A JSON object of strings; null is a value that was not given. */
function readMap(value: unknown, name: string): Readonly<Record<string, string>> {
  const text = queryText(value);
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
    return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    throw badRequest(`${name} is not JSON`);
  }
}
