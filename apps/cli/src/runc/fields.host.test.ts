/** Single fields of a document, as the process sees them: ours by the specification, each peer too, or otherwise for a reason that is written down. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { SpecHook } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { FIELDS } from './testing/fields.ts';
import { cgroupDirs, control, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

describe.each(RUNTIMES)('fields of a document, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  for (const { what, changes, line, says, difference } of FIELDS) {
    hostTest(what, ['root'], async () => {
      const { stdout, stderr } = await runtime.run({ ...changes, process: { ...changes.process, args: ['/bin/sh', '-c', line] } });

      expect(stdout === says, `${stdout}${stderr}`).toBe(difference === undefined || !differs(under, difference));
    });
  }

  /** Runs a container whose hooks of one kind are these; a word is one that says it. Words in the order in which they were said. */
  const hear = async (kind: 'createContainer' | 'poststop', hooks: readonly (string | SpecHook)[]) => {
    const rootfs = runtime.rootfs();
    const heard = join(rootfs, 'heard');
    writeFileSync(heard, '');
    // The container has no such program.
    const say = (word: string) => ({ path: '/usr/bin/bash', args: ['bash', '-c', `echo ${word} >> ${heard}`] });
    const list = hooks.map((hook) => (typeof hook === 'string' ? say(hook) : hook));
    const { code, stderr } = await runtime.run({ root: { path: rootfs }, hooks: { [kind]: list } });
    expect(code, stderr).toBe(0);
    return { words: readFileSync(heard, 'utf8').split('\n').slice(0, -1), stderr };
  };

  // @proves runtime-spec: config.md#posix-platform-hooks/order config.md#createcontainer-hooks/path
  hostTest('hooks of a kind run in the order of their list, as programs of the host', ['root'], async () => {
    expect((await hear('createContainer', ['first', 'second', 'third'])).words).toEqual(['first', 'second', 'third']);
  });

  // @proves runtime-spec: runtime.md#lifecycle/poststop-failure
  hostTest('a poststop hook that fails keeps no other from running', ['root'], async () => {
    const { words, stderr } = await hear('poststop', [{ path: '/bin/false' }, 'last']);

    expect(words).toEqual(differs(under, 'poststop-ends') ? [] : ['last']);
    if (under.kind === 'ours') expect(stderr).toContain('level=warning msg="hook \\"/bin/false\\" failed (exit 1)"');
  });

  // @proves runtime-spec: runtime.md#errors/no-trace runtime.md#lifecycle/cannot-create runtime.md#create/cannot-apply
  hostTest('a mount that no kernel has is an error, and nothing is left of the attempt', ['root'], async () => {
    const id = runtime.newId();
    const bundle = runtime.bundle({ mounts: [{ destination: '/x', type: 'nosuchfs', source: 'none' }] });

    expect((await runtime.call('create', '--bundle', bundle, id)).code).not.toBe(0);
    expect((await runtime.call('state', id)).code).not.toBe(0);
    expect(cgroupDirs(id)).toEqual([]);
  });

  // @proves runtime-spec: config-linux.md#cgroups-path/absolute config-linux.md#cgroups-path/same-place
  hostTest('an absolute cgroup path counts from the top of each hierarchy, each time', ['root'], async () => {
    const name = `slipway-fields-${process.pid}`;
    const places = async () => {
      const { id } = await runtime.sleeping({ linux: { cgroupsPath: `/${name}` } });
      const dirs = cgroupDirs(name);
      await runtime.must('delete', '--force', id);
      return dirs;
    };
    const first = await places();

    expect(first.length).toBeGreaterThan(0);
    for (const dir of first) expect(dir).toMatch(new RegExp(`^/sys/fs/cgroup(/[^/]+)?/${name}$`));
    expect(await places()).toEqual(first);
  });

  // @proves runtime-spec: config-linux.md#control-groups/unfit
  hostTest('a group that holds somebody else’s process is refused', ['root'], async () => {
    const linux = { cgroupsPath: `/slipway-held-${process.pid}` };
    await runtime.sleeping({ linux });
    const { code, stderr } = await runtime.run({ linux });

    expect(code === 0, stderr).toBe(differs(under, 'held-group'));
  });

  // @proves runtime-spec: config-linux.md#pids/zero
  hostTest('a limit of no task is a limit', ['root'], async () => {
    const id = runtime.newId();
    await runtime.must('create', '--bundle', runtime.bundle({ linux: { resources: { pids: { limit: 0 } } } }), id);

    expect(control(cgroupDirs(id), 'pids.max')).toBe(differs(under, 'zero-tasks') ? 'max' : '0');
  });

  // @proves runtime-spec: config.md#linux-process/exec-cpu-affinity
  hostTest('CPUs of a further process', ['root'], async () => {
    if (availableParallelism() === 1) return; // there every process has the first one, and no other
    const { id } = await runtime.sleeping();
    const file = join(runtime.dir, 'process.json');
    const line = 'grep Cpus_allowed_list /proc/self/status';
    const user = { uid: 0, gid: 0 };
    writeFileSync(file, JSON.stringify({ cwd: '/', user, args: ['/bin/sh', '-c', line], execCPUAffinity: { initial: '0', final: '0' } }));

    const { stdout } = await runtime.must('exec', '--process', file, id);
    expect(stdout === 'Cpus_allowed_list:\t0\n', stdout).toBe(!differs(under, 'no-scheduling'));
  });
});
