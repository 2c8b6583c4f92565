/** Births in what a cradle made before their plan was known: the same container, sooner; and those that it does not suit. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { LaunchFailure, LaunchOptions, PreparedLauncher } from './launcher.ts';
import { createLauncher } from './native-launcher.ts';
import type { MountOperation, Operation, OperationRecord, Plan } from './operations.ts';
import { rehearsalOf } from './rehearsal.ts';
import { type Born, born, TestGroups, until } from './testing/births.ts';
import { buildNative, makeRig, type Rig, standardPlan, step } from './testing/rig.ts';

const launcher = createLauncher();
let groups: TestGroups;
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
  groups = new TestGroups('slipway-rehearsal-test');
});
afterEach(() => groups.empty());
afterAll(() => {
  groups[Symbol.dispose]();
  rig[Symbol.dispose]();
});

const LOOK = [
  'cut -d " " -f 4- /proc/self/mountinfo | sort', // which lists mounts in the order in which they were made
  'cat /proc/self/cgroup /sys/fs/cgroup/*/cgroup.procs',
  'ls -l /dev /dev/pts /dev/shm',
  'ip addr',
  'echo $$; hostname',
].join('; ');

function mount(destination: string, fsType: string, data: readonly string[] = [], more: Partial<MountOperation> = {}): Operation {
  const attributes = { noSuid: true, noExec: true, noDev: true };
  return step(
    'mounts',
    { op: 'mount', destination, fsType, source: fsType, attributes, data, refuseSymlinks: false, ...more },
    destination,
  );
}

/** A usual container that looks around; with its own cgroup namespace and its groups' hierarchies. */
function usualPlan(script = LOOK): Plan {
  const { operations } = standardPlan({
    rootfs: rig.rootfs,
    args: ['sh', '-c', script],
    identity: [
      step('identity', { op: 'joinCgroup', procsFiles: groups.procsFiles }),
      step('identity', { op: 'unshare', namespaces: ['cgroup'] }),
    ],
    mounts: [
      mount('/sys/fs/cgroup', 'tmpfs', ['mode=755']),
      ...['pids', 'freezer'].map((name) => mount(`/sys/fs/cgroup/${name}`, 'cgroup', [name], { refuseSymlinks: true })),
    ],
    awaitStart: true,
  });
  return {
    operations: operations.map((each) =>
      each.op === 'clone' ? { ...each, namespaces: each.namespaces.filter((kind) => kind !== 'cgroup') } : each,
    ),
  };
}

async function rehearsed(plan = usualPlan()): Promise<PreparedLauncher> {
  const prepared = launcher.prepare(groups.procsFiles, rehearsalOf(plan));
  await until('cradle', () => prepared.standsInGroups);
  return prepared;
}

async function bornAfterRehearsal(plan: Plan, more: Partial<LaunchOptions> = {}): Promise<Born> {
  return born({ launcher, rig, groups, prepared: await rehearsed(), plan, more });
}

/** What was done ahead. */
function aheadOf({ records }: { readonly records: readonly OperationRecord[] }, { operations }: Plan): string[] {
  return records.flatMap(({ index, ahead }) => (ahead === undefined ? [] : [nameOf(operations[index])]));
}

function nameOf(operation: Operation | undefined): string {
  if (operation === undefined) throw new Error('a record of no operation');
  if ('destination' in operation) return `${operation.op} ${operation.destination}`;
  return operation.op === 'device' || operation.op === 'symlink' ? `${operation.op} ${operation.path}` : operation.op;
}

const isInDev = (name: string) => name.includes(' /dev');

