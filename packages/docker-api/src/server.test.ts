import { readFileSync } from 'node:fs';
import { EngineError } from '@slipway/errors';
import { createTracer, type JournalBody } from '@slipway/journal';
import { describe, expect, test } from 'vitest';
import type { Backend } from './backend.ts';
import { createDockerApi } from './server.ts';
import { container, FACTS, fakeBackend, ID, image } from './testing/containers.ts';

async function open(changes: Partial<Backend> = {}) {
  const backend = fakeBackend(changes);
  const journal: JournalBody[] = [];
  const bugs: unknown[] = [];
  const tracer = createTracer({ emit: (write) => void journal.push(write()), now: () => journal.length });
  const { app } = await createDockerApi({
    backend,
    tracer,
    facts: FACTS,
    logPath: (id) => `/log/${id}`,
    onInternalError: (error) => bugs.push(error),
  });
  return { app, backend, journal, bugs };
}

const spansOf = (journal: readonly JournalBody[]) => journal.flatMap((body) => (body.type === 'span' ? [body.span] : []));

test('ping tells the version in its head, for GET and HEAD, with any version prefix', async () => {
  const { app } = await open();
  for (const [method, url] of [
    ['GET', '/_ping'],
    ['HEAD', '/_ping'],
    ['GET', '/v1.30/_ping'],
  ] as const) {
    const response = await app.inject({ method, url });
    expect([response.statusCode, response.headers['api-version'], response.headers['ostype']]).toEqual([200, '1.47', 'linux']);
  }
});

test('a version that is not spoken is answered with Docker’s sentence', async () => {
  const { app } = await open();
  const response = await app.inject({ method: 'GET', url: '/v1.12/containers/json' });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toEqual({
    message: expect.stringContaining('client version 1.12 is too old. Minimum supported API version is 1.24'),
  });
});

test.each(['/nothing', '/v1.47/session', '//v1.41//containers/../info', '/images/x/unknown'])('%s: page not found', async (url) => {
  const { app } = await open();
  const response = await app.inject({ method: 'GET', url });
  expect([response.statusCode, response.json()]).toEqual([404, { message: 'page not found' }]);
});

test('update: what is 0 or absent stays, -1 lifts, and so does a pids limit of 0', async () => {
  const { app, backend } = await open();
  const post = (payload: object) => app.inject({ method: 'POST', url: '/containers/web/update', payload });
  const answer = await post({ Memory: 1, MemorySwap: -1, CpuShares: 0, NanoCpus: 5, CpusetCpus: '', RestartPolicy: { Name: '' } });
  expect([answer.statusCode, answer.json()]).toEqual([200, { Warnings: [] }]);
  await post({ PidsLimit: 0 });
  await post({ PidsLimit: null });
  expect(backend.updates).toEqual([
    { id: ID, resources: { memoryBytes: 1, memorySwapBytes: -1, nanoCpus: 5 } },
    { id: ID, resources: { pidsLimit: -1 } },
    { id: ID, resources: {} },
  ]);
  for (const refused of [{ RestartPolicy: { Name: 'always' } }, { BlkioWeight: 10 }, { KernelMemory: 1 }])
    expect([(await post(refused)).statusCode, refused]).toEqual([501, refused]);
});

test('errors are JSON under exactly the media type that clients compare', async () => {
  const { app } = await open();
  const response = await app.inject({ method: 'GET', url: '/containers/nope/json' });
  expect([response.statusCode, response.headers['content-type'], response.json()]).toEqual([
    404,
    'application/json',
    { message: 'No such container: nope' },
  ]);
});

test('a container is created from the body and the name in the query', async () => {
  const { app, backend } = await open();
  const response = await app.inject({
    method: 'POST',
    url: '/v1.47/containers/create?name=web',
    payload: { Image: 'busybox', Cmd: ['true'] },
  });
  expect([response.statusCode, response.json()]).toEqual([201, { Id: ID, Warnings: [] }]);
  expect(backend.created).toMatchObject([{ name: 'web', image: 'busybox', command: ['true'], api: 'docker' }]);
});

test('an image that is here for another platform is not found, so that the client pulls the one it wants', async () => {
  const { app, backend } = await open({ findImage: async () => image({ id: `sha256:${ID}`, created: '' }) });
  const create = async (platform: string) => {
    const response = await app.inject({ method: 'POST', url: `/containers/create?platform=${platform}`, payload: { Image: 'busybox' } });
    return [response.statusCode, response.json().message];
  };
  expect(await create('linux/arm64')).toEqual([404, expect.stringContaining('wanted linux/arm64, actual: linux/amd64')]);
  expect(await create('a/b/c/d')).toEqual([400, expect.stringContaining('invalid platform')]);
  expect(backend.created).toEqual([]);
  expect(await create('linux/amd64')).toEqual([201, undefined]);
});

