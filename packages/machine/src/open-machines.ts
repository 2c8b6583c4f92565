/**
 * Machines over the real runtime.
 *
 *     <stateDir>/runtime/         the runtime's state
 *     <stateDir>/m/<id>/lab/      bound into the machine at /run/slipway-lab
 *                       bundle/   config.json
 *                       disk/     mount point of the machine's disk
 *                       dev/      its device nodes
 *                       shim/     shim of the machine's pid 1
 *     <diskDir>/<id>.img          its disk
 *
 * Knows: the order in which a machine is made, undone and found again.
 * Does not know: what runs inside, or who looks at it.
 */
import { EngineError, isKind, Rollback } from '@slipway/errors';
import { ensureDirectory, monotonicMs, removeStoredFile, removeTree, runProgram, writeFileAtomic } from '@slipway/kernel';
import type { ContainerState, Runtime } from '@slipway/runtime';
import { mountDevices } from './devices.ts';
import { chownDisk, copyDisk, type DiskPaths, mountDisk } from './disk.ts';
import { unmount } from './host-mounts.ts';
import { claimIdRange, releaseIdRange } from './id-ranges.ts';
import type { EnterCommand, MachineHandle, MachineLimits, Machines } from './machines.ts';
import { machineSpec } from './spec.ts';

export interface MachinesOptions {
  /** Short absolute path on a tmpfs, e.g. /run/slipway/lab: unix sockets live in it, so its length counts. */
  readonly stateDir: string;
  readonly diskDir: string;
  /** Where claims of id ranges are kept; shared by every lab on the host. */
  readonly idRegistry: string;
  readonly templateDisk: string;
  /** The tools tree's `usr`. */
  readonly usr: string;
  /** OCI layout of images that every machine's registry has; absent: none. */
  readonly images?: string;
  /** The checkout that engine and CLIs are bound in from. */
  readonly engine: string;
  /** cgroup below the host's own that machines live in, e.g. `slipway/lab`. */
  readonly cgroupParent: string;
  readonly limits: MachineLimits;
  /** Over `<stateDir>/runtime`. */
  readonly runtime: Runtime;
  /** How to enter a machine on the caller's terminal: the runc dialect's `exec`. */
  readonly execCommand: { readonly file: string; readonly args: readonly string[] };
}

const ID = /^[a-z0-9][a-z0-9-]{0,39}$/;
const SIGKILL = 9;
const PATH_INSIDE = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function openMachines(options: MachinesOptions): Machines {
  const { runtime } = options;
  /** One operation at a time per machine: a second caller gets the first one's result. */
  const underWay = new Map<string, Promise<MachineHandle>>();

  const once = (id: string, work: () => Promise<MachineHandle>): Promise<MachineHandle> => {
    const current = underWay.get(id) ?? work().finally(() => underWay.delete(id));
    underWay.set(id, current);
    return current;
  };
  const remove = (id: string) => removeMachine(requireId(id), options);

  return {
    ensure: async (id) => await once(requireId(id), () => ensureMachine(id, options)),
    reset: async (id) => {
      await underWay.get(requireId(id))?.catch(() => undefined);
      return await once(id, async () => {
        await remove(id);
        return await makeMachine(id, options);
      });
    },
    remove: async (id) => {
      await underWay.get(requireId(id))?.catch(() => undefined);
      await remove(id);
    },
    list: async () => (await runtime.list()).filter(isRunning).map((state) => handleOf(state, options)),
    enterCommand: async (id, argv, { pipes = false } = {}) => {
      await requireRunning(id, runtime);
      return enterCommand(id, argv, { terminal: !pipes }, options);
    },
    run: async (id, argv, { timeoutMs = 30_000 } = {}) => {
      await requireRunning(id, runtime);
      const { file, args } = enterCommand(id, argv, { terminal: false }, options);
      return await runProgram({ program: file, args, timeoutMs });
    },
    removeAll: async () => {
      const failures: unknown[] = [];
      for (const { id } of await runtime.list()) await remove(id).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, 'not every machine could be removed');
    },
  };
}

async function ensureMachine(id: string, options: MachinesOptions): Promise<MachineHandle> {
  const state = await findState(id, options.runtime);
  if (state !== undefined && isRunning(state)) return handleOf(state, options);
  await removeMachine(id, options);
  return await makeMachine(id, options);
}

/** Undefined when there is none. @throws where it cannot be read: such a machine may run, on its disk and with its ids */
async function findState(id: string, runtime: Runtime): Promise<ContainerState | undefined> {
  return await runtime.state(id).catch((error: unknown) => {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  });
}

