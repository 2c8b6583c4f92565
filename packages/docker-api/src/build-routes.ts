/**
 * Docker API: builds, by the classic builder's endpoint.
 *
 * @spec docker-api/v1.47#operation/ImageBuild
 */
import type { FastifyInstance } from 'fastify';
import { bodyOf } from './archive-routes.ts';
import { readBuild } from './build-query.ts';
import { splitSecrets } from './build-secrets.ts';
import { notSupported, toDockerError } from './docker-status.ts';
import { type RouteContext, spanOf } from './route-context.ts';

export async function buildRoutes(app: FastifyInstance, { builder, facts, onInternalError }: RouteContext): Promise<void> {
  if (builder === undefined) {
    app.post('/build', async () => Promise.reject(notSupported('this engine builds no images')));
    return;
  }
  app.post('/build', { config: { rawBody: true } }, async (request, reply) => {
    const { secretBytes, ...wanted } = readBuild(request, facts.architecture);
    const { secrets, context } = await splitSecrets(bodyOf(request), secretBytes);
    reply.hijack();
    const sink = reply.raw;
    sink.writeHead(200, { 'Content-Type': 'application/json' });
    sink.flushHeaders();
    const gone = new AbortController();
    sink.on('close', () => gone.abort(new Error('the client has left')));
    const send = (message: object) => void sink.write(`${JSON.stringify(message)}\n`);
    const onOutput = (stream: string) => wanted.quiet || send({ stream });
    try {
      const { id } = await builder.build({ ...wanted, context, secrets, onOutput, signal: gone.signal }, spanOf(request));
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
