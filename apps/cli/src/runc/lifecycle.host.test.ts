import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { cgroupDirs, eventually, OURS_BY_NODE, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

/** A first process of a pid namespace cannot be killed from inside. */
const NAMESPACES_BUT_PID = ['network', 'ipc', 'uts', 'mount'].map((type) => ({ type }));

describe.each([...RUNTIMES, OURS_BY_NODE])('the lifecycle, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @proves runtime-spec: runtime.md#lifecycle/as-configured runtime.md#lifecycle/not-yet-run runtime.md#lifecycle/runs-the-program
  // @proves runtime-spec: runtime.md#lifecycle/undone runtime.md#state/version runtime.md#state/id runtime.md#state/status
  // @proves runtime-spec: runtime.md#state/pid runtime.md#state/bundle runtime.md#state/json runtime.md#query-state/answers
  // @proves runtime-spec: runtime.md#create/makes-one runtime.md#create/args-later runtime.md#start/runs runtime.md#kill/sends
  // @proves runtime-spec: runtime.md#operations/all runtime.md#scope-of-a-container/same-caller
  hostTest('created, running, stopped, gone [runtime-spec/runtime.md#lifecycle]', ['root'], async () => {
    const id = runtime.newId();
    const rootfs = runtime.rootfs();
    const bundle = runtime.bundle({ process: { args: ['/bin/sh', '-c', 'touch /ran; exec sleep 1000'] }, annotations: { a: 'b' } }, rootfs);

    await runtime.must('create', '--bundle', bundle, id);
    const created = await runtime.state(id);
    expect(created).toMatchObject({ ociVersion: expect.stringMatching(/^1\./), id, status: 'created', bundle, annotations: { a: 'b' } });
    expect(created.pid).toBeGreaterThan(1);
    expect(existsSync(join(rootfs, 'ran'))).toBe(false);

    await runtime.must('start', id);
    await eventually(() => existsSync(join(rootfs, 'ran')));
    expect(await runtime.state(id)).toMatchObject({ status: 'running', pid: created.pid });

    await runtime.must('kill', id, 'KILL');
    await eventually(async () => (await runtime.state(id)).status === 'stopped');
    await runtime.must('delete', id);
    expect((await runtime.call('state', id)).code).toBe(1);
    expect(cgroupDirs(id)).toEqual([]);
    expect(existsSync(join(runtime.root, id))).toBe(false);
  });

  // @proves runtime-spec: runtime.md#start/wrong-state runtime.md#delete/wrong-state runtime.md#create/id-refused
  // @proves runtime-spec: runtime.md#state/unique
  hostTest('what is not allowed in a state is refused and changes nothing', ['root'], async () => {
    const { id, bundle } = await runtime.sleeping();

    expect((await runtime.call('start', id)).code).not.toBe(0);
    expect((await runtime.call('delete', id)).code).not.toBe(0);
    expect((await runtime.call('resume', id)).code === 0).toBe(differs(under, 'resume-is-quiet'));
    expect((await runtime.call('create', '--bundle', bundle, id)).stderr).toContain('exist');
    expect(await runtime.state(id)).toMatchObject({ status: 'running' });
  });

  hostTest('a created container can be deleted', ['root'], async () => {
    const id = runtime.newId();
    await runtime.must('create', '--bundle', runtime.bundle({ process: { args: ['/bin/sleep', '1000'] } }), id);

    await runtime.must('delete', id);

    expect((await runtime.call('state', id)).code).not.toBe(0);
  });

  hostTest('delete --force ends a running container, and is quiet about one that is not there', ['root'], async () => {
    const { id, pid } = await runtime.sleeping();

    await runtime.must('delete', '--force', id);
    await runtime.must('delete', '--force', id);

    await eventually(() => !existsSync(`/proc/${pid}/root/bin/busybox`));
    expect(cgroupDirs(id)).toEqual([]);
  });

  // @proves runtime-spec: runtime.md#kill/wrong-state runtime.md#delete/removes
  hostTest('a process killed from outside leaves nothing after delete', ['root'], async () => {
    const { id, pid } = await runtime.sleeping();
    process.kill(pid, 'SIGKILL');

    await eventually(async () => (await runtime.state(id)).status === 'stopped');
    expect((await runtime.call('kill', id, 'TERM')).code).toBe(1);
    await runtime.must('delete', id);

    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(runtime.dir);
    expect(cgroupDirs(id)).toEqual([]);
  });

  hostTest('run exits as its process does', ['root'], async () => {
    for (const code of [0, 1, 42, 255]) {
      expect((await runtime.run({ process: { args: ['/bin/sh', '-c', `exit ${code}`] } })).code).toBe(code);
    }
    expect(
      (await runtime.run({ process: { args: ['/bin/sh', '-c', 'kill -9 $$; sleep 5'] }, linux: { namespaces: NAMESPACES_BUT_PID } })).code,
    ).toBe(137);
  });

  hostTest('run passes a signal on to its process', ['root'], async () => {
    const id = runtime.newId();
    const bundle = runtime.bundle({ process: { args: ['/bin/sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.05; done'] } });
    const { child } = runtime.begin('run', '--bundle', bundle, id);
    await eventually(async () => (await runtime.call('state', id)).stdout.includes('running'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGTERM');

    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(7);
    expect((await runtime.call('state', id)).code).not.toBe(0);
  });

  hostTest('run leaves nothing behind', ['root'], async () => {
    const id = runtime.newId();
    await runtime.must('run', '--bundle', runtime.bundle(), id);

    expect(existsSync(join(runtime.root, id))).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });

  // @proves runtime-spec: config.md#process/args
  hostTest('a program that is missing or not executable fails the creation and leaves nothing', ['root'], async () => {
    for (const [program, words, code] of [
      ['nosuch', 'executable file not found', 127],
      ['/bin/not-a-program', 'permission denied', 126],
    ] as const) {
      const id = runtime.newId();
      const ended = await runtime.call('run', '--bundle', runtime.bundle({ process: { args: [program] } }), id);

      expect(ended.code).not.toBe(0);
      expect(ended.code).toBe(differs(under, 'one-exit-code') ? 1 : code);
      if (!differs(under, 'own-words')) expect(ended.stderr).toContain(words);
      expect((await runtime.call('state', id)).code).not.toBe(0);
      expect(cgroupDirs(id)).toEqual([]);
    }
  });

  // @proves runtime-spec: runtime.md#state/extra-status
  hostTest('pause stops every process, resume lets them go on', ['root'], async () => {
    const { id } = await runtime.sleeping();

    await runtime.must('pause', id);
    expect((await runtime.state(id)).status).toBe('paused');
    expect((await runtime.call('exec', id, '/bin/true')).code).not.toBe(0);
    await runtime.must('resume', id);
    expect((await runtime.state(id)).status).toBe('running');
    await runtime.must('pause', id);
    await runtime.must('delete', '--force', id);
  });

  // @proves runtime-spec: runtime.md#kill/sends
  // @attack A34: twin
  hostTest('kill takes names and numbers, TERM by default', ['root'], async () => {
    const trap = 'for s in TERM HUP USR1; do trap "echo got-$s" $s; done; while :; do sleep 0.05; done';
    const id = runtime.newId();
    const { files } = runtime.begin('run', '--bundle', runtime.bundle({ process: { args: ['/bin/sh', '-c', trap] } }), id);
    await eventually(async () => (await runtime.call('state', id)).stdout.includes('running'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const [args, name] of [
      [[], 'TERM'],
      [['SIGHUP'], 'HUP'],
      [['10'], 'USR1'],
    ] as const) {
      await runtime.must('kill', id, ...args);
      await eventually(() => readFileSync(files.stdout, 'utf8').includes(`got-${name}`));
    }
    expect((await runtime.call('kill', id, 'NOSUCH')).code === 0).toBe(differs(under, 'unknown-signal-is-zero'));
  });

  hostTest('lists and tables name the container and its processes', ['root'], async () => {
    const { id, pid } = await runtime.sleeping();

    expect((await runtime.must('list', '--quiet')).stdout.split('\n')).toContain(id);
    expect(JSON.parse((await runtime.must('list', '--format', 'json')).stdout)).toContainEqual(
      expect.objectContaining({ id, pid, status: 'running', owner: 'root' }),
    );
    if (differs(under, 'own-words')) return;
    expect((await runtime.must('list')).stdout).toMatch(/^ID +PID +STATUS +BUNDLE +CREATED +OWNER\n/);
    expect(JSON.parse((await runtime.must('ps', '--format', 'json', id)).stdout)).toEqual([pid]);
    expect((await runtime.must('ps', id)).stdout).toMatch(new RegExp(`UID +PID.*\\n.*\\b${pid}\\b.*sleep 1000\\n$`));
  });

  hostTest('the pid file holds the process’s pid', ['root'], async () => {
    const id = runtime.newId();
    const file = join(runtime.dir, 'pid');
    await runtime.must(
      'run',
      '--detach',
      '--pid-file',
      file,
      '--bundle',
      runtime.bundle({ process: { args: ['/bin/sleep', '1000'] } }),
      id,
    );

    expect(readFileSync(file, 'utf8')).toBe(String((await runtime.state(id)).pid));
  });

  // @attack A46: attack, twin
  // @proves runtime-spec: runtime.md#lifecycle/later-changes
  hostTest('config.json is read once, at creation [runtime-spec/runtime.md#create]', ['root'], async () => {
    const id = runtime.newId();
    const rootfs = runtime.rootfs();
    const bundle = runtime.bundle({ process: { args: ['/bin/touch', '/draft'] } }, rootfs);
    const file = join(bundle, 'config.json');
    const change = (from: string, to: string) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll(from, to));
    // The twin: until then it is whoever writes it who decides.
    change('/draft', '/old');
    await runtime.must('create', '--bundle', bundle, id);
    change('/old', '/new');

    await runtime.must('start', id);

    await eventually(() => existsSync(join(rootfs, 'old')));
    for (const other of ['draft', 'new']) expect(existsSync(join(rootfs, other)), other).toBe(false);
  });

  // @attack A44: attack, control, twin
  // @proves runtime-spec: runtime.md#create/id-refused
  hostTest('an id that could be a path or an escape sequence is refused', ['root'], async () => {
    const wide = differs(under, 'wide-ids') ? [] : ['a\nb', '\x1b]0;x', '😀'];
    for (const id of ['../x', 'a/b', '.', '..', '', ...wide, 'a'.repeat(300)]) {
      expect((await runtime.call('create', '--bundle', runtime.bundle(), id)).code, JSON.stringify(id)).not.toBe(0);
    }
    expect(existsSync(join(runtime.dir, 'x'))).toBe(false);
    // The control is crun, which takes what a terminal would obey; the twin is every sign that an id may have.
    for (const id of [...(differs(under, 'wide-ids') ? ['\x1b]0;x'] : []), 'a.b_c+d-1']) {
      await runtime.must('run', '--bundle', runtime.bundle(), id);
    }
  });

  hostTest('spec writes a document that the runtime accepts', ['root'], async () => {
    const bundle = runtime.bundle();
    expect((await runtime.call('spec', '--bundle', bundle)).code).not.toBe(0);
    unlinkSync(join(bundle, 'config.json'));

    await runtime.must('spec', '--bundle', bundle);

    expect(JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))).toMatchObject({
      process: { args: ['sh'] },
      root: { readonly: true },
    });
  });

  hostTest('an error is one line of the log, in the format that was asked for', ['root'], async () => {
    const log = join(runtime.dir, 'log.json');
    const ended = await runtime.call('--log', log, '--log-format', 'json', 'state', 'nosuch');

    expect(ended.code).toBe(1);
    if (differs(under, 'own-words')) return;
    expect(ended.stderr).toBe('container does not exist\n');
    expect(JSON.parse(readFileSync(log, 'utf8'))).toEqual({
      level: 'error',
      msg: 'container does not exist',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await runtime.call('state', 'nosuch')).stderr).toMatch(/^time="[^"]+" level=error msg="container does not exist"\n$/);
  });
});
