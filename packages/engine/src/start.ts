/**
 * Starting a container: its process is born under a shim, attached clients are connected, then it is let go. Where nobody has attached,
 * it need not wait in between.
 *
 * Knows: the order that loses no byte and no exit.
 * Does not know: namespaces and mounts (packages/runtime).
 */
import { hasCode, Rollback } from '@slipway/errors';
import type { OpenSpan, SpanContext } from '@slipway/journal';
import { claimDirectory, removeTree } from '@slipway/kernel';
import { attachShim, type Supervision } from '@slipway/launcher';
import type { StartedProcess } from '@slipway/runtime';
import type { Attachment } from './attachment.ts';
import { traceBirth } from './birth-spans.ts';
import { requireRootFree } from './borrowed-root.ts';
import { snapshotKey } from './container.ts';
import { containerEvent, noteContainer } from './facts.ts';
import { keepRecord } from './keep-record.ts';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import { type EngineContext, shimDirectory } from './ports.ts';
import { removeContainer } from './remove.ts';
import { explainStartFailure } from './start-failure.ts';
import { superviseExit } from './supervise.ts';

/** One log file and one older one of this size are kept for a container. */
const LOG_MAX_BYTES = 16 * 1024 * 1024;

/**
 * @returns false when it was running already
 * @throws failed-precondition for a status that cannot start; invalid-argument / E_COMMAND when there is no such command
 */
export async function startContainer(engine: EngineContext, container: LiveContainer, parent?: SpanContext): Promise<boolean> {
  const init = { actor: 'engine', name: 'container.start', protocol: 'function call', container: container.id, parent } as const;
  const started = await engine.tracer.span(init, (span) =>
    container
      .exclusive(async () => {
        if (!requireAllowed(container.record, 'start')) return false;
        requireRootFree(engine, container.record);
        await launch(engine, container, span);
        return true;
      })
      .catch(async (failure: unknown) => {
        if (container.record.request.host.autoRemove && container.record.status === 'created' && container.record.error !== undefined) {
          await removeContainer(engine, container, { force: true }, span).catch((error: unknown) => engine.warn(String(error)));
        }
        throw failure;
      }),
  );
  return started;
}

async function launch(engine: EngineContext, container: LiveContainer, span: OpenSpan): Promise<void> {
  const { id } = container;
  const shimDir = shimDirectory(engine, id);
  const rollback = new Rollback();
  engine.runtime.expectCreate();
  try {
    await makeEmptyDirectory(shimDir);
    rollback.defer('remove the shim directory', () => removeTree(shimDir));
    // On disk before the process exists: a daemon that is killed from here on must find it again.
    if (container.record.shimDir !== shimDir) await engine.containers.update(container, { shimDir });
    const verb = container.pendingAttachments.size === 0 ? 'run' : 'create';
    let born = await bear(engine, container, { verb, shimDir, parent: span });
    rollback.defer('remove the runtime container', () => engine.runtime.delete(id, { force: true }));
    if (verb === 'create') {
      await connectPending(container, shimDir);
      born = { ...born, ...(await release(engine, container, span)) };
    }
    rollback.disarm();
    // A watcher that comes late misses nothing, since the shim keeps the exit on record: nobody waits for it here.
    const attaching = attachShim(shimDir, { output: false });
    const attached = attaching.catch(() => undefined);
    await noteStarted(engine, container, born);
    await connectLate(container, shimDir);
    superviseExit(engine, container, attaching);
    if (container.record.request.tty) await attached; // its client says at once how large its terminal is
  } catch (failure) {
    const cause = await whatTheRootLacks(engine, container, failure);
    const { error, exitCode } = explainStartFailure(cause, container.record.process.args);
    await rollback.unwind(error).catch(() => undefined);
    await noteFailed(engine, container, error, exitCode);
    throw error;
  }
}

/** A root whose layers are not where they were says so better than the mount that failed; any other failure says what it says. */
async function whatTheRootLacks({ images }: EngineContext, { record }: LiveContainer, failure: unknown): Promise<unknown> {
  const lack = await images.making.snapshots.mounts(snapshotKey(record)).catch((error: unknown) => error);
  return hasCode(lack, 'E_SNAPSHOT_ADOPTED_GONE') ? lack : failure;
}

/** What an earlier run left there, after a crash at worst, goes. */
async function makeEmptyDirectory(path: string): Promise<void> {
  if (await claimDirectory(path)) return;
  await removeTree(path);
  await claimDirectory(path);
}