test('a filter value that no container can have is refused, not answered with nothing', async () => {
  const { app } = await open();
  const list = async (filters: object) =>
    (await app.inject({ method: 'GET', url: `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}` })).statusCode;
  expect(await list({ status: ['runing'] })).toBe(400);
  expect(await list({ exited: ['zero'] })).toBe(400);
  expect(await list({ status: ['exited'], exited: ['0'] })).toBe(200);
});

test.each([
  ['', undefined],
  ['&tail=all', undefined],
  ['&tail=-1', undefined],
  ['&tail=0', 0],
  ['&tail=5', 5],
] as const)('logs%s: the last %s lines', async (tail, wanted) => {
  let asked: number | undefined | null = null;
  const { app } = await open({
    logs: async function* (_ref, options) {
      asked = options.tail;
      yield* [];
    },
  });
  await app.inject({ method: 'GET', url: `/containers/web/logs?stdout=1${tail}` });
  expect(asked).toBe(wanted);
});

test.each([
  ['a body that is no JSON', { headers: { 'content-type': 'application/json' }, payload: '{"Image":' }, 400],
  ['a body of another type', { headers: { 'content-type': 'text/xml' }, payload: '<a/>' }, 400],
  [
    'a body of 5 MiB [C04]',
    { headers: { 'content-type': 'application/json' }, payload: JSON.stringify({ Image: 'a', x: 'y'.repeat(5 * 1024 * 1024) }) },
    413,
  ],
])('%s is refused, and nothing is created', async (_name, request, status) => {
  const { app, backend } = await open();
  const response = await app.inject({ method: 'POST', url: '/containers/create', ...request });
  expect(response.statusCode).toBe(status);
  expect(response.json()).toHaveProperty('message');
  expect(backend.created).toEqual([]);
});

test('start and stop say 304 when there is nothing to do', async () => {
  const { app } = await open();
  expect((await app.inject({ method: 'POST', url: '/containers/web/start' })).statusCode).toBe(304);
  expect((await app.inject({ method: 'POST', url: '/containers/web/stop?t=1' })).statusCode).toBe(204);
});

test('wait answers with the exit code', async () => {
  const { app } = await open();
  const response = await app.inject({ method: 'POST', url: '/containers/web/wait?condition=next-exit' });
  expect(response.json()).toEqual({ StatusCode: 3 });
  expect((await app.inject({ method: 'POST', url: '/containers/web/wait?condition=doomsday' })).statusCode).toBe(400);
});

test('logs are framed without a terminal, and need at least one stream', async () => {
  const { app } = await open();
  const response = await app.inject({ method: 'GET', url: '/containers/web/logs?stdout=1&timestamps=1' });
  expect(response.headers['content-type']).toBe('application/vnd.docker.multiplexed-stream');
  expect(response.rawPayload.subarray(0, 8)).toEqual(Buffer.from([1, 0, 0, 0, 0, 0, 0, 34]));
  expect(response.rawPayload.subarray(8).toString()).toBe('2026-01-01T00:00:00.000000000Z hi\n');
  expect((await app.inject({ method: 'GET', url: '/containers/web/logs' })).statusCode).toBe(400);
});

test('a bug is logged, and the client learns only that there was one', async () => {
  const { app, bugs } = await open({ list: () => Reflect.apply(Reflect.get({}, 'missing'), undefined, []) });
  const response = await app.inject({ method: 'GET', url: '/containers/json' });
  expect([response.statusCode, response.json()]).toEqual([500, { message: 'internal error: see the log of slipwayd' }]);
  expect(bugs).toHaveLength(1);
});

test('each request is one span, below the client’s own where it sends one, with secrets taken out', async () => {
  const { app, journal } = await open();
  const payload = { Image: 'busybox', Env: ['DB_PASSWORD=hunter2', 'A=1'] };
  await app.inject({ method: 'POST', url: '/containers/create', headers: { 'x-slipway-span': 't1/s1' }, payload });
  const spans = spansOf(journal);
  expect(spans.at(-1)).toMatchObject({
    trace: 't1',
    parent: 's1',
    actor: 'api',
    name: 'POST /containers/create',
    response: expect.stringContaining(ID),
  });
  expect(spans.at(-1)?.endMs).toBeDefined();
  expect(JSON.stringify(journal)).not.toContain('hunter2');
  expect(spans.at(-1)?.request).toContain('A=1');
});

