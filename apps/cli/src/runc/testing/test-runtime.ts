/**
 * Bundles, and a runtime's command line, for tests that any OCI runtime with runc's dialect has to pass.
 *
 * Knows: how to make a bundle around the host's static busybox, call a runtime, and take everything away again.
 * Does not know: which runtime it is calling.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultSpec, formatSpecJson, type RuntimeSpec, type SpecLinux, type SpecProcess } from '@slipway/oci';

export interface RuntimeUnderTest {
  readonly name: string;
  readonly binary: string;
  /** Ours promises more than the standard; peers are here to show that the suite tests the standard. @see differences.ts */
  readonly kind: 'ours' | 'runc' | 'crun';
  /** What starts it, where it cannot be started as it is. */
  readonly under?: readonly string[];
  /** Of its documents, where it reads none of today's. */
  readonly ociVersion?: string;
}

export const OURS: RuntimeUnderTest = {
  name: 'slipway',
  binary: fileURLToPath(new URL('../../../../../bin/runc', import.meta.url)),
  kind: 'ours',
};
/** The same, every verb by Node: bin/runc takes the straight road of native/main.c where it can, and both have to keep one contract. */
export const OURS_BY_NODE: RuntimeUnderTest = {
  name: 'slipway, by Node alone',
  binary: 'runc',
  kind: 'ours',
  under: [process.execPath, fileURLToPath(new URL('../../start.cjs', import.meta.url))],
};
const RUNC: RuntimeUnderTest = { name: 'Debian’s runc', binary: '/usr/sbin/runc', kind: 'runc' };
/** 'no-hybrid' and 'old-version-only' of differences.ts: crun 1.8 does not start where a v2 hierarchy has controllers beside v1: it does not get to see that one. */
const WITHOUT_HYBRID = 'if mountpoint -q /sys/fs/cgroup/unified; then umount --lazy /sys/fs/cgroup/unified; fi; exec "$0" "$@"';
const CRUN: RuntimeUnderTest = {
  name: 'crun',
  binary: '/usr/bin/crun',
  kind: 'crun',
  under: ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', WITHOUT_HYBRID],
  ociVersion: '1.0.2',
};
export const RUNTIMES = [OURS, RUNC, CRUN] as const;
/** Those whose command line is runc's own; crun's is like it. */
export const OURS_AND_RUNC = [OURS, RUNC] as const;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test changes in the usual document: an idle `sh` without a terminal in every ordinary namespace. */
export interface SpecChanges extends Omit<Partial<RuntimeSpec>, 'process' | 'linux'> {
  readonly process?: Partial<SpecProcess>;
  readonly linux?: Partial<SpecLinux>;
}

const APPLETS = [
  'sh',
  'cat',
  'ls',
  'id',
  'sleep',
  'true',
  'mount',
  'mkdir',
  'readlink',
  'stat',
  'stty',
  'touch',
  'hostname',
  'ip',
  'grep',
  'kill',
  'dd',
  'pwd',
  'wc',
  'tail',
];

/** One runtime with a state directory of its own; everything it made is gone after `dispose`. */
export class TestRuntime {
  readonly runtime: RuntimeUnderTest;
  readonly dir = mkdtempSync(join(tmpdir(), 'slipway-runc-test-'));
  readonly root = join(this.dir, 'state');
  readonly #rootfs = join(this.dir, 'rootfs');
  readonly #ids = new Set<string>();
  readonly #children = new Set<ChildProcess>();
  #count = 0;

