import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { cgroupDirs, control, OURS, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

const IDS = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
const USER_NAMESPACES = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type }));

describe.each(RUNTIMES)('limits and user namespaces, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @proves runtime-spec: config-linux.md#memory/limits config-linux.md#cpu/limits config-linux.md#pids/limit
  hostTest(
    'limits stand in the control files, and every process is below them [runtime-spec/config-linux.md#control-groups]',
    ['root'],
    async () => {
      const resources = { memory: { limit: 67_108_864 }, cpu: { shares: 512, quota: 50_000, period: 100_000 }, pids: { limit: 33 } };
      const { id, pid } = await runtime.sleeping({ linux: { resources } });
      const dirs = cgroupDirs(id);

      expect(control(dirs, 'memory.limit_in_bytes', 'memory.max')).toBe('67108864');
      expect(control(dirs, 'pids.max')).toBe('33');
      expect(control(dirs, 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000/);
      const { stdout } = await runtime.must('exec', id, '/bin/cat', '/proc/self/cgroup');
      expect(stdout.split('\n').filter((line) => line.includes(`/${id}`)).length).toBeGreaterThan(0);
      for (const dir of dirs) expect(readFileSync(`${dir}/cgroup.procs`, 'utf8')).toContain(String(pid));
    },
  );

  // @attack A23: attack
  // @proves runtime-spec: config-linux.md#cgroups-path/invalid
  hostTest('a cgroup path cannot climb', ['root'], async () => {
    const ended = await runtime.run({ linux: { cgroupsPath: '/../../../slipway-escaped' } });

    expect(existsSync('/sys/fs/cgroup/slipway-escaped')).toBe(false);
    expect(ended.code === 0).toBe(differs(under, 'cgroup-path-clamped'));
  });

  // @attack A23: attack, control
  hostTest('a cgroup path does not lead beside the place it begins with', ['root'], async () => {
    const id = runtime.newId();
    const place = `${id}-place`;
    try {
      const { code } = await runtime.call('create', '--bundle', runtime.bundle({ linux: { cgroupsPath: `/${place}/../${id}` } }), id);

      // The control: the group of runc's and crun's containers is there.
      const isBeside = differs(under, 'cgroup-path-beside');
      expect({ isMade: code === 0, isBeside: cgroupDirs(id).length > 0 }).toEqual({ isMade: isBeside, isBeside });
    } finally {
      // Its group is found by way of the place, which therefore goes last.
      await runtime.call('delete', '--force', id);
      // Of two controllers in one hierarchy, one directory is the other.
      for (const dir of cgroupDirs(place)) if (existsSync(dir)) await runtime.host('rmdir', dir);
    }
  });

  // @attack A20: attack, twin
  // @proves runtime-spec: config-linux.md#devices/available config-linux.md#allowed-device-list/order
  hostTest('the devices of the document are all that can be used', ['root'], async () => {
    const resources = { devices: [{ allow: false, access: 'rwm' }] };
    const devices = [{ path: '/dev/kmsg-copy', type: 'c' as const, major: 1, minor: 11 }];
    const line = 'cat /dev/kmsg-copy 2>&1 | tail -1; dd if=/dev/zero of=/dev/null count=1 2>/dev/null && echo usable';
    const all = ['CAP_MKNOD', 'CAP_DAC_OVERRIDE'];

    expect(
      await runtime.shell(line, {
        linux: { resources, devices },
        process: { capabilities: { bounding: all, effective: all, permitted: all } },
      }),
    ).toBe("cat: can't open '/dev/kmsg-copy': Operation not permitted\nusable\n");
  });

  // @proves runtime-spec: config-linux.md#user-namespace-mappings/applied
  hostTest(
    'root of a user namespace is somebody else outside [runtime-spec/config-linux.md#user-namespace-mappings]',
    ['root', 'user-namespaces'],
    async () => {
      const rootfs = runtime.rootfs();
      const { id, pid } = await runtime.sleeping({
        root: { path: rootfs },
        linux: { namespaces: USER_NAMESPACES, uidMappings: IDS, gidMappings: IDS },
      });

      expect(statSync(`/proc/${pid}`).uid).toBe(300_000);
      expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', '300000', '65536']);
      const { stdout } = await runtime.must(
        'exec',
        id,
        '/bin/sh',
        '-c',
        'id -u; cat /proc/self/uid_map; stat -c %t:%T /dev/null; ls -d /proc/1',
      );
      expect(stdout.split(/\s+/).filter(Boolean)).toEqual(['0', '0', '300000', '65536', '1:3', '/proc/1']);
    },
  );
});

