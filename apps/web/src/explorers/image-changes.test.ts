import type { World } from '@slipway/journal';
import { expect, test } from 'vitest';
import { imageChange } from './image-changes.ts';

const world = (...names: readonly string[]): Pick<World, 'traces' | 'processes'> => ({
  processes: [],
  traces: names.map((name, index) => ({
    id: `t${index}`,
    omitted: 0,
    spans: [
      {
        id: `s${index}`,
        trace: `t${index}`,
        actor: 'api',
        name: name.replace(/^!/, ''),
        startMs: 1,
        ...(name.startsWith('!') ? {} : { endMs: 2 }),
      },
    ],
  })) as unknown as World['traces'],
});

test.each([
  'POST /images/create',
  'POST /v1.41/images/load',
  'POST /images/127.0.0.1:5000/mine/push',
  'POST /build',
  'DELETE /images/web:latest',
  'PUT /v2/mine/manifests/1',
])('%s changes images once it has ended', (name) => {
  expect(imageChange(world(name))).toBe('s0');
  expect(imageChange(world(`!${name}`)), 'while it goes on').toBe('');
});

test('an engine that ends, and one that comes in its place, may have other images', () => {
  const withEngine = (pid: number, life: object = {}) => ({
    ...world(),
    processes: [{ key: `${pid}:1`, fact: { pid, role: 'engine' }, ...life }] as unknown as World['processes'],
  });
  const changes = [withEngine(6), withEngine(6, { goneAtMs: 5 }), withEngine(7)].map(imageChange);
  expect(new Set(changes).size).toBe(3);
});

test('looking and running change nothing', () => {
  expect(imageChange(world('GET /images/json', 'POST /containers/create', 'GET /v2/busybox/manifests/latest'))).toBe('');
});
