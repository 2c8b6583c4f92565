/**
 * A real lab for one journey: labd on a free port with a data directory of its own, ended as by Ctrl-C.
 *
 * Knows: how labd is started, killed, started again, ended, and what it may not leave behind.
 * Does not know: browsers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../apps/labd/src/config.ts';

const MAIN = fileURLToPath(new URL('../../apps/labd/src/main.ts', import.meta.url));
const START_MS = 30_000;
const END_MS = 20_000;
/** The kernel lets go of a disk some time after the last process that was on it has ended. */
const SETTLE_MS = 5_000;

export class Lab {
  readonly dataDir: string;
  #process: ChildProcess | undefined;
  #port = 0;
  #address = '';
  #errors = '';

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async start(): Promise<Lab> {
    const lab = new Lab(mkdtempSync(`${tmpdir()}/slipway-e2e-`));
    await lab.startAgain();
    return lab;
  }

  /** An address that logs in once. */
  get address(): string {
    return this.#address;
  }

  /** What labd wrote to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** On the same data and, but for the first time, the same port. */
  async startAgain(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, '--port', String(this.#port), '--no-open', '--data', this.dataDir], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    this.#address = await addressOf(child, () => this.#errors);
    this.#port = Number(new URL(this.#address).port);
  }

  /** As if the host's out-of-memory killer came: nothing is taken down. */
  async kill(): Promise<void> {
    await this.#signal('SIGKILL');
  }

  /** Ctrl-C; then the data goes, too. @returns what is left of the lab, by name: nothing, if all is well */
  async end(): Promise<string[]> {
    await this.#signal('SIGINT');
    const patience = Date.now() + SETTLE_MS;
    let left = this.#leftovers();
    while (left.length > 0 && Date.now() < patience) {
      await delay(100);
      left = this.#leftovers();
    }
    rmSync(this.dataDir, { recursive: true, force: true });
    return left;
  }

  /** The host's own view, to hold the page against: pids of the lab's processes with this command line. */
  hostPids(command: string): number[] {
    const { cgroupParent } = this.#config();
    return list('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => readOr(`/proc/${pid}/cmdline`, '') === `${command.replaceAll(' ', '\0')}\0`)
      .filter((pid) => readOr(`/proc/${pid}/cgroup`, '').includes(`/${cgroupParent}/`))
      .map(Number);
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await exited;
    clearTimeout(timer);
  }

  /** Where a lab with this data directory keeps what the host shares. */
  #config(): ReturnType<typeof readConfig> {
    return readConfig({ args: ['--data', this.dataDir], env: {}, file: undefined });
  }

  #leftovers(): string[] {
    const { runDir, cgroupParent } = this.#config();
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return [
      ...(existsSync(runDir) ? [`directory ${runDir}`] : []),
      ...mounts.filter((line) => line.includes(runDir) || line.includes(this.dataDir)).map((line) => `mount ${line}`),
      ...['', ...list('/sys/fs/cgroup')].map((name) => `/sys/fs/cgroup/${name}/${cgroupParent}`).filter(existsSync),
      ...processesNaming([runDir, this.dataDir]),
      ...loopDevicesOn(this.dataDir),
    ];
  }
}

function addressOf(child: ChildProcess, errors: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`labd printed no address: ${text}${errors()}`)), START_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const address = /^Slipway is at (http:\S+#code=\S+)\n/.exec(text)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`labd ended with ${code}: ${errors()}`)));
  });
}

function processesNaming(words: readonly string[]): string[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const line = readOr(`/proc/${pid}/cmdline`, '').replaceAll('\0', ' ').trim();
      return words.some((word) => line.includes(word)) ? [`process ${pid} ${line}`] : [];
    });
}

function loopDevicesOn(directory: string): string[] {
  return list('/sys/block').flatMap((name) => {
    const file = readOr(`/sys/block/${name}/loop/backing_file`, '').trim();
    return file.startsWith(directory) ? [`loop device ${name} on ${file}`] : [];
  });
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** What is read may be gone at this moment. */
function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
