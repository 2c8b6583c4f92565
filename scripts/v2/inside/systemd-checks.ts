/**
 * The cgroup driver `systemd`: containers as scopes of a systemd that runs here, by our runtime and by Debian's runc.
 *
 * Knows: what systemd says of a unit, and what stands in its group's files.
 * Does not know: how systemd is asked (packages/cgroups).
 */
import { deepEqual, equal, match } from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { parseScopeName, startScope } from '@slipway/cgroups';
import { holdProcess } from '@slipway/kernel';
import { defaultSpec, formatSpecJson, type SpecResources } from '@slipway/oci';
import { CHECKOUT, check, control, type Outcome, run, until } from './report.ts';

const BUNDLE = '/run/check-systemd';
const UNIT = 'check-one.scope';
const GROUP = `/sys/fs/cgroup/machine.slice/machine-check.slice/${UNIT}`;
const LIMITS: SpecResources = {
  memory: { limit: 64 << 20 },
  cpu: { quota: 50_000, period: 100_000, shares: 512, cpus: '0' },
  pids: { limit: 20 },
  devices: [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'b', major: 254, minor: 0, access: 'r' },
  ],
};
const FILES = ['memory.max', 'cpu.max', 'cpu.weight', 'cpuset.cpus', 'pids.max'];
/** Reading the machine's disk is allowed by LIMITS, writing to it is not. */
const DEVICE_PROBE = '(: </dev/disk) && echo read; (: >>/dev/disk) && echo write';

interface Runtime {
  readonly name: string;
  readonly program: string;
  /** What becomes of 512 shares: runc 1.1.5 counts linearly, later releases as ours. */
  readonly weight: string;
}

export async function checkSystemd(): Promise<void> {
  await makeRootfs();
  await checkScope({ name: 'ours', program: `${CHECKOUT}/bin/runc`, weight: '59' });
  await checkScope({ name: 'Debian’s runc', program: '/usr/sbin/runc', weight: '20' });
  await checkRefusals();
}

/** What holds for one runtime has to hold for the other: or we would test our habits. */
async function checkScope({ name, program, weight }: Runtime): Promise<void> {
  const call = caller(program);
  await check(`${name}: a container is a scope in its slice, with its limits known to systemd`, async () => {
    writeConfig('machine-check.slice:check:one');
    await must(call('create', '--bundle', BUNDLE, '--pid-file', `${BUNDLE}/pid`, 'one'));
    deepEqual(await shown(['ControlGroup', 'Slice', 'Delegate', 'MemoryMax', 'TasksMax', 'CPUQuotaPerSecUSec', 'AllowedCPUs']), {
      ControlGroup: GROUP.slice('/sys/fs/cgroup'.length),
      Slice: 'machine-check.slice',
      Delegate: 'yes',
      MemoryMax: String(64 << 20),
      TasksMax: '20',
      CPUQuotaPerSecUSec: '500ms',
      AllowedCPUs: '0',
    });
    equal(control(GROUP, 'cgroup.procs'), readFileSync(`${BUNDLE}/pid`, 'utf8').trim());
    deepEqual(limits(), [String(64 << 20), '50000 100000', weight, '0', '20']);
  });
  await check(`${name}: limits and device rules outlast a reload of systemd, an update too`, async () => {
    await must(call('start', 'one'));
    await must(run('systemctl', 'daemon-reload'));
    await must(call('update', '--memory', String(32 << 20), '--pids-limit', '30', 'one'));
    await must(run('systemctl', 'daemon-reload'));
    await must(run('systemctl', 'set-property', '--runtime', UNIT, 'CPUWeight=77'));
    deepEqual(limits(), [String(32 << 20), '50000 100000', '77', '0', '30']);
    deepEqual(await shown(['MemoryMax', 'TasksMax']), { MemoryMax: String(32 << 20), TasksMax: '30' });
    equal((await call('exec', 'one', '/bin/sh', '-c', `exec 2>/dev/null; ${DEVICE_PROBE}`)).stdout, 'read');
  });
  await check(`${name}: what systemd is not told does not last: why it is`, async () => {
    writeFileSync(`${GROUP}/pids.max`, '25');
    await must(run('systemctl', 'set-property', '--runtime', UNIT, 'TasksMax=31'));
    equal(control(GROUP, 'pids.max'), '31');
  });
  await check(`${name}: a scope ends with its container, and its name is free at once`, async () => {
    await must(call('delete', '--force', 'one'));
    deepEqual(await shown(['LoadState']), { LoadState: 'not-found' });
    equal(existsSync(GROUP), false);
    await must(call('create', '--bundle', BUNDLE, 'one'));
    await must(call('delete', '--force', 'one'));
    equal(existsSync(GROUP), false);
  });
}

