/**
 * A place for a foreign engine and its daemons: everything it writes is below one directory, and goes with it.
 *
 * Knows: where set-up unpacked the engines' packages, how they are called, and how every trace of them is found and ended.
 * Does not know: any engine.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, eventually } from './test-runtime.ts';

const CHECKOUT = fileURLToPath(new URL('../../../../../', import.meta.url));
const PEERS = `${CHECKOUT}.slipway/peers`;
/** An image that set-up makes. */
export const BUSYBOX_ARCHIVE = `${CHECKOUT}.slipway/images/busybox.tar`;
const RUNTIME = `${CHECKOUT}bin/runc`;
const READY_MS = 60_000;

export class PeerPlace {
  readonly dir = mkdtempSync(join(tmpdir(), 'slipway-drop-in-'));
  /** Unique on this host; namespace, cgroup and so on are called by it. */
  readonly name = `slipway-drop-in-${process.pid}-${Date.now().toString(36)}`;
  /** Our runtime, and a note of each call of it. */
  readonly runtime: string;
  readonly #daemons: ChildProcess[] = [];

  constructor() {
    for (const path of [`${PEERS}/docker/usr/bin/containerd`, `${PEERS}/podman/usr/bin/podman`, BUSYBOX_ARCHIVE])
      if (!existsSync(path)) throw new Error(`${path} is missing: \`npm test\` fetches it`);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=711', 'tmpfs', this.dir]);
    this.runtime = this.path('runtime');
    writeFileSync(this.runtime, `#!/bin/sh\necho "$*" >> ${this.path('calls')}\nexec ${RUNTIME} "$@"\n`);
    chmodSync(this.runtime, 0o755);
    mkdirSync(this.path('home'));
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string): string {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** Where a package's program was unpacked. */
  static program(name: 'containerd' | 'ctr' | 'docker' | 'dockerd' | 'podman' | 'buildah' | 'conmon'): string {
    const places = [`${PEERS}/docker/usr/bin`, `${PEERS}/docker/usr/sbin`, `${PEERS}/podman/usr/bin`];
    const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
    if (found === undefined) throw new Error(`${name} is not unpacked: \`npm test\` fetches it`);
    return found;
  }

  env(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    const path = `${PEERS}/docker/usr/bin:${PEERS}/docker/usr/sbin:${PEERS}/podman/usr/bin:${process.env['PATH']}`;
    return { PATH: path, HOME: this.path('home'), TMPDIR: this.dir, TERM: 'xterm', ...more };
  }

  /** Starts a daemon and waits for its socket. @throws with the end of its log */
  async daemon(program: string, args: readonly string[], socket: string): Promise<void> {
    const log = openSync(this.path('daemon.log'), 'a');
    const child = spawn(program, args, { env: this.env(), cwd: this.dir, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#daemons.push(child);
    await eventually(() => {
      if (child.exitCode === null) return existsSync(socket);
      throw new Error(`${program} ended: ${readFileSync(this.path('daemon.log'), 'utf8').slice(-2000)}`);
    }, READY_MS);
  }

  /** Runs a program to its end. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const [program = '', ...rest] = args;
    const child = spawn(program, rest, { env: this.env(env), cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    child.stdout.on('data', (bytes) => {
      text.stdout += String(bytes);
    });
    child.stderr.on('data', (bytes) => {
      text.stderr += String(bytes);
    });
    const code = await new Promise<number>((resolve, reject) => child.once('error', reject).once('close', (exit) => resolve(exit ?? 255)));
    return { code, ...text };
  }

  /** @throws with its words when it fails */
  async must(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, env);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs a program on a terminal of 30×90; once it has said `ready`, `line` is typed. */
  async onTerminal(line: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const command = `stty rows 30 cols 90; exec ${args.map((arg) => `'${arg}'`).join(' ')}`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], {
      env: this.env(env),
      cwd: this.dir,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.on('data', (bytes) => {
      if (!stdout.includes('ready') && (stdout + String(bytes)).includes('ready')) child.stdin.write(`${line}\n`);
      stdout += String(bytes);
    });
    const code = await new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? 255)));
    return { code, stdout, stderr: '' };
  }

  /** The command lines our runtime was called with. */
  calls(): readonly string[] {
    return existsSync(this.path('calls')) ? readFileSync(this.path('calls'), 'utf8').trimEnd().split('\n') : [];
  }

  /** Ends the daemons, then whatever still speaks of this place (shims, monitors), and takes everything away. */
  async dispose(): Promise<void> {
    for (const child of this.#daemons.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await eventually(() => {
      const left = this.#processes();
      for (const pid of left) tryKill(pid);
      return left.length === 0;
    }, READY_MS);
    for (const mount of this.#mounts()) execFileSync('umount', ['-l', mount]);
    rmSync(this.dir, { recursive: true, force: true });
    // containerd’s shims keep the runtime’s state there, by namespace, wherever their daemon keeps its own.
    rmSync(`/run/containerd/runc/${this.name}`, { recursive: true, force: true });
    const find = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*${this.name}*`];
    for (const group of execFileSync('find', find, { encoding: 'utf8' }).split('\n').filter(Boolean))
      await eventually(() => tryRmdir(group), READY_MS);
  }

  #processes(): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => textOf(`/proc/${pid}/cmdline`).includes(this.dir))
      .map(Number);
  }

  /** Innermost first. */
  #mounts(): readonly string[] {
    const mounts = textOf('/proc/self/mountinfo')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '');
    return mounts.filter((path) => path === this.dir || path.startsWith(`${this.dir}/`)).toReversed();
  }
}

/** A control file of the memory limit of whoever has this pid. */
export function memoryLimitOf(pid: number): string {
  const lines = textOf(`/proc/${pid}/cgroup`).split('\n');
  const v1 = lines.map((line) => line.split(':')).find(([, controllers]) => controllers?.split(',').includes('memory'));
  const [, , path = ''] = v1 ?? lines.find((line) => line.startsWith('0::'))?.split(':') ?? [];
  return textOf(v1 === undefined ? `/sys/fs/cgroup${path}/memory.max` : `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`).trim();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It ended meanwhile.
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

function tryRmdir(path: string): boolean {
  try {
    execFileSync('rmdir', [path], { stdio: 'ignore' });
    return true;
  } catch {
    return !existsSync(path);
  }
}
