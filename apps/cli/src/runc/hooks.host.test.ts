import { chmodSync, existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeSpec, SpecHook } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { cgroupDirs, eventually, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

type Hooks = NonNullable<RuntimeSpec['hooks']>;

interface Heard {
  readonly kind: string;
  readonly mnt: string;
  readonly state: {
    readonly id: string;
    readonly status: string;
    readonly pid?: number;
    readonly bundle: string;
    readonly annotations?: object;
  };
}

describe.each(RUNTIMES)('hooks, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  /** A root directory whose /tmp takes what hooks of the container say, and a file outside for the others. */
  const places = () => {
    const rootfs = runtime.rootfs();
    chmodSync(join(rootfs, 'tmp'), 0o777);
    const heard = join(rootfs, 'tmp/heard');
    writeFileSync(heard, '');
    chmodSync(heard, 0o666);
    return { rootfs, heard };
  };
  /** Says its kind, its mount namespace, and the state it was given; `then` decides how it ends. */
  const teller = (kind: string, file: string, then = ''): SpecHook => ({
    path: '/bin/sh',
    args: [
      'sh',
      '-c',
      `echo "{\\"kind\\":\\"${kind}\\",\\"mnt\\":\\"$(readlink /proc/self/ns/mnt)\\",\\"state\\":$(cat)}" >> ${file}; ${then}`,
    ],
    env: ['PATH=/usr/bin:/bin'],
  });
  const listen = (file: string): Heard[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const all = (heard: string, then: Partial<Record<string, string>> = {}): Hooks => {
    const outside = (kind: string) => [teller(kind, heard, then[kind])];
    const startContainer = [teller('startContainer', '/tmp/heard', then['startContainer'])];
    return {
      prestart: outside('prestart'),
      createRuntime: outside('createRuntime'),
      createContainer: outside('createContainer'),
      startContainer,
      poststart: outside('poststart'),
      poststop: outside('poststop'),
    };
  };

  // @attack A38: twin
  // @proves runtime-spec: runtime.md#lifecycle/prestart-hooks runtime.md#lifecycle/create-runtime-hooks
  // @proves runtime-spec: runtime.md#lifecycle/create-container-hooks runtime.md#lifecycle/start-container-hooks
  // @proves runtime-spec: runtime.md#lifecycle/poststart-hooks runtime.md#lifecycle/poststop-hooks
  // @proves runtime-spec: config.md#posix-platform-hooks/state config.md#prestart/when config.md#prestart/where
  // @proves runtime-spec: config.md#createruntime-hooks/when config.md#createruntime-hooks/where config.md#createcontainer-hooks/when
  // @proves runtime-spec: config.md#createcontainer-hooks/where config.md#startcontainer-hooks/path config.md#startcontainer-hooks/when
  // @proves runtime-spec: config.md#startcontainer-hooks/where config.md#poststart/when config.md#poststart/where
  // @proves runtime-spec: config.md#poststop/when config.md#poststop/where config.md#prestart/first config.md#createcontainer-hooks/after
  hostTest('all six run in order, in their namespaces, and are told the state', ['root'], async () => {
    const { rootfs, heard } = places();
    const { id, pid, bundle } = await runtime.sleeping({ root: { path: rootfs }, hooks: all(heard), annotations: { key: 'value' } });
    await runtime.must('delete', '--force', id);

    const host = readlinkSync('/proc/self/ns/mnt');
    const told = listen(heard).toSorted((a, b) => Number(a.kind === 'poststop') - Number(b.kind === 'poststop'));
    const [own] = told.filter(({ kind }) => kind === 'createContainer');
    expect(own?.mnt).not.toBe(host);
    const expected = [
      { kind: 'prestart', mnt: host, status: 'creating', pid },
      { kind: 'createRuntime', mnt: host, status: 'creating', pid },
      { kind: 'createContainer', mnt: own?.mnt, status: 'creating', pid: 1 },
      { kind: 'startContainer', mnt: own?.mnt, status: 'created', pid: 1 },
      { kind: 'poststart', mnt: host, status: 'running', pid },
      { kind: 'poststop', mnt: host, status: 'stopped', pid: 0 },
    ];
    const seen = told.map(({ kind, mnt, state }) => ({ kind, mnt, status: state.status, pid: state.pid ?? 0 }));
    // Whose start does not wait for startContainer hooks may have both at once.
    const ordered = (list: readonly { readonly kind: string }[]) => list.map(({ kind }) => kind).filter((kind) => kind !== 'poststart');
    if (differs(under, 'hook-states')) expect(ordered(seen)).toEqual(ordered(expected));
    else if (!differs(under, 'poststart-at-create')) expect(seen).toEqual(expected);
    else expect(seen).toEqual(expect.arrayContaining(expected.filter(({ kind }) => kind !== 'poststart')));
    const place = differs(under, 'hook-states') ? {} : { bundle };
    for (const { state } of told) expect(state).toMatchObject({ id, ...place, annotations: { key: 'value' } });
  });

  // @attack A38: attack, control
  for (const kind of ['prestart', 'createRuntime', 'createContainer', 'startContainer'] as const) {
    // @proves runtime-spec: runtime.md#lifecycle/prestart-failure runtime.md#lifecycle/create-runtime-failure
    // @proves runtime-spec: runtime.md#lifecycle/create-container-failure runtime.md#lifecycle/start-container-failure
    hostTest(`a ${kind} hook that fails is an error with its words, and nothing is left`, ['root'], async () => {
      const { rootfs, heard } = places();
      const bundle = runtime.bundle({ root: { path: rootfs }, hooks: all(heard, { [kind]: 'echo its reason >&2; exit 3' }) });
      const id = runtime.newId();
      const created = await runtime.call('create', '--bundle', bundle, id);
      const failed = kind === 'startContainer' ? await runtime.call('start', id) : created;

      // Peers do not wait for the last of them.
      await eventually(() => listen(heard).some((each) => each.kind === kind));
      const kinds = listen(heard).map((each) => each.kind);
      if (differs(under, 'hook-failures')) {
        // The control: they do not hear of it.
        if (kind === 'startContainer') expect(failed.code).toBe(0);
        return;
      }
      expect(failed.code).not.toBe(0);
      expect(failed.stderr).toMatch(/failed \(exit 3\): its reason/);
      expect(kinds.at(-1)).toBe('poststop');
      expect((await runtime.call('state', id)).code).not.toBe(0);
      expect(cgroupDirs(id)).toEqual([]);
      expect(existsSync(join(runtime.root, id))).toBe(false);
    });
  }

  // @attack A37: attack, control
  hostTest('a hook without variables has none of whoever called the runtime', ['root'], async () => {
    const file = join(runtime.dir, 'variables');
    await runtime.run({ hooks: { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `/usr/bin/env > ${file}`] }] } });

    // The control: runc and crun give them all.
    expect(/^PATH=/m.test(readFileSync(file, 'utf8'))).toBe(differs(under, 'hook-inherits'));
  });
});

