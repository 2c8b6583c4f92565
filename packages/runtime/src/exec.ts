/**
 * `exec`: a further process in a running container.
 *
 * Knows: what the process inherits from the container's document, and which namespaces have to be joined.
 * Does not know: the order of joining (plan/exec.ts).
 */
import { detectCgroups, findUnified, reopenCgroup } from '@slipway/cgroups';
import { EngineError } from '@slipway/errors';
import {
  findCgroupMemberships,
  findNamespaces,
  hostControlFiles,
  isSameProcess,
  NAMESPACE_FILES,
  type NamespaceFile,
  releaseFifo,
  signalSameProcess,
  writeFileAtomic,
} from '@slipway/kernel';
import type { Launched } from '@slipway/launcher';
import { type SpecProcess, validateProcess } from '@slipway/oci';
import type { ContainerRecord } from './container-record.ts';
import { reportTo, toStarted } from './create.ts';
import { requireAllowed } from './lifecycle.ts';
import type { Parts } from './parts.ts';
import type { ContainerFacts } from './plan/host.ts';
import { planExec } from './plan/plan.ts';
import type { ExecRequest, StartedProcess } from './runtime.ts';
import { livingProcess, statusOf } from './status.ts';

const SIGKILL = 9;

export async function execInContainer(id: string, request: ExecRequest, parts: Parts): Promise<StartedProcess> {
  const record = await parts.store.require(id);
  const status = statusOf(record, parts.store, parts.cgroups);
  if (!(status === 'paused' && request.ignorePaused === true)) requireAllowed(id, 'exec', status);
  const process = validateProcess(inherit(request.process, record.spec.process));
  const holdBack = request.onReady !== undefined && request.supervision.mode === 'shim';
  const container = { ...factsOf(record, request.cgroups, parts), holdBack };
  const birth = planExec(process, record.spec, parts.host(), container);
  for (const warning of birth.warnings) parts.warn(warning);
  const { supervision, onOperation, onReady } = request;
  const startFifo = onReady !== undefined && supervision.mode === 'shim' ? `${supervision.dir}/exec.fifo` : undefined;
  const prepared = supervision.mode === 'shim' ? parts.nursery?.takeProcess() : undefined;
  const launched = await parts.launcher.launch(birth, {
    supervision,
    ...(prepared === undefined ? {} : { prepared }),
    ...(startFifo === undefined ? {} : { startFifo }),
    ...(onOperation === undefined ? {} : { onRecord: reportTo(birth, onOperation) }),
  });
  if (startFifo !== undefined && onReady !== undefined) await releaseWhenReady(launched, startFifo, onReady);
  if (request.pidFile !== undefined) await writeFileAtomic(request.pidFile, String(launched.pid), { mode: 0o644, durable: false });
  return toStarted(launched);
}

/** The process has done everything but its execve; it goes on once the caller is ready for its output. */
async function releaseWhenReady(launched: Launched, startFifo: string, onReady: () => Promise<void>): Promise<void> {
  const { pid, startTime } = launched;
  try {
    await onReady();
    await releaseFifo(startFifo, () => isSameProcess(pid, startTime));
  } catch (error) {
    signalSameProcess({ pid, startTime }, SIGKILL);
    throw error;
  }
}

/** What the request leaves out comes from the container; a terminal is of each process alone. */
function inherit(asked: SpecProcess, own: SpecProcess | undefined): SpecProcess {
  const { terminal: _terminal, consoleSize: _size, ...inherited } = own ?? { cwd: '/' };
  return { ...inherited, ...asked };
}

function factsOf(record: ContainerRecord, below: ExecRequest['cgroups'], parts: Parts): ContainerFacts {
  const process = livingProcess(record);
  if (process === undefined) throw ended(record.id);
  const ours = findNamespaces('self') ?? {};
  const theirs = findNamespaces(process.pid) ?? {};
  // Read after the links: had the pid changed hands in between, this would say so.
  if (livingProcess(record) === undefined) throw ended(record.id);
  const files = (Object.keys(theirs) as NamespaceFile[]).filter((file) => theirs[file] !== ours[file]);
  return {
    id: record.id,
    bundle: record.bundle,
    pid: process.pid,
    namespaces: files.map((file) => ({ kind: NAMESPACE_FILES[file], hostPath: `/proc/${process.pid}/ns/${file}` })),
    procsFiles: below === undefined ? procsFilesOf(record, process.pid, parts) : procsFilesBelow(record, below),
    noNewKeyring: record.noNewKeyring,
  };
}

/**
 * The container's own cgroup, not wherever its first process has moved to. On v2 a cgroup that has handed controllers to its
 * children takes no processes itself; then it is the first process's, provided it lies below the container's.
 */
function procsFilesOf(record: ContainerRecord, pid: number, parts: Parts): readonly string[] {
  const { unified, ...others } = record.cgroups;
  const files = reopenCgroup(parts.cgroups(), record.cgroups).procsFiles();
  if (unified === undefined || Object.keys(others).length > 0) return files;
  if (hostControlFiles.read(`${unified}/cgroup.subtree_control`).trim() === '') return files;
  const group = findUnified(detectCgroups({ memberships: findCgroupMemberships(pid) ?? [] }))?.own;
  return group?.startsWith(`${unified}/`) ? [`${group}/cgroup.procs`] : files;
}

/** @throws `invalid-argument` / `E_CGROUP_PATH` for a group that is not there, or not below the container's */
function procsFilesBelow({ id, cgroups }: ContainerRecord, below: Readonly<Record<string, string>>): readonly string[] {
  const unknown = Object.keys(below).find((name) => name !== '' && !Object.keys(cgroups).some((each) => each.split(',').includes(name)));
  if (unknown !== undefined) throw noGroup(id, `the container has no cgroup of the controller "${unknown}"`);
  return Object.entries(cgroups).map(([hierarchy, directory]) => {
    const controller = hierarchy.split(',').find((name) => below[name] !== undefined) ?? '';
    const path = below[controller] ?? '';
    if (path.split('/').includes('..')) throw noGroup(id, `"${path}" leaves the container's cgroup`);
    const file = `${directory}/${path}/cgroup.procs`.replaceAll(/\/+/g, '/');
    if (hostControlFiles.kind(file) === 'file') return file;
    throw noGroup(id, `there is no cgroup "${path}" below the container's in the hierarchy ${hierarchy}`);
  });
}

function noGroup(id: string, message: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_CGROUP_PATH',
    op: 'container.exec',
    subject: id,
    hint: 'name a group that exists below the container’s, as [CONTROLLER:]PATH',
  });
}

function ended(id: string): EngineError {
  return new EngineError('failed-precondition', 'cannot exec in a container that has stopped', {
    code: 'E_CONTAINER_STATE',
    op: 'container.exec',
    subject: id,
  });
}
