/** What the specification asks for and no test of a subject of its own shows. Each runtime is held to it, ours and its peers. */
import { existsSync, readFileSync, readlinkSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatSpecJson, parseSpecJson } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { cgroupDirs, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

describe.each(RUNTIMES)('the specification’s words, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  /** Creates a container that must not come into being, and looks for what it could have left. */
  const refused = async (bundle: string) => {
    const id = runtime.newId();
    const ended = await runtime.call('create', '--bundle', bundle, id);
    expect(ended.code).not.toBe(0);
    expect((await runtime.call('state', id)).code).not.toBe(0);
    expect(cgroupDirs(id)).toEqual([]);
    return ended;
  };
  /** A bundle whose document is changed as text, past our types. */
  const bundleWith = (change: (document: Record<string, unknown>) => void) => {
    const bundle = runtime.bundle();
    const file = join(bundle, 'config.json');
    const document = parseSpecJson(readFileSync(file, 'utf8')) as Record<string, unknown>;
    change(document);
    writeFileSync(file, formatSpecJson(document as never));
    return bundle;
  };

  // @proves runtime-spec: bundle.md#container-format/config-file
  hostTest('a directory without config.json is no bundle', ['root'], async () => {
    const bundle = runtime.bundle();
    unlinkSync(join(bundle, 'config.json'));

    await refused(bundle);
  });

  // @proves runtime-spec: config.md#root/is-directory bundle.md#container-format/root-directory
  hostTest('a root that is missing, or a file, is an error', ['root'], async () => {
    const file = join(runtime.dir, 'plain');
    writeFileSync(file, '');
    await refused(runtime.bundle({}, join(runtime.dir, 'nowhere')));
    await refused(runtime.bundle({}, file));
  });

  // @proves runtime-spec: config.md#process/required-to-start runtime.md#start/no-process
  hostTest('a document without a process never gets as far as a program', ['root'], async () => {
    const bundle = bundleWith((document) => Reflect.deleteProperty(document, 'process'));
    const id = runtime.newId();
    const created = await runtime.call('create', '--bundle', bundle, id);

    expect(created.code === 0 && (await runtime.call('start', id)).code === 0).toBe(false);
  });

  // @proves runtime-spec: runtime.md#create/needs-both runtime.md#query-state/needs-id runtime.md#start/needs-id
  // @proves runtime-spec: runtime.md#kill/needs-id runtime.md#delete/needs-id runtime.md#query-state/unknown
  hostTest('every operation wants an id, of a container that is there', ['root'], async () => {
    const nobody = runtime.newId();
    for (const operation of ['state', 'create', 'start', 'kill', 'delete']) {
      expect((await runtime.call(operation)).code, operation).not.toBe(0);
      if (operation !== 'create') expect((await runtime.call(operation, nobody)).code, operation).not.toBe(0);
    }
    expect((await runtime.call('create', nobody)).code).not.toBe(0);
  });

  // @proves runtime-spec: runtime.md#create/applies-all
  hostTest('a created container has its namespaces, names, mounts and limits before anything of it runs', ['root'], async () => {
    const id = runtime.newId();
    const mounts = [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/made', type: 'tmpfs', source: 'tmpfs', options: ['mode=701'] },
    ];
    const bundle = runtime.bundle({ mounts, linux: { resources: { pids: { limit: 44 } }, maskedPaths: [], readonlyPaths: [] } });
    await runtime.must('create', '--bundle', bundle, id);
    const { pid } = await runtime.state(id);

    expect(statSync(`/proc/${pid}/root/made`).mode & 0o777).toBe(0o701);
    expect(readlinkSync(`/proc/${pid}/ns/uts`)).not.toBe(readlinkSync('/proc/self/ns/uts'));
    const limits = cgroupDirs(id).map((dir) => join(dir, 'pids.max'));
    expect([...new Set(limits.filter(existsSync).map((file) => readFileSync(file, 'utf8')))]).toEqual(['44\n']);
  });

  // @proves runtime-spec: runtime.md#delete/spares
  hostTest('deletion leaves the bundle, the root, and whoever’s namespaces were joined', ['root'], async () => {
    const owner = await runtime.sleeping();
    const rootfs = runtime.rootfs();
    const path = `/proc/${owner.pid}/ns/net`;
    const guest = await runtime.sleeping({
      root: { path: rootfs },
      linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network', path }] },
    });
    await runtime.must('delete', '--force', guest.id);

    expect(existsSync(join(guest.bundle, 'config.json'))).toBe(true);
    expect(existsSync(join(rootfs, 'bin/busybox'))).toBe(true);
    expect(await runtime.state(owner.id)).toMatchObject({ status: 'running', pid: owner.pid });
  });

  // @proves runtime-spec: config-linux.md#namespaces/path-mismatch
  hostTest('a path to another kind of namespace, or to none, is an error', ['root'], async () => {
    for (const path of ['/proc/self/ns/net', '/proc/self/status', '/nowhere'])
      await refused(runtime.bundle({ linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'ipc', path }] } }));
  });

  // @proves runtime-spec: config-linux.md#devices/occupied
  hostTest('something else at the place of a device is an error, and stays', ['root'], async () => {
    const rootfs = runtime.rootfs();
    writeFileSync(join(rootfs, 'occupied'), 'here first');
    const devices = [{ path: '/occupied', type: 'c' as const, major: 1, minor: 3 }];
    const ended = await runtime.run({ root: { path: rootfs }, linux: { devices } }, rootfs);

    expect(ended.code === 0).toBe(differs(under, 'device-over-file'));
    if (!differs(under, 'device-over-file')) expect(readFileSync(join(rootfs, 'occupied'), 'utf8')).toBe('here first');
  });

  // @proves runtime-spec: config-linux.md#rootfs-mount-propagation/value
  hostTest('the root has the propagation that was asked for', ['root'], async () => {
    // The fifth word of a line is where it is mounted.
    const root = 'while read a b c d at rest; do [ "$at" = / ] && echo "$rest"; done < /proc/self/mountinfo; true';
    const shared = await runtime.shell(root, { linux: { rootfsPropagation: 'shared' } });
    expect(/ shared:\d+/.test(shared)).toBe(!differs(under, 'shared-root-is-not'));
    expect(await runtime.shell(root, { linux: { rootfsPropagation: 'private' } })).not.toMatch(/ (shared|master):\d+/);
  });

  // @proves runtime-spec: config-linux.md#user-namespace-mappings/ownership
  hostTest('files keep their owners under a user namespace', ['root', 'user-namespaces'], async () => {
    const rootfs = runtime.rootfs();
    const ids = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
    const namespaces = ['user', 'mount', 'pid', 'network', 'ipc', 'uts'].map((type) => ({ type }));

    expect(
      await runtime.shell('stat -c %u /bin/busybox', { root: { path: rootfs }, linux: { namespaces, uidMappings: ids, gidMappings: ids } }),
    ).toBe('65534\n');
    expect(statSync(join(rootfs, 'bin/busybox')).uid).toBe(0);
  });

  // @proves runtime-spec: config.md#domainname/set
  hostTest('the domain name is the container’s own', ['root'], async () => {
    if (differs(under, 'no-domainname')) return;
    const before = readFileSync('/proc/sys/kernel/domainname', 'utf8');

    expect(await runtime.shell('cat /proc/sys/kernel/domainname', { domainname: 'inside.test' })).toBe('inside.test\n');
    expect(readFileSync('/proc/sys/kernel/domainname', 'utf8')).toBe(before);
  });

  // @proves runtime-spec: config.md#extensibility/unknown-properties config.md#extensibility/ignored config.md#annotations/unknown-keys
  hostTest('what a runtime does not know is neither an error nor has an effect', ['root'], async () => {
    const bundle = bundleWith((document) => {
      Object.assign(document, { futureField: { path: '/' }, annotations: { 'org.example.never-heard-of': 'x' } });
      Object.assign(document['process'] as object, { args: ['/bin/hostname'], futureHostname: 'other' });
    });

    expect(await runtime.call('run', '--bundle', bundle, runtime.newId())).toMatchObject({ code: 0, stdout: 'container\n' });
  });

  // @proves runtime-spec: config.md#mounts/relative
  hostTest('a relative destination counts from the root', ['root'], async () => {
    const bundle = bundleWith((document) => {
      (document['mounts'] as object[]).push({ destination: 'relative/place', type: 'tmpfs', source: 'tmpfs' });
      Object.assign(document['process'] as object, { args: ['/bin/sh', '-c', 'grep -c " /relative/place " /proc/self/mountinfo'] });
    });

    expect(await runtime.call('run', '--bundle', bundle, runtime.newId())).toMatchObject({ code: 0, stdout: '1\n' });
  });

  // @proves runtime-spec: config.md#linux-process/capability-unknown
  // @attack A14: attack, twin
  hostTest('a capability that no kernel has is left out with a warning, and the process runs', ['root'], async () => {
    const set = ['CAP_KILL', 'CAP_OF_TOMORROW'];
    const capabilities = { bounding: set, effective: set, permitted: set };

    const log = join(runtime.dir, 'capabilities.log');
    const bundle = runtime.bundle({ process: { capabilities, args: ['/bin/grep', 'CapBnd', '/proc/self/status'] } });

    const { stdout } = await runtime.call('--log', log, 'run', '--bundle', bundle, runtime.newId());
    expect(stdout).toBe('CapBnd:\t0000000000000020\n');
    if (!differs(under, 'own-words')) expect(readFileSync(log, 'utf8')).toContain('CAP_OF_TOMORROW');
  });

  // @proves runtime-spec: config.md#linux-process/capability-withheld config.md#linux-process/capability-not-applied
  hostTest(
    'a capability that the runtime itself is denied is left out with a warning that names it, and the process runs',
    ['root'],
    async () => {
      const without = ['/usr/bin/setpriv', '--bounding-set', '-wake_alarm', ...('under' in under ? under.under : [])];
      const denied = new TestRuntime({ ...under, under: without });
      const set = ['CAP_KILL', 'CAP_WAKE_ALARM'];
      const capabilities = { bounding: set, effective: set, permitted: set };
      const { code, stdout, stderr } = await denied.run({ process: { capabilities, args: ['/bin/grep', 'CapPrm', '/proc/self/status'] } });
      await denied.dispose();

      expect(code === 0, stderr).toBe(!differs(under, 'withheld-is-refused'));
      if (differs(under, 'withheld-is-refused')) return;
      expect(stdout).toBe('CapPrm:\t0000000000000020\n');
      expect(stderr).toContain('level=warning msg="CAP_WAKE_ALARM is not given to the process: this host withholds it"');
    },
  );

  // @proves runtime-spec: config.md#linux-process/oom-score-untouched
  hostTest('without oomScoreAdj the process has its caller’s', ['root'], async () => {
    const own = readFileSync('/proc/self/oom_score_adj', 'utf8');

    expect(await runtime.shell('cat /proc/self/oom_score_adj')).toBe(own);
  });

  // @proves runtime-spec: config-linux.md#cgroup-ownership/with-namespace config-linux.md#cgroup-ownership/when-writable
  hostTest('without a writable cgroup mount the group keeps its owner', ['root', 'user-namespaces'], async () => {
    const ids = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
    const namespaces = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type }));
    const { id } = await runtime.sleeping({ root: { path: runtime.rootfs() }, linux: { namespaces, uidMappings: ids, gidMappings: ids } });

    expect(cgroupDirs(id).map((dir) => statSync(dir).uid)).toEqual(cgroupDirs(id).map(() => 0));
  });
});
