/**
 * Docker API: images.
 *
 * @spec docker-api/v1.47#tag/Image
 */
import { posix } from 'node:path';
import { configJson } from '@slipway/oci';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOf, changesOf, nameOf, streamOf } from './archive-routes.ts';
import { arrivalData } from './arrivals.ts';
import type { BackendImage } from './backend.ts';
import { familiarName } from './container-json.ts';
import { notFound, notSupported } from './docker-status.ts';
import { queryFlag, queryText } from './fields.ts';
import { type Filters, matchesAll, matchesLabel, parseFilters, readUntil } from './filters.ts';
import { parseTimestamp } from './human-duration.ts';
import { answerPull, answerPush } from './registry-routes.ts';
import { param, query, type RouteContext, spanOf } from './route-context.ts';

type Json = Readonly<Record<string, unknown>>;

export async function imageRoutes(app: FastifyInstance, context: RouteContext): Promise<void> {
  const { backend } = context;
  const require = async (reference: string): Promise<BackendImage> => {
    const image = await backend.findImage(reference);
    if (image === undefined) throw notFound(`No such image: ${reference.slice(0, 200)}`);
    return image;
  };

  app.get('/images/json', async (request) => {
    const filters = parseFilters(queryText(query(request)['filters']), ['reference', 'label', 'dangling', 'before', 'since', 'until']);
    const age = await ageFilter(filters, require);
    const images = (await backend.images()).filter(age);
    const containers = backend.list();
    return images
      .filter((image) =>
        matchesAll(filters, {
          reference: (value) => image.references.some((name) => matchesReference(name, value)),
          label: (value) => matchesLabel(image.config.config.labels, value),
          dangling: (value) => (image.references.length === 0) === queryFlag(value),
        }),
      )
      .map((image) => toImageJson(shownAs(image, filters), containers.filter(({ imageId }) => imageId === image.id).length));
  });

  app.get('/images/*', async (request, reply) => {
    const [, name, verb] = /^(.+)\/(json|history|get)$/.exec(param(request, '*')) ?? [];
    if (name === undefined) throw notFound('page not found');
    if (verb === 'get') return reply.type('application/x-tar').send(streamOf(await backend.saveImages([name])));
    const image = await require(name);
    return verb === 'json' ? toImageInspectJson(image) : toHistoryJson(image);
  });

  app.post('/images/prune', async (request) => {
    const filters = parseFilters(queryText(query(request)['filters']), ['dangling', 'label', 'until']);
    const isOldEnough = readUntil(filters);
    const danglingOnly = !(filters.get('dangling') ?? []).some((value) => !queryFlag(value));
    const labels = filters.get('label') ?? [];
    const { untagged, deleted, freedBytes } = await backend.pruneImages(
      (image) =>
        (!danglingOnly || image.references.length === 0) &&
        isOldEnough(image.config.created) &&
        labels.every((label) => matchesLabel(image.config.config.labels, label)),
    );
    return { ImagesDeleted: toRemovedJson(untagged, deleted), SpaceReclaimed: freedBytes };
  });

  app.post('/images/load', async (request, reply) => {
    const loaded = await backend.loadImages(bodyOf(request), spanOf(request));
    const answer = loaded
      .flatMap(({ id, references }) =>
        references.length === 0 ? [`Loaded image ID: ${id}\n`] : references.map((name) => `Loaded image: ${familiarName(name)}\n`),
      )
      .map((stream) => `${JSON.stringify({ stream })}\n`)
      .join('');
    return reply.type('application/json').send(answer);
  });

  app.post('/images/create', { config: { rawBody: true } }, async (request, reply) => {
    const { fromSrc, repo, tag, message, changes } = query(request);
    if (queryText(fromSrc) === '-') {
      const reference = nameOf(queryText(repo), queryText(tag));
      const options = { ...(reference === undefined ? {} : { reference }), comment: queryText(message) ?? '', changes: changesOf(changes) };
      const { id } = await backend.importImage(bodyOf(request), options, spanOf(request));
      return reply.type('application/json').send(`${JSON.stringify({ status: id })}\n`);
    }
    if (queryText(fromSrc) !== undefined)
      throw notSupported('an image is not imported from an address', 'fetch it, and send it as the body');
    return await answerPull(request, reply, context);
  });

  app.post('/images/*', async (request, reply) => {
    const [, name, verb] = /^(.+)\/(tag|push)$/.exec(param(request, '*')) ?? [];
    if (name === undefined) throw notFound('page not found');
    if (verb === 'push') return await answerPush(name, request, reply, context);
    const { repo, tag } = query(request);
    await backend.tagImage(name, `${queryText(repo) ?? ''}:${queryText(tag) ?? 'latest'}`);
    return reply.status(201).send();
  });

  app.delete('/images/*', async (request: FastifyRequest) => {
    const reference = param(request, '*');
    const { untagged, deleted } = await backend.removeImage(reference, { force: queryFlag(query(request)['force']) });
    return toRemovedJson(untagged, deleted);
  });
}

