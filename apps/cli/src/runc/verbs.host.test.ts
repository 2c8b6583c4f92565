import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cgroupDirs, eventually, OURS, TestRuntime } from './testing/test-runtime.ts';

const PROGRAM = fileURLToPath(new URL('../../native/build/slipway-verbs', import.meta.url));

describe('the verbs that need no plan', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  /** With a Node that refuses everything: code 0 is the program's own work. */
  function alone(...args: string[]): { readonly code: number | null; readonly stdout: string } {
    const words = ['/bin/false', 'main.ts', 'runc', '--root', runtime.root, '--log', '/dev/null', '--log-format', 'json'];
    const { status, stdout } = spawnSync(PROGRAM, [...words, ...args], { encoding: 'utf8' });
    return { code: status, stdout };
  }

  async function created(changes: Parameters<TestRuntime['bundle']>[0] = {}): Promise<string> {
    const id = runtime.newId();
    await runtime.must('create', '--bundle', runtime.bundle({ process: { args: ['/bin/sleep', '1000'] }, ...changes }), id);
    return id;
  }

  const statusOf = (id: string) => JSON.parse(alone('state', id).stdout).status;
  const verbsFile = (id: string) => join(runtime.root, id, 'verbs');

  hostTest('a whole life after its creation is told and led without Node, in the same words', ['root'], async () => {
    const id = await created({ annotations: { 'a\n\nb': '"pid": 1,' } });
    expect(alone('state', id).stdout).toBe((await runtime.must('state', id)).stdout);
    expect(JSON.parse(alone('state', id).stdout)).toEqual(await runtime.state(id));
    expect(alone('start', id).code).toBe(0);
    expect(statusOf(id)).toBe('running');
    expect(alone('kill', id, '0').code).not.toBe(0);
    expect(alone('kill', id, 'SIGWINCH').code).toBe(0);
    expect(alone('kill', id, 'KILL').code).toBe(0);
    await eventually(() => statusOf(id) === 'stopped');
    expect(JSON.parse(alone('state', id).stdout)).toMatchObject({ status: 'stopped', pid: 0 });
    expect(alone('delete', id).code).toBe(0);
    expect(existsSync(join(runtime.root, id))).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });

  hostTest('what a state does not allow is left to Node, which says why', ['root'], async () => {
    const id = await created();
    expect(alone('resume', id).code).toBe(1);
    expect(alone('delete', id).code).toBe(1);
    expect(alone('start', id).code).toBe(0);
    expect(alone('start', id).code).toBe(1);
    expect((await runtime.call('start', id)).stderr).toContain('cannot start an already running container');
    expect(alone('kill', '--all', id).code).toBe(1);
    expect(alone('kill', id, 'NOSUCH').code).toBe(1);
    expect(alone('delete', '--force', id).code).toBe(1);
    expect(alone('state', '../x').code).toBe(1);
    expect(statusOf(id)).toBe('running');
  });

  hostTest('hooks are Node’s', ['root'], async () => {
    const id = await created({ hooks: { poststart: [{ path: '/bin/true' }] } });
    expect(alone('start', id).code).toBe(1);
    await runtime.must('start', id);
    expect(statusOf(id)).toBe('running');
  });

  // A pid that somebody else has by now, and one of before the machine's last start, are nobody's to signal.
  const STRANGERS: Readonly<Record<string, (text: string) => string>> = {
    'another start time': (text) => text.replace(/^(process \d+) \d+$/m, '$1 1'),
    'another boot': (text) => text.replace(/^boot .*$/m, 'boot 00000000-0000-0000-0000-000000000000'),
  };
  for (const [name, change] of Object.entries(STRANGERS))
    hostTest(`a process of ${name} is not signalled`, ['root'], async () => {
      const id = await created();
      const whole = readFileSync(verbsFile(id), 'utf8');
      writeFileSync(verbsFile(id), change(whole));
      expect(alone('kill', id, 'KILL').code).toBe(1);
      expect(alone('start', id).code).toBe(1);
      expect(statusOf(id)).toBe('stopped');
      writeFileSync(verbsFile(id), whole);
      expect(statusOf(id)).toBe('created');
    });

  const DAMAGES: Readonly<Record<string, (text: string) => string>> = {
    'cut off': (text) => text.slice(0, text.length / 3),
    'of another version': (text) => text.replace('verbs 1', 'verbs 2'),
    'with a group that climbs': (text) => text.replace(/^group .*$/m, 'group /sys/fs/cgroup/../../tmp'),
    'with a line of nobody’s': (text) => text.replace('\nboot', '\nsurprise\nboot'),
    empty: () => '',
  };
  for (const [name, change] of Object.entries(DAMAGES))
    hostTest(`a file ${name} is not believed, and Node needs none`, ['root'], async () => {
      const id = await created();
      writeFileSync(verbsFile(id), change(readFileSync(verbsFile(id), 'utf8')));
      for (const verb of ['state', 'start', 'kill', 'pause', 'delete']) expect(alone(verb, id).code).toBe(1);
      expect(await runtime.state(id)).toMatchObject({ status: 'created' });
      await runtime.must('start', id);
    });
});