/** All of it exists afterwards, or nothing. */
async function makeMachine(id: string, options: MachinesOptions): Promise<MachineHandle> {
  const started = monotonicMs();
  const rollback = new Rollback();
  try {
    const paths = pathsOf(id, options);
    for (const dir of [paths.lab, paths.bundle, paths.shim, paths.devices, paths.disk.mountPoint]) await ensureDirectory(dir, 0o755);
    await ensureDirectory(options.diskDir, 0o700);
    rollback.defer('remove state', () => removeTree(paths.home));

    const range = await claimIdRange(options.idRegistry, paths.home);
    rollback.defer('release id range', () => range.release());

    rollback.defer('remove disk', async () => void (await removeStoredFile(paths.disk.image)));
    await copyDisk(paths.disk);
    await mountDisk(paths.disk);
    rollback.defer('unmount disk', () => unmount(paths.disk.mountPoint));
    await chownDisk(paths.disk, range.firstHostId);
    await mountDevices(paths.devices);
    rollback.defer('unmount devices', () => unmount(paths.devices));

    const pid = await startMachine(id, range.firstHostId, options, rollback);
    const state = await options.runtime.state(id);
    rollback.disarm();
    return { ...handleOf(state, options), initHostPid: pid, createdInMs: monotonicMs() - started };
  } catch (failure) {
    return await rollback.unwind(failure);
  }
}

async function startMachine(id: string, firstHostId: number, options: MachinesOptions, rollback: Rollback): Promise<number> {
  const { runtime, usr, images, engine, limits } = options;
  const paths = pathsOf(id, options);
  const cgroupsPath = `/${options.cgroupParent}/${id}`;
  const spec = machineSpec({
    id,
    firstHostId,
    rootDirectory: paths.disk.mountPoint,
    usr,
    ...(images === undefined ? {} : { images }),
    engine,
    labDir: paths.lab,
    devices: paths.devices,
    limits,
    cgroupsPath,
  });
  await writeFileAtomic(`${paths.bundle}/config.json`, JSON.stringify(spec), { durable: false });
  const { pid } = await runtime.create({
    id,
    bundle: paths.bundle,
    supervision: {
      mode: 'shim',
      dir: paths.shim,
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      logPath: `${paths.shim}/log`,
      logMaxBytes: 1_048_576,
    },
  });
  rollback.defer('delete container', () => runtime.delete(id, { force: true }));
  await runtime.start(id);
  return pid;
}

/** Each step is quiet when there is nothing to do, so that whatever a crash left can be removed by calling this again. */
async function removeMachine(id: string, options: MachinesOptions): Promise<void> {
  const { runtime } = options;
  const paths = pathsOf(id, options);
  const state = await findState(id, runtime);
  if (state !== undefined) {
    await runtime.kill(id, SIGKILL, { all: true }).catch(() => undefined); // ended already
    await runtime.delete(id, { force: true });
    const firstHostId = Number(state.annotations?.['io.slipway.first-host-id']);
    if (Number.isSafeInteger(firstHostId)) await releaseIdRange(options.idRegistry, firstHostId);
  }
  for (const mountPoint of [paths.disk.mountPoint, paths.devices]) await unmount(mountPoint);
  await removeStoredFile(paths.disk.image);
  await removeTree(paths.home);
}

function enterCommand(
  id: string,
  argv: readonly string[],
  { terminal }: { readonly terminal: boolean },
  options: MachinesOptions,
): EnterCommand {
  const { file, args } = options.execCommand;
  const env = ['TERM=xterm-256color', 'HOME=/root', 'LANG=C.UTF-8', 'COLORTERM=truecolor', `PATH=${PATH_INSIDE}`].flatMap((entry) => [
    '--env',
    entry,
  ]);
  const flags = ['--cwd', '/root', ...env, ...(terminal ? ['--tty'] : [])];
  return {
    file,
    args: [...args, '--root', `${options.stateDir}/runtime`, 'exec', ...flags, id, ...argv],
    env: { PATH: PATH_INSIDE, TERM: 'xterm-256color' },
  };
}

function handleOf(state: ContainerState, options: MachinesOptions): MachineHandle {
  return { id: state.id, initHostPid: state.pid, cgroupPrefix: state.cgroups, labDir: pathsOf(state.id, options).lab };
}

function pathsOf(id: string, { stateDir, diskDir, templateDisk }: MachinesOptions) {
  const home = `${stateDir}/m/${id}`;
  const disk: DiskPaths = { template: templateDisk, image: `${diskDir}/${id}.img`, mountPoint: `${home}/disk` };
  return { home, lab: `${home}/lab`, bundle: `${home}/bundle`, shim: `${home}/shim`, devices: `${home}/dev`, disk };
}

function isRunning(state: ContainerState): boolean {
  return state.status === 'running' && state.pid > 0;
}

function requireId(id: string): string {
  if (ID.test(id)) return id;
  throw new EngineError('invalid-argument', `machine id ${JSON.stringify(id)} is not 1 to 40 small letters, digits and dashes`, {
    code: 'E_MACHINE_ID',
    op: 'machine.name',
    subject: id,
  });
}

async function requireRunning(id: string, runtime: Runtime): Promise<void> {
  if (isRunning(await runtime.state(requireId(id)))) return;
  throw new EngineError('failed-precondition', `machine ${JSON.stringify(id)} does not run`, {
    code: 'E_MACHINE_STOPPED',
    op: 'machine.enter',
    subject: id,
    hint: 'reset the machine',
  });
}
