import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { EngineError, hasCode, isKind } from '@slipway/errors';
import { delay } from '@slipway/kernel';
import { hostTest } from '@slipway/testing';
import { afterEach, expect } from 'vitest';
import { type Cgroup, detectCgroups, openCgroup, planCgroup } from './index.ts';

const PARENT = `/slipway-test-${process.pid}`;
const opened: Cgroup[] = [];
const children: ChildProcess[] = [];

function open(name: string): Cgroup {
  const group = openCgroup(detectCgroups(), { cgroupsPath: `${PARENT}/${name}`, id: name });
  opened.push(group);
  return group;
}

/** Starts `sh -c script` inside the group, from its first instruction. */
function start(group: Cgroup, script: string): ChildProcess {
  const joins = group.procsFiles().map((file) => `echo $$ > ${file}`);
  const child = spawn('/bin/sh', ['-c', [...joins, script].join('\n')], { stdio: 'ignore' });
  children.push(child);
  return child;
}

async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !condition(); await delay(5)) {
    if (performance.now() > end) throw new Error('condition not reached in time');
  }
}

function stateOf(pid: number | undefined): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .slice(0, 1);
}

afterEach(async () => {
  for (const group of opened.splice(0)) {
    await group.kill();
    await group.remove();
  }
  children.splice(0);
  const parent = openCgroup(detectCgroups(), { cgroupsPath: PARENT, id: 'x' });
  await parent.remove();
  expect(Object.values(parent.directories).filter((path) => existsSync(path))).toEqual([]);
});

hostTest('limits arrive in the kernel and are read back as numbers', ['root', 'linux'], async () => {
  const host = detectCgroups();
  const group = open('limits');
  const plan = planCgroup(
    { memory: { limit: 67_108_864, swap: 134_217_728 }, cpu: { shares: 512, quota: 50_000, period: 100_000 }, pids: { limit: 32 } },
    host,
  );
  group.create(plan);
  group.apply(plan);

  expect(group.stats()).toMatchObject({ memoryLimitBytes: 67_108_864, cpuQuota: 0.5, pidsLimit: 32, pids: 0 });
});

hostTest('a memory limit can be raised above, and lowered below, what memory plus swap was', ['root', 'linux'], async () => {
  const host = detectCgroups();
  const group = open('update');
  group.create();
  for (const limit of [64, 256, 32]) {
    group.apply(planCgroup({ memory: { limit: limit << 20, swap: limit << 20 } }, host));
    expect(group.stats().memoryLimitBytes).toBe(limit << 20);
  }
  group.apply(planCgroup({ memory: { limit: -1 } }, host));
  expect(group.stats().memoryLimitBytes).toBeUndefined();
});

hostTest('a limit that the kernel refuses is an error that names the field', ['root', 'linux'], async () => {
  const group = open('refused');
  group.create();
  const refused = () => group.apply(planCgroup({ cpu: { cpus: '4000-4001' } }, detectCgroups()));

  expect(refused).toThrow(EngineError);
  expect(refused).toThrow(expect.objectContaining({ code: 'E_CGROUP_VALUE', subject: '/linux/resources/cpu/cpus' }));
});

hostTest('a forking group is killed whole, and the directories go', ['root', 'linux'], async () => {
  const group = open('forks');
  group.create();
  group.apply(planCgroup({ pids: { limit: 200 } }, detectCgroups()));
  start(group, 'while :; do sleep 0.01 & sleep 0.001; done');
  await until(() => group.pids().length > 5);

  await group.kill();
  expect(group.pids()).toEqual([]);
  await group.remove();
  expect(Object.values(group.directories).some((path) => existsSync(path))).toBe(false);
});

hostTest('freezing stops processes, thawing lets them go on, and a frozen group can be killed', ['root', 'linux'], async () => {
  const group = open('freeze');
  group.create();
  const child = start(group, 'while :; do :; done');
  await until(() => group.pids().length === 1 && (group.stats().cpuUsageUs ?? 0) > 0);

  await group.freeze();
  expect(group.isFrozen()).toBe(true);
  const before = group.stats().cpuUsageUs;
  await delay(60);
  expect(group.stats().cpuUsageUs).toBe(before);

  group.thaw();
  expect(group.isFrozen()).toBe(false);
  await until(() => (group.stats().cpuUsageUs ?? 0) > (before ?? 0));

  await group.freeze();
  await group.kill();
  await until(() => child.exitCode !== null || child.signalCode !== null);
  expect(child.signalCode).toBe('SIGKILL');
});

hostTest('a signal reaches every process of the group, and only those', ['root', 'linux'], async () => {
  const group = open('signal');
  group.create();
  start(group, 'sleep 60 & sleep 60 & wait');
  const outside = spawn('sleep', ['60'], { stdio: 'ignore' });
  await until(() => group.pids().length === 3);

  expect(await group.signal(15)).toBe(3);
  await until(() => group.pids().length === 0);
  expect(stateOf(outside.pid)).toBe('S');
  outside.kill();
});

// @proves runtime-spec: config-linux.md#control-groups/unfit
hostTest('a group that already holds processes is refused, and nothing is left of the attempt', ['root', 'linux'], async () => {
  const group = open('taken');
  group.create();
  start(group, 'exec sleep 60');
  await until(() => group.pids().length === 1);

  expect(() => openCgroup(detectCgroups(), { cgroupsPath: `${PARENT}/taken`, id: 'y' }).create()).toThrow(
    expect.objectContaining({ kind: 'failed-precondition', code: 'E_CGROUP_IN_USE' }),
  );
  expect(group.pids()).toHaveLength(1);
});

