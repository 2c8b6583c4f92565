/**
 * The end of a container's process: noticed through its shim, recorded, and told to everybody who waits.
 *
 * Knows: what has to be true before anybody is told, and what a lost shim means.
 * Does not know: how a process is started or stopped.
 */
import { delay, isSameProcess } from '@slipway/kernel';
import { readExit, type ShimConnection, type ShimExit } from '@slipway/launcher';
import type { ExitFact } from './container.ts';
import { containerEvent, noteContainer } from './facts.ts';
import { keepRecord } from './keep-record.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';
import { removeContainer } from './remove.ts';

/** Docker's number for "it ended and nobody knows how". */
const UNKNOWN_EXIT_CODE = 255;
const ORPHAN_POLL_MS = 500;

/** Follows the process to its end. Returns at once; `attaching` may fail for a process that has ended already. */
export function superviseExit(engine: EngineContext, container: LiveContainer, attaching: Promise<ShimConnection>): void {
  const exit = attaching.then((connection) => {
    container.supervisor = connection;
    return connection.exit;
  });
  const settled = exit.then(
    (exit) => finishExit(engine, container, toFact(exit), exit.exitedAtMs),
    () => followWithoutShim(engine, container),
  );
  settled.catch((error: unknown) => engine.warn(`container ${container.id.slice(0, 12)}: ${describe(error)}`));
}

/**
 * The shim was killed, or its connection broke: its exit record is the truth if there is one. Otherwise the process may live on
 * without a parent of ours, and how it ends will stay unknown.
 */
export async function followWithoutShim(engine: EngineContext, container: LiveContainer): Promise<void> {
  const { shimDir, pid, startTime } = container.record;
  for (;;) {
    const exit = shimDir === undefined ? undefined : await readExit(shimDir);
    if (exit !== undefined) return finishExit(engine, container, toFact(exit), exit.exitedAtMs);
    if (pid === undefined || startTime === undefined || !isSameProcess(pid, startTime)) break;
    await delay(ORPHAN_POLL_MS);
  }
  engine.warn(`container ${container.id.slice(0, 12)} ended without its shim; its exit code is unknown`);
  await keepRecord(engine, container, { error: 'its shim was killed, so the exit code is unknown' });
  await finishExit(engine, container, { code: UNKNOWN_EXIT_CODE, oomKilled: false, at: new Date().toISOString() });
}

/** The process is gone: free what it held, record it, tell everybody; with auto-remove, remove the container. */
export async function finishExit(engine: EngineContext, container: LiveContainer, exit: ExitFact, atMs?: number): Promise<void> {
  container.supervisor?.close();
  container.supervisor = undefined;
  await engine.runtime.delete(container.id, { force: true }).catch((error: unknown) => engine.warn(describe(error)));
  const { pid: _pid, shimPid: _shimPid, startTime: _startTime, ...rest } = container.record;
  container.record = rest;
  container.cgroups = undefined;
  // Where it cannot be written, the next daemon reads it from the shim's own record.
  await keepRecord(engine, container, { status: 'exited', exit });
  engine.execs.forgetContainer(container.id);
  if (exit.oomKilled) containerEvent(engine, container, 'oom');
  containerEvent(engine, container, 'die', { exitCode: String(exit.code) });
  noteContainer(engine, container, atMs === undefined ? {} : { atMs });
  engine.layersChanged(container.id);
  container.tell('next-exit', exit);
  if (container.record.request.host.autoRemove && !container.isRestarting) await removeContainer(engine, container, { force: false });
}

function toFact(exit: ShimExit): ExitFact {
  return { code: exit.exitCode, oomKilled: exit.oomKilled, at: exit.exitedAt };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
