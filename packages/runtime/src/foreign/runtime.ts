/**
 * Another OCI runtime (runc, crun, runsc) behind the interface of ours: parented and logged by our shim, called through its command line.
 *
 * Knows: how each verb becomes a call, and when a start has succeeded.
 * Does not know: images, nor what the foreign runtime does inside.
 */
import { type CgroupHost, detectCgroups, openCgroup, reopenCgroup } from '@slipway/cgroups';
import { EngineError, Rollback } from '@slipway/errors';
import {
  delay,
  hostControlFiles,
  isSameProcess,
  readBootId,
  releaseFifo,
  removeTree,
  signalSameProcess,
  writeFileAtomic,
} from '@slipway/kernel';
import type { Launcher } from '@slipway/launcher';
import { type RuntimeSpec, type SpecProcess, type SpecResources, validateProcess } from '@slipway/oci';
import { findRootfs, readSpec, reportTo, toStarted } from '../create.ts';
import { requireAllowed } from '../lifecycle.ts';
import { CLAMP_ANNOTATION, clampsByDefault } from '../plan/clamp.ts';
import type { ContainerState, ContainerStatus, CreateRequest, ExecRequest, Runtime, RuntimeOptions, StartedProcess } from '../runtime.ts';
import { mergeResources } from '../update.ts';
import { ForeignCommand } from './command.ts';
import { planForeign } from './plan.ts';
import { type ForeignRecord, ForeignStore, isAlive } from './store.ts';

export interface ForeignRuntimeOptions extends RuntimeOptions {
  /** What people call it. */
  readonly name: string;
  /** Path of the program, or its name on the usual PATH. */
  readonly program: string;
  readonly launcher: Launcher;
  /** cgroup that its containers go below, from the top of each hierarchy. */
  readonly cgroupParent: string;
}

const SIGKILL = 9;
/** crun 1.8 refuses documents of a later version unread, whatever is in them. */
const EVERYBODY_KNOWS = '1.0.2';
/** A runtime that has said nothing by then is stuck. */
const START_TIMEOUT_MS = 60_000;
const LOOK_MS = 5;

interface Parts {
  readonly command: ForeignCommand;
  readonly store: ForeignStore;
  readonly launcher: Launcher;
  readonly cgroups: () => CgroupHost;
  readonly cgroupParent: string;
}

/** Touches nothing before the first call. Streams have to be held by a shim. */
export function createForeignRuntime({ name, program, root, launcher, cgroupParent }: ForeignRuntimeOptions): Runtime & {
  has(id: string): boolean;
} {
  let host: CgroupHost | undefined;
  const parts: Parts = {
    command: new ForeignCommand(name, program, `${root}/runtime`),
    store: new ForeignStore(root),
    launcher,
    cgroups: () => (host ??= detectCgroups()),
    cgroupParent,
  };
  const { command, store } = parts;
  return {
    has: (id) => store.has(id),
    expectCreate: () => undefined,
    create: (request) => create(request, parts),
    run: (request) => run(request, parts),
    start: (id) => start(id, parts),
    state: (id) => stateOf(id, parts),
    list: async () => Promise.all((await store.list()).map((id) => stateOf(id, parts).catch(() => damaged(id)))),
    kill: async (id, signal, { all = false } = {}) => void (await command.call('kill', ...(all ? ['--all'] : []), id, String(signal))),
    delete: (id, { force = false } = {}) => remove(id, force, parts),
    pause: async (id) => void (await command.call('pause', id)),
    resume: async (id) => void (await command.call('resume', id)),
    update: (id, resources) => update(id, resources, parts),
    exec: (id, request) => exec(id, request, parts),
    spec: (id) => store.spec(id),
    pids: async (id) => reopenCgroup(parts.cgroups(), (await store.require(id)).cgroups).pids(),
    close: async () => undefined,
  };
}

