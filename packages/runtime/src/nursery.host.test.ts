/** What a daemon's runtime keeps ready, by what the births after the first one tell of it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectCgroups, openCgroup } from '@slipway/cgroups';
import { DOCKER_DEFAULTS } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import type { CreateRuntimeOptions } from './create-runtime.ts';
import { HostContainers, type SpecChanges } from './testing/host-containers.ts';

const KINDS = ['namespaces', 'process'] as const satisfies readonly CreateRuntimeOptions['keepReady'][];
const PARENT = `nursery-test-${process.pid}`;
const all = new Map<(typeof KINDS)[number], HostContainers>();
beforeAll(() => {
  for (const keepReady of KINDS) all.set(keepReady, new HostContainers({ keepReady, cgroupParent: PARENT }));
});
afterAll(async () => {
  for (const containers of all.values()) {
    await containers.runtime.close();
    await containers.dispose();
  }
  await openCgroup(detectCgroups(), { id: '', cgroupsPath: PARENT }).remove();
});

/** Operations of a container's birth that were done ahead, and the paths of its process's groups. */
async function birth(kind: (typeof KINDS)[number], changes: SpecChanges = {}) {
  const containers = all.get(kind);
  if (containers === undefined) throw new Error(`no runtime keeps a ${kind}`);
  const id = containers.newId();
  const dir = join(containers.dir, `shim-${id}`);
  mkdirSync(dir, { mode: 0o700 });
  const ahead: string[] = [];
  const { pid } = await containers.runtime.create({
    id,
    // What is kept ready has the usual device rules.
    bundle: containers.bundle({ ...changes, linux: { ...changes.linux, resources: { devices: DOCKER_DEFAULTS.deviceRules } } }),
    supervision: { mode: 'shim', dir, terminal: false, openStdin: false, stdinOnce: false, logMaxBytes: 1 << 20 },
    onOperation: ({ operation, record }) => void (record.ahead !== undefined && ahead.push(operation.op)),
  });
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .filter((line) => line.includes(id));
  await containers.runtime.delete(id, { force: true });
  return { ahead, groups: groups.length };
}

const WITH_SYSFS: SpecChanges = {
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  ],
};

hostTest('the second container of a kind is born in what was made ahead, in its own groups', ['root', 'linux'], async () => {
  const first = await birth('namespaces', WITH_SYSFS);
  expect(first.ahead).toEqual([]);
  await expect
    .poll(async () => (await birth('namespaces', WITH_SYSFS)).ahead, { timeout: 30_000, interval: 300 })
    .toEqual(['clone', 'mount', 'loopbackUp']);
  expect(first.groups).toBeGreaterThan(0);
  await expect
    .poll(async () => await birth('namespaces', WITH_SYSFS), { timeout: 30_000, interval: 300 })
    .toMatchObject({ groups: first.groups });
});

hostTest('a container of another kind is born all the same, and the next like it is made ahead', ['root', 'linux'], async () => {
  const linux = { namespaces: ['mount', 'pid', 'ipc', 'uts'].map((type) => ({ type })) };
  expect((await birth('namespaces', { linux })).ahead).toEqual([]);
  await expect.poll(async () => (await birth('namespaces', { linux })).ahead, { timeout: 30_000, interval: 300 }).toEqual(['clone']);
});

hostTest('where a process alone is kept, nothing is made ahead', ['root', 'linux'], async () => {
  for (let i = 0; i < 3; i++) {
    expect((await birth('process', WITH_SYSFS)).ahead).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});