hostTest('a container born in what was rehearsed is the one that it would have been', ['linux', 'root'], async () => {
  const plan = usualPlan();
  const usual = await born({ launcher, rig, groups, prepared: launcher.prepare([]), plan });
  const ahead = await bornAfterRehearsal(plan);

  expect(ahead.stdout.replaceAll(/\d\d:\d\d/g, 'TIME')).toBe(usual.stdout.replaceAll(/\d\d:\d\d/g, 'TIME'));
  expect(ahead.stdout).toMatch(/LOOPBACK,UP/);
  expect(ahead.stdout).not.toMatch(/slipway-rehearsal-test/);
  expect({ members: ahead.members, parent: ahead.parent, exitCode: ahead.exitCode, descriptors: ahead.descriptors }).toEqual({
    members: groups.paths.map(() => [ahead.pid]),
    parent: ahead.shimPid,
    exitCode: 0,
    descriptors: usual.descriptors + 2, // what masks are made of, of which this plan has none
  });
  expect(aheadOf(usual, plan)).toEqual([]);
  const later = ['openRoot', 'joinCgroup', 'mount /proc'];
  const inside = plan.operations.filter(({ op }) => ['clone', 'mount', 'device', 'symlink', 'loopbackUp'].includes(op)).map(nameOf);
  expect(aheadOf(ahead, plan)).toEqual(inside.filter((name) => !later.includes(name)));
});

hostTest('what was made ahead was made before, and belongs to this container alone', ['linux', 'root'], async () => {
  const plan = usualPlan('for each in mnt net ipc uts cgroup pid; do readlink /proc/self/ns/$each; done');
  const [one, other] = [await bornAfterRehearsal(plan), await bornAfterRehearsal(plan)];
  const namespaces = [one, other].map(({ stdout }) => stdout.trim().split('\n'));
  const host = ['mnt', 'net', 'ipc', 'uts', 'cgroup', 'pid'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));

  expect(namespaces.map(({ length }) => length)).toEqual([6, 6]);
  for (const each of namespaces) expect(each.filter((name) => host.includes(name))).toEqual([]);
  for (const { startMs, ahead } of one.records.filter(({ ahead }) => ahead !== undefined)) {
    expect(ahead?.startMs).toBeLessThanOrEqual(ahead?.endMs ?? 0);
    expect(ahead?.endMs).toBeLessThan(startMs);
  }
});

hostTest('groups that are renamed after the rehearsal are the container’s own', ['linux', 'root'], async () => {
  const prepared = await rehearsed();
  const renamed = groups.paths.map((path) => `${path}-renamed`);
  for (const [i, path] of groups.paths.entries()) renameSync(path, renamed[i] ?? '');
  try {
    const plan = usualPlan('cat /proc/self/cgroup /sys/fs/cgroup/*/cgroup.procs; grep cgroup /proc/self/mountinfo | cut -d " " -f 4');
    const moved: TestGroups = Object.assign(Object.create(groups), { procsFiles: renamed.map((path) => `${path}/cgroup.procs`) });
    const { stdout, members, pid } = await born({ launcher, rig, groups: moved, prepared, plan });
    expect(members).toEqual(groups.paths.map(() => [pid]));
    expect(stdout).toMatch(/:pids:\/\n[\s\S]*\n1\n/);
    expect(stdout).not.toMatch(/renamed/);
    await until('an end', () => moved.members().every(({ length }) => length === 0));
  } finally {
    for (const [i, path] of groups.paths.entries()) renameSync(renamed[i] ?? '', path);
  }
});

hostTest('a waiting cradle keeps no file system of the host in use', ['linux', 'root'], async () => {
  const place = join(rig.dir, 'held');
  mkdirSync(place);
  execFileSync('mount', ['-t', 'tmpfs', 'held', place]);
  const prepared = await rehearsed();
  const seen = readFileSync(`/proc/${groups.members()[0]?.[0]}/mountinfo`, 'utf8').trim().split('\n');
  execFileSync('umount', [place]);
  await prepared.discard();

  expect(seen.map((line) => line.split(' ')[4])).toEqual(expect.arrayContaining(['/', '/dev', '/dev/pts', '/sys']));
  const types = new Set(seen.map((line) => line.split(' - ')[1]?.split(' ')[0]));
  expect([...types].sort()).toEqual(['cgroup', 'devpts', 'mqueue', 'sysfs', 'tmpfs']);
  expect(seen.join()).not.toMatch(/held|launcher-test/);
});

/** Plans that agree with the rehearsed one except on what is in one mount, and what the container shows of it. */
const VARIANTS: Readonly<Record<string, { readonly change: (all: readonly Operation[]) => readonly Operation[]; readonly seen: RegExp }>> =
  {
    'something comes in between': {
      change: (all) => all.flatMap((each) => (nameOf(each) === 'device /dev/null' ? [mount('/dev/extra', 'tmpfs'), each] : [each])),
      seen: /\/dev\/mqueue [\s\S]*\/dev\/extra /,
    },
    'one thing less is wanted': {
      change: (all) => all.filter((each) => nameOf(each) !== 'mount /dev/shm'),
      seen: /^(?![\s\S]*\/dev\/shm)/,
    },
  };