async function create(request: CreateRequest, parts: Parts): Promise<StartedProcess> {
  const { store, command, launcher } = parts;
  const { id, bundle, supervision, rootfsMount, onOperation } = request;
  const asked = request.spec ?? (await readSpec(bundle));
  const path = await findRootfs(bundle, asked);
  const cgroupsPath = `/${parts.cgroupParent}/${id}`;
  const cgroups = openCgroup(parts.cgroups(), { id, cgroupsPath }).directories;
  const rollback = new Rollback();
  try {
    await store.claim(id);
    rollback.defer('remove state', () => store.remove(id));
    const record: ForeignRecord = { bootId: readBootId(), created: new Date().toISOString(), bundle, cgroups };
    await store.write(id, record);
    const spec = specFor(asked, path, cgroupsPath);
    await store.writeSpec(id, spec);
    const dir = store.dir(id);
    const args = command.line(`${dir}/log.json`, 'run', '--bundle', dir, '--pid-file', `${dir}/pid`, id);
    const rootfs = rootfsMount === undefined ? {} : { rootfs: { path, mount: rootfsMount } };
    const birth = planForeign({ args, process: spec.process, holdBack: true, ...rootfs });
    const onRecord = onOperation === undefined ? {} : { onRecord: reportTo(birth, onOperation) };
    const launched = await launcher.launch(birth, { supervision, startFifo: store.fifo(id), ...onRecord });
    const { pid, startTime, shimPid } = launched;
    rollback.defer('end process', async () => void signalSameProcess({ pid, startTime }, SIGKILL));
    await store.write(id, { ...record, process: { pid, startTime, ...(shimPid === undefined ? {} : { shimPid }) } });
    rollback.disarm();
    return { ...toStarted(launched), cgroups };
  } catch (failure) {
    return await rollback.unwind(failure);
  }
}

async function run(request: CreateRequest, parts: Parts): Promise<StartedProcess> {
  const born = await create(request, parts);
  try {
    return { ...born, ...(await start(request.id, parts)) };
  } catch (failure) {
    await remove(request.id, true, parts);
    throw failure;
  }
}

/** Values that an engine chose and this runtime knows no clamping for are left to the host. */
function specFor(spec: RuntimeSpec, rootfs: string, cgroupsPath: string): RuntimeSpec {
  const { [CLAMP_ANNOTATION]: _defaults, ...annotations } = spec.annotations ?? {};
  const { oomScoreAdj, ...process } = spec.process ?? { cwd: '/' };
  const keepsScore = oomScoreAdj !== undefined && !clampsByDefault(spec, 'oomScoreAdj');
  return {
    ...spec,
    ociVersion: EVERYBODY_KNOWS,
    root: { ...spec.root, path: rootfs },
    annotations,
    process: { ...process, ...(keepsScore ? { oomScoreAdj } : {}) },
    linux: { ...spec.linux, cgroupsPath },
  };
}

/** It has started once the runtime has written the pid; if it ends before, it says why. */
async function start(id: string, parts: Parts): Promise<StartedProcess> {
  const { store, command } = parts;
  const record = await store.require(id);
  requireAllowed(id, 'start', (await stateOf(id, parts)).status);
  await releaseFifo(store.fifo(id), () => isAlive(record));
  const dir = store.dir(id);
  const started = await pidOf(`${dir}/pid`, () => isAlive(record), store);
  if (started === 'failed' || !(await isBorn(id, record, parts))) throw await command.whyFailed('run', `${dir}/log.json`);
  const shim = record.process?.shimPid === undefined ? {} : { shimPid: record.process.shimPid };
  if (started !== 'ended') return { ...started, ...shim };
  return { pid: record.process?.pid ?? 0, startTime: record.process?.startTime ?? '', ...shim };
}

/** A pid is not all: runsc writes it before it looks for the program. False when the command line ended and has said why. */
async function isBorn(id: string, record: ForeignRecord, { command, store }: Parts): Promise<boolean> {
  for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; await delay(LOOK_MS)) {
    if (!isAlive(record)) return !(await command.hasFailed(`${store.dir(id)}/log.json`));
    const told = await command.call('state', id).catch(() => '{}');
    const { status } = JSON.parse(told) as { status?: ContainerStatus };
    if (status === 'running' || status === 'paused') return true;
  }
  return true;
}

type Started = { readonly pid: number; readonly startTime: string } | 'ended' | 'failed';

/** @throws `unavailable` / `E_PROCESS_STUCK` */
async function pidOf(pidFile: string, isRuntimeAlive: () => boolean, store: ForeignStore): Promise<Started> {
  for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; await delay(LOOK_MS)) {
    const wasAlive = isRuntimeAlive();
    const written = hostControlFiles.kind(pidFile) !== undefined && hostControlFiles.read(pidFile) !== '';
    if (written) return (await store.processIn(pidFile)) ?? 'ended';
    if (!wasAlive) return 'failed';
  }
  throw new EngineError('unavailable', 'the runtime has not started the process in time', {
    code: 'E_PROCESS_STUCK',
    op: 'container.start',
    hint: 'try the container with another runtime',
  });
}