interface Bearing {
  /** `run`: nobody wants to look at it before its execve. */
  readonly verb: 'create' | 'run';
  readonly shimDir: string;
  readonly parent: SpanContext;
}

async function bear(engine: EngineContext, container: LiveContainer, { verb, shimDir, parent }: Bearing): Promise<StartedProcess> {
  const { id, record } = container;
  const bundle = engine.containers.directory(id);
  const supervision: Supervision = {
    mode: 'shim',
    dir: shimDir,
    terminal: record.request.tty,
    openStdin: record.request.openStdin,
    stdinOnce: record.request.stdinOnce,
    logPath: `${bundle}/container.log`,
    logMaxBytes: LOG_MAX_BYTES,
  };
  const init = { actor: 'runtime', name: `runtime.${verb}`, protocol: 'function call', container: id, parent } as const;
  const { runtime } = record.request.host;
  return engine.tracer.span({ ...init, request: { bundle, rootfsMount: record.rootfs?.mount, runtime } }, async (span) => {
    const onOperation = traceBirth({ tracer: engine.tracer, parent: span, container: id });
    const rootfsMount = record.rootfs?.mount === undefined ? {} : { rootfsMount: record.rootfs.mount };
    const spec = container.spec === undefined ? {} : { spec: container.spec };
    container.spec = undefined;
    const chosen = runtime === undefined ? {} : { runtime };
    const born = await engine.runtime[verb]({ id, bundle, ...spec, supervision, ...chosen, ...rootfsMount, onOperation });
    span.note({ response: born, pid: born.pid });
    return born;
  });
}

/** Clients that attached beforehand get their own connections now, while the process still waits before its execve. */
async function connectPending(container: LiveContainer, shimDir: string): Promise<void> {
  const waiting = [...container.pendingAttachments];
  container.pendingAttachments.clear();
  await Promise.all(waiting.map((attachment) => bindAttachment(attachment, shimDir)));
}

/** Clients that attached while the process was being born see what comes from now on, or the end of one that has ended by now. */
async function connectLate(container: LiveContainer, shimDir: string): Promise<void> {
  const late = [...container.pendingAttachments];
  container.pendingAttachments.clear();
  await Promise.all(late.map((attachment) => bindAttachment(attachment, shimDir).catch(() => attachment.close())));
}

/** Connects one client to the shim in `shimDir`; its end is told once `noted` has settled, too. */
export async function bindAttachment(attachment: Attachment, shimDir: string, noted?: Promise<unknown>): Promise<void> {
  const { stdout, stderr } = attachment.options;
  attachment.bind(await attachShim(shimDir, { output: stdout || stderr }), noted);
}

/** The process, where it is known only now. */
async function release(engine: EngineContext, container: LiveContainer, parent: SpanContext): Promise<StartedProcess | undefined> {
  const init = { actor: 'runtime', name: 'runtime.start', protocol: 'exec fifo', container: container.id, parent } as const;
  const { runtime } = container.record.request.host;
  return engine.tracer.span({ ...init, request: { runtime } }, () => engine.runtime.start(container.id));
}

async function noteStarted(engine: EngineContext, container: LiveContainer, born: StartedProcess): Promise<void> {
  const { pid, startTime, shimPid } = born;
  if (born.cgroups !== undefined) container.cgroups = born.cgroups;
  const { exit: _exit, error: _error, ...rest } = container.record;
  container.record = rest;
  // It runs, written down or not, and is to be followed to its end; a daemon that finds the older record asks the runtime.
  const saved = keepRecord(engine, container, {
    status: 'running',
    pid,
    startTime,
    ...(shimPid === undefined ? {} : { shimPid }),
    startedAt: new Date().toISOString(),
  });
  containerEvent(engine, container, 'start');
  noteContainer(engine, container);
  engine.layersChanged(container.id);
  await saved;
}

async function noteFailed(engine: EngineContext, container: LiveContainer, error: unknown, exitCode: number): Promise<void> {
  for (const attachment of container.pendingAttachments) attachment.close();
  container.pendingAttachments.clear();
  const message = error instanceof Error ? error.message : String(error);
  const exit = { code: exitCode, oomKilled: false, at: new Date().toISOString() };
  const { shimDir: _shim, ...rest } = container.record;
  container.record = rest;
  await keepRecord(engine, container, { error: message, exit });
  noteContainer(engine, container);
}
