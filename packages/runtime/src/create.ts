/**
 * `create`: a bundle becomes a container that waits for `start`.
 *
 * Either all of it exists afterwards (state, cgroup, process) or none: everything that can be refused is refused by the
 * planner, before anything is touched, and what was made is undone newest first.
 *
 * Knows: the order.
 * Does not know: how any of it is done.
 */
import { type Cgroup, type CgroupPlan, openCgroup, planCgroup, type ScopeName } from '@slipway/cgroups';
import { EngineError, hasCode, Rollback } from '@slipway/errors';
import { findText, hostControlFiles, readBootId, resolvePath, signalSameProcess, writeFileAtomic } from '@slipway/kernel';
import type { Launched, LaunchOptions, Operation, OperationRecord } from '@slipway/launcher';
import { parseSpecJson, type RuntimeSpec, SPEC_MAX_BYTES, validateSpec } from '@slipway/oci';
import type { ContainerRecord } from './container-record.ts';
import { delegateCgroup } from './delegate.ts';
import { withDefaultDevices } from './device-rules.ts';
import { runHook, runPoststop } from './hooks.ts';
import { Nursery, type Prepared } from './nursery.ts';
import type { Parts } from './parts.ts';
import type { RuntimePlan } from './plan/draft.ts';
import { formatHookState } from './plan/hooks.ts';
import type { BundleFacts } from './plan/host.ts';
import { hasOwn } from './plan/namespaces.ts';
import { plan } from './plan/plan.ts';
import type { BirthOperation, CreateRequest, StartedProcess } from './runtime.ts';
import { makeScope, scopeOf } from './scope.ts';

const SIGKILL = 9;

/** The kernel's wait before a move between groups begins, unless the next container is born where it belongs. */
export function expectCreate({ nursery, readyMoves }: Parts): void {
  if (nursery?.isReady !== true) readyMoves();
}

/**
 * `startsAtOnce`: the process does not wait for `start`.
 * @spec runtime-spec/runtime.md#create, runtime-spec/runtime.md#errors
 */
export async function createContainer(request: CreateRequest, parts: Parts, startsAtOnce = false): Promise<StartedProcess> {
  expectCreate(parts);
  const spec = request.spec ?? (await readSpec(request.bundle));
  const rootfs = await findRootfs(request.bundle, spec);
  const scope = scopeOf(request.id, spec, parts);
  const cgroup = cgroupOf(request.id, spec, parts);
  const limits = planCgroup(withDefaultDevices(spec.linux?.resources), parts.cgroups());
  const prepared = scope === undefined && canBeBornAhead(request, spec) ? parts.nursery?.take(cgroup, limits) : undefined;
  const birthIn = (group: Cgroup) =>
    plan(spec, { ...parts.host(), ...bundleFacts(request, rootfs, group), bornInGroups: prepared?.group !== undefined, startsAtOnce });
  const planned = cgroup.directories;

  const rollback = new Rollback();
  try {
    if (prepared !== undefined) rollback.defer('end what was kept ready', async () => parts.nursery?.leave(prepared));
    const firstPlan = birthIn(cgroup); // refuses before anything is touched
    // Planned for the first time, as by a command, it took longer than the kernel remembers the wait that began above.
    if (prepared === undefined) expectCreate(parts);
    await parts.store.claim(request.id);
    rollback.defer('remove state', () => parts.store.remove(request.id));
    // Written first, so that a crash from here on leaves enough behind for `delete --force`.
    const record = newRecord(request, spec, { cgroup, scope });
    await parts.store.write(record);

    const held = scope === undefined ? undefined : await makeScope(scope, cgroup, limits, rollback);
    if (held === undefined) makeCgroup(cgroup, limits, { rollback, prepared });
    cgroup.apply(Nursery.remaining(limits, prepared));
    delegateCgroup(spec, cgroup);

    // Hierarchies in which we may not make groups have dropped out by now.
    const birth = cgroup.directories === planned ? firstPlan : birthIn(cgroup);
    if (canBeBornAhead(request, spec)) parts.nursery?.remember(birth);
    for (const warning of new Set([...limits.warnings, ...firstPlan.warnings, ...birth.warnings])) parts.warn(warning);
    const launched = await launch(birth, { request, spec, prepared }, parts);
    const { pid, startTime, shimPid } = launched;
    rollback.defer('end process', async () => void signalSameProcess({ pid, startTime }, SIGKILL));
    await held?.end();
    const process = { pid, startTime, ...(shimPid === undefined ? {} : { shimPid }) };
    await parts.store.write({ ...record, cgroups: cgroup.directories, process });
    if (request.pidFile !== undefined) await writeFileAtomic(request.pidFile, String(pid), { mode: 0o644, durable: false });
    rollback.disarm();
    return { ...toStarted(launched), cgroups: cgroup.directories };
  } catch (failure) {
    // A hook's work is undone by hooks, once everything else is.
    const { id, bundle } = request;
    return await rollback.unwind(failure).finally(async () => hasCode(failure, 'E_HOOK') && runPoststop({ id, bundle, spec }, parts.warn));
  }
}