async function stateOf(id: string, parts: Parts): Promise<ContainerState> {
  const record = await parts.store.require(id);
  const { created, bundle, cgroups } = record;
  const base = { ociVersion: (await parts.store.spec(id)).ociVersion, id, bundle, created, cgroups };
  if (!isAlive(record)) return { ...base, status: 'stopped', pid: 0 };
  if (hostControlFiles.kind(parts.store.fifo(id)) !== undefined) return { ...base, status: 'created', pid: record.process?.pid ?? 0 };
  const told = await parts.command.call('state', id).catch(() => '{}');
  const { status = 'stopped', pid = 0 } = JSON.parse(told) as { status?: ContainerStatus; pid?: number };
  return { ...base, status, pid };
}

function damaged(id: string): ContainerState {
  return { ociVersion: '1.0.0', id, status: 'stopped', pid: 0, bundle: '', created: '', cgroups: {} };
}

async function remove(id: string, force: boolean, parts: Parts): Promise<void> {
  const { store, command } = parts;
  if (!store.has(id)) {
    if (force) return;
    await store.require(id);
  }
  if (!force) requireAllowed(id, 'delete', (await stateOf(id, parts)).status);
  const process = (await store.require(id).catch(() => undefined))?.process;
  // A runtime that never made the container, or has removed it as `run` does in the end, knows nothing of it.
  await command.call('delete', '--force', id).catch(() => undefined);
  if (await isKnown(id, command)) throw command.failure('delete', `container ${id} is still there`);
  if (process !== undefined) {
    signalSameProcess(process, SIGKILL);
    while (isSameProcess(process.pid, process.startTime)) await delay(LOOK_MS);
  }
  await store.remove(id);
}

async function isKnown(id: string, command: ForeignCommand): Promise<boolean> {
  return command.call('state', id).then(
    () => true,
    () => false,
  );
}

async function update(id: string, resources: SpecResources, { store, command }: Parts): Promise<void> {
  const file = `${store.dir(id)}/resources.json`;
  await writeFileAtomic(file, JSON.stringify(resources), { durable: false });
  await command.call('update', '--resources', file, id);
  const spec = await store.spec(id);
  await store.writeSpec(id, { ...spec, linux: { ...spec.linux, resources: mergeResources(spec.linux?.resources ?? {}, resources) } });
}

async function exec(id: string, request: ExecRequest, parts: Parts): Promise<StartedProcess> {
  const { store, command, launcher } = parts;
  const { supervision, onReady, onOperation } = request;
  if (supervision.mode !== 'shim') throw new TypeError('a foreign runtime works under a shim');
  const own = (await store.spec(id)).process;
  const process = validateProcess(inherit(request.process, own));
  // Not in the shim's directory, which whoever follows its end may remove at any time.
  const dir = await store.makeExecDir(id);
  await writeFileAtomic(`${dir}/process.json`, JSON.stringify(process), { durable: false });
  const args = command.line(`${dir}/log.json`, 'exec', '--process', `${dir}/process.json`, '--pid-file', `${dir}/pid`, id);
  const birth = planForeign({ args, process, holdBack: true });
  const onRecord = onOperation === undefined ? {} : { onRecord: reportTo(birth, onOperation) };
  const launched = await launcher.launch(birth, { supervision, startFifo: `${dir}/exec.fifo`, ...onRecord }).catch(async (failure) => {
    await removeTree(dir);
    throw failure;
  });
  const isRuntimeAlive = () => isSameProcess(launched.pid, launched.startTime);
  try {
    await onReady?.();
    await releaseFifo(`${dir}/exec.fifo`, isRuntimeAlive);
    const started = await pidOf(`${dir}/pid`, isRuntimeAlive, store);
    if (started === 'failed') throw await command.whyFailed('exec', `${dir}/log.json`);
    return started === 'ended' ? toStarted(launched) : { ...toStarted(launched), ...started };
  } catch (failure) {
    signalSameProcess(launched, SIGKILL);
    throw failure;
  } finally {
    await removeTree(dir);
  }
}

/** What the request leaves out comes from the container; a terminal is of each process alone. */
function inherit(asked: SpecProcess, own: SpecProcess | undefined): SpecProcess {
  const { terminal: _terminal, consoleSize: _size, ...inherited } = own ?? { cwd: '/' };
  return { ...inherited, ...asked };
}
