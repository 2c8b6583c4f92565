import { existsSync, readFileSync } from 'node:fs';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { HostContainers } from './testing/host-containers.ts';

let containers: HostContainers;
beforeAll(() => {
  containers = new HostContainers();
});
afterAll(() => containers.dispose());

/** The value in the first of these files that a container's groups have. */
async function control(id: string, ...names: readonly string[]): Promise<string> {
  const directories = Object.values((await containers.runtime.state(id)).cgroups);
  const path = directories.flatMap((directory) => names.map((name) => `${directory}/${name}`)).find((file) => existsSync(file));
  return path === undefined ? 'missing' : readFileSync(path, 'utf8').trim();
}

const memoryOf = (id: string) => control(id, 'memory.limit_in_bytes', 'memory.max');
const pidsOf = (id: string) => control(id, 'pids.max');

hostTest('a running container gets the limits it is updated to, and keeps the others', ['root', 'linux'], async () => {
  const { id } = await containers.started({ linux: { resources: { memory: { limit: 64 << 20 }, pids: { limit: 20 } } } });
  await containers.runtime.update(id, { memory: { limit: 128 << 20 }, cpu: { quota: 20_000, period: 100_000 } });

  expect([await memoryOf(id), await pidsOf(id)]).toEqual([String(128 << 20), '20']);
  expect(await control(id, 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^20000/);
  expect((await containers.runtime.spec(id)).linux?.resources).toEqual({
    memory: { limit: 128 << 20 },
    pids: { limit: 20 },
    cpu: { quota: 20_000, period: 100_000 },
  });
  await containers.runtime.update(id, { memory: { limit: -1 }, pids: { limit: -1 } });
  expect(await pidsOf(id)).toBe('max');
  expect(['max', '9223372036854771712']).toContain(await memoryOf(id));
});

hostTest('a refused limit leaves those beside it as they were', ['root', 'linux'], async () => {
  const resources = { memory: { limit: 64 << 20 }, cpu: { shares: 512 }, pids: { limit: 20 } };
  const { id } = await containers.started({ linux: { resources } });
  const noSuchDevice = { throttleReadBpsDevice: [{ major: 4000, minor: 0, rate: 1000 }] };
  const changes = { pids: { limit: 30 }, memory: { limit: 32 << 20 }, cpu: { shares: 2048 }, blockIO: noSuchDevice };

  await expect(containers.runtime.update(id, changes)).rejects.toThrow(
    expect.objectContaining({ subject: '/linux/resources/blockIO/throttleReadBpsDevice/0' }),
  );
  expect([await memoryOf(id), await pidsOf(id), await control(id, 'cpu.shares', 'cpu.weight')]).toEqual([
    String(64 << 20),
    '20',
    expect.stringMatching(/^(512|59)$/),
  ]);
  expect((await containers.runtime.spec(id)).linux?.resources).toEqual(resources);
  const wrong = containers.runtime.update(id, { memory: { limit: 1 } });
  await expect(wrong).rejects.toThrow(expect.objectContaining({ code: 'E_SPEC_INVALID', subject: '/linux/resources/memory/limit' }));
});

hostTest('created and paused containers can be updated, stopped ones cannot', ['root', 'linux'], async () => {
  const { id } = await containers.created();
  await containers.runtime.update(id, { pids: { limit: 10 } });
  await containers.runtime.start(id);
  await containers.runtime.pause(id);
  await containers.runtime.update(id, { pids: { limit: 11 } });
  expect(await pidsOf(id)).toBe('11');

  await containers.runtime.kill(id, 9);
  await expect.poll(async () => (await containers.runtime.state(id)).status, { timeout: 30_000 }).toBe('stopped');
  const late = containers.runtime.update(id, { pids: { limit: 12 } });
  await expect(late).rejects.toThrow(expect.objectContaining({ code: 'E_CONTAINER_STATE' }));
});