describe('what ours promises beyond that', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(RUNTIMES[0]);
  });
  afterAll(() => runtime.dispose());

  const shell = (script: string, more: Partial<SpecHook> = {}): SpecHook => ({ path: '/bin/sh', args: ['sh', '-c', script], ...more });

  // The sleep is ended with the whole group, and what a hook prints without end is read and dropped.
  // @attack A38: attack
  for (const kind of ['createRuntime', 'createContainer', 'poststart'] as const) {
    // @proves runtime-spec: runtime.md#lifecycle/poststart-failure
    hostTest(`a ${kind} hook that hangs or floods is ended in time`, ['root'], async () => {
      const hang = shell('PATH=/usr/bin:/bin; yes & sleep 3600', { timeout: 1 });
      const ended = await runtime.run({ process: { args: ['/bin/sleep', '100'] }, hooks: { [kind]: [hang] } });

      expect(ended.code).not.toBe(0);
      expect(ended.stderr).toMatch(/failed \(timeout\): y/);
      expect(ended.stderr.length).toBeLessThan(4096);
    });
  }

  // @proves runtime-spec: runtime.md#lifecycle/poststop-failure config.md#posix-platform-hooks/order
  hostTest('a poststop hook that fails is a warning, and the next one runs', ['root'], async () => {
    const mark = join(runtime.dir, 'second-poststop');
    const hooks = { poststop: [shell('exit 1'), shell(`: > ${mark}`)] };

    expect((await runtime.run({ hooks })).code).toBe(0);
    expect(existsSync(mark)).toBe(true);
  });

  // @attack A37: attack, twin
  // @proves runtime-spec: config.md#createcontainer-hooks/path
  hostTest('a hook has the environment and arguments of the document, / as directory, and no descriptor of ours', ['root'], async () => {
    const files = ['createRuntime', 'createContainer'].map((kind) => join(runtime.dir, `env-${kind}`));
    const body = (file: string) => `exec > ${file}; /usr/bin/env; pwd; echo $0; cd /proc/self/fd; echo *`;
    const hook = (file: string): SpecHook => ({ path: '/bin/sh', args: ['zero', '-c', body(file)], env: ['ONLY=this'] });
    const [one = '', two = ''] = files;
    await runtime.run({ hooks: { createRuntime: [hook(one)], createContainer: [hook(two)] } });

    for (const file of files) expect(readFileSync(file, 'utf8')).toMatch(/^ONLY=this\nPWD=\/\n\/\nzero\n0 1 2 /);
    // The fourth is the directory that the shell lists.
    expect(readFileSync(two, 'utf8')).toMatch(/\n0 1 2 3\n$/);
  });

  hostTest('a hook of the container’s namespaces works in a user namespace, devices and all', ['root'], async () => {
    const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const file = join(runtime.dir, 'from-userns');
    writeFileSync(file, '');
    chmodSync(file, 0o666);
    const hook = shell(`exec < /dev/null; echo "$(/usr/bin/id -u) $(/usr/bin/head -c 3 /dev/zero | /usr/bin/wc -c)" > ${file}`);
    const linux = {
      namespaces: ['user', 'mount', 'pid', 'ipc', 'uts', 'network', 'cgroup'].map((type) => ({ type })),
      uidMappings: ids,
      gidMappings: ids,
    };
    const ended = await runtime.run({ hooks: { createContainer: [hook] }, linux });

    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe('0 3\n');
  });

  hostTest('a hook finds the root directory at its path in the container’s mount namespace, and may mount there', ['root'], async () => {
    const rootfs = runtime.rootfs();
    const hook = shell(`/usr/bin/mount -t tmpfs hooked ${rootfs}/mnt && echo from the hook > ${rootfs}/mnt/file`);

    expect(await runtime.shell('cat /mnt/file', { root: { path: rootfs }, hooks: { createContainer: [hook] } })).toBe('from the hook\n');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('hooked');
  });
});
