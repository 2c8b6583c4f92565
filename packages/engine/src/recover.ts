/**
 * A new daemon finds the containers of the one before: running ones are followed again, ended ones get their exit codes,
 * half-finished removals are finished, half-born ones are undone.
 *
 * Knows: what each status may have meant when the daemon died. Running it twice gives the same result.
 * Does not know: why the daemon died.
 */
import { isKind } from '@slipway/errors';
import { findProcStat, listNames, removeTree } from '@slipway/kernel';
import { attachShim, readExit, readPid } from '@slipway/launcher';
import { noteContainer } from './facts.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';
import { finishRemoval, removeContainer } from './remove.ts';
import { finishExit, followWithoutShim, superviseExit } from './supervise.ts';

/** Resolves when every container is in a state that a request may build on. One that fails does not hold up the others. */
export async function recoverContainers(engine: EngineContext): Promise<void> {
  await Promise.all(
    engine.containers.all().map(async (container) => {
      try {
        await recover(engine, container);
        if (engine.containers.all().includes(container)) noteContainer(engine, container);
      } catch (error) {
        engine.warn(
          `container ${container.id.slice(0, 12)} could not be recovered: ${error instanceof Error ? error.message : String(error)}`,
        );
        await engine.containers.update(container, { status: 'dead' });
      }
    }),
  );
  await removeStrangers(engine);
  await removeLeftovers(engine);
  await sweepExecs(engine);
}

/** Further processes are not remembered across daemons; what is left of ended ones is their shims' directories. */
async function sweepExecs(engine: EngineContext): Promise<void> {
  const base = `${engine.paths.state}/execs`;
  for (const name of await listNames(base)) {
    const connection = await attachShim(`${base}/${name}`, { output: false }).catch(() => undefined);
    if (connection === undefined) await removeTree(`${base}/${name}`);
    // Still running: its directory goes when it ends.
    else
      connection.exit
        .then(
          () => removeTree(`${base}/${name}`),
          () => removeTree(`${base}/${name}`),
        )
        .catch(() => undefined);
  }
}

async function recover(engine: EngineContext, container: LiveContainer): Promise<void> {
  switch (container.record.status) {
    case 'removing':
      return finishRemoval(engine, container);
    case 'running':
    case 'paused':
      return recoverRunning(engine, container);
    case 'created':
    case 'exited':
    case 'dead':
      return recoverStopped(engine, container);
  }
}

async function recoverRunning(engine: EngineContext, container: LiveContainer): Promise<void> {
  const { shimDir } = container.record;
  const exit = shimDir === undefined ? undefined : await readExit(shimDir);
  if (exit !== undefined) {
    const fact = { code: exit.exitCode, oomKilled: exit.oomKilled, at: exit.exitedAt };
    return finishExit(engine, container, fact, exit.exitedAtMs);
  }
  await follow(engine, container);
}

/** Reconnects to the shim; without one, watches the process itself. */
async function follow(engine: EngineContext, container: LiveContainer): Promise<void> {
  const { id, record } = container;
  container.cgroups = (await engine.runtime.state(id).catch(() => undefined))?.cgroups;
  const supervisor = record.shimDir === undefined ? undefined : await attachShim(record.shimDir, { output: false }).catch(() => undefined);
  if (supervisor === undefined) {
    void followWithoutShim(engine, container).catch((error: unknown) => engine.warn(String(error)));
    return;
  }
  superviseExit(engine, container, Promise.resolve(supervisor));
}

/**
 * By its record it does not run. If the daemon died inside a start, the runtime knows better: a process that was let go is adopted,
 * one still waiting before its execve is undone.
 */
async function recoverStopped(engine: EngineContext, container: LiveContainer): Promise<void> {
  const { id, record } = container;
  // Nobody was ever told of a container whose creation was not finished.
  if (record.rootfs === undefined) return finishRemoval(engine, container);
  const state = await engine.runtime.state(id).catch((error: unknown) => {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  });
  if (state?.status === 'running' && record.shimDir !== undefined) {
    const shim = await readPid(record.shimDir);
    // Between the shim and the process there may be a foreign runtime.
    const startTime = findProcStat(state.pid)?.startTime;
    if (shim !== undefined && startTime !== undefined) {
      const { shimPid } = shim;
      await engine.containers.update(container, {
        status: 'running',
        shimPid,
        pid: state.pid,
        startTime: String(startTime),
        startedAt: new Date().toISOString(),
      });
      return follow(engine, container);
    }
  }
  const exit = state?.status === 'stopped' && record.shimDir !== undefined ? await readExit(record.shimDir) : undefined;
  if (exit !== undefined)
    return finishExit(engine, container, { code: exit.exitCode, oomKilled: exit.oomKilled, at: exit.exitedAt }, exit.exitedAtMs);
  if (state !== undefined) await engine.runtime.delete(id, { force: true });
  if (record.request.host.autoRemove && record.status === 'exited') await removeContainer(engine, container, { force: false });
}

/** Runtime containers without a record: their creation was never told to anybody. */
async function removeStrangers(engine: EngineContext): Promise<void> {
  const known = new Set(engine.containers.all().map(({ id }) => id));
  for (const { id } of await engine.runtime.list()) {
    if (known.has(id)) continue;
    engine.warn(`runtime container ${id.slice(0, 12)} belongs to no container record and is removed`);
    await engine.runtime.delete(id, { force: true });
  }
}

/** A creation writes its record last, and a removal's record may be the first to go. */
async function removeLeftovers({ containers, images, warn }: EngineContext): Promise<void> {
  for (const id of containers.leftovers) {
    try {
      await images.removeRootfs(id);
      await removeTree(containers.directory(id));
    } catch (error) {
      warn(`what is left of container ${id.slice(0, 12)} stays: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
