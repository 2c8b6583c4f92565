/**
 * Docker API: file systems as archives, out of containers and images and into them.
 *
 * @spec docker-api/v1.47#operation/ContainerArchive
 */
import { Readable } from 'node:stream';
import { formatImageConfig, parseImageConfig } from '@slipway/oci';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BackendPathStat } from './backend.ts';
import { present } from './create-request.ts';
import { badRequest } from './docker-status.ts';
import { queryFlag, queryNumber, queryText, queryTexts } from './fields.ts';
import { param, query, type RouteContext, spanOf } from './route-context.ts';

/** Go's os.FileMode puts what is not a permission at the top of its 32 bits. */
const GO_TYPE_BITS: readonly (readonly [type: number, bits: number])[] = [
  [0o040000, 1 << 31],
  [0o120000, 1 << 27],
  [0o060000, 1 << 26],
  [0o010000, 1 << 25],
  [0o140000, 1 << 24],
  [0o020000, (1 << 26) | (1 << 21)],
];
const GO_FLAG_BITS: readonly (readonly [flag: number, bits: number])[] = [
  [0o4000, 1 << 23],
  [0o2000, 1 << 22],
  [0o1000, 1 << 20],
];
const CHANGE_KINDS = { modified: 0, added: 1, deleted: 2 } as const;

export async function archiveRoutes(app: FastifyInstance, { backend }: RouteContext): Promise<void> {
  app.post('/commit', async (request, reply) => {
    const { container, repo, tag, author, comment, pause, changes, createdBy, timestamp } = query(request);
    const reference = nameOf(queryText(repo), queryText(tag));
    const options = {
      ...(reference === undefined ? {} : { reference }),
      author: queryText(author) ?? '',
      comment: queryText(comment) ?? '',
      pause: queryFlag(pause, true),
      changes: changesOf(changes),
      ...present({ createdBy: queryText(createdBy), timestampSeconds: queryNumber('timestamp', timestamp) }),
    };
    const { id } = await backend.commit(queryText(container) ?? '', options, spanOf(request));
    return reply.status(201).send({ Id: id });
  });

  // Not docker's: the image config that commit will write, read and replaced whole.
  app.get('/containers/:id/image-config', async (request, reply) =>
    reply.type('application/json').send(Buffer.from(formatImageConfig(await backend.imageConfig(idOf(request))))),
  );

  app.put('/containers/:id/image-config', async (request, reply) => {
    await backend.setImageConfig(idOf(request), parseImageConfig(Buffer.from(JSON.stringify(request.body ?? null))));
    return reply.status(204).send();
  });

  app.get('/containers/:id/export', async (request, reply) =>
    reply.type('application/octet-stream').send(await backend.export(idOf(request))),
  );

  app.get('/containers/:id/changes', async (request) => {
    const changes = await backend.changes(idOf(request));
    return changes.map(({ path, kind }) => ({ Path: path, Kind: CHANGE_KINDS[kind] }));
  });

  app.head('/containers/:id/archive', async (request, reply) => {
    const stat = await backend.statPath(idOf(request), pathOf(request));
    return reply.header('X-Docker-Container-Path-Stat', encodeStat(stat)).send();
  });

  app.get('/containers/:id/archive', async (request, reply) => {
    const { stat, tar } = await backend.readPath(idOf(request), pathOf(request));
    return reply.header('X-Docker-Container-Path-Stat', encodeStat(stat)).type('application/x-tar').send(tar);
  });

  app.put('/containers/:id/archive', { config: { rawBody: true } }, async (request, reply) => {
    const keepKinds = queryFlag(query(request)['noOverwriteDirNonDir']);
    await backend.writePath(idOf(request), { path: pathOf(request), archive: bodyOf(request), keepKinds }, spanOf(request));
    return reply.status(200).send();
  });

  app.get('/images/get', async (request, reply) => {
    const names = queryTexts(query(request)['names']).flatMap((text) => text.split(','));
    if (names.length === 0) throw badRequest('no images to save', 'name them with names=');
    return reply.type('application/x-tar').send(streamOf(await backend.saveImages(names)));
  });
}

/** `changes` is given once for each, or as lines. */
export function changesOf(value: unknown): readonly string[] {
  return queryTexts(value)
    .flatMap((text) => text.split('\n'))
    .filter((text) => text.trim() !== '');
}

export function nameOf(repository: string | undefined, tag: string | undefined): string | undefined {
  return repository === undefined ? undefined : tag === undefined ? repository : `${repository}:${tag}`;
}

/** @throws E_API_REQUEST when the body was not sent as bytes */
export function bodyOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  const { body } = request;
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) return body as AsyncIterable<Uint8Array>;
  throw badRequest('the body must be a tar archive', 'send it as application/x-tar');
}

/** What fastify takes as a stream. */
export function streamOf(bytes: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(bytes, { objectMode: false });
}

function idOf(request: FastifyRequest): string {
  return param(request, 'id');
}

function pathOf(request: FastifyRequest): string {
  const path = queryText(query(request)['path']);
  if (path === undefined) throw badRequest('missing parameter: path');
  return path;
}

function encodeStat({ name, sizeBytes, mode, mtimeMs, linkTarget }: BackendPathStat): string {
  const stat = { name, size: sizeBytes, mode: goMode(mode), mtime: new Date(mtimeMs).toISOString(), linkTarget };
  return Buffer.from(JSON.stringify(stat)).toString('base64');
}

function goMode(mode: number): number {
  const type = GO_TYPE_BITS.find(([bits]) => (mode & 0o170000) === bits)?.[1] ?? 0;
  const flags = GO_FLAG_BITS.reduce((sum, [flag, bits]) => (mode & flag ? sum | bits : sum), 0);
  return ((mode & 0o777) | type | flags) >>> 0;
}