test('a span’s source is the line that declares its route', async () => {
  const { app, journal } = await open();
  await app.inject({ method: 'GET', url: '/v1.47/containers/web/json' });
  const [, path = '', line = ''] =
    /^(packages\/docker-api\/src\/container-routes\.ts):(\d+)$/.exec(spansOf(journal).at(-1)?.source ?? '') ?? [];
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8').split('\n')[Number(line) - 1];
  expect(text).toContain("app.get('/containers/:id/json'");
});

test('a prune by age leaves what is younger', async () => {
  const removed: string[] = [];
  const [old, young] = [container({ id: '0a' }), container({ id: '0b', createdAt: new Date().toISOString() })];
  const { app } = await open({ list: () => [old, young], remove: async (ref) => void removed.push(ref) });
  const prune = (until: string) =>
    app.inject({ method: 'POST', url: `/containers/prune?filters=${encodeURIComponent(JSON.stringify({ until: [until] }))}` });
  expect((await prune('1h')).json()).toMatchObject({ ContainersDeleted: ['0a'] });
  expect((await prune('soon')).statusCode).toBe(400);
  expect(removed).toEqual(['0a']);
});

test('prune goes on past a container that somebody else has started or removed meanwhile', async () => {
  const [gone, started, left] = ['1', '2', '3'].map((digit) => container({ id: digit.repeat(64), status: 'exited' }));
  const removed: string[] = [];
  const { app } = await open({
    list: () => [gone, started, left].filter((each) => each !== undefined),
    remove: async (ref) => {
      if (ref === gone?.id) throw new EngineError('not-found', 'gone', { code: 'E_CONTAINER_UNKNOWN', op: 'test' });
      if (ref === started?.id) throw new EngineError('failed-precondition', 'runs', { code: 'E_CONTAINER_STATUS', op: 'test' });
      removed.push(ref);
    },
  });
  const response = await app.inject({ method: 'POST', url: '/containers/prune' });
  expect([response.statusCode, response.json()]).toEqual([200, { ContainersDeleted: [left?.id], SpaceReclaimed: 0 }]);
  expect(removed).toEqual([left?.id]);
});

describe('images by age', () => {
  const images = ['2020', '2021', '2022'].map((year) => image({ id: `sha256:${year}`, created: `${year}-01-01T00:00:00Z` }));
  const ask = async (filters: object) => {
    const findImage = async (reference: string) => images.find(({ id }) => id.includes(reference));
    const { app } = await open({ images: async () => images, findImage });
    return await app.inject({ method: 'GET', url: `/images/json?filters=${encodeURIComponent(JSON.stringify(filters))}` });
  };
  const idsOf = async (filters: object) => (await ask(filters)).json().map(({ Id: id }: { readonly Id: string }) => id);

  test.each([
    ['before', '2021', ['sha256:2020']],
    ['since', '2021', ['sha256:2022']],
    ['until', '2021-06-01T00:00:00Z', ['sha256:2020', 'sha256:2021']],
    ['until', '1590969600', ['sha256:2020']],
  ])('%s %s', async (filter, value, ids) => {
    expect(await idsOf({ [filter]: [value] })).toEqual(ids);
  });

  test('none of an image that is not here', async () => {
    const response = await ask({ before: ['1999'] });
    expect([response.statusCode, response.json()]).toEqual([404, { message: 'No such image: 1999' }]);
  });
});

test('containers before one that is not here are not a list', async () => {
  const { app } = await open();
  const filters = encodeURIComponent(JSON.stringify({ before: ['nope'] }));
  const response = await app.inject({ method: 'GET', url: `/containers/json?filters=${filters}` });
  expect([response.statusCode, response.json()]).toEqual([404, { message: 'No such container: nope' }]);
});

test('containers are listed and shown with their sizes where that is asked for', async () => {
  const usage = { layerBytes: 9, sharedBytes: new Map(), containers: new Map([[ID, { writtenBytes: 5, rootBytes: 14 }]]) };
  const { app } = await open({ diskUsage: async () => usage });
  const sizes = { SizeRw: 5, SizeRootFs: 14 };
  const get = async (url: string) => (await app.inject({ method: 'GET', url })).json();
  expect(await get('/containers/json?size=1')).toMatchObject([sizes]);
  expect(await get('/containers/web/json?size=true')).toMatchObject(sizes);
  expect(JSON.stringify([await get('/containers/json'), await get('/containers/web/json')])).not.toContain('SizeRw');
});
