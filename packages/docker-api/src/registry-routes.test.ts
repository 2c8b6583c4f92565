import { EngineError } from '@slipway/errors';
import { createTracer } from '@slipway/journal';
import { describe, expect, test } from 'vitest';
import type { Backend, BackendPullOptions } from './backend.ts';
import { createDockerApi } from './server.ts';
import { FACTS, fakeBackend } from './testing/containers.ts';

const LAYER = { mediaType: 'x', digest: `sha256:${'ab'.repeat(32)}`, size: 2_000_000 };
const ID = 'abababababab';
const DIGEST = `sha256:${'cd'.repeat(32)}`;

async function open(changes: Partial<Backend>) {
  const { app } = await createDockerApi({
    backend: fakeBackend(changes),
    tracer: createTracer({ emit: () => undefined, now: () => 0 }),
    facts: FACTS,
    logPath: (id) => id,
    onInternalError: () => undefined,
  });
  return app;
}

const lines = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);

const unknown = () => new EngineError('not-found', 'no manifest nope of library/a', { code: 'E_REGISTRY_NOT_FOUND', op: 'test' });

describe('POST /images/create', () => {
  test('tells a pull in docker’s words', async () => {
    const app = await open({
      pullImage: async (_reference, { onProgress = () => undefined }) => {
        onProgress({ phase: 'resolved', layers: [LAYER] });
        onProgress({ phase: 'download', layer: LAYER, state: 'started', bytes: 0 });
        onProgress({ phase: 'download', layer: LAYER, state: 'progress', bytes: 1_000_000 });
        onProgress({ phase: 'download', layer: LAYER, state: 'verified', bytes: LAYER.size });
        onProgress({ phase: 'unpack', layer: LAYER, state: 'started' });
        onProgress({ phase: 'unpack', layer: LAYER, state: 'done' });
        return { digest: DIGEST, isNew: true, warnings: ['not lazily: its layers have no index'] };
      },
    });
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/images/create?fromImage=busybox&tag=1' });
    expect(statusCode).toBe(200);
    expect(lines(body)).toEqual([
      { status: 'Pulling from library/busybox', id: '1' },
      { status: 'Pulling fs layer', progressDetail: {}, id: ID },
      {
        status: 'Downloading',
        id: ID,
        progressDetail: { current: 1_000_000, total: 2_000_000 },
        progress: `[${'='.repeat(25)}>${' '.repeat(25)}]  1.000MB/2.000MB`,
      },
      { status: 'Verifying Checksum', progressDetail: {}, id: ID },
      { status: 'Download complete', progressDetail: {}, id: ID },
      {
        status: 'Extracting',
        id: ID,
        progressDetail: { current: 2_000_000, total: 2_000_000 },
        progress: `[${'='.repeat(50)}>]  2.000MB/2.000MB`,
      },
      { status: 'Pull complete', progressDetail: {}, id: ID },
      { status: 'Warning: not lazily: its layers have no index' },
      { status: `Digest: ${DIGEST}` },
      { status: 'Status: Downloaded newer image for busybox:1' },
    ]);
  });

  test('name, tag or digest, platform and credentials reach the engine', async () => {
    const asked: (readonly [string, BackendPullOptions])[] = [];
    const app = await open({
      pullImage: async (reference, options) => {
        asked.push([reference, options]);
        return { digest: DIGEST, isNew: false, warnings: [] };
      },
    });
    const header = Buffer.from('{"username":"u","password":"p"}').toString('base64url');
    const pull = (query: string, headers = {}) => app.inject({ method: 'POST', url: `/images/create?${query}`, headers });
    const { body } = await pull('fromImage=localhost:5000/a&tag=2&platform=linux/arm64', { 'x-registry-auth': header });
    await pull(`fromImage=a&tag=${DIGEST}`);
    await pull('fromImage=a:3');
    expect(asked.map(([reference]) => reference)).toEqual(['localhost:5000/a:2', `a@${DIGEST}`, 'a:3']);
    expect(asked[0]?.[1]).toMatchObject({
      platform: { os: 'linux', architecture: 'arm64' },
      credentials: { username: 'u', password: 'p' },
    });
    expect(lines(body).at(-1)).toEqual({ status: 'Status: Image is up to date for localhost:5000/a:2' });
    expect((await pull('fromImage=a&platform=a/b/c/d')).statusCode).toBe(400);
    expect((await pull('fromImage=')).statusCode).toBe(400);
  });

  test('a name alone means every tag', async () => {
    const asked: string[] = [];
    const app = await open({
      remoteTags: async (name) => (name === 'localhost:5000/a' ? ['1', '2'] : []),
      pullImage: async (reference) => {
        asked.push(reference);
        return { digest: DIGEST, isNew: true, warnings: [] };
      },
    });
    const { body } = await app.inject({ method: 'POST', url: '/images/create?fromImage=localhost:5000/a' });
    expect(asked).toEqual(['localhost:5000/a:1', 'localhost:5000/a:2']);
    expect(lines(body)).toContainEqual({ status: 'Status: Downloaded newer image for localhost:5000/a:2' });
  });

  test('a failure before the first message is a status, one after it a message', async () => {
    const early = await open({ pullImage: () => Promise.reject(unknown()) });
    expect((await early.inject({ method: 'POST', url: '/images/create?fromImage=a&tag=1' })).statusCode).toBe(404);

    const late = await open({
      pullImage: async (_reference, { onProgress }) => {
        onProgress?.({ phase: 'resolved', layers: [] });
        throw unknown();
      },
    });
    const { statusCode, body } = await late.inject({ method: 'POST', url: '/images/create?fromImage=a&tag=1' });
    const message = 'no manifest nope of library/a';
    expect([statusCode, lines(body).at(-1)]).toEqual([200, { errorDetail: { message }, error: message }]);
  });
});

test('a push ends with the digest that the client keeps', async () => {
  const app = await open({
    pushImage: async (name, { onProgress = () => undefined }) => {
      onProgress({ phase: 'layers', layers: [LAYER] });
      onProgress({ phase: 'upload', layer: LAYER, state: 'mounted', bytes: LAYER.size, from: 'library/b' });
      return { name, manifest: { mediaType: 'm', digest: DIGEST, size: 7 } };
    },
  });
  const { body } = await app.inject({ method: 'POST', url: '/images/localhost:5000/a/push?tag=1' });
  expect(lines(body)).toEqual([
    { status: 'The push refers to repository [localhost:5000/a]' },
    { status: 'Preparing', progressDetail: {}, id: ID },
    { status: 'Mounted from library/b', progressDetail: {}, id: ID },
    { status: `1: digest: ${DIGEST} size: 7` },
    { progressDetail: {}, aux: { Tag: '1', Digest: DIGEST, Size: 7 } },
  ]);
});

test('a login that the registry refuses is 401, so that clients ask again', async () => {
  const denied = new EngineError('permission-denied', 'cannot log in', { code: 'E_REGISTRY_DENIED', op: 'test' });
  const asked: string[] = [];
  const app = await open({
    logIn: async (domain, { password }) => {
      asked.push(domain);
      if (password !== 'right') throw denied;
    },
  });
  const login = (password: string) =>
    app.inject({ method: 'POST', url: '/auth', payload: { username: 'u', password, serveraddress: 'https://index.docker.io/v1/' } });
  expect((await login('wrong')).statusCode).toBe(401);
  expect((await login('right')).json()).toMatchObject({ Status: 'Login Succeeded' });
  expect((await app.inject({ method: 'POST', url: '/auth', payload: {} })).statusCode).toBe(400);
  expect(asked).toEqual(['docker.io', 'docker.io']);
});