async function checkRefusals(): Promise<void> {
  const call = caller(`${CHECKOUT}/bin/runc`);
  await check('a name that systemd has given already, and one that is none, are errors that leave everything as it was', async () => {
    const stranger = await holdProcess();
    await startScope(parseScopeName({ cgroupsPath: 'check.slice:check:one', id: '' }), stranger.pid, []);
    for (const [path, said] of [
      [':check:one', /systemd has a unit \\?"check-one.scope\\?" already/],
      ['/check/one', /not of the form SLICE:PREFIX:NAME/],
      ['check/x.slice:check:one', /no name of a slice/],
      ['check.slice:check:one/two', /no name of a unit/],
    ] as const) {
      writeConfig(path);
      const { code, stderr } = await call('create', '--bundle', BUNDLE, 'one');
      equal(code, 1);
      match(stderr, said);
      deepEqual(JSON.parse((await call('list', '--format', 'json')).stdout || '[]') ?? [], []);
    }
    equal(control(`/sys/fs/cgroup/check.slice/${UNIT}`, 'cgroup.procs'), String(stranger.pid));
    await stranger.end();
    await until('the stranger’s scope to end', async () => (await shown(['LoadState']))['LoadState'] === 'not-found');
  });
  await check('a container that ends by itself takes its scope along, and is deleted all the same', async () => {
    writeConfig(':check:one', ['true']);
    await must(call('create', '--bundle', BUNDLE, 'one'));
    await must(call('start', 'one'));
    await until('the scope’s end', async () => (await shown(['LoadState']))['LoadState'] === 'not-found');
    equal(JSON.parse((await call('state', 'one')).stdout).status, 'stopped');
    await must(call('delete', 'one'));
  });
}

/** Standard streams of a container would keep a pipe open; only what answers has one. */
function caller(program: string) {
  return (verb: string, ...args: readonly string[]): Promise<Outcome> => {
    const streams = verb === 'create' ? '</dev/null >/dev/null' : '</dev/null';
    const words = ['--systemd-cgroup', '--root', `${BUNDLE}/state`, verb, ...args];
    if (verb !== 'create') return run('sh', '-c', `exec "$@" ${streams}`, 'sh', program, ...words);
    const log = `${BUNDLE}/create.log`;
    return run('sh', '-c', `"$@" ${streams} 2>${log}; code=$?; cat ${log} >&2; exit $code`, 'sh', program, ...words);
  };
}

async function must(outcome: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await outcome;
  equal(code, 0, stderr);
}

async function shown(properties: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await run('systemctl', 'show', ...properties.map((name) => `--property=${name}`), UNIT);
  return Object.fromEntries(stdout.split('\n').map((line) => line.split('=') as [string, string]));
}

function limits(): string[] {
  return FILES.map((file) => control(GROUP, file));
}

async function makeRootfs(): Promise<void> {
  const { stdout: busybox } = await run('sh', '-c', 'command -v busybox');
  for (const name of ['bin', 'proc', 'dev', 'sys']) mkdirSync(`${BUNDLE}/rootfs/${name}`, { recursive: true });
  copyFileSync(busybox, `${BUNDLE}/rootfs/bin/busybox`);
  for (const name of ['sleep', 'sh', 'true']) symlinkSync('busybox', `${BUNDLE}/rootfs/bin/${name}`);
}

function writeConfig(cgroupsPath: string, args: readonly string[] = ['sleep', '1000']): void {
  const spec = defaultSpec();
  const process = { ...spec.process, cwd: '/', terminal: false, args };
  const disk = { path: '/dev/disk', type: 'b', major: 254, minor: 0 } as const;
  const linux = { ...spec.linux, cgroupsPath, resources: LIMITS, devices: [disk] };
  writeFileSync(`${BUNDLE}/config.json`, formatSpecJson({ ...spec, ociVersion: '1.0.2', process, linux }));
}
