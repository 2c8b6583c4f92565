/**
 * Every operation there is, made to fail, to die and to hang in a birth: the host is as before each time.
 * The table is typed over all operations, so that a new one does not compile before it is in here.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { type LaunchFailure, type LaunchOptions, ShimFiles } from './launcher.ts';
import { createLauncher } from './native-launcher.ts';
import type { OperationBody, Phase, Plan } from './operations.ts';
import { rehearsalOf } from './rehearsal.ts';
import { buildNative, launchTraces, makeRig, type Rig, shimOptions, standardPlan, step } from './testing/rig.ts';

type Name = OperationBody['op'];
/** Where an operation stands in a birth. It never comes to be performed: any arguments do. */
type Sample = { readonly [Op in Name]: readonly [Phase, Extract<OperationBody, { op: Op }>] };

const HOOK = { path: '/bin/true', args: ['true'], env: [], timeoutMs: 0 };
const SAMPLES: Sample = {
  openRoot: ['prepare', { op: 'openRoot', hostPath: '/' }],
  openSource: ['prepare', { op: 'openSource', slot: 0, hostPath: '/', recursive: false }],
  openNamespace: ['prepare', { op: 'openNamespace', slot: 0, kind: 'uts', hostPath: '/proc/self/ns/uts' }],
  openListener: ['prepare', { op: 'openListener', slot: 0, hostPath: '/x' }],
  enterUserNamespace: ['prepare', { op: 'enterUserNamespace', uid: [], gid: [], denySetgroups: true }],
  clone: ['clone', { op: 'clone', namespaces: ['mount'] }],
  idmap: ['identity', { op: 'idmap', uid: [], gid: [], denySetgroups: true }],
  joinCgroup: ['identity', { op: 'joinCgroup', procsFiles: [] }],
  oomScore: ['identity', { op: 'oomScore', value: 500 }],
  netDevice: ['identity', { op: 'netDevice', name: 'x', target: 'y' }],
  cpuAffinity: ['identity', { op: 'cpuAffinity', cpus: [0] }],
  deviceProgram: ['identity', { op: 'deviceProgram', cgroup: '/', program: new Uint8Array(8) }],
  runtimeHook: ['identity', { op: 'runtimeHook', hook: HOOK }],
  joinNamespace: ['mounts', { op: 'joinNamespace', slot: 0, kind: 'uts' }],
  unshare: ['mounts', { op: 'unshare', namespaces: ['cgroup'] }],
  timeNamespace: ['mounts', { op: 'timeNamespace', offsets: [] }],
  becomeRoot: ['mounts', { op: 'becomeRoot' }],
  sessionKeyring: ['mounts', { op: 'sessionKeyring', name: 'x' }],
  newSession: ['mounts', { op: 'newSession' }],
  rootPropagation: ['mounts', { op: 'rootPropagation', propagation: 'rslave' }],
  bindRoot: ['mounts', { op: 'bindRoot' }],
  mount: ['mounts', { op: 'mount', destination: '/x', fsType: 'tmpfs', source: 'x', attributes: {}, data: [], refuseSymlinks: true }],
  bind: ['mounts', { op: 'bind', slot: 0, destination: '/x', attributes: {} }],
  remount: ['mounts', { op: 'remount', destination: '/x', attributes: {}, data: [] }],
  containerHook: ['devices', { op: 'containerHook', hook: HOOK, state: ['', ''] }],
  device: ['devices', { op: 'device', path: '/x', type: 'c', major: 1, minor: 3, mode: 0, uid: 0, gid: 0 }],
  bindDevice: ['devices', { op: 'bindDevice', path: '/x', slot: 0 }],
  symlink: ['devices', { op: 'symlink', path: '/x', target: 'y' }],
  console: ['devices', { op: 'console', rows: 1, columns: 1 }],
  mask: ['devices', { op: 'mask', path: '/x' }],
  readonlyPath: ['devices', { op: 'readonlyPath', path: '/x' }],
  pivotRoot: ['root', { op: 'pivotRoot' }],
  chroot: ['root', { op: 'chroot' }],
  readonlyRoot: ['root', { op: 'readonlyRoot' }],
  hostname: ['settings', { op: 'hostname', name: 'x' }],
  domainname: ['settings', { op: 'domainname', name: 'x' }],
  loopbackUp: ['settings', { op: 'loopbackUp' }],
  sysctl: ['settings', { op: 'sysctl', key: 'net.ipv4.ip_forward', value: '1' }],
  rlimit: ['settings', { op: 'rlimit', resource: 7, soft: 1n, hard: 1n }],
  workdir: ['settings', { op: 'workdir', path: '/', create: false }],
  findExecutable: ['settings', { op: 'findExecutable', name: 'x', path: '/' }],
  scheduler: ['rights', { op: 'scheduler', policy: 0, nice: 1, priority: 0, flags: 0, runtimeNs: 0n, deadlineNs: 0n, periodNs: 0n }],
  ioPriority: ['rights', { op: 'ioPriority', class: 2, priority: 4 }],
  memoryPolicy: ['rights', { op: 'memoryPolicy', mode: 0, flags: 0, nodes: [] }],
  personality: ['rights', { op: 'personality', persona: 0 }],
  securityLabel: ['rights', { op: 'securityLabel', attribute: 'exec', value: 'x' }],
  umask: ['rights', { op: 'umask', mask: 0 }],
  noNewPrivileges: ['rights', { op: 'noNewPrivileges' }],
  boundingSet: ['rights', { op: 'boundingSet', keep: [] }],
  user: ['rights', { op: 'user', uid: 1, gid: 1, additionalGids: [] }],
  capabilities: ['rights', { op: 'capabilities', effective: [], permitted: [], inheritable: [], ambient: [] }],
  seccompNotify: ['start', { op: 'seccompNotify', program: new Uint8Array(8), flags: 0, slot: 0, state: [''] }],
  seccomp: ['start', { op: 'seccomp', program: new Uint8Array(8), flags: 0 }],
  awaitStart: ['start', { op: 'awaitStart' }],
  confirmStart: ['start', { op: 'confirmStart' }],
  exec: ['start', { op: 'exec', args: ['x'], env: [] }],
};
/** A hook of the container has an error of its own, however it ends. */
const isHook = (name: Name) => name === 'containerHook';
const NAMES = Object.keys(SAMPLES) as Name[];
const HANGING_AT_ONCE = 15;
const ORDER: readonly Phase[] = ['prepare', 'clone', 'identity', 'mounts', 'devices', 'root', 'settings', 'rights', 'start'];

