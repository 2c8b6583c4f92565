/**
 * The runtime over real ports: state directory, cgroups, launcher.
 *
 * Knows: which verb lives in which file.
 * Does not know: images, networks, or the dialects of the callers.
 */
import { type CgroupHost, createMoveReadier, detectCgroups, reopenCgroup } from '@slipway/cgroups';
import { EngineError } from '@slipway/errors';
import type { Launcher } from '@slipway/launcher';
import { requireContainerId } from './container-id.ts';
import { ContainerStore } from './container-store.ts';
import { createContainer, type Parts } from './create.ts';
import { detectHost } from './detect-host.ts';
import { deleteContainer, killContainer } from './end.ts';
import { execInContainer } from './exec.ts';
import { requireAllowed } from './lifecycle.ts';
import type { HostFacts } from './plan/host.ts';
import type { ContainerState, Runtime, RuntimeOptions } from './runtime.ts';
import { describeState, livingProcess, statusOf } from './status.ts';
import { updateContainer } from './update.ts';

export interface CreateRuntimeOptions extends RuntimeOptions {
  readonly launcher: Launcher;
  /** Where containers without `linux.cgroupsPath` go, relative to the cgroup this process runs in; absent: directly below it. */
  readonly cgroupParent?: string;
}

/** Opens a runtime on a state directory. Touches nothing before the first call. */
export function createRuntime(options: CreateRuntimeOptions): Runtime {
  const parts = partsOf(options);
  const { store, cgroups } = parts;
  return {
    expectCreate: parts.readyMoves,
    create: async (request) => createContainer({ ...request, id: requireContainerId(request.id) }, parts),
    start: (id) => startContainer(id, parts),
    state: (id) => stateOf(id, parts),
    list: async () => Promise.all((await store.list()).map((id) => stateOrDamaged(id, parts))),
    kill: (id, signal, { all = false } = {}) => killContainer(id, signal, all, parts),
    delete: (id, { force = false } = {}) => deleteContainer(id, force, parts),
    pause: (id) => setFrozen(id, true, parts),
    resume: (id) => setFrozen(id, false, parts),
    update: (id, resources) => updateContainer(id, resources, parts),
    exec: (id, request) => execInContainer(id, request, parts),
    spec: async (id) => (await store.require(id)).spec,
    pids: async (id) => reopenCgroup(cgroups(), (await store.require(id)).cgroups).pids(),
  };
}

/** Facts of the machine are read when first needed and kept: they do not change while we run. */
function partsOf({ root, launcher, cgroupParent, onWarning }: CreateRuntimeOptions): Parts {
  let cgroupHost: CgroupHost | undefined;
  let host: HostFacts | undefined;
  const cgroups = () => (cgroupHost ??= detectCgroups());
  return {
    store: new ContainerStore(root),
    launcher,
    cgroups,
    cgroupParent,
    host: () => (host ??= detectHost(cgroups())),
    readyMoves: createMoveReadier(cgroups),
    warn: (message) => onWarning?.(message),
  };
}

async function startContainer(id: string, { store, cgroups }: Parts): Promise<void> {
  const record = await store.require(id);
  requireAllowed(id, 'start', statusOf(record, store, cgroups));
  if (await store.release(id, () => livingProcess(record) !== undefined)) return;
  throw new EngineError('failed-precondition', 'cannot start: the process ended before', {
    code: 'E_CONTAINER_STATE',
    op: 'container.start',
    subject: id,
  });
}

async function stateOf(id: string, { store, cgroups }: Parts): Promise<ContainerState> {
  const record = await store.require(id);
  return describeState(record, statusOf(record, store, cgroups));
}

/** A listing shows what it cannot read, so that somebody deletes it; it never fails for one container. */
async function stateOrDamaged(id: string, parts: Parts): Promise<ContainerState> {
  return stateOf(id, parts).catch(() => ({ ociVersion: '1.0.0', id, status: 'stopped', pid: 0, bundle: '', created: '', cgroups: {} }));
}

async function setFrozen(id: string, frozen: boolean, { store, cgroups }: Parts): Promise<void> {
  const record = await store.require(id);
  requireAllowed(id, frozen ? 'pause' : 'resume', statusOf(record, store, cgroups));
  const cgroup = reopenCgroup(cgroups(), record.cgroups);
  if (frozen) await cgroup.freeze();
  else cgroup.thaw();
}