  constructor(runtime: RuntimeUnderTest) {
    this.runtime = runtime;
    // Root of a user namespace is nobody here, and has to reach its rootfs.
    chmodSync(this.dir, 0o711);
    makeRootfs(this.#rootfs);
  }

  /** An id no other test has, taken away in the end. */
  newId(): string {
    const id = `test-${process.pid}-${this.#count++}`;
    this.#ids.add(id);
    return id;
  }

  /** A bundle directory; its rootfs is shared by the tests of a file unless it brings its own. */
  bundle(changes: SpecChanges = {}, rootfs = this.#rootfs): string {
    const dir = mkdtempSync(join(this.dir, 'bundle-'));
    writeFileSync(join(dir, 'config.json'), formatSpecJson(this.#spec(changes, rootfs)));
    return dir;
  }

  #spec(changes: SpecChanges, rootfs: string): RuntimeSpec {
    const { ociVersion } = this.runtime;
    return specWith(ociVersion === undefined ? changes : { ociVersion, ...changes }, rootfs);
  }

  /** A root directory of a test's own, to put things into. */
  rootfs(): string {
    const dir = mkdtempSync(join(this.dir, 'rootfs-'));
    chmodSync(dir, 0o755);
    makeRootfs(dir);
    return dir;
  }

  /** Calls the runtime and waits for its end. Output goes through files, since containers outlive the call with its streams. */
  async call(...args: readonly string[]): Promise<Ended> {
    const { child, files } = this.begin(...args);
    const code = await endOf(child);
    return { code, stdout: readFileSync(files.stdout, 'utf8'), stderr: readFileSync(files.stderr, 'utf8') };
  }

  /** As {@link call}, with a file as its standard input. */
  async callWithInput(file: string, ...args: readonly string[]): Promise<Ended> {
    const [program, words] = this.#commandLine(args);
    const { status, stdout, stderr } = spawnSync(program, words, {
      input: readFileSync(file),
      encoding: 'utf8',
    });
    return { code: status ?? 255, stdout, stderr };
  }

  /** A program of the host's. @throws with stderr when it fails */
  async host(program: string, ...args: readonly string[]): Promise<void> {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  }

  #commandLine(args: readonly string[]): [program: string, words: string[]] {
    const { under = [], binary } = this.runtime;
    const [program = binary, ...words] = [...under, binary, '--root', this.root, ...args];
    return [program, words];
  }

  /** Calls the runtime without waiting. */
  begin(...args: readonly string[]): { child: ChildProcess; files: { stdout: string; stderr: string } } {
    const number = this.#count++;
    const files = { stdout: join(this.dir, `out-${number}`), stderr: join(this.dir, `err-${number}`) };
    const fds = [openSync(files.stdout, 'w'), openSync(files.stderr, 'w')] as const;
    const [program, words] = this.#commandLine(args);
    const child = spawn(program, words, { stdio: ['ignore', ...fds], cwd: this.dir });
    for (const fd of fds) closeSync(fd);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return { child, files };
  }

  /** `run` in the foreground: what the container printed. */
  async run(changes: SpecChanges = {}, rootfs?: string): Promise<Ended> {
    return await this.call('run', '--bundle', this.bundle(changes, rootfs), this.newId());
  }

  /** The output of one shell line in a container. @throws with stderr when it fails */
  async shell(line: string, changes: SpecChanges = {}, rootfs?: string): Promise<string> {
    const process = { ...changes.process, args: ['/bin/sh', '-c', line] };
    const { code, stdout, stderr } = await this.run({ ...changes, process }, rootfs);
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** A container that sleeps, started. */
  async sleeping(changes: SpecChanges = {}): Promise<{ id: string; pid: number; bundle: string }> {
    const id = this.newId();
    const bundle = this.bundle({ ...changes, process: { args: ['/bin/sleep', '1000'], ...changes.process } });
    await this.must('create', '--bundle', bundle, id);
    await this.must('start', id);
    return { id, pid: (await this.state(id)).pid, bundle };
  }

  async state(id: string): Promise<{ id: string; status: string; pid: number; bundle: string; ociVersion: string; annotations?: unknown }> {
    return JSON.parse((await this.must('state', id)).stdout);
  }

  /** @throws with stderr when the call fails */
  async must(...args: readonly string[]): Promise<Ended> {
    const ended = await this.call(...args);
    if (ended.code !== 0) throw new Error(`${args.join(' ')}: exit code ${ended.code}: ${ended.stderr}`);
    return ended;
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const id of this.#ids) if (existsSync(join(this.root, id))) await this.call('delete', '--force', id);
    // It forgets those of a container that it could not create.
    if (this.runtime.kind === 'crun') for (const directory of this.groups()) rmdirSync(directory);
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** cgroup directories of every container that there was. */
  groups(): readonly string[] {
    return [...this.#ids].flatMap(cgroupDirs);
  }
}

/** Waits until `probe` answers true. @throws after the time has passed */
export async function eventually(probe: () => Promise<boolean> | boolean, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Directories of a container's cgroups on this host, by the end of their name. */
export function cgroupDirs(name: string): string[] {
  const roots = readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const found = ['', ...roots.map((entry) => entry.name)].flatMap((hierarchy) => findNamed(join('/sys/fs/cgroup', hierarchy), name, 3));
  return [...new Set(found)];
}

/** What the first of these files holds that exists in one of the directories. */
export function control(dirs: readonly string[], ...names: readonly string[]): string | undefined {
  const file = dirs.flatMap((dir) => names.map((name) => `${dir}/${name}`)).find((path) => existsSync(path));
  return file === undefined ? undefined : readFileSync(file, 'utf8').trim();
}

function findNamed(dir: string, name: string, depth: number): string[] {
  if (depth === 0) return [];
  const below = directoriesIn(dir);
  return below.flatMap((entry) => (entry.name === name ? [join(dir, name)] : findNamed(join(dir, entry.name), name, depth - 1)));
}

/** None where the group has gone meanwhile. */
function directoriesIn(dir: string): readonly { readonly name: string }[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return [];
  }
}

function makeRootfs(dir: string): void {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'mnt']) mkdirSync(join(dir, name), { recursive: true });
  copyFileSync('/usr/bin/busybox', join(dir, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(dir, 'bin', applet));
  writeFileSync(join(dir, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  writeFileSync(join(dir, 'bin/not-a-program'), 'text\n', { mode: 0o644 });
}

function specWith({ process, linux, ...changes }: SpecChanges, rootfs: string): RuntimeSpec {
  const base = defaultSpec();
  return {
    ...base,
    root: { path: rootfs },
    hostname: 'container',
    ...changes,
    process: { ...base.process, terminal: false, cwd: '/', args: ['/bin/true'], ...process },
    linux: { ...base.linux, ...linux },
  };
}

async function endOf(child: ChildProcess): Promise<number> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}
