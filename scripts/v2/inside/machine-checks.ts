/**
 * A lab machine on v2: its subtree is handed to its root, and the engine inside makes limited groups below it.
 *
 * Knows: v2's rule that a group whose children have controllers holds no process itself.
 * Does not know: labd.
 */
import { deepEqual, equal, match } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { createLauncher } from '@slipway/launcher';
import { type Machines, openMachines } from '@slipway/machine';
import { createRuntime } from '@slipway/runtime';
import { CHECKOUT, check, control, run, until } from './report.ts';

const STATE = '/run/slipway/lab';
const PARENT = 'slipway/lab';
/** The same word as in its parent's path, which must not confuse whoever looks for the one in the other. */
const ID = 'lab';
const GROUP = `/sys/fs/cgroup/${PARENT}/${ID}`;

export async function checkMachine(): Promise<void> {
  const machines = open();
  try {
    await check('a machine is made in a limited group that is its root’s', async () => {
      const { cgroupPrefix } = await machines.ensure(ID);
      deepEqual(cgroupPrefix, { unified: GROUP });
      deepEqual(
        [control(GROUP, 'memory.max'), control(GROUP, 'cpu.max'), control(GROUP, 'pids.max')],
        ['536870912', '150000 100000', '300'],
      );
    });
    await checkEngineInside(machines);
    await check('a machine is removed with everything below it', async () => {
      await machines.remove(ID);
      deepEqual(
        [GROUP, `${STATE}/m/${ID}`, `/var/tmp/disks/${ID}.img`].filter((path) => existsSync(path)),
        [],
      );
      equal((await run('losetup', '-a')).stdout, '');
    });
  } finally {
    await machines.removeAll();
  }
}

async function checkEngineInside(machines: Machines): Promise<void> {
  const inside = async (...argv: readonly string[]) => {
    const { exitCode, stdout, stderr } = await machines.run(ID, argv, { timeoutMs: 60_000 });
    if (exitCode !== 0) {
      const log = await machines.run(ID, ['tail', '-n', '20', '/var/log/slipwayd.log'], { timeoutMs: 60_000 });
      throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}\n${log.stdout}`);
    }
    return stdout.trim();
  };

  await check('its processes make room: they stand in init, and its top hands controllers down', async () => {
    await until('the engine inside', async () => (await machines.run(ID, ['test', '-S', '/run/docker.sock'])).exitCode === 0);
    equal(control(GROUP, 'cgroup.procs'), '');
    match(control(GROUP, 'cgroup.subtree_control'), /cpu.*memory.*pids/);
  });
  await check('who enters it lands in init, not at the top, which takes no process', async () => {
    equal(await inside('cat', '/proc/self/cgroup'), '0::/init');
  });
  await check('the engine inside runs a container with limits of its own', async () => {
    const id = await inside(
      'docker',
      'run',
      '-d',
      '--name',
      'inner',
      '-m',
      '64m',
      '--cpus',
      '0.5',
      '--pids-limit',
      '20',
      'busybox',
      'sleep',
      '1000',
    );
    const group = `${GROUP}/slipway/${id}`;
    deepEqual([control(group, 'memory.max'), control(group, 'cpu.max'), control(group, 'pids.max')], ['67108864', '50000 100000', '20']);
    equal(await inside('docker', 'exec', 'inner', 'cat', '/sys/fs/cgroup/pids.max'), '20');
    await inside('docker', 'pause', 'inner');
    match(control(group, 'cgroup.events'), /frozen 1/);
    await inside('docker', 'rm', '-f', 'inner');
    equal(existsSync(group), false);
  });
  await check('its root cannot lift the machine’s limits', async () => {
    const { exitCode } = await machines.run(ID, ['sh', '-c', 'echo max >/sys/fs/cgroup/memory.max'], { timeoutMs: 60_000 });
    deepEqual([exitCode === 0, control(GROUP, 'memory.max')], [false, '536870912']);
  });
}

function open(): Machines {
  const runtime = createRuntime({ root: `${STATE}/runtime`, launcher: createLauncher() });
  return openMachines({
    stateDir: STATE,
    diskDir: '/var/tmp/disks',
    idRegistry: '/run/slipway/id-ranges',
    templateDisk: `${CHECKOUT}/.slipway/machine-disk.img`,
    usr: '/usr',
    engine: CHECKOUT,
    cgroupParent: PARENT,
    limits: { memoryBytes: 512 << 20, cpus: 1.5, pids: 300 },
    runtime,
    execCommand: { file: process.execPath, args: [`${CHECKOUT}/apps/cli/src/start.cjs`, 'runc'] },
  });
}
