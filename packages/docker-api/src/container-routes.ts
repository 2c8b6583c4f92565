/**
 * Docker API: containers, but for their streams.
 *
 * @spec docker-api/v1.47#tag/Container
 */
import { isKind } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { formatPlatform, parsePlatform, platformMatches } from '@slipway/oci';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ContainerSizes, toInspectJson, toListJson, toSizesJson } from './container-json.ts';
import { readCreateRequest } from './create-request.ts';
import { badRequest, notFound } from './docker-status.ts';
import { queryFlag, queryNumber, queryText } from './fields.ts';
import { CONTAINER_FILTERS, containerMatches, matchesLabel, parseFilters, readUntil, requireContainerFilters } from './filters.ts';
import { readUpdateRequest } from './host-config.ts';
import { param, query, type RouteContext, spanOf } from './route-context.ts';
import { toStatsJson } from './stats-json.ts';

export async function containerRoutes(app: FastifyInstance, context: RouteContext): Promise<void> {
  const { backend } = context;
  listRoutes(app, context);
  lifecycleRoutes(app, context);

  app.post('/containers/create', async (request, reply) => {
    const { name, platform } = query(request);
    const wanted = readCreateRequest(request.body, queryText(name));
    await requirePlatform(backend, wanted.image, queryText(platform));
    const { id } = await backend.create(wanted, spanOf(request));
    return reply.status(201).send({ Id: id, Warnings: [] });
  });

  app.delete('/containers/:id', async (request, reply) => {
    await backend.remove(param(request, 'id'), { force: queryFlag(query(request)['force']) }, spanOf(request));
    return reply.status(204).send();
  });

  app.post('/containers/prune', async (request) => {
    const filters = parseFilters(queryText(query(request)['filters']), ['label', 'until']);
    const isOldEnough = readUntil(filters);
    const labels = filters.get('label') ?? [];
    const gone: string[] = [];
    for (const container of backend.list()) {
      if (!['created', 'exited', 'dead'].includes(container.status)) continue;
      if (!isOldEnough(container.createdAt)) continue;
      if (!labels.every((label) => matchesLabel(container.process.labels, label))) continue;
      if (await removeStopped(backend, container.id, spanOf(request))) gone.push(container.id);
    }
    return { ContainersDeleted: gone, SpaceReclaimed: 0 };
  });

  app.post('/containers/:id/rename', async (request, reply) => {
    const name = queryText(query(request)['name']);
    if (name === undefined) throw badRequest('Neither old nor new names may be empty');
    await backend.rename(param(request, 'id'), name);
    return reply.status(204).send();
  });

  app.post('/containers/:id/update', async (request) => {
    await backend.update(param(request, 'id'), readUpdateRequest(request.body), spanOf(request));
    return { Warnings: [] };
  });

  app.post('/containers/:id/resize', async (request, reply) => {
    const { h, w } = query(request);
    backend.resize(param(request, 'id'), queryNumber('h', h) ?? 0, queryNumber('w', w) ?? 0);
    return reply.status(200).send();
  });
}

/** An image that is here for another platform is not the one that was asked for; a client pulls that one then. */
async function requirePlatform({ findImage }: RouteContext['backend'], reference: string, text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const wanted = parsePlatform(text);
  if (wanted === undefined) throw badRequest(`invalid platform '${text.slice(0, 80)}'`, 'write it as linux/amd64');
  const image = await findImage(reference);
  if (image === undefined || platformMatches(wanted, image.config)) return;
  const here = formatPlatform(image.config);
  throw notFound(
    `image with reference ${reference.slice(0, 200)} was found but does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${here}`,
  );
}

/** False when somebody else has started or removed it meanwhile. */
async function removeStopped(backend: RouteContext['backend'], id: string, parent: SpanContext | undefined): Promise<boolean> {
  try {
    await backend.remove(id, { force: false }, parent);
    return true;
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'failed-precondition')) return false;
    throw error;
  }
}

/** Absent unless they are asked for: they are counted file by file. */
async function sizesOf(request: FastifyRequest, backend: RouteContext['backend']): Promise<ContainerSizes | undefined> {
  return queryFlag(query(request)['size']) ? (await backend.diskUsage()).containers : undefined;
}