hostTest('a mount with anything else in it than was rehearsed is made anew, with all that is in it', ['linux', 'root'], async () => {
  for (const [name, { change, seen }] of Object.entries(VARIANTS)) {
    const plan = { operations: change(usualPlan('mount').operations) };
    const birth = await bornAfterRehearsal(plan);
    expect(birth.exitCode, name).toBe(0);
    expect(birth.stdout, name).toMatch(seen);
    expect(aheadOf(birth, plan).filter(isInDev), name).toEqual([]);
  }
});

hostTest('a mount that was rehearsed does not go through a link of the image, with what was made in it', ['linux', 'root'], async () => {
  symlinkSync('tmp', join(rig.rootfs, 'data'));
  const within = (all: readonly Operation[]) => insert(mount('/data/in', 'tmpfs'))(insert(mount('/data', 'tmpfs'))(all));
  const rehearsal = { operations: within(usualPlan().operations) };
  const plan = { operations: within(usualPlan('mount').operations) };
  const birth = await born({ launcher, rig, groups, prepared: await rehearsed(rehearsal), plan });

  expect(birth.stdout).toMatch(/ \/tmp type tmpfs[\s\S]* \/tmp\/in type tmpfs/);
  expect(aheadOf(birth, plan).filter((name) => name.includes('/data'))).toEqual([]);
  expect(aheadOf(birth, plan)).toContain('mount /dev');
});

hostTest('a file system other than the rehearsed one is made as it is asked for', ['linux', 'root'], async () => {
  const { operations } = usualPlan('mount | grep shm');
  const plan = {
    operations: operations.map((each) =>
      each.op === 'mount' && each.destination === '/dev/shm' ? { ...each, data: ['size=128k'] } : each,
    ),
  };
  const birth = await bornAfterRehearsal(plan);

  expect(birth.stdout).toMatch(/size=128k/);
  expect(aheadOf(birth, plan).filter(isInDev)).toEqual([]);
  expect(aheadOf(birth, plan)).toContain('mount /sys/fs/cgroup/pids');
});

hostTest('a root of layers is looked for in the host’s mounts, and a fault of it is its own', ['linux', 'root'], async () => {
  const layers = join(rig.dir, 'layers');
  for (const name of ['upper', 'work']) mkdirSync(join(layers, name), { recursive: true });
  const planOn = (lower: string): Plan => {
    const data = [`lowerdir=${lower}`, `upperdir=${layers}/upper`, `workdir=${layers}/work`];
    const root = mount('/', 'overlay', data, { attributes: {} });
    return { operations: usualPlan('touch /new').operations.map((each) => (each.op === 'bindRoot' ? root : each)) };
  };
  const birth = await bornAfterRehearsal(planOn(rig.rootfs));
  expect({ code: birth.exitCode, first: aheadOf(birth, planOn('')).slice(0, 2) }).toEqual({
    code: 0,
    first: ['clone', 'mount /'],
  });
  expect(readFileSync(join(layers, 'upper/new'), 'utf8')).toBe('');

  const broken = planOn('/no/such/layer');
  const failure = await bornAfterRehearsal(broken).catch((error: Error) => error.cause as LaunchFailure);
  expect(failure).toMatchObject({ op: 'mount', index: broken.operations.findIndex(({ op }) => op === 'mount') });
});

/** Plans that want something else than what was rehearsed, each with what is to be seen of it. */
const OTHERS: Readonly<
  Record<string, () => { readonly change: (plan: readonly Operation[]) => readonly Operation[]; readonly more?: Partial<LaunchOptions> }>
