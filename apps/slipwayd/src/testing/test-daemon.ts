/**
 * A real slipwayd on a disposable root, and the real docker client against it.
 *
 * Knows: how to start, kill and restart the daemon, and how to leave nothing behind.
 * Does not know: what is tested.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const MAKE_IMAGE = fileURLToPath(new URL('../../../../scripts/make-busybox-image.ts', import.meta.url));
const READY_MS = 40_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The docker client to test with. @throws when there is none: a missing client must not look like a passed test */
export function dockerClient(): string {
  const named = process.env['DOCKER_CLIENT'];
  const found = named ?? ['/usr/local/bin/docker', '/usr/bin/docker'].find((path) => existsSync(path));
  if (found === undefined || !existsSync(found)) {
    throw new Error(
      `no docker client${named === undefined ? '' : ` at ${named}`}: set DOCKER_CLIENT to the path of one (Debian: docker-cli or docker.io)`,
    );
  }
  return found;
}

/** The cgroup all tests' containers go below, told apart by process. */
const CGROUP_PARENT = `slipway-test-${process.pid}`;

export class TestDaemon {
  readonly base = mkdtempSync(join(tmpdir(), 'slipwayd-'));
  readonly root = join(this.base, 'root');
  readonly state = join(this.base, 'state');
  readonly socket = join(this.base, 'docker.sock');
  readonly journal = join(this.base, 'journal.ndjson');
  log = '';
  #child: ChildProcess | undefined;

  /** Makes the root on a tmpfs, starts the daemon and loads busybox. */
  static async start(): Promise<TestDaemon> {
    const daemon = new TestDaemon();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=711', 'tmpfs', daemon.base]);
    try {
      await daemon.#prepare();
      return daemon;
    } catch (error) {
      await daemon.dispose();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    mkdirSync(this.root);
    await this.up();
    const archive = join(this.base, 'busybox.tar');
    execFileSync(process.execPath, [MAKE_IMAGE, archive]);
    const { code, stderr } = await this.docker('load', '-i', archive);
    rmSync(archive);
    if (code !== 0) throw new Error(`busybox could not be loaded: ${stderr}`);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  flags(): string[] {
    return [
      '--root',
      this.root,
      '--state',
      this.state,
      '--docker-socket',
      this.socket,
      '--journal-file',
      this.journal,
      '--cgroup-parent',
      CGROUP_PARENT,
    ];
  }

  async up(...more: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [MAIN, ...this.flags(), ...more], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (bytes) => {
      this.log += String(bytes);
    });
    this.#child = child;
    const deadline = Date.now() + READY_MS;
    while (!this.log.includes(`pid=${child.pid}`)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`slipwayd did not come up:\n${this.log}`);
      await sleep(20);
    }
  }

  /** Runs one more daemon with the same flags, changed by `more`, to its end. */
  second(...more: readonly string[]): Promise<CommandResult> {
    return new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...this.flags(), ...more], { timeout: READY_MS }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 255, stdout, stderr }),
      );
    });
  }

  /** Ends the daemon only. */
  async down(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Runs the docker client. `stdin` is sent and closed. */
  docker(...args: readonly string[]): Promise<CommandResult> {
    return this.dockerWith('', ...args);
  }

  dockerWith(stdin: string, ...args: readonly string[]): Promise<CommandResult> {
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.base, DOCKER_HOST: `unix://${this.socket}` };
    return new Promise((resolve) => {
      const child = execFile(dockerClient(), args, { env, timeout: 30_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
        resolve({ code, stdout, stderr });
      });
      child.stdin?.on('error', () => {}); // it ended without reading, which is its right
      child.stdin?.end(stdin);
    });
  }

  /** Runs the docker client on a terminal of 24×80, typing each of `lines` once the one before was answered. */
  async dockerOnTerminal(lines: readonly string[], ...args: readonly string[]): Promise<CommandResult> {
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.base, DOCKER_HOST: `unix://${this.socket}`, TERM: 'xterm' };
    const command = `stty rows 24 cols 80; exec ${[dockerClient(), ...args].map((arg) => `'${arg}'`).join(' ')}`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    let stdout = '';
    let quietSince = Date.now();
    child.stdout.on('data', (bytes) => {
      stdout += String(bytes);
      quietSince = Date.now();
    });
    const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 255)));
    for (const line of lines) {
      while (stdout === '' || Date.now() - quietSince < 400) await sleep(50);
      quietSince = Date.now();
      child.stdin.write(line);
    }
    return { code: await ended, stdout, stderr: '' };
  }

  /** Finished spans and facts so far. */
  readJournal(): readonly Readonly<Record<string, unknown>>[] {
    return readFileSync(this.journal, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Removes every container, ends the daemon, and takes everything away. */
  async dispose(): Promise<void> {
    const ids = existsSync(join(this.root, 'containers')) ? readdirSync(join(this.root, 'containers')) : [];
    if (ids.length > 0) await this.docker('rm', '-f', ...ids);
    await this.down('SIGTERM');
    execFileSync('umount', ['-l', this.base]);
    rmSync(this.base, { recursive: true, force: true });
    for (const directory of cgroupDirectories()) execFileSync('rmdir', ['--ignore-fail-on-non-empty', directory]);
  }
}

/** Directories named after our cgroup parent, deepest first. */
export function cgroupDirectories(): readonly string[] {
  const found = execFileSync('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${CGROUP_PARENT}*`], { encoding: 'utf8' });
  return found.split('\n').filter(Boolean);
}
