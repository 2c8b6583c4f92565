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
import type { ContainerRecord } from './container-record.ts';
import { ContainerStore } from './container-store.ts';
import { createContainer, expectCreate, readSpec } from './create.ts';
import { detectHost } from './detect-host.ts';
import { deleteContainer, killContainer } from './end.ts';
import { execInContainer } from './exec.ts';
import { hookFailed, runPoststart } from './hooks.ts';
import { requireAllowed } from './lifecycle.ts';
import { Nursery } from './nursery.ts';
import type { CgroupDriver, Parts } from './parts.ts';
import { hooksOf } from './plan/hooks.ts';
import type { HostFacts } from './plan/host.ts';
import type { ContainerState, CreateRequest, Runtime, RuntimeOptions, StartedProcess } from './runtime.ts';
import { describeState, livingProcess, statusOf } from './status.ts';
import { updateContainer } from './update.ts';

export interface CreateRuntimeOptions extends RuntimeOptions {
  readonly launcher: Launcher;
  /** Where containers without `linux.cgroupsPath` go, relative to the cgroup this process runs in; absent: directly below it. */
  readonly cgroupParent?: string;
  /** Who makes the groups; `cgroupfs`, we ourselves, when absent. For `systemd` `linux.cgroupsPath` reads SLICE:PREFIX:NAME. */
  readonly cgroupDriver?: CgroupDriver;
  /**
   * Keeps a process and cgroups ready for the next container under a shim, with `namespaces` also namespaces and file systems like the last
   * one's. For a daemon, whose next one is a matter of time.
   */
  readonly keepReady?: 'process' | 'namespaces';
  /** Somebody beside us keeps the kernel ready to move processes between groups. */
  readonly movesAreReady?: boolean;
}

/**
 * Opens a runtime on a state directory. Touches nothing before the first call.
 * @spec runtime-spec/runtime.md#operations, runtime-spec/runtime.md#scope-of-a-container
 */
export function createRuntime(options: CreateRuntimeOptions): Runtime {
  const parts = partsOf(options);
  const { store, cgroups } = parts;
  return {
    expectCreate: () => expectCreate(parts),
    create: async (request) => createContainer({ ...request, id: requireContainerId(request.id) }, parts),
    run: async (request) => runContainer({ ...request, id: requireContainerId(request.id) }, parts),
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
    close: async () => parts.nursery?.close(),
  };
}

/** Facts of the machine are read when first needed and kept: they do not change while we run. */
function partsOf(options: CreateRuntimeOptions): Parts {
  const { root, launcher, cgroupParent, cgroupDriver = 'cgroupfs', keepReady, movesAreReady = false, onWarning } = options;
  let cgroupHost: CgroupHost | undefined;
  let host: HostFacts | undefined;
  const cgroups = () => (cgroupHost ??= detectCgroups());
  const facts = () => (host ??= detectHost(cgroups()));
  // In a user namespace the kernel mounts proc and sysfs only where the host's are in sight, and a rehearsal loses sight of them.
  const rehearses = () => keepReady === 'namespaces' && !facts().inUserNamespace;
  return {
    store: new ContainerStore(root),
    launcher,
    cgroups,
    cgroupParent,
    cgroupDriver,
    nursery: keepReady === undefined ? undefined : new Nursery({ launcher, cgroups, cgroupParent, root, rehearses }),
    host: facts,
    readyMoves: movesAreReady ? () => undefined : createMoveReadier(cgroups),
    warn: (message) => onWarning?.(message),
  };
}

/** What must happen at the start, and may still fail it, needs somebody who starts. */
async function runContainer(request: CreateRequest, parts: Parts): Promise<StartedProcess> {
  const spec = request.spec ?? (await readSpec(request.bundle));
  const holdsBack = hooksOf(spec, 'startContainer').length + hooksOf(spec, 'poststart').length > 0;
  const born = await createContainer({ ...request, spec }, parts, !holdsBack);
  try {
    if (holdsBack) await startContainer(request.id, parts);
    return born;
  } catch (failure) {
    await deleteContainer(request.id, true, parts);
    throw failure;
  }
}

async function startContainer(id: string, parts: Parts): Promise<undefined> {
  const { store, cgroups } = parts;
  const record = await store.require(id);
  requireAllowed(id, 'start', statusOf(record, store, cgroups));
  const release = await store.release(id, () => livingProcess(record) !== undefined);
  if (release === 'ended') throw endedBefore(id);
  try {
    if (release !== 'released') throw startHookFailed(record, release.refused);
    await runPoststart(record, record.process?.pid ?? 0);
  } catch (failure) {
    // The specification: stop the container, and go on as after `delete`.
    await deleteContainer(id, true, parts);
    throw failure;
  }
  return undefined;
}

/** The process says which of its hooks failed, how, and what it printed: a line, a line, the rest. */
function startHookFailed({ spec }: ContainerRecord, reason: string): EngineError {
  const [index = '', failure = '', ...output] = reason.split('\n');
  const path = hooksOf(spec, 'startContainer')[Number(index)]?.path ?? '';
  return hookFailed(`/hooks/startContainer/${index}`, path, failure, output.join('\n'));
}

function endedBefore(id: string): EngineError {
  return new EngineError('failed-precondition', 'cannot start: the process ended before', {
    code: 'E_CONTAINER_STATE',
    op: 'container.start',
    subject: id,
  });
}

/** @spec runtime-spec/runtime.md#query-state */
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