> = {
  'the host’s network': () => ({
    change: (all) =>
      all.flatMap((each) => {
        if (each.op === 'loopbackUp' || (each.op === 'mount' && each.fsType === 'sysfs')) return [];
        return [each.op === 'clone' ? { ...each, namespaces: each.namespaces.filter((kind) => kind !== 'network') } : each];
      }),
  }),
  'our cgroup namespace': () => ({ change: (all) => all.filter(({ op }) => op !== 'unshare') }),
  'an interface that stays down': () => ({ change: (all) => all.filter(({ op }) => op !== 'loopbackUp') }),
  'a breakpoint': () => ({ change: (all) => all, more: { breakpoints: [5], onStop: async () => 'continue' } }),
  'a namespace that is there': () => ({
    change: (all) => [
      step('prepare', { op: 'openNamespace', slot: 0, kind: 'uts', hostPath: '/proc/self/ns/uts' }),
      ...all.flatMap((each) => {
        if (each.op === 'hostname') return [];
        if (each.op === 'newSession') return [step('mounts', { op: 'joinNamespace', slot: 0, kind: 'uts' }), each];
        return [each.op === 'clone' ? { ...each, namespaces: each.namespaces.filter((kind) => kind !== 'uts') } : each];
      }),
    ],
  }),
  'a hook inside': () => ({ change: insert(step('hooks', { op: 'containerHook', hook: HOOK, state: ['', ''] })) }),
  'a hook outside': () => ({ change: insert(step('hooks', { op: 'runtimeHook', hook: HOOK })), more: { onHook: async () => undefined } }),
  'a root at its path': () => ({ change: (all) => all.map((each) => (each.op === 'bindRoot' ? { ...each, hostPath: rig.rootfs } : each)) }),
  'a file system with paths of the host': () => ({
    change: insert(mount('/tmp', 'overlay', [`lowerdir=${rig.rootfs}/bin:${rig.rootfs}/etc`])),
  }),
};
const HOOK = { path: '/bin/true', args: ['true'], env: [], timeoutMs: 0 };

function insert(more: Operation): (all: readonly Operation[]) => readonly Operation[] {
  return (all) => all.flatMap((each) => (each.op === 'pivotRoot' ? [more, each] : [each]));
}

hostTest('a plan that wants something else gets it, and is born in its groups as ever', ['linux', 'root'], async () => {
  for (const [name, other] of Object.entries(OTHERS)) {
    const { change, more = {} } = other();
    const plan = { operations: change(usualPlan('readlink /proc/self/ns/net; cat /proc/self/cgroup').operations) };
    const birth = await bornAfterRehearsal(plan, more);
    expect({ name, ahead: aheadOf(birth, plan), code: birth.exitCode, members: birth.members }).toEqual({
      name,
      ahead: [],
      code: 0,
      members: groups.paths.map(() => [birth.pid]),
    });
    expect(birth.stdout.startsWith(readlinkSync('/proc/self/ns/net')), name).toBe(name === 'the host’s network');
    expect(/:pids:\/\n/.test(birth.stdout), name).toBe(name !== 'our cgroup namespace');
  }
});

hostTest('a cradle that was killed, or whose groups are full, takes what it made with it', ['linux', 'root'], async () => {
  const limit = `${groups.paths.find((group) => group.includes('/pids/'))}/pids.max`;
  const plan = usualPlan('exit 0'); // which needs no second process
  const faults = {
    killed: () => void process.kill(groups.members()[0]?.[0] ?? 0, 'SIGKILL'),
    full: () => writeFileSync(limit, '1'),
  };
  for (const [name, happen] of Object.entries(faults)) {
    const prepared = await rehearsed();
    happen();
    try {
      const birth = await born({ launcher, rig, groups, prepared, plan });
      expect({ name, code: birth.exitCode, ahead: aheadOf(birth, plan) }).toEqual({ name, code: 0, ahead: [] });
    } finally {
      writeFileSync(limit, 'max');
    }
  }
});

hostTest('a starter that is killed leaves no cradle, no namespaces and no launcher', ['linux', 'root'], async () => {
  const script = `
    import { createLauncher } from ${JSON.stringify(import.meta.resolve('./native-launcher.ts'))};
    createLauncher().prepare(${JSON.stringify(groups.procsFiles)}, ${JSON.stringify(rehearsalOf(usualPlan()))});
    setInterval(() => undefined, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  await until('cradle', () => (groups.members()[0] ?? []).length === 1);
  starter.kill('SIGKILL');
  await groups.empty();
});
