/**
 * Real containers for host tests: the runtime itself, without any command line before it.
 *
 * Knows: how to make a bundle around the host's static busybox, and to take everything away again.
 * Does not know: what a test looks at.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLauncher } from '@slipway/launcher';
import { formatSpecJson, type RuntimeSpec, type SpecLinux, type SpecProcess } from '@slipway/oci';
import type { CreateRuntimeOptions } from '../create-runtime.ts';
import { createRuntime, type Runtime } from '../index.ts';

/** What a test changes in a document with every ordinary namespace and no mounts but /proc. */
export interface SpecChanges extends Omit<Partial<RuntimeSpec>, 'linux' | 'process'> {
  readonly process?: Partial<SpecProcess>;
  readonly linux?: Partial<SpecLinux>;
  readonly args?: readonly string[];
}

/** One runtime with a state directory of its own; everything it made is gone after `dispose`. */
export class HostContainers {
  readonly dir = mkdtempSync(join(tmpdir(), 'slipway-runtime-test-'));
  readonly rootfs = join(this.dir, 'rootfs');
  readonly warnings: string[] = [];
  readonly runtime: Runtime;
  readonly #ids: string[] = [];

  constructor(options: Pick<CreateRuntimeOptions, 'keepReady' | 'cgroupParent'> = {}) {
    makeRootfs(this.rootfs);
    this.runtime = createRuntime({
      root: join(this.dir, 'state'),
      launcher: createLauncher(),
      onWarning: (message) => this.warnings.push(message),
      ...options,
    });
  }

  newId(): string {
    const id = `runtime-test-${process.pid}-${this.#ids.length}`;
    this.#ids.push(id);
    return id;
  }

  /** A container that has started; it sleeps unless told otherwise. */
  async started(changes: SpecChanges = {}): Promise<{ readonly id: string; readonly pid: number }> {
    const created = await this.created(changes);
    await this.runtime.start(created.id);
    return created;
  }

  async created(changes: SpecChanges = {}): Promise<{ readonly id: string; readonly pid: number }> {
    const id = this.newId();
    const stdio = openSync('/dev/null', 'r+');
    try {
      const supervision = { mode: 'detached', stdio: [stdio, stdio, stdio] } as const;
      const { pid } = await this.runtime.create({ id, bundle: this.bundle(changes), supervision });
      return { id, pid };
    } finally {
      closeSync(stdio);
    }
  }

  /** Exit code and output of one shell line in a container of its own. */
  async shell(line: string, changes: SpecChanges = {}): Promise<{ readonly code: number; readonly output: string }> {
    const id = this.newId();
    const bundle = this.bundle({ ...changes, args: ['/bin/sh', '-c', line] });
    const file = join(this.dir, `${id}.out`);
    const [input, output] = [openSync('/dev/null', 'r'), openSync(file, 'w')];
    try {
      const { exit } = await this.runtime.create({ id, bundle, supervision: { mode: 'foreground', stdio: [input, output, output] } });
      await this.runtime.start(id);
      return { code: (await exit) ?? -1, output: readFileSync(file, 'utf8') };
    } finally {
      closeSync(input);
      closeSync(output);
    }
  }

  /** Output of one shell line in a running container, standard error included. */
  async exec(id: string, line: string): Promise<string> {
    const file = join(this.dir, `exec-${id}.out`);
    const [input, output] = [openSync('/dev/null', 'r'), openSync(file, 'w')];
    try {
      const supervision = { mode: 'foreground', stdio: [input, output, output] } as const;
      const { exit } = await this.runtime.exec(id, { process: { cwd: '/', args: ['/bin/sh', '-c', line] }, supervision });
      await exit;
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(input);
      closeSync(output);
    }
  }

  bundle({ args = ['/bin/sleep', '1000'], linux, process, ...changes }: SpecChanges): string {
    const dir = mkdtempSync(join(this.dir, 'bundle-'));
    const spec: RuntimeSpec = {
      ociVersion: '1.2.0',
      root: { path: this.rootfs },
      process: { cwd: '/', args, env: ['PATH=/bin'], user: { uid: 0, gid: 0 }, capabilities, ...process },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
      ...changes,
      linux: { namespaces: ['mount', 'pid', 'ipc', 'uts', 'network'].map((type) => ({ type })), ...linux },
    };
    writeFileSync(join(dir, 'config.json'), formatSpecJson(spec));
    return dir;
  }

  async dispose(): Promise<void> {
    for (const id of this.#ids) await this.runtime.delete(id, { force: true });
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const RIGHTS = ['CAP_MKNOD', 'CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE', 'CAP_CHOWN', 'CAP_SYSLOG', 'CAP_SETUID', 'CAP_SETGID'];
const capabilities = { bounding: RIGHTS, effective: RIGHTS, permitted: RIGHTS };
const APPLETS = ['sh', 'cat', 'ls', 'sleep', 'true', 'mount', 'mkdir', 'stat', 'touch', 'dd', 'grep', 'mknod', 'rm', 'ln', 'id', 'umount'];

/** On a host, and in the virtual machine of the tests for cgroup v2. */
const BUSYBOX = ['/usr/bin/busybox', '/usr/local/bin/busybox'];

function makeRootfs(dir: string): void {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'mnt']) mkdirSync(join(dir, name), { recursive: true });
  const busybox = BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined) throw new Error('this host has no busybox');
  copyFileSync(busybox, join(dir, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(dir, 'bin', applet));
}