/** `before` and `since` name images, `until` a moment; all of them compare with when an image says that it was made. */
async function ageFilter(
  filters: Filters,
  require: (reference: string) => Promise<BackendImage>,
): Promise<(image: BackendImage) => boolean> {
  const madeMs = async (name: 'before' | 'since') => {
    const named = await Promise.all((filters.get(name) ?? []).map(require));
    return named.map(createdMs);
  };
  const untilMs = (filters.get('until') ?? []).flatMap((text) => parseTimestamp('until', text) ?? []).map((ns) => Number(ns / 1_000_000n));
  const earlier = [...(await madeMs('before')), ...untilMs];
  const later = await madeMs('since');
  return (image) => earlier.every((ms) => createdMs(image) < ms) && later.every((ms) => createdMs(image) > ms);
}

function createdMs({ config }: BackendImage): number {
  return Date.parse(config.created ?? '1970-01-01T00:00:00Z');
}

/** With the names that were asked for. */
function shownAs(image: BackendImage, filters: Filters): BackendImage {
  const wanted = filters.get('reference');
  if (wanted === undefined) return image;
  const isWanted = (name: string) => wanted.some((value) => matchesReference(name, value));
  return { ...image, references: image.references.filter(isWanted), repoDigests: image.repoDigests.filter(isWanted) };
}

/** Wildcards stand for anything but a slash; tag and digest may be left out. */
function matchesReference(name: string, pattern: string): boolean {
  const shown = familiarName(name);
  return [shown, shown.replace(/(@.*|:[^:/]*)$/, '')].some((each) => posix.matchesGlob(each, pattern));
}

function toRemovedJson(untagged: readonly string[], deleted: readonly string[]): readonly Json[] {
  return [...untagged.map((name) => ({ Untagged: familiarName(name) })), ...deleted.map((id) => ({ Deleted: id }))];
}

export function toImageJson(image: BackendImage, containers: number, sharedBytes = -1): Json {
  return {
    Id: image.id,
    ParentId: '',
    RepoTags: image.references.map(familiarName),
    RepoDigests: toRepoDigests(image),
    Created: Math.floor(createdMs(image) / 1000),
    Size: image.sizeBytes,
    SharedSize: sharedBytes,
    Labels: image.config.config.labels,
    Containers: containers,
  };
}

/** As registries have it; an image that came another way has the digest that a push would give it. */
function toRepoDigests({ repoDigests, references, manifestDigest }: BackendImage): readonly string[] {
  const known = repoDigests.map(familiarName);
  const repositories = new Set(known.map((name) => name.replace(/@.*$/, '')));
  const others = new Set(references.map((name) => familiarName(name).replace(/:[^:/]*$/, '')).filter((name) => !repositories.has(name)));
  return [...known, ...(manifestDigest === undefined ? [] : [...others].map((name) => `${name}@${manifestDigest}`))];
}

function toImageInspectJson(image: BackendImage): Json {
  const { config } = image;
  const defaults = config.config;
  return {
    Id: image.id,
    RepoTags: image.references.map(familiarName),
    RepoDigests: toRepoDigests(image),
    Parent: '',
    Comment: config.history.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: image.sizeBytes,
    GraphDriver: { Name: 'overlay', Data: arrivalData(image) },
    RootFS: { Type: 'layers', Layers: config.diffIds },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    Config: {
      User: '',
      Env: null,
      Cmd: null,
      Entrypoint: null,
      Volumes: null,
      WorkingDir: '',
      OnBuild: null,
      Labels: null,
      ...configJson(defaults),
    },
  };
}

function toHistoryJson(image: BackendImage): readonly Json[] {
  const sizes = image.layers.map(({ sizeBytes }) => sizeBytes);
  const steps = image.config.history.map((step) => ({ ...step, sizeBytes: step.emptyLayer ? 0 : (sizes.shift() ?? 0) }));
  return steps.toReversed().map((step, index) => ({
    Id: index === 0 ? image.id : '<missing>',
    Created: Math.floor(Date.parse(step.created ?? '1970-01-01T00:00:00Z') / 1000),
    CreatedBy: step.createdBy ?? '',
    Comment: step.comment ?? '',
    Size: step.sizeBytes,
    Tags: index === 0 ? image.references.map(familiarName) : null,
  }));
}