// @proves runtime-spec: config-linux.md#cgroup-ownership/fallback config-linux.md#cgroup-ownership/no-others
// @proves runtime-spec: config-linux.md#cgroup-ownership/missing-files
hostTest('a delegated group can be divided by its new owner', ['root', 'linux'], async () => {
  const group = open('delegated');
  group.create();
  group.delegate(123_456, 123_456);

  for (const directory of Object.values(group.directories)) {
    expect(statSync(directory).uid).toBe(123_456);
    expect(statSync(`${directory}/cgroup.procs`).uid).toBe(123_456);
  }
  const memory = group.directories['memory'] ?? group.directories['unified'];
  expect(statSync(`${memory}/${existsSync(`${memory}/memory.max`) ? 'memory.max' : 'memory.limit_in_bytes'}`).uid).toBe(0);
});

hostTest('removal takes groups made below, and waits for a dying process', ['root', 'linux'], async () => {
  const group = open('nested');
  group.create();
  const inner = openCgroup(detectCgroups(), { cgroupsPath: `${PARENT}/nested/inner/deeper`, id: 'z' });
  inner.create();
  const child = start(inner, 'exec sleep 60');
  await until(() => group.pids().length === 1);

  expect(group.pids()).toEqual([child.pid]);
  const removal = group.remove();
  await delay(20);
  child.kill('SIGKILL');
  await removal;
  expect(Object.values(inner.directories).some((path) => existsSync(path))).toBe(false);
});

hostTest('a group that somebody froze below it does not outlast the kill', ['root', 'linux'], async () => {
  const group = open('froze');
  group.create();
  const child = start(group, 'exec sleep 300');
  const freezers = Object.values(group.directories).filter((path) =>
    ['freezer.state', 'cgroup.freeze'].some((file) => existsSync(`${path}/${file}`)),
  );
  await until(() => group.pids().includes(child.pid ?? 0));
  for (const directory of freezers) {
    mkdirSync(`${directory}/icebox`);
    writeFileSync(`${directory}/icebox/cgroup.procs`, String(child.pid));
    const [file, word] = existsSync(`${directory}/freezer.state`) ? ['freezer.state', 'FROZEN'] : ['cgroup.freeze', '1'];
    writeFileSync(`${directory}/icebox/${file}`, word);
  }
  expect(freezers.length).toBeGreaterThan(0);
  await group.kill();
  expect(group.pids()).toEqual([]);
});

hostTest('a process over its memory limit is killed and counted', ['root', 'linux'], async () => {
  const group = open('oom');
  const plan = planCgroup({ memory: { limit: 8 << 20, swap: 8 << 20 } }, detectCgroups());
  group.create(plan);
  group.apply(plan);
  const child = start(group, 'exec tail /dev/zero');
  await until(() => child.exitCode !== null || child.signalCode !== null, 20_000);

  expect(group.stats().oomKills).toBeGreaterThan(0);
});

// @attack A23: attack
hostTest('a path that climbs out, or a whole hierarchy, is refused before anything is made', ['root', 'linux'], async () => {
  for (const cgroupsPath of ['/a/../../x', '../x', '/', '/.', '/a\nb', `/${'x'.repeat(300)}`, '/cgroup.procs']) {
    let error: unknown;
    try {
      openCgroup(detectCgroups(), { cgroupsPath, id: 'z' });
    } catch (caught) {
      error = caught;
    }
    expect(isKind(error, 'invalid-argument') && hasCode(error, 'E_CGROUP_PATH'), cgroupsPath).toBe(true);
  }
});

hostTest('two hundred groups made and removed leave the counts as they were', ['root', 'linux'], async () => {
  const host = detectCgroups();
  const plan = planCgroup({ memory: { limit: 64 << 20 }, pids: { limit: 8 } }, host);
  const parent = openCgroup(host, { cgroupsPath: PARENT, id: 'x' });
  parent.create();
  // Only our own corner: others may make groups on this host at the same time.
  const count = () => Object.values(parent.directories).map((directory) => readdirSync(directory).length);
  const before = count();
  for (let index = 0; index < 200; index++) {
    const group = openCgroup(host, { cgroupsPath: `${PARENT}/cycle`, id: 'x' });
    group.create(plan);
    group.apply(plan);
    await group.remove();
  }
  expect(count()).toEqual(before);
});

// @attack A25: control
hostTest('another program changing a limit is noticed when it is read back', ['root', 'linux'], async () => {
  const host = detectCgroups();
  const group = open('readback');
  group.create();
  const plan = planCgroup({ pids: { limit: 10 } }, host);
  const directory = group.directories['pids'] ?? group.directories['unified'];
  const meddling = {
    ...host.files,
    write: (path: string, text: string) => {
      host.files.write(path, text);
      if (path.endsWith('pids.max')) writeFileSync(`${directory}/pids.max`, '99');
    },
  };
  const watched = openCgroup({ ...host, files: meddling }, { cgroupsPath: `${PARENT}/readback`, id: 'x' });

  expect(() => watched.apply(plan)).toThrow(expect.objectContaining({ code: 'E_CGROUP_READ_BACK' }));
});
