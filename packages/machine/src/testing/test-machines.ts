/**
 * Machines of one test file: of the checkout's own tools and images, in a directory and a cgroup that go with it.
 *
 * Knows: opening, running a script inside, waiting for the engine, taking all of it away.
 * Does not know: what is tested.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLauncher } from '@slipway/launcher';
import { createRuntime } from '@slipway/runtime';
import type { Machines } from '../machines.ts';
import { openMachines } from '../open-machines.ts';

export const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
export const LIMITS = { memoryBytes: 512 * 1024 * 1024, cpus: 1, pids: 200 };

export class TestMachines implements AsyncDisposable {
  readonly work = mkdtempSync(join(tmpdir(), 'machines-'));
  readonly machines: Machines;
  readonly #cgroupParent: string;

  constructor(cgroupParent: string) {
    this.#cgroupParent = cgroupParent;
    this.machines = openMachines({
      stateDir: `${this.work}/s`,
      diskDir: `${this.work}/disks`,
      idRegistry: `${this.work}/ids`,
      templateDisk: `${CHECKOUT}/.slipway/machine-disk.img`,
      usr: `${CHECKOUT}/.slipway/tools/usr`,
      images: `${CHECKOUT}/.slipway/images/layout`,
      engine: CHECKOUT,
      cgroupParent,
      limits: LIMITS,
      runtime: createRuntime({ root: `${this.work}/s/runtime`, launcher: createLauncher() }),
      execCommand: { file: `${CHECKOUT}/bin/runc`, args: [] },
    });
  }

  /** What a script writes to its standard output; of one that fails, its exit code and both outputs. */
  async inside(id: string, script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.machines.run(id, ['/bin/bash', '-c', script]);
    return exitCode === 0 ? stdout : `exit ${exitCode}: ${stdout}${stderr}`;
  }

  /** The engine inside takes a moment to listen. */
  async engineReady(id: string): Promise<void> {
    await this.inside(id, 'for i in $(seq 100); do [ -S /run/docker.sock ] && exit 0; sleep 0.1; done; exit 1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machines.removeAll();
    for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
      const own = `/sys/fs/cgroup/${hierarchy}/${this.#cgroupParent}`;
      if (existsSync(own)) execFileSync('rmdir', [own]);
    }
    rmSync(this.work, { recursive: true, force: true });
  }
}
