import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cgroupDirs, control, eventually, OURS_AND_RUNC, OURS_BY_NODE, TestRuntime } from './testing/test-runtime.ts';

const MIB = 1024 * 1024;
const V2 = existsSync('/sys/fs/cgroup/cgroup.controllers');

describe.each([...OURS_AND_RUNC, OURS_BY_NODE])('the commands around a life, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  const memory = (id: string) => control(cgroupDirs(id), 'memory.limit_in_bytes', 'memory.max');
  const pids = (id: string) => control(cgroupDirs(id), 'pids.max');
  const cpu = (id: string) => control(cgroupDirs(id), 'cpu.cfs_quota_us', 'cpu.max');

  hostTest('update changes the limits that are named, in runc’s units, and no others', ['root'], async () => {
    const { id } = await runtime.sleeping({ linux: { resources: { memory: { limit: 64 * MIB }, pids: { limit: 33 } } } });

    await runtime.must('update', '--memory', '96m', id);
    expect([memory(id), pids(id)]).toEqual([String(96 * MIB), '33']);
    await runtime.must('update', '--cpu-quota', '20000', '--cpu-period', '50000', '--pids-limit', '44', '--cpu-share', '512', id);
    expect([memory(id), pids(id)]).toEqual([String(96 * MIB), '44']);
    expect(cpu(id)).toMatch(/^20000/);
    await runtime.must('update', '--cpuset-cpus', '0', '--cpuset-mems', '0', id);
    expect(control(cgroupDirs(id), 'cpuset.cpus')).toBe('0');
  });

  hostTest('update reads a document, from a file or from standard input; 0 changes nothing', ['root'], async () => {
    const { id } = await runtime.sleeping({ linux: { resources: { memory: { limit: 64 * MIB }, pids: { limit: 33 } } } });
    const document = { memory: { limit: 80 * MIB, reservation: 0 }, cpu: { shares: 0, cpus: '' }, blockIO: { weight: 0 } };
    const file = join(runtime.dir, 'resources.json');
    writeFileSync(file, JSON.stringify(document));

    await runtime.must('update', '-r', file, id);
    expect([memory(id), pids(id)]).toEqual([String(80 * MIB), '33']);
    writeFileSync(file, JSON.stringify({ pids: { limit: 55 } }));
    expect((await runtime.callWithInput(file, 'update', '--resources', '-', id)).code).toBe(0);
    expect([memory(id), pids(id)]).toEqual([String(80 * MIB), '55']);
  });

  hostTest('update refuses what is no limit, and a container that has stopped', ['root'], async () => {
    const { id } = await runtime.sleeping();
    for (const flags of [
      ['--memory', 'bogus'],
      ['--cpu-period', 'x'],
      ['--pids-limit', 'x'],
      ['--cpuset-cpus', '9999'],
    ])
      expect([flags, (await runtime.call('update', ...flags, id)).code]).toEqual([flags, 1]);
    await runtime.must('kill', id, 'KILL');
    await eventually(async () => (await runtime.state(id)).status === 'stopped');
    expect((await runtime.call('update', '--memory', '64m', id)).stderr).toContain('container not running');
    expect((await runtime.call('events', '--stats', id)).stderr).toContain(`container with id ${id} is not running`);
    expect((await runtime.must('ps', id)).stdout).not.toContain('sleep');
  });

  hostTest('events --stats is one document of what the container uses', ['root'], async () => {
    const { id } = await runtime.sleeping({ linux: { resources: { memory: { limit: 64 * MIB }, pids: { limit: 33 } } } });
    const { stdout } = await runtime.must('events', '--stats', id);
    const event = JSON.parse(stdout);

    expect(event).toMatchObject({
      type: 'stats',
      id,
      data: { pids: { current: expect.any(Number), limit: 33 }, memory: { usage: { limit: 64 * MIB } } },
    });
    expect(event.data.memory.usage.usage).toBeGreaterThan(0);
    expect(event.data.memory.raw.pgfault).toBeGreaterThan(0);
    expect(event.data.cpu.usage.total).toBeGreaterThan(0);
    if (!V2) expect(event.data.cpu.usage.percpu.length).toBeGreaterThan(0);
    expect(event.data.cpuset.cpus).toContain(0);
  });

  hostTest('events goes on at its interval, tells a kill for want of memory, and ends with the container', ['root'], async () => {
    const line = 'read go < /fifo; x=x; while :; do x=$x$x; done';
    const rootfs = runtime.rootfs();
    await runtime.host('mkfifo', join(rootfs, 'fifo'));
    const resources = { memory: { limit: 16 * MIB, swap: 16 * MIB } };
    const process = { args: ['/bin/sh', '-c', line] };
    const { id } = await runtime.sleeping({ root: { path: rootfs }, process, linux: { resources } });
    const { child, files } = runtime.begin('events', '--interval', '50ms', id);
    const told = () => readFileSync(files.stdout, 'utf8').split('\n').filter(Boolean);
    await eventually(() => told().length >= 3, 30_000);
    writeFileSync(join(rootfs, 'fifo'), 'go\n');

    const ended = new Promise((resolve) => child.once('exit', resolve));
    await eventually(() => told().some((text) => JSON.parse(text).type === 'oom'), 30_000);
    await eventually(async () => (await runtime.state(id)).status === 'stopped', 30_000);
    await runtime.must('delete', id);
    expect(await ended).toBe(0);
    expect(new Set(told().map((text) => JSON.parse(text).type))).toEqual(new Set(['stats', 'oom']));
  });

  hostTest('exec --ignore-paused begins in a paused container and waits with the others', ['root'], async () => {
    const { id } = await runtime.sleeping();
    await runtime.must('pause', id);
    const { child, files } = runtime.begin('exec', '--ignore-paused', id, '/bin/sh', '-c', 'echo ran');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([child.exitCode, readFileSync(files.stdout, 'utf8')]).toEqual([null, '']);

    const ended = new Promise((resolve) => child.once('exit', resolve));
    await runtime.must('resume', id);
    expect(await ended).toBe(0);
    expect(readFileSync(files.stdout, 'utf8')).toBe('ran\n');
  });

  hostTest('exec --cgroup goes below the container’s group, where there is such a group', ['root'], async () => {
    const { id } = await runtime.sleeping();
    const groups = [...new Set(cgroupDirs(id))].map((dir) => join(dir, 'below'));
    for (const dir of groups) await runtime.host('mkdir', dir);
    // A v1 cpuset begins without any, and takes no process then.
    for (const file of groups.flatMap((dir) => [join(dir, 'cpuset.cpus'), join(dir, 'cpuset.mems')]))
      if (existsSync(file)) writeFileSync(file, '0');
    try {
      const { stdout } = await runtime.must('exec', '--cgroup', 'below', id, '/bin/cat', '/proc/self/cgroup');
      expect(stdout).toMatch(/\/below\n/);
      expect((await runtime.call('exec', '--cgroup', 'nosuch', id, '/bin/true')).code).toBe(255);
      if (under.kind === 'ours')
        expect((await runtime.call('exec', '--cgroup', '../..', id, '/bin/true')).stderr).toContain('leaves the container');
    } finally {
      for (const dir of groups)
        await eventually(() =>
          runtime.host('rmdir', dir).then(
            () => true,
            () => false,
          ),
        );
    }
  });

  // @attack A41: twin
  hostTest('without pivot_root, which has to be asked for, the container has its root all the same', ['root'], async () => {
    const bundle = runtime.bundle({
      process: { args: ['/bin/sh', '-c', 'pwd; ls /bin/busybox; ls /bundle 2>/dev/null || echo nothing else'] },
    });

    expect((await runtime.must('run', '--no-pivot', '--bundle', bundle, runtime.newId())).stdout).toBe('/\n/bin/busybox\nnothing else\n');
  });

  hostTest('a wrong word is told in runc’s own', ['root'], async () => {
    const { id, bundle } = await runtime.sleeping();
    const paused = await runtime.sleeping();
    await runtime.must('pause', paused.id);
    for (const [code, words, ...args] of [
      [1, 'cannot start an already running container', 'start', id],
      [1, `cannot delete container ${id} that is not stopped: running`, 'delete', id],
      [1, 'container not paused', 'resume', id],
      [1, 'container not running', 'pause', paused.id],
      [255, 'exec failed: cannot exec in a paused container (use --ignore-paused to override)', 'exec', paused.id, '/bin/true'],
      [1, 'container with given ID already exists', 'create', '--bundle', bundle, id],
      [1, 'unknown signal \\"FOO\\"', 'kill', id, 'FOO'],
      [1, 'invalid format option', 'list', '--format', 'xml'],
      [1, 'invalid format option', 'ps', '--format', 'xml', id],
      [1, 'container does not exist', 'update', 'nosuch'],
      [1, '\\"update\\" requires exactly 1 argument(s)', 'update'],
      [1, '\\"events\\" requires exactly 1 argument(s)', 'events'],
      [3, "No help topic for 'nosuch'", 'nosuch'],
    ] as const) {
      const ended = await runtime.call(...args);
      expect([args, ended.code, ended.stderr]).toEqual([args, code, expect.stringContaining(words)]);
    }
    if (under.kind === 'ours') expect((await runtime.call('exec', '--process-label', 'a:b:c:d', id, '/bin/true')).code).toBe(255);
    if (under.kind === 'ours') expect((await runtime.call('checkpoint', id)).stderr).toContain('needs criu');
    expect((await runtime.call('--log-format', 'xml', 'list')).stderr).toContain('invalid log-format: xml');
  });

  hostTest('ps takes the flags of ps, and a program its own --help', ['root'], async () => {
    const { id, pid } = await runtime.sleeping();

    expect((await runtime.must('ps', id, '-o', 'pid,args')).stdout).toMatch(new RegExp(`PID COMMAND\\n *${pid} /bin/sleep 1000\\n$`));
    const { stdout, stderr } = await runtime.call('exec', id, '/bin/sleep', '--help');
    expect(stdout + stderr).toContain('BusyBox');
    expect((await runtime.must('update', '--help')).stdout).toContain('cpu-quota');
  });
});