/**
 * A child in a user namespace of its own gets its mounts through a mount namespace of the launcher's (staging.c), and one that joins a pid
 * namespace is made from inside it: neither can come from a process that stands aside.
 */
function canBeBornAhead({ supervision }: CreateRequest, spec: RuntimeSpec): boolean {
  return supervision.mode === 'shim' && !hasOwn(spec, 'user') && !(spec.linux?.namespaces ?? []).some(({ path }) => (path ?? '') !== '');
}

interface Making {
  readonly rollback: Rollback;
  readonly prepared: Prepared | undefined;
}

function makeCgroup(cgroup: Cgroup, limits: CgroupPlan, { rollback, prepared }: Making): void {
  const undo = () => rollback.defer('remove cgroup', () => removeCgroup(cgroup));
  if (prepared?.group === undefined) {
    cgroup.create(limits);
    undo();
    return;
  }
  undo();
  cgroup.adopt(prepared.group, limits);
}

/** The group of a container, by the document's path or the customary one; touches nothing. */
export function cgroupOf(id: string, spec: RuntimeSpec, parts: Parts): Cgroup {
  const { cgroups, cgroupParent } = parts;
  const asked = spec.linux?.cgroupsPath ?? '';
  const path = asked === '' && cgroupParent !== undefined ? `${cgroupParent}/${id}` : asked;
  return openCgroup(cgroups(), { id, cgroupsPath: scopeOf(id, spec, parts)?.path ?? path });
}

/** Ends whatever is in a group, then removes it. Idempotent. */
export async function removeCgroup(cgroup: Cgroup): Promise<void> {
  await cgroup.kill();
  await cgroup.remove();
}

/**
 * @throws `not-found` / `E_BUNDLE` without config.json; `invalid-argument` with every issue of it
 * @spec runtime-spec/bundle.md#container-format/config-file
 */
export async function readSpec(bundle: string): Promise<RuntimeSpec> {
  const text = await findText(`${bundle}/config.json`, { maxBytes: SPEC_MAX_BYTES });
  if (text !== undefined) return validateSpec(parseSpecJson(text));
  throw new EngineError('not-found', 'JSON specification file config.json not found', {
    code: 'E_BUNDLE',
    op: 'container.create',
    subject: bundle,
    hint: 'a bundle is a directory with config.json; `runc spec` writes one',
  });
}

function bundleFacts(request: CreateRequest, rootfs: string, cgroup: Cgroup): BundleFacts {
  const { id, bundle, consoleSize, noPivot, noNewKeyring } = request;
  return {
    id,
    bundle,
    rootfs,
    procsFiles: cgroup.procsFiles(),
    cgroupDirs: cgroup.directories,
    ...(request.rootfsMount === undefined ? {} : { rootfsMount: request.rootfsMount }),
    ...(consoleSize === undefined ? {} : { consoleSize }),
    ...(noPivot === undefined ? {} : { noPivot }),
    ...(noNewKeyring === undefined ? {} : { noNewKeyring }),
  };
}

