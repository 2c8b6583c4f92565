/**
 * Runs the engine and the command lines once, so that Node's compile cache (bin/lib/launch.sh) knows their sources: lab machines read
 * that cache and cannot add to it, and nobody's first command has to wait for a compiler.
 *
 *     node scripts/warm-compile-cache.mjs      (root; needs the launcher and the busybox image)
 *
 * Knows: commands that between them load every module a learner's first minutes need.
 * Does not know: what a cache entry is. An entry that has become stale is compiled anew and does no harm.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, STATE_DIR } from './bootstrap/paths.mjs';

const READY_MS = 20_000;

/** `runc run` of busybox's `true`. */
function runABundle() {
  const runc = (...args) => execFileSync(`${ROOT}/bin/runc`, ['--root', `${work}/runc`, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  mkdirSync(`${work}/bundle/rootfs/bin`, { recursive: true });
  copyFileSync('/bin/busybox', `${work}/bundle/rootfs/bin/true`);
  execFileSync(`${ROOT}/bin/runc`, ['spec', '--bundle', `${work}/bundle`], { env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' } });
  const path = `${work}/bundle/config.json`;
  const spec = JSON.parse(readFileSync(path, 'utf8'));
  spec.process = { ...spec.process, terminal: false, args: ['true'] };
  spec.linux.cgroupsPath = `${cgroup}/bundle`;
  writeFileSync(path, JSON.stringify(spec));
  runc('run', '--bundle', `${work}/bundle`, 'warm');
}

const work = mkdtempSync(`${tmpdir()}/slipway-warm-`);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=711', 'tmpfs', work]);
const cgroup = `slipway-warm-${process.pid}`;
const socket = `${work}/docker.sock`;
const flags = ['--root', `${work}/root`, '--state', `${work}/state`, '--docker-socket', socket, '--cgroup-parent', cgroup];
const daemon = spawn(`${ROOT}/bin/slipwayd`, [...flags, '--journal-file', `${work}/journal`, '--log-level', 'error'], { stdio: 'inherit' });
const ended = new Promise((resolve) => daemon.once('exit', resolve));
try {
  for (const deadline = Date.now() + READY_MS; !existsSync(socket); await sleep(50)) {
    if (daemon.exitCode !== null || Date.now() > deadline) throw new Error('slipwayd did not come up');
  }
  const dockerIn = (env, ...args) =>
    execFileSync(`${ROOT}/bin/docker`, args, {
      env: { ...process.env, ...env, DOCKER_HOST: `unix://${socket}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const docker = (...args) => dockerIn({}, ...args);
  // A bundle's entry is written once, by the first command that ends: it should be the one whose start is felt most.
  dockerIn({ NODE_DISABLE_COMPILE_CACHE: '1' }, 'load', '-i', `${STATE_DIR}/images/busybox.tar`);
  docker('run', '--rm', 'busybox', 'true');
  runABundle();
  docker('run', '-d', '--name', 'warm', '--memory', '64m', 'busybox', 'sleep', '100');
  docker('exec', 'warm', 'true');
  for (const args of [
    ['version'],
    ['info'],
    ['ps', '-a'],
    ['images'],
    ['inspect', 'warm'],
    ['logs', 'warm'],
    ['rm', '-f', 'warm'],
    ['--help'],
  ])
    docker(...args);
  for (const args of [['--version'], ['features'], ['list'], ['--help']])
    execFileSync(`${ROOT}/bin/runc`, ['--root', `${work}/runc`, ...args]);
  execFileSync(`${ROOT}/bin/slipway`, ['--help']);
} finally {
  // Node writes what it compiled when a program ends by itself.
  daemon.kill('SIGTERM');
  await ended;
  execFileSync('umount', ['-l', work]);
  rmSync(work, { recursive: true, force: true });
  // Groups of others may go while it looks; that makes find fail, and is none of our business.
  spawnSync('find', [
    '/sys/fs/cgroup',
    '-depth',
    '-type',
    'd',
    '-path',
    `*/${cgroup}*`,
    '-exec',
    'rmdir',
    '--ignore-fail-on-non-empty',
    '{}',
    ';',
  ]);
}
