/**
 * The parts that touch the host, put together as this checkout has them.
 *
 * Knows: which package satisfies which port of labd, and where set-up left what machines are made from.
 * Does not know: learners.
 */
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detectCgroups } from '@slipway/cgroups';
import { EngineError } from '@slipway/errors';
import { createLauncher } from '@slipway/launcher';
import { openMachines } from '@slipway/machine';
import { createKernelFeed, createMachineObserver, openRecorder, openTape, tracefsAvailable } from '@slipway/observe';
import { createRuntime } from '@slipway/runtime';
import type { Config } from './config.ts';
import type { HostFacts, HostObserver, LabMachines, Log } from './ports.ts';

/** The checkout: what is read here is what runs. */
export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const PREPARED = `${CHECKOUT}/.slipway`;

/** @throws EngineError `unsupported` / `E_HOST_UNFIT` in a sentence for the person at the terminal */
export function readHost(): HostFacts {
  if (process.platform !== 'linux') throw unfit('this lab runs on Linux only', 'use a Linux machine, or a virtual one');
  if (process.getuid?.() !== 0) throw unfit('making lab machines needs root', 'start it with sudo');
  const { mode } = detectCgroups();
  if (mode === 'none') throw unfit('no cgroup file system is mounted', 'mount cgroup2 on /sys/fs/cgroup');
  const { version } = JSON.parse(readFileSync(`${CHECKOUT}/package.json`, 'utf8')) as { readonly version: string };
  return { version, kernel: release(), cgroupMode: mode };
}

export function openLabMachines(config: Config, log: Log): LabMachines {
  const stateDir = config.runDir;
  const runtime = createRuntime({
    root: `${stateDir}/runtime`,
    launcher: createLauncher(),
    onWarning: (message) => log.warn({ message }, 'a machine was made with less than asked for'),
  });
  const machines = openMachines({
    stateDir,
    diskDir: `${config.dataDir}/disks`,
    idRegistry: '/run/slipway/id-ranges',
    templateDisk: `${PREPARED}/machine-disk.img`,
    usr: `${PREPARED}/tools/usr`,
    // A checkout that was set up before there were any has machines without a registry.
    ...(existsSync(`${PREPARED}/images/layout/index.json`) ? { images: `${PREPARED}/images/layout` } : {}),
    engine: CHECKOUT,
    cgroupParent: config.cgroupParent,
    limits: config.limits,
    runtime,
    execCommand: { file: `${CHECKOUT}/bin/runc`, args: [] },
  });
  return {
    ...machines,
    removeAll: async () => {
      await machines.removeAll();
      removeEmptyCgroups(config.cgroupParent);
    },
  };
}

/** The directories that machines' cgroups stood in; another lab's, still in use, refuse to go. */
function removeEmptyCgroups(parent: string): void {
  for (const { mountPoint } of detectCgroups().hierarchies) {
    try {
      rmdirSync(`${mountPoint}/${parent}`);
      rmdirSync(`${mountPoint}/${dirname(parent)}`);
    } catch {
      // In use by another lab, or never made.
    }
  }
}

/** Without tracefs the pictures still come, every second, and the page says what is missing. */
export async function openHostObserver(config: Config, log: Log): Promise<HostObserver> {
  const available = tracefsAvailable();
  const recorder = available.available
    ? await openRecorder({ mountDirectory: `${config.runDir}/trace` }).catch((error: unknown) => {
        log.warn({ err: error }, 'kernel events are not recorded');
        return undefined;
      })
    : undefined;
  const feed = recorder && createKernelFeed(recorder);
  const reason = available.available ? 'the kernel did not let the recorder start; the log says why' : available.reason;
  return {
    trace: feed ? { available: true } : { available: false, reason },
    watch: (machine, emit, onEnd) => createMachineObserver({ machine, emit, onEnd, feed }),
    record: (hostPid) => openTape(`${config.runDir}/trace`, hostPid),
    close: async () => {
      feed?.close();
      await recorder?.close();
    },
  };
}

function unfit(message: string, hint: string): EngineError {
  return new EngineError('unsupported', message, { code: 'E_HOST_UNFIT', op: 'lab.start', hint });
}
