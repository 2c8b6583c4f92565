/**
 * The engine as a user starts it: slipwayd in a login session, driven through bin/docker.
 *
 * Knows: which control files show that an order was obeyed. Does not know: how the engine does it.
 */
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { CHECKOUT, check, control, type Outcome, run, until } from './report.ts';

const BASE = '/var/tmp/engine';
const SOCKET = '/run/check-docker.sock';
/** The daemon keeps one launcher ready. */
const SPARE = 'waits for the next container';
const LOG = '/run/check-slipwayd.log';
/** Beside the session's own group: a relative path starts at its parent on v2. */
const GROUPS = '/sys/fs/cgroup/user.slice/user-0.slice/slipway';

export async function checkDocker(): Promise<void> {
  const daemon = startDaemon();
  const mounts = mountCount();
  try {
    await check('slipwayd comes up, and docker load brings an image', async () => {
      await until('the socket', () => existsSync(SOCKET));
      await good('load', '-i', `${CHECKOUT}/.slipway/images/busybox.tar`);
    });
    await checkLimits();
    await checkEnds();
    await check('after docker rm nothing is left: no group, mount or process of a container', async () => {
      equal(await good('ps', '-aq'), '');
      deepEqual(existsSync(GROUPS) ? readdirSync(GROUPS, { withFileTypes: true }).filter((each) => each.isDirectory()) : [], []);
      equal(mountCount(), mounts);
      deepEqual(
        (await leftProcesses()).filter((line) => !line.trimEnd().endsWith(SPARE)), // a launcher and its cradle
        [],
      );
    });
    await check('a device node may be made and not be opened; a privileged container opens it', async () => {
      const line = 'mknod /dev/disk b 254 0 && echo made; head -c 1 /dev/disk >/dev/null && echo opened; head -c 1 /dev/zero | wc -c';
      const { stdout, stderr } = await docker('run', '--rm', 'busybox', 'sh', '-c', line);
      deepEqual([stdout.split('\n'), /Operation not permitted/.test(stderr)], [['made', '1'], true]);
      deepEqual((await good('run', '--rm', '--privileged', 'busybox', 'sh', '-c', line)).split('\n'), ['made', 'opened', '1']);
    });
    await check('the daemon’s log has no warning about devices', () => doesNotMatch(readFileSync(LOG, 'utf8'), /device/));
  } finally {
    await stop(daemon);
  }
  await check('with the daemon its spare launcher ends', () => until('no process', async () => (await leftProcesses()).length === 0));
}

async function checkLimits(): Promise<void> {
  await check('docker run -m 64m --cpus 0.5 --pids-limit 20 writes memory.max, cpu.max and pids.max', async () => {
    const id = await good('run', '-d', '--name', 'limited', '-m', '64m', '--cpus', '0.5', '--pids-limit', '20', 'busybox', 'sleep', '1000');
    const group = `${GROUPS}/${id}`;
    deepEqual([control(group, 'memory.max'), control(group, 'cpu.max'), control(group, 'pids.max')], ['67108864', '50000 100000', '20']);
    equal(control(group, 'cgroup.procs'), await good('inspect', '-f', '{{.State.Pid}}', 'limited'));
  });
  await check('inside, the container sees its own group as the top', async () => {
    deepEqual((await good('exec', 'limited', 'cat', '/proc/self/cgroup', '/sys/fs/cgroup/memory.max')).split('\n'), ['0::/', '67108864']);
  });
  await check('a process that enters with exec counts against the same limits', async () => {
    const { stdout, stderr } = await docker('exec', 'limited', 'sh', '-c', 'for i in $(seq 40); do sleep 5 & done; echo started');
    match(stdout + stderr, /can't fork|Resource temporarily unavailable/);
  });
  await check('pause stops it, exec is refused meanwhile, unpause lets it go on', async () => {
    const group = `${GROUPS}/${await good('inspect', '-f', '{{.Id}}', 'limited')}`;
    await good('pause', 'limited');
    match(control(group, 'cgroup.events'), /frozen 1/);
    match((await docker('exec', 'limited', 'true')).stderr, /paused/);
    await good('unpause', 'limited');
    match(control(group, 'cgroup.events'), /frozen 0/);
    await good('exec', 'limited', 'true');
    await good('rm', '-f', 'limited');
    equal(existsSync(group), false);
  });
}

async function checkEnds(): Promise<void> {
  await check('a container killed for want of memory is OOMKilled with 137', async () => {
    await good('run', '-d', '--name', 'greedy', '-m', '16m', 'busybox', 'tail', '/dev/zero');
    equal(await good('wait', 'greedy'), '137');
    equal(await good('inspect', '-f', '{{.State.OOMKilled}} {{.State.Status}}', 'greedy'), 'true exited');
    await good('rm', 'greedy');
  });
  await check('one that ends by itself is not', async () => {
    equal((await docker('run', '--name', 'modest', '-m', '16m', 'busybox', 'sh', '-c', 'exit 3')).code, 3);
    equal(await good('inspect', '-f', '{{.State.OOMKilled}}', 'modest'), 'false');
    await good('rm', 'modest');
  });
  await check('a fork bomb stays below pids.max, and rm -f ends it', async () => {
    // A shell ends when it may not fork: the one that does is not the first process, which would take the group with it.
    const bomb = '(while :; do sleep 1000 & done); exec sleep 1000';
    const id = await good('run', '-d', '--name', 'bomb', '--pids-limit', '20', 'busybox', 'sh', '-c', bomb);
    const group = `${GROUPS}/${id}`;
    await until('a refused fork', () => /^max [1-9]/m.test(control(group, 'pids.events')));
    ok(Number(control(group, 'pids.current')) <= 20);
    await good('rm', '-f', 'bomb');
    equal(existsSync(group), false);
  });
}

function startDaemon(): ChildProcess {
  for (const name of ['root', 'state']) mkdirSync(`${BASE}/${name}`, { recursive: true });
  const log = openSync(LOG, 'w');
  const flags = ['--root', `${BASE}/root`, '--state', `${BASE}/state`, '--docker-socket', SOCKET];
  return spawn(`${CHECKOUT}/bin/slipwayd`, flags, { stdio: ['ignore', log, log] });
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null) return;
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill('SIGTERM');
  await ended;
}

function docker(...args: readonly string[]): Promise<Outcome> {
  return run(`${CHECKOUT}/bin/docker`, '-H', `unix://${SOCKET}`, ...args);
}

/** What it prints. @throws with all that it said when it fails */
async function good(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${stderr}\n${readFileSync(LOG, 'utf8').slice(-1500)}`);
  return stdout;
}

/** Pid and command line of each. */
async function leftProcesses(): Promise<string[]> {
  const { stdout } = await run('pgrep', '-a', '-f', 'slipway-launcher|sleep 1000');
  return stdout.split('\n').filter(Boolean);
}

function mountCount(): number {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length;
}