function listRoutes(app: FastifyInstance, { backend, logPath }: RouteContext): void {
  app.get('/containers/json', async (request) => {
    const { all, limit, filters: text } = query(request);
    const filters = parseFilters(queryText(text), CONTAINER_FILTERS);
    requireContainerFilters(filters);
    const everything = backend.list();
    const most = queryNumber('limit', limit) ?? 0;
    const shown = queryFlag(all) || most > 0 || filters.has('status') || filters.has('exited');
    const listed = everything
      .filter((container) => shown || container.status === 'running' || container.status === 'paused')
      .filter((container) => containerMatches(container, filters, everything));
    const sizes = await sizesOf(request, backend);
    const now = Date.now();
    return (most > 0 ? listed.slice(0, most) : listed).map((container) => ({
      ...toListJson(container, now),
      ...toSizesJson(container, sizes),
    }));
  });

  app.get('/containers/:id/json', async (request) => {
    const container = backend.inspect(param(request, 'id'));
    const shown = toInspectJson(container, backend.execsOf(container.id), { logPath: logPath(container.id) });
    return { ...shown, ...toSizesJson(container, await sizesOf(request, backend)) };
  });

  app.get('/containers/:id/top', async (request) => {
    const { titles, rows } = await backend.top(param(request, 'id'), queryText(query(request)['ps_args']) ?? '');
    return { Titles: titles, Processes: rows };
  });

  app.get('/containers/:id/stats', async (request, reply) => {
    const container = backend.inspect(param(request, 'id'));
    const stream = queryFlag(query(request)['stream'], true);
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'application/json' });
    let previous: Awaited<ReturnType<typeof toStatsJson>> | undefined;
    // One more reading than is shown: CPU shares are differences.
    const rounds = stream ? Number.POSITIVE_INFINITY : queryFlag(query(request)['one-shot']) ? 1 : 2;
    for (let round = 1; round <= rounds && !reply.raw.destroyed; round++) {
      previous = await toStatsJson(backend, container, previous).catch(() => undefined);
      if (previous === undefined) break; // removed meanwhile
      // Who does not read misses readings: they are not kept.
      if ((stream || round === rounds) && !reply.raw.writableNeedDrain) reply.raw.write(`${JSON.stringify(previous)}\n`);
      if (round < rounds) await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    reply.raw.end();
    return reply;
  });
}

function lifecycleRoutes(app: FastifyInstance, { backend }: RouteContext): void {
  const stopOptions = (options: Readonly<Record<string, unknown>>) => {
    const timeoutSeconds = queryNumber('t', options['t']);
    const signal = queryText(options['signal']);
    return { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...(signal === undefined ? {} : { signal }) };
  };

  app.post('/containers/:id/start', async (request, reply) => {
    const started = await backend.start(param(request, 'id'), spanOf(request));
    return reply.status(started ? 204 : 304).send();
  });

  app.post('/containers/:id/stop', async (request, reply) => {
    const stopped = await backend.stop(param(request, 'id'), stopOptions(query(request)), spanOf(request));
    return reply.status(stopped ? 204 : 304).send();
  });

  app.post('/containers/:id/restart', async (request, reply) => {
    await backend.restart(param(request, 'id'), stopOptions(query(request)), spanOf(request));
    return reply.status(204).send();
  });

  app.post('/containers/:id/kill', async (request, reply) => {
    await backend.kill(param(request, 'id'), queryText(query(request)['signal']), spanOf(request));
    return reply.status(204).send();
  });

  app.post('/containers/:id/pause', async (request, reply) => {
    await backend.pause(param(request, 'id'), spanOf(request));
    return reply.status(204).send();
  });

  app.post('/containers/:id/unpause', async (request, reply) => {
    await backend.unpause(param(request, 'id'), spanOf(request));
    return reply.status(204).send();
  });

  app.post('/containers/:id/wait', async (request, reply) => {
    const condition = queryText(query(request)['condition']) ?? 'not-running';
    if (condition !== 'not-running' && condition !== 'next-exit' && condition !== 'removed')
      throw badRequest(`invalid condition: "${condition}"`);
    backend.inspect(param(request, 'id')); // an unknown container is refused before the answer begins
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const ended = backend.wait(param(request, 'id'), condition, gone.signal);
    // `docker run` starts the container only once it has seen this head.
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'application/json' });
    reply.raw.flushHeaders();
    const { code } = await ended;
    reply.raw.end(`${JSON.stringify({ StatusCode: code })}\n`);
    return reply;
  });
}
