/** What stands before and behind Node (native/birth.c): a life in the foreground, whoever ends first. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cgroupDirs, eventually, OURS, TestRuntime } from './testing/test-runtime.ts';

describe('a life in the foreground', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  /** Programs of the processes whose parent is `pid`. */
  function programsBelow(pid: number): string[] {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return children.map((child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim());
  }

  const TRAPPING = ['/bin/sh', '-c', 'trap "echo heard; exit 7" TERM; echo ready; while :; do sleep 0.05; done'];

  hostTest('Node is gone while the container runs; a signal goes through, the code comes back, nothing is left', ['root'], async () => {
    const id = runtime.newId();
    const { child, files } = runtime.begin('run', '--bundle', runtime.bundle({ process: { args: TRAPPING } }), id);
    const code = new Promise((resolve) => child.once('exit', resolve));
    await eventually(() => readFileSync(files.stdout, 'utf8') === 'ready\n', 20_000);
    expect(programsBelow(child.pid ?? 0)).toEqual(['slipway-launch']);
    child.kill('SIGTERM');
    expect(await code).toBe(7);
    expect(readFileSync(files.stdout, 'utf8')).toBe('ready\nheard\n');
    expect(existsSync(join(runtime.root, id))).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });

  hostTest('--keep keeps what has ended, and an exec’s code is its process’s', ['root'], async () => {
    const id = runtime.newId();
    const kept = await runtime.call('run', '--keep', '--bundle', runtime.bundle({ process: { args: ['/bin/sh', '-c', 'exit 5'] } }), id);
    expect(kept.code).toBe(5);
    expect(await runtime.state(id)).toMatchObject({ status: 'stopped' });
    const other = await runtime.sleeping();
    expect((await runtime.call('exec', other.id, '/bin/sh', '-c', 'exit 9')).code).toBe(9);
    expect((await runtime.call('exec', other.id, '/bin/sh', '-c', 'kill -9 $$')).code).toBe(137);
  });

  hostTest('a record that changed while it ran is left to Node, which removes the container', ['root'], async () => {
    const id = runtime.newId();
    const { child, files } = runtime.begin('run', '--bundle', runtime.bundle({ process: { args: TRAPPING } }), id);
    const code = new Promise((resolve) => child.once('exit', resolve));
    await eventually(() => readFileSync(files.stdout, 'utf8') === 'ready\n', 20_000);
    writeFileSync(join(runtime.root, id, 'verbs'), '');
    child.kill('SIGTERM');
    expect(await code).toBe(7);
    expect(existsSync(join(runtime.root, id))).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });

  hostTest('a command line that Node refuses leaves no launcher, and no container', ['root'], async () => {
    const id = runtime.newId();
    const refused = await runtime.call('run', '--bundle', join(runtime.dir, 'nowhere'), id);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('config.json');
    const missing = await runtime.call('run', '--bundle', runtime.bundle({ process: { args: ['/bin/nowhere'] } }), id);
    expect(missing.code).toBe(127);
    expect(existsSync(join(runtime.root, id))).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });
});