let rig: Rig;
let binary: string;
beforeAll(() => {
  binary = buildNative('test');
  rig = makeRig();
});
afterAll(() => rig[Symbol.dispose]());

/** A whole birth in which the operation stands at its place. */
function planWith(name: Name): Plan {
  const { operations } = standardPlan({ rootfs: rig.rootfs, args: ['true'] });
  if (operations.some(({ op }) => op === name)) return { operations };
  const [phase, body] = SAMPLES[name];
  const later = operations.findIndex((each) => ORDER.indexOf(each.phase) > ORDER.indexOf(phase) || each.op === 'exec');
  return { operations: operations.toSpliced(later, 0, step(phase, body, `/samples/${name}`)) };
}

async function failing(name: Name, how: 'error' | 'kill' | 'hang', more: Partial<LaunchOptions> = {}) {
  const dir = rig.shimDir();
  const plan = planWith(name);
  const options = { ...shimOptions(dir), startFifo: rig.fifo(), ...more };
  const error: unknown = await createLauncher({ binary, failpoint: `${name}:${how}` })
    .launch(plan, options)
    .then(
      ({ pid }) => {
        process.kill(pid, 'SIGKILL');
        throw new Error(`${name}:${how}: the launch succeeded`);
      },
      (caught: unknown) => caught,
    );
  return { error: error as Error & { code: string }, failure: (error as Error).cause as LaunchFailure, plan, dir };
}

