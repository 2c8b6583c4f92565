/** `create run exec` on QuickJS (native/quick): that it is taken, and when it is not. */
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cgroupDirs, OURS, TestRuntime } from './testing/test-runtime.ts';

const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url));
const FRONT = join(CHECKOUT, 'apps/cli/native/build/slipway-verbs');
const PROGRAM = join(CHECKOUT, 'apps/cli/native/build/slipway-births');
const SCRIPT = 'apps/cli/src/start.cjs';
const DEADLINE_MS = 30_000;

describe('processes made without Node', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  /** With a Node that refuses everything: any other code is that of the process. What it says goes to a file, which a container may hold. */
  function alone(...args: string[]): { readonly code: number | null; readonly stderr: string } {
    const said = join(runtime.dir, 'said');
    const fd = openSync(said, 'w');
    const words = ['/bin/false', join(CHECKOUT, SCRIPT), 'runc', '--root', runtime.root, ...args];
    const { status } = spawnSync(FRONT, words, { stdio: ['ignore', 'ignore', fd], timeout: DEADLINE_MS });
    closeSync(fd);
    return { code: status, stderr: readFileSync(said, 'utf8') };
  }

  function nothingIsLeftOf(id: string): void {
    expect(existsSync(join(runtime.root, id))).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  }

  const IDLE = { process: { args: ['/bin/sleep', '1000'] } };

  hostTest('create, exec and run, before us and detached, and the codes of their processes', ['root'], async () => {
    const id = runtime.newId();
    const pidFile = join(runtime.dir, 'pid');
    expect(alone('create', '--bundle', runtime.bundle(IDLE), '--pid-file', pidFile, id)).toEqual({ code: 0, stderr: '' });
    expect(await runtime.state(id)).toMatchObject({ status: 'created', pid: Number(readFileSync(pidFile, 'utf8')) });
    await runtime.must('start', id);
    expect(alone('exec', id, '/bin/sh', '-c', 'exit 3')).toEqual({ code: 3, stderr: '' });
    const other = runtime.newId();
    expect(alone('run', '--bundle', runtime.bundle({ process: { args: ['/bin/sh', '-c', 'exit 4'] } }), other)).toEqual({
      code: 4,
      stderr: '',
    });
    nothingIsLeftOf(other);
    const detached = runtime.newId();
    expect(alone('run', '--detach', '--bundle', runtime.bundle(IDLE), detached)).toEqual({ code: 0, stderr: '' });
    expect(await runtime.state(detached)).toMatchObject({ status: 'running' });
  });

  hostTest('the record and the verbs’ file are those that Node writes, but for names, places and times', ['root'], async () => {
    const bundle = runtime.bundle({ ...IDLE, hostname: 'größe', annotations: { 'a\n\nb': '"𝄞" </x>' } });
    const [ours, nodes] = [runtime.newId(), runtime.newId()];
    expect(alone('create', '--bundle', bundle, ours).code).toBe(0);
    const words = [join(CHECKOUT, SCRIPT), 'runc', '--root', runtime.root, 'create', '--bundle', bundle, nodes];
    expect(spawnSync(process.execPath, words, { stdio: 'ignore' }).status).toBe(0);
    const read = (id: string, name: string) =>
      readFileSync(join(runtime.root, id, name), 'utf8')
        .replaceAll(id, 'ID')
        .replaceAll(/"created":\s?"[^"]*"|"process":\{[^}]*\}|^(record|process) .*$/gm, '');
    for (const name of ['state.json', 'verbs']) expect(read(ours, name)).toBe(read(nodes, name));
  });

  hostTest('what fails is undone and left to Node', ['root'], async () => {
    const id = runtime.newId();
    const failing = {
      'a program that is not there': { process: { args: ['/nowhere'] } },
      'a hook': { ...IDLE, hooks: { createRuntime: [{ path: '/bin/true' }] } },
      'a terminal of our own': { process: { args: ['/bin/true'], terminal: true } },
      'a number that JSON rounds': {
        process: { ...IDLE.process, rlimits: [{ type: 'RLIMIT_CPU', hard: 2n ** 64n - 1n, soft: 2n ** 64n - 1n }] },
      },
    } as const;
    for (const [name, changes] of Object.entries(failing)) {
      expect(alone('run', '--bundle', runtime.bundle(changes as Parameters<TestRuntime['bundle']>[0]), id), name).toEqual({
        code: 1,
        stderr: '',
      });
      nothingIsLeftOf(id);
    }
  });

  hostTest('the same lines succeed where Node is there, and tell what failed once', ['root'], async () => {
    const id = runtime.newId();
    const hooked = { process: { args: ['/bin/true'] }, hooks: { createRuntime: [{ path: '/bin/true' }] } };
    expect((await runtime.call('run', '--bundle', runtime.bundle(hooked), id)).code).toBe(0);
    const { code, stderr } = await runtime.call('run', '--bundle', runtime.bundle({ process: { args: ['/nowhere'] } }), id);
    expect(code).toBe(127);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    nothingIsLeftOf(id);
  });

  hostTest('bytecode of other sources is not run', ['root'], async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'slipway-quick-'));
    try {
      const build = join(elsewhere, 'apps/cli/build');
      mkdirSync(build, { recursive: true });
      for (const name of ['births.qbc', 'births.inputs']) cpSync(join(CHECKOUT, 'apps/cli/build', name), join(build, name));
      writeFileSync(join(build, 'births.inputs'), `1 2 ${SCRIPT}\n`);
      const words = [join(elsewhere, SCRIPT), 'runc', 'create', 'x'];
      expect(spawnSync(PROGRAM, ['/bin/echo', ...words], { encoding: 'utf8' }).stdout).toBe(`${words.join(' ')}\n`);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