/** @spec runtime-spec/config.md#root/is-directory, runtime-spec/bundle.md#container-format/root-directory */
export async function findRootfs(bundle: string, spec: RuntimeSpec): Promise<string> {
  const path = spec.root?.path ?? 'rootfs';
  const found = await resolvePath(path.startsWith('/') ? path : `${bundle}/${path}`);
  if (found === '/') {
    throw new EngineError('invalid-argument', 'the root directory of the host cannot be the one of a container', {
      code: 'E_ROOTFS',
      op: 'container.create',
      subject: '/root/path',
    });
  }
  if (found !== undefined && hostControlFiles.kind(found) === 'directory') return found;
  throw new EngineError('invalid-argument', `invalid rootfs: "${path}" is not a directory`, {
    code: 'E_ROOTFS',
    op: 'container.create',
    subject: '/root/path',
  });
}

interface Place {
  readonly cgroup: Cgroup;
  readonly scope: ScopeName | undefined;
}

function newRecord(request: CreateRequest, spec: RuntimeSpec, { cgroup, scope }: Place): ContainerRecord {
  return {
    version: 1,
    id: request.id,
    bundle: request.bundle,
    created: new Date().toISOString(),
    bootId: readBootId(),
    cgroups: cgroup.directories,
    ...(scope === undefined ? {} : { scope: scope.unit }),
    noNewKeyring: request.noNewKeyring === true,
    spec,
  };
}

interface Birth {
  readonly request: CreateRequest;
  readonly spec: RuntimeSpec;
  readonly prepared: Prepared | undefined;
}

async function launch(birth: RuntimePlan, { request, spec, prepared }: Birth, { launcher, store }: Parts): Promise<Launched> {
  const { supervision, onOperation, breakpoints, onStop } = request;
  const options: LaunchOptions = {
    supervision,
    ...(birth.operations.some(({ op }) => op === 'awaitStart') ? { startFifo: store.fifoPath(request.id) } : {}),
    onHook: async ({ index, pid }) => runBirthHook(operationAt(birth, index), spec, request, pid),
    ...(prepared === undefined ? {} : { prepared: prepared.process, bornInGroups: prepared.group !== undefined }),
    ...(onOperation === undefined ? {} : { onRecord: reportTo(birth, onOperation) }),
    ...(breakpoints === undefined ? {} : { breakpoints: breakpoints(birth.operations) }),
    ...(onStop === undefined ? {} : { onStop: async (stop) => onStop({ ...stop, operation: operationAt(birth, stop.index) }) }),
  };
  return await launcher.launch(birth, options);
}

/** Turns the launcher's records into births: each with the operation it is about. */
export function reportTo(birth: RuntimePlan, listener: (birth: BirthOperation) => void): (record: OperationRecord) => void {
  return (record) => listener({ operation: operationAt(birth, record.index), record });
}

async function runBirthHook(operation: Operation, spec: RuntimeSpec, request: CreateRequest, pid: number): Promise<void> {
  if (operation.op === 'runtimeHook') await runHook(operation.hook, operation.pointer, formatHookState(spec, request, 'creating', pid));
}

function operationAt({ operations }: RuntimePlan, index: number): Operation {
  const operation = operations[index];
  if (operation !== undefined) return operation;
  throw new EngineError('internal', `the launcher speaks of operation ${index} of ${operations.length}`, {
    code: 'E_LAUNCH_PROTOCOL',
    op: 'container.create',
  });
}

export function toStarted({ pid, startTime, shimPid, exit }: Launched): StartedProcess {
  return { pid, startTime, ...(shimPid === undefined ? {} : { shimPid }), ...(exit === undefined ? {} : { exit }) };
}
