import { createTracer } from '@slipway/journal';
import { expect, test } from 'vitest';
import { createDockerApi } from './server.ts';
import { container, FACTS, fakeBackend, ID } from './testing/containers.ts';

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string): Promise<readonly [status: number, body: unknown]> {
  const { app } = await createDockerApi({
    backend: fakeBackend({ list: () => [container({ status: 'running' })] }),
    tracer: createTracer({ emit: () => undefined, now: () => 0 }),
    facts: FACTS,
    logPath: (id) => `/log/${id}`,
    onInternalError: (error) => {
      throw error;
    },
  });
  const response = await app.inject({ method, url });
  return [response.statusCode, response.json()];
}

test('the networks are those that a container can be in, with the containers that are', async () => {
  const [status, networks] = await ask('GET', '/v1.41/networks');
  expect([status, networks]).toMatchObject([
    200,
    [
      { Name: 'host', Driver: 'host', Containers: {} },
      { Name: 'none', Driver: 'null' },
    ],
  ]);
  expect(await ask('GET', '/networks/none')).toMatchObject([200, { Containers: { [ID]: { Name: 'web' } } }]);
  const onlyNull = encodeURIComponent(JSON.stringify({ driver: ['null'] }));
  expect(await ask('GET', `/networks?filters=${onlyNull}`)).toMatchObject([200, [{ Name: 'none' }]]);
  expect(await ask('GET', '/networks/mine')).toEqual([404, { message: 'network mine not found' }]);
  expect(await ask('DELETE', '/networks/host')).toEqual([400, { message: 'host is a pre-defined network and cannot be removed' }]);
});

test('what there is none of is an empty list, has nothing to prune, and is not found by name', async () => {
  expect(await ask('GET', '/volumes')).toEqual([200, { Volumes: [], Warnings: null }]);
  expect(await ask('POST', '/volumes/prune')).toEqual([200, { VolumesDeleted: [], SpaceReclaimed: 0 }]);
  expect(await ask('POST', '/networks/prune')).toEqual([200, { NetworksDeleted: [] }]);
  expect(await ask('GET', '/volumes/v')).toEqual([404, { message: 'get v: no such volume' }]);
  expect(await ask('GET', '/plugins')).toEqual([200, []]);
});

test.each([
  ['POST', '/networks/create', /networks of one’s own are not available/],
  ['POST', '/networks/none/connect', /a container cannot change its network/],
  ['POST', '/volumes/create', /volumes are not available yet \(bind a host directory instead\)/],
  ['GET', '/images/search?term=x', /searching a registry is not available/],
  ['POST', '/swarm/init', /swarm mode is not available/],
  ['GET', '/services', /swarm mode is not available/],
] as const)('%s %s is refused in a sentence', async (method, url, message) => {
  expect(await ask(method, url)).toEqual([501, { message: expect.stringMatching(message) }]);
});
