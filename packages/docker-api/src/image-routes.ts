/**
 * Docker API: images.
 *
 * @spec docker-api/v1.47#tag/Image
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BackendImage } from './backend.ts';
import { familiarName } from './container-json.ts';
import { badRequest, notSupported } from './docker-status.ts';
import { queryFlag, queryText } from './fields.ts';
import { matchesAll, matchesLabel, parseFilters } from './filters.ts';
import { param, query, type RouteContext, spanOf } from './route-context.ts';

type Json = Readonly<Record<string, unknown>>;

export async function imageRoutes(app: FastifyInstance, { backend }: RouteContext): Promise<void> {
  const require = async (reference: string): Promise<BackendImage> => {
    const image = await backend.findImage(reference);
    if (image === undefined) throw Object.assign(new Error(`No such image: ${reference.slice(0, 200)}`), { statusCode: 404 });
    return image;
  };

  app.get('/images/json', async (request) => {
    const filters = parseFilters(queryText(query(request)['filters']), ['reference', 'label', 'dangling', 'before', 'since', 'until']);
    const images = await backend.images();
    const containers = backend.list();
    return images
      .filter((image) =>
        matchesAll(filters, {
          reference: (value) => image.references.map(familiarName).some((name) => name === value || name.split(':')[0] === value),
          label: (value) => matchesLabel(image.config.config.labels, value),
          dangling: (value) => (image.references.length === 0) === queryFlag(value),
        }),
      )
      .map((image) => toImageJson(image, containers.filter(({ imageId }) => imageId === image.id).length));
  });

  app.get('/images/*', async (request) => {
    const [, name, verb] = /^(.+)\/(json|history)$/.exec(param(request, '*')) ?? [];
    if (name === undefined) throw pageNotFound();
    const image = await require(name);
    return verb === 'json' ? toImageInspectJson(image) : toHistoryJson(image);
  });

  app.post('/images/load', async (request, reply) => {
    const { body } = request;
    if (!isByteStream(body)) throw badRequest('the body must be a tar archive', 'send it as application/x-tar');
    const loaded = await backend.loadImages(body, spanOf(request));
    const answer = loaded
      .flatMap(({ id, references }) =>
        references.length === 0 ? [`Loaded image ID: ${id}\n`] : references.map((name) => `Loaded image: ${familiarName(name)}\n`),
      )
      .map((stream) => `${JSON.stringify({ stream })}\n`)
      .join('');
    return reply.type('application/json').send(answer);
  });

  app.post('/images/create', async (request) => {
    const { fromImage, fromSrc } = query(request);
    const what = queryText(fromImage) ?? queryText(fromSrc) ?? '';
    throw notSupported(
      `pulling "${what.slice(0, 200)}" is not possible: this engine cannot reach registries yet`,
      'load an archive with docker load',
    );
  });

  app.post('/images/*', async (request, reply) => {
    const [, name] = /^(.+)\/tag$/.exec(param(request, '*')) ?? [];
    if (name === undefined) throw pageNotFound();
    const { repo, tag } = query(request);
    await backend.tagImage(name, `${queryText(repo) ?? ''}:${queryText(tag) ?? 'latest'}`);
    return reply.status(201).send();
  });

  app.delete('/images/*', async (request: FastifyRequest) => {
    const reference = param(request, '*');
    const { untagged, deleted } = await backend.removeImage(reference, { force: queryFlag(query(request)['force']) });
    return [...untagged.map((name) => ({ Untagged: familiarName(name) })), ...deleted.map((id) => ({ Deleted: id }))];
  });
}

function pageNotFound(): Error {
  return Object.assign(new Error('page not found'), { statusCode: 404 });
}

function isByteStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function toImageJson(image: BackendImage, containers: number): Json {
  return {
    Id: image.id,
    ParentId: '',
    RepoTags: image.references.map(familiarName),
    RepoDigests: toRepoDigests(image),
    Created: Math.floor(Date.parse(image.config.created ?? '1970-01-01T00:00:00Z') / 1000),
    Size: image.sizeBytes,
    SharedSize: -1,
    Labels: image.config.config.labels,
    Containers: containers,
  };
}

function toRepoDigests(image: BackendImage): readonly string[] {
  if (image.manifestDigest === undefined) return [];
  const names = new Set(image.references.map((name) => familiarName(name).replace(/:[^:/]*$/, '')));
  return [...names].map((name) => `${name}@${image.manifestDigest}`);
}

function toImageInspectJson(image: BackendImage): Json {
  const { config } = image;
  const defaults = config.config;
  return {
    Id: image.id,
    RepoTags: image.references.map(familiarName),
    RepoDigests: toRepoDigests(image),
    Parent: '',
    Comment: '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    Os: config.os,
    Size: image.sizeBytes,
    GraphDriver: { Name: 'overlay', Data: null },
    RootFS: { Type: 'layers', Layers: config.diffIds },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    Config: {
      User: defaults.user ?? '',
      Env: defaults.env,
      Cmd: defaults.cmd ?? null,
      Entrypoint: defaults.entrypoint ?? null,
      WorkingDir: defaults.workingDir ?? '',
      Labels: defaults.labels,
      ...(defaults.stopSignal === undefined ? {} : { StopSignal: defaults.stopSignal }),
      Volumes: defaults.volumes.length === 0 ? null : Object.fromEntries(defaults.volumes.map((path) => [path, {}])),
      ExposedPorts: Object.fromEntries(defaults.exposedPorts.map((port) => [port, {}])),
    },
  };
}

function toHistoryJson(image: BackendImage): readonly Json[] {
  const steps = image.config.history.toReversed();
  return steps.map((step, index) => ({
    Id: index === 0 ? image.id : '<missing>',
    Created: Math.floor(Date.parse(step.created ?? '1970-01-01T00:00:00Z') / 1000),
    CreatedBy: step.createdBy ?? '',
    Comment: step.comment ?? '',
    Size: 0,
    Tags: index === 0 ? image.references.map(familiarName) : null,
  }));
}
