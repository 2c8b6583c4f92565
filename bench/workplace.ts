/**
 * What a bench works in: a tmpfs of its own, and programs it runs. All of it is gone afterwards.
 *
 * Knows: mounting, unmounting, cgroups that were made on the way.
 * Does not know: what is measured.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

export class Workplace {
  readonly directory = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  /** cgroup that everything of this bench goes below, relative to ours. */
  readonly cgroup = `slipway-bench-${process.pid}`;

  /** @param size of the tmpfs, as mount(8) takes it */
  constructor(size = '1g') {
    if (inUse.size === 0) for (const signal of ENDING) process.once(signal, onEnding);
    inUse.add(this);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=711`, 'tmpfs', this.directory]);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Once; a second call does nothing. */
  dispose(): void {
    if (!inUse.delete(this)) return;
    if (inUse.size === 0) for (const signal of ENDING) process.removeListener(signal, onEnding);
    execFileSync('umount', ['-l', this.directory]); // with every mount below it
    rmdirSync(this.directory);
    const below = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${this.cgroup}*`];
    for (const path of execFileSync('find', below, { encoding: 'utf8' }).split('\n').filter(Boolean)) {
      execFileSync('rmdir', ['--ignore-fail-on-non-empty', path]);
    }
  }
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const GRACE_MS = 3000;
const inUse = new Set<Workplace>();
const onEnding = (signal: NodeJS.Signals): void => void endEarly(signal);

/** Ctrl-C, or whoever bounds our time: nothing stays, neither what we started nor what is mounted. */
async function endEarly(signal: NodeJS.Signals): Promise<void> {
  process.on('uncaughtException', () => undefined); // the bench fails at what we end, and must not end us
  for (const end of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of childrenOf(process.pid)) killQuietly(pid, end);
    for (const deadline = Date.now() + GRACE_MS; childrenOf(process.pid).length > 0 && Date.now() < deadline; ) await sleep(20);
  }
  for (const { cgroup } of inUse) for (const pid of processesBelow(cgroup)) killQuietly(pid, 'SIGKILL'); // containers outlive their engine
  await sleep(200);
  for (const place of inUse) place.dispose();
  process.exit(128 + constants.signals[signal]);
}

/** Ids of a process's children, none for one that has ended. */
export function childrenOf(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
    return tasks.flatMap((children) => children.split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

function processesBelow(cgroup: string): readonly number[] {
  const lists = ['/sys/fs/cgroup', '-path', `*/${cgroup}/*`, '-name', 'cgroup.procs', '-exec', 'cat', '{}', '+'];
  return [...new Set(execFileSync('find', lists, { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number))];
}

function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** Runs a program to its end; milliseconds from before its start. @throws with what it printed, unless it exits with 0 */
export function timeProgram(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const began = performance.now();
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let message = '';
  child.stderr.on('data', (bytes) => {
    message += String(bytes);
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const tookMs = performance.now() - began;
      if (code === 0) resolve(tookMs);
      // What it printed last arrives after its end; a container that it left behind may hold the pipe for good.
      else setTimeout(() => reject(new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}: ${message.trim()}`)), 100);
      if (code === 0) child.stderr.destroy();
    });
  });
  return ended;
}

/** Ends a process that we started and waits for its end. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
