/**
 * Containers and a backend for tests of the routes.
 *
 * Knows: the plainest values.
 * Does not know: any engine.
 */
import { EngineError } from '@slipway/errors';
import type { Backend, BackendContainer, BackendImage, BackendRequest, BackendResources, SystemFacts } from '../backend.ts';
import { readCreateRequest } from '../create-request.ts';

export const ID = 'ab'.repeat(32);

export function container(changes: Partial<BackendContainer> = {}): BackendContainer {
  const labels = { tier: 'front' };
  return {
    id: ID,
    name: 'web',
    request: readCreateRequest({ Image: 'busybox', Cmd: ['sleep', '1'] }, 'web'),
    process: { args: ['sleep', '1'], env: [], cwd: '/', user: '', hostname: 'h', stopSignal: 15, labels },
    imageId: `sha256:${'0'.repeat(64)}`,
    createdAt: '2026-01-01T00:00:00.000Z',
    status: 'created',
    ...changes,
  };
}

/** An image without layers and names. */
export function image({ id, created }: { readonly id: string; readonly created: string }): BackendImage {
  const config = { exposedPorts: [], env: [], volumes: [], labels: {} };
  return {
    id,
    references: [],
    repoDigests: [],
    config: { os: 'linux', architecture: 'amd64', created, config, history: [], diffIds: [] },
    layers: [],
    sizeBytes: 0,
  };
}

export const FACTS: SystemFacts = {
  version: '0.1.0',
  gitCommit: '',
  kernelVersion: '6.0',
  operatingSystem: 'Test',
  architecture: 'amd64',
  hostName: 'test',
  cpus: 1,
  memoryBytes: 1,
  rootDirectory: '/r',
  storageDriver: 'overlay',
  cgroupDriver: 'cgroupfs',
  cgroupVersion: 2,
  securityOptions: [],
  runtimes: { slipway: 'slipway' },
  defaultRuntime: 'slipway',
  id: 'x',
};

interface FakeBackend extends Backend {
  readonly created: readonly BackendRequest[];
  readonly updates: readonly { readonly id: string; readonly resources: BackendResources }[];
}

/** A backend of one container called `web` that notes what it is asked to create and to change. */
export function fakeBackend(changes: Partial<Backend> = {}): FakeBackend {
  const created: BackendRequest[] = [];
  const updates: { readonly id: string; readonly resources: BackendResources }[] = [];
  const get = (ref: string): BackendContainer => {
    if (ref === 'web' || ref === ID) return container({ status: 'running', pid: 42, startedAt: '2026-01-01T00:00:00Z' });
    throw new EngineError('not-found', `No such container: ${ref}`, { code: 'E_CONTAINER_UNKNOWN', op: 'container.get' });
  };
  const refuse = () => Promise.reject(new EngineError('unsupported', 'not in this test', { code: 'E_TEST', op: 'test' }));
  const backend: Backend = {
    create: async (request) => {
      created.push(request);
      return { id: ID };
    },
    start: async (ref) => get(ref).status !== 'running',
    stop: async (ref) => get(ref).status === 'running',
    restart: refuse,
    kill: refuse,
    pause: refuse,
    unpause: refuse,
    remove: refuse,
    update: async (ref, resources) => {
      updates.push({ id: get(ref).id, resources });
    },
    rename: refuse,
    resize: () => undefined,
    wait: () => Promise.resolve({ code: 3, oomKilled: false, at: '' }),
    inspect: get,
    list: () => [get('web')],
    attach: refuse,
    logs: async function* () {
      yield { stream: 'stdout', time: '2026-01-01T00:00:00.000000000Z', content: Buffer.from('hi\n') };
    },
    top: refuse,
    stats: async () => ({ readAt: '2026-01-01T00:00:00Z', usage: { memoryBytes: 5, cpuUsageUs: 7 } }),
    createExec: () => ({ id: 'e' }),
    startExec: refuse,
    inspectExec: () => {
      throw new EngineError('not-found', 'No such exec instance: e', { code: 'E_EXEC_UNKNOWN', op: 'exec.get' });
    },
    execsOf: () => [],
    resizeExec: () => undefined,
    images: async () => [],
    findImage: async () => undefined,
    loadImages: refuse,
    removeImage: refuse,
    tagImage: refuse,
    pullImage: refuse,
    pushImage: refuse,
    lookAtRegistry: refuse,
    remoteTags: refuse,
    logIn: refuse,
    saveImages: refuse,
    importImage: refuse,
    pruneImages: refuse,
    commit: refuse,
    imageConfig: refuse,
    setImageConfig: refuse,
    export: refuse,
    changes: refuse,
    statPath: refuse,
    readPath: refuse,
    writePath: refuse,
    diskUsage: refuse,
    pastEvents: () => [],
    onEvent: () => () => undefined,
    ...changes,
  };
  return { ...backend, created, updates };
}