describe('what only ours promises', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  // @proves runtime-spec: config-linux.md#cgroup-ownership/when-writable config-linux.md#cgroup-ownership/no-others
  hostTest(
    'a writable cgroup mount in a user namespace comes with a cgroup of its own to divide',
    ['root', 'user-namespaces'],
    async () => {
      const rootfs = runtime.rootfs();
      const mounts = [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
        { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
        { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw', 'nosuid'] },
      ];
      const changes = {
        root: { path: rootfs },
        mounts,
        linux: {
          namespaces: USER_NAMESPACES,
          uidMappings: IDS,
          gidMappings: IDS,
          maskedPaths: [],
          readonlyPaths: [],
          resources: { pids: { limit: 50 } },
        },
      };
      const line = [
        'cd /sys/fs/cgroup; [ -d memory ] && cd memory',
        'mkdir inner && echo made',
        'sh -c "echo \\$\\$ > inner/cgroup.procs && grep -c /inner /proc/self/cgroup"',
        'cd /sys/fs/cgroup; [ -d pids ] && cd pids; echo 9999 2>/dev/null > pids.max || echo kept',
      ].join('; ');

      expect(await runtime.shell(line, changes)).toBe('made\n1\nkept\n');
    },
  );

  // @proves runtime-spec: config.md#valid-values/invalid
  hostTest('every issue of a document is named, and nothing is made', ['root'], async () => {
    const id = runtime.newId();
    const bundle = runtime.bundle({
      process: { cwd: 'relative', args: [] },
      mounts: [{ destination: '/x', options: ['bind'] }],
      linux: { namespaces: [{ type: 'moon' }] },
    });
    const { code, stderr } = await runtime.call('create', '--bundle', bundle, id);

    expect(code).toBe(1);
    for (const path of ['/process/cwd', '/process/args', '/mounts/0/source', '/linux/namespaces/0']) expect(stderr).toContain(path);
    expect(existsSync(`${runtime.root}/${id}`)).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });

  // @proves runtime-spec: runtime.md#errors/no-trace runtime.md#lifecycle/cannot-create runtime.md#create/cannot-apply
  hostTest('a failed creation leaves no state, no cgroup and no process', ['root'], async () => {
    const id = runtime.newId();
    const ended = await runtime.call(
      'create',
      '--bundle',
      runtime.bundle({ mounts: [{ destination: '/x', type: 'nosuchfs', source: 'none' }] }),
      id,
    );

    expect(ended.stderr).toContain('/mounts/0');
    expect(existsSync(`${runtime.root}/${id}`)).toBe(false);
    expect(cgroupDirs(id)).toEqual([]);
  });

  hostTest('where there is no systemd to ask, its driver is refused, and nothing is made', ['root'], async () => {
    if (existsSync('/run/systemd/private')) return; // asked for real in the virtual machine of npm run test:v2
    const id = runtime.newId();
    const bundle = runtime.bundle({ linux: { cgroupsPath: 'system.slice:slipway:one' } });
    const { code, stderr } = await runtime.call('--systemd-cgroup', 'create', '--bundle', bundle, id);

    expect(code).toBe(1);
    expect(stderr).toContain('the systemd cgroup driver needs');
    expect(existsSync(`${runtime.root}/${id}`)).toBe(false);
  });

  hostTest('a right that this host withholds is named', ['root'], async () => {
    const hard = Number(/Max open files +\S+ +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    const rlimits = [{ type: 'RLIMIT_NOFILE', soft: hard + 1, hard: hard + 1 }];
    const mayRaise = (BigInt(`0x${/CapEff:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`) >> 24n) & 1n;
    const asked = await runtime.run({ process: { rlimits } });
    const chosen = await runtime.run({
      process: { rlimits, args: ['/bin/sh', '-c', 'ulimit -Hn'] },
      annotations: { 'dev.slipway.defaults': 'rlimits' },
    });

    expect(asked.code).toBe(mayRaise ? 0 : 1);
    if (!mayRaise) expect(asked.stderr).toContain('CAP_SYS_RESOURCE');
    expect(chosen.stdout.trim()).toBe(String(mayRaise ? hard + 1 : hard));
  });
});
