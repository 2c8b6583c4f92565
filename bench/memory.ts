/**
 * What stands idle, and what it holds: shim, slipwayd and labd by their proportional set size; and how long a lab machine takes.
 *
 * Knows: what is started, how long it is left alone before it is looked at, and what we want to see.
 * Does not know: how any of it works.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLauncher } from '@slipway/launcher';
import { openMachines } from '@slipway/machine';
import { createRuntime } from '@slipway/runtime';
import { EngineUnderTest } from './engine-under-test.ts';
import { measureConmon, measureContainerdShims, readPss } from './peer-shims.ts';
import type { BenchOptions } from './run.ts';
import { formatTable, formatTarget } from './table.ts';
import { CHECKOUT, endChild, Workplace } from './workplace.ts';

/** A daemon that has been left alone for this long is idle. */
const SETTLE_MS = 5000;
const CONTAINERS = 10;
const PREPARED = `${CHECKOUT}/.slipway`;
const MIB = 1024 ** 2;

export async function benchMemory({ rounds }: BenchOptions): Promise<void> {
  const place = new Workplace();
  try {
    const engine = await measureEngine(place);
    const containerdKib = await measureContainerdShims(place, CONTAINERS);
    const conmonKib = await measureConmon(place, CONTAINERS);
    const labdKib = await measureLabd(place);
    const machines = await measureMachines(place, rounds);
    const kib = (name: string, value: number | undefined) => [name, value === undefined ? '–' : `${(value / 1024).toFixed(2)} MiB`];
    const rows = [
      kib('shim of the only container', engine.oneShimKib),
      kib(`shim of each of ${CONTAINERS} containers`, engine.manyShimsKib),
      kib(`containerd-shim-runc-v2 of each of ${CONTAINERS}`, containerdKib),
      kib(`conmon of each of ${CONTAINERS}`, conmonKib),
      kib('slipwayd, idle, after its first container', engine.idleKib),
      kib('labd, idle, before its first learner', labdKib),
      ['lab machine, median', machines === undefined ? '–' : `${machines.toFixed(0)} ms`],
    ];
    process.stdout.write(`${formatTable(['', 'PSS / time'], rows)}\n`);
    process.stdout.write(formatTarget('MiB of a shim', engine.oneShimKib / 1024, 'at most 1', (value) => value <= 1));
    process.stdout.write(formatTarget('MiB of an idle slipwayd', engine.idleKib / 1024, 'at most 60', (value) => value <= 60));
    process.stdout.write(formatTarget('ms to make a lab machine', machines, 'at most 500', (value) => value <= 500));
  } finally {
    place.dispose();
  }
}

async function measureEngine(place: Workplace) {
  const engine = await EngineUnderTest.start(place);
  const ids: string[] = [];
  const shimPids: number[] = [];
  try {
    const run = async () => {
      const { Id } = JSON.parse(await engine.call('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '1000'] }));
      ids.push(String(Id));
      await engine.call('POST', `/containers/${Id}/start`);
      shimPids.push(shimOf(place, String(Id)));
    };
    await run();
    await sleep(SETTLE_MS);
    const oneShimKib = readPss(shimPids[0] ?? 0);
    const idleKib = readPss(engine.pid);
    while (ids.length < CONTAINERS) await run();
    await sleep(1000);
    const manyShimsKib = shimPids.reduce((sum, pid) => sum + readPss(pid), 0) / shimPids.length;
    return { oneShimKib, manyShimsKib, idleKib };
  } finally {
    for (const id of ids) await engine.call('DELETE', `/containers/${id}?force=1`);
    await engine.stop();
  }
}

function shimOf(place: Workplace, id: string): number {
  const { shimPid } = JSON.parse(readFileSync(`${place.path('slipway')}/containers/${id}/container.json`, 'utf8'));
  return Number(shimPid);
}

/** Undefined, with a sentence, where it does not start. */
async function measureLabd(place: Workplace): Promise<number | undefined> {
  const args = [`${CHECKOUT}/apps/labd/src/main.ts`, '--port', '0', '--no-open', '--data', place.path('lab')];
  const labd = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await announcement(labd);
    await sleep(SETTLE_MS);
    return readPss(labd.pid ?? 0);
  } catch (error) {
    process.stderr.write(`labd is left out: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  } finally {
    await endChild(labd);
  }
}

async function announcement(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }): Promise<void> {
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('Slipway is at ')) return;
  throw new Error('it ended without saying where it is');
}

/** Median milliseconds, with the disks where the template is, as labd has them; undefined where set-up has not prepared machines. */
async function measureMachines(place: Workplace, rounds: number): Promise<number | undefined> {
  if (!existsSync(`${PREPARED}/machine-disk.img`)) {
    process.stderr.write('lab machines are left out: set-up has not prepared their disk (node scripts/bootstrap.mjs prepare)\n');
    return undefined;
  }
  const diskDir = mkdtempSync(`${PREPARED}/bench-disks-`);
  const machines = openMachines({
    stateDir: place.path('m'),
    diskDir,
    idRegistry: '/run/slipway/id-ranges', // the host's one, or a real lab's machine could get the same ids
    templateDisk: `${PREPARED}/machine-disk.img`,
    usr: `${PREPARED}/tools/usr`,
    engine: CHECKOUT,
    cgroupParent: place.cgroup,
    limits: { memoryBytes: 512 * MIB, cpus: 1, pids: 512 },
    runtime: createRuntime({ root: `${place.path('m')}/runtime`, launcher: createLauncher() }),
    execCommand: { file: process.execPath, args: [`${CHECKOUT}/apps/cli/src/start.cjs`, 'runc'] },
  });
  const times: number[] = [];
  try {
    for (let round = -1; round < Math.min(rounds, 9); round++) {
      const { createdInMs } = await machines.ensure('bench');
      if (round >= 0 && createdInMs !== undefined) times.push(createdInMs);
      await machines.remove('bench');
    }
  } finally {
    await machines.removeAll();
    rmSync(diskDir, { recursive: true, force: true });
  }
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}