// A pivot_root that fails is the end of the birth, never a chroot instead.
// @attack A32, A41: attack
// @proves runtime-spec: runtime.md#errors/no-trace
hostTest('an operation that fails is named with the field that asked for it, and leaves nothing', ['linux', 'root'], async () => {
  const before = launchTraces(rig);
  for (const name of NAMES) {
    const { error, failure, plan, dir } = await failing(name, 'error');
    expect(failure, name).toMatchObject({ op: name, call: 'failpoint', errno: 5 });
    expect(error).toMatchObject({ subject: plan.operations[failure.index]?.pointer });
    expect(readdirSync(dir), name).toEqual([]);
    await expect.poll(() => launchTraces(rig), { timeout: 10_000 }).toEqual(before);
  }
});

// @attack A32: attack
hostTest('one that was rehearsed fails as well, and leaves nothing either', ['linux', 'root'], async () => {
  const before = launchTraces(rig);
  const rehearsal = rehearsalOf(standardPlan({ rootfs: rig.rootfs, args: ['true'] }));
  for (const name of NAMES) {
    const prepared = createLauncher({ binary, failpoint: `${name}:error` }).prepare([], rehearsal);
    await expect.poll(() => prepared.standsInGroups, { interval: 5, timeout: 10_000 }).toBe(true);
    const { failure, dir } = await failing(name, 'error', { prepared });
    expect(failure, name).toMatchObject({ op: name, call: 'failpoint', errno: 5 });
    expect(readdirSync(dir), name).toEqual([]);
    await expect.poll(() => launchTraces(rig), { timeout: 10_000 }).toEqual(before);
  }
});

// @attack A32: attack
hostTest('a birth that is killed at any operation leaves nothing', ['linux', 'root'], async () => {
  const before = launchTraces(rig);
  const fds = () => readdirSync('/proc/self/fd').length;
  await failing('exec', 'error');
  const openBefore = fds();
  for (const name of NAMES) {
    const { error } = await failing(name, 'kill');
    expect(error.code, name).toMatch(isHook(name) ? /^E_HOOK$/ : /^E_LAUNCH_(KILLED|CRASHED)$/);
    await expect.poll(() => launchTraces(rig), { timeout: 10_000 }).toEqual(before);
  }
  // Launchers that were killed early may have left one descriptor each, of their sealed copy.
  expect(fds() - openBefore).toBeLessThan(2 * NAMES.length + 5);
});

// Many at a time, as each has to be waited for; the time is long enough for that many births to come to their operation.
// @attack A32: attack
hostTest('a birth that hangs at any operation is over in time, and leaves nothing', ['linux', 'root'], async () => {
  const before = launchTraces(rig);
  for (let first = 0; first < NAMES.length; first += HANGING_AT_ONCE) {
    const names = NAMES.slice(first, first + HANGING_AT_ONCE);
    const ends = await Promise.all(names.map((name) => failing(name, 'hang', { timeoutMs: 1000 })));
    const codes = ends.map(({ error }, at) => [names[at], error.code]);
    expect(codes).toEqual(names.map((name) => [name, isHook(name) ? 'E_HOOK' : 'E_LAUNCH_TIMEOUT']));
    await expect.poll(() => launchTraces(rig), { timeout: 10_000, message: names.join() }).toEqual(before);
  }
});

// @attack A32: control, twin
hostTest('the same birth without a fail point succeeds, and is not ended when its time is over', ['linux', 'root'], async () => {
  const before = launchTraces(rig);
  const dir = rig.shimDir();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['sleep', '5'] });
  await createLauncher({ binary }).launch(plan, { ...shimOptions(dir), timeoutMs: 2000 });

  // The control: what a birth leaves would be seen.
  expect(launchTraces(rig)).not.toEqual(before);
  // Past the time of the launch and of its watchdog, the process still ends by itself.
  await expect.poll(() => findExit(dir), { timeout: 30_000 }).toMatchObject({ exitCode: 0, signal: 0 });
  await expect.poll(() => launchTraces(rig), { timeout: 10_000 }).toEqual(before);
});

/** What the shim wrote of the process's end, once it has. */
function findExit(dir: string): unknown {
  return existsSync(join(dir, ShimFiles.exit)) ? JSON.parse(readFileSync(join(dir, ShimFiles.exit), 'utf8')) : undefined;
}
