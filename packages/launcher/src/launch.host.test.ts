/** Each operation, seen from inside a container or from the host: not that a call was made, but that it took effect. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { createLauncher } from './native-launcher.ts';
import {
  buildNative,
  EMPTY_ENV,
  makeRig,
  openStart,
  type PlanParts,
  type Rig,
  runToEnd,
  shimOptions,
  standardPlan,
  step,
} from './testing/rig.ts';

const launcher = createLauncher();
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
});
afterAll(() => rig[Symbol.dispose]());

type Parts = Omit<PlanParts, 'rootfs' | 'args'>;
const shell = (script: string, parts: Parts = {}) => runToEnd(launcher, rig, { ...parts, args: ['sh', '-c', script] });

hostTest('a container has its own names, mounts and processes, and reports each operation in order', ['linux', 'root'], async () => {
  const { stdout, exitCode, records } = await shell('hostname; echo $$; ls /; exit 7');
  expect(stdout).toBe('box\n1\nbin\ndev\netc\nproc\nroot\nsys\ntmp\n');
  expect(exitCode).toBe(7);
  expect(records.map((record) => record.index)).toEqual(records.map((_, i) => i));
  expect(records.every((record) => record.errno === 0 && record.endMs >= record.startMs)).toBe(true);
});

hostTest('its mounts are what was planned, and no host mount is left', ['linux', 'root'], async () => {
  const { stdout } = await shell(
    "cat /proc/self/mounts | while read a b c d; do echo $b $c; done; stat -c '%n %F %t:%T %a' /dev/null /dev/zero",
  );
  expect(stdout).toBe(
    [
      '/ tmpfs',
      '/proc proc',
      '/dev tmpfs',
      '/dev/pts devpts',
      '/dev/shm tmpfs',
      '/dev/mqueue mqueue',
      '/sys sysfs',
      '/dev/null character special file 1:3 666',
      '/dev/zero character special file 1:5 666',
      '',
    ].join('\n'),
  );
});

hostTest('binds carry their attributes; a missing destination is made, like its source', ['linux', 'root'], async () => {
  const source = join(rig.dir, 'bind-source');
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'file'), 'from the host\n');
  const { stdout } = await shell('cat /mnt/deep/file /etc/one; touch /mnt/deep/new || echo read-only; touch /rw/new && ls /rw', {
    prepare: [
      step('prepare', { op: 'openSource', slot: 0, hostPath: source, recursive: true }),
      step('prepare', { op: 'openSource', slot: 1, hostPath: join(source, 'file'), recursive: false }),
      step('prepare', { op: 'openSource', slot: 2, hostPath: source, recursive: true }),
    ],
    mounts: [
      step('mounts', {
        op: 'bind',
        slot: 0,
        destination: '/mnt/deep',
        attributes: {},
        treeAttributes: { readOnly: true },
        propagation: 'rprivate',
      }),
      step('mounts', { op: 'bind', slot: 1, destination: '/etc/one', attributes: {} }),
      step('mounts', { op: 'bind', slot: 2, destination: '/rw', attributes: {} }),
    ],
  });
  expect(stdout).toBe('from the host\nfrom the host\nread-only\nfile\nnew\n');
  expect(existsSync(join(source, 'new'))).toBe(true);
});

// @proves runtime-spec: config.md#linux-mount-options/idmap
hostTest('an id-mapped bind shifts the owner seen on disk', ['linux', 'root'], async () => {
  const source = join(rig.dir, 'idmapped');
  mkdirSync(source, { recursive: true });
  const mapping = [{ containerId: 0, hostId: 7000, size: 1 }];
  const { stdout } = await shell("stat -c '%u' /mapped", {
    prepare: [step('prepare', { op: 'openSource', slot: 0, hostPath: source, recursive: false })],
    mounts: [
      step('mounts', {
        op: 'bind',
        slot: 0,
        destination: '/mapped',
        attributes: {},
        idmap: { uid: mapping, gid: mapping, recursive: false },
      }),
    ],
  });
  expect(stdout).toBe('7000\n');
});

hostTest('masked and read-only paths', ['linux', 'root'], async () => {
  writeFileSync(join(rig.rootfs, 'etc/secret'), 'secret\n');
  mkdirSync(join(rig.rootfs, 'hidden'), { recursive: true });
  writeFileSync(join(rig.rootfs, 'hidden/inside'), 'secret\n');
  const { stdout, stderr } = await shell(
    'cat /etc/secret /proc/keys; ls -A /hidden /sys/firmware; touch /hidden/x; touch /tmp/x; echo end',
    {
      mounts: [
        ...['/etc/secret', '/proc/keys', '/hidden', '/sys/firmware', '/proc/no-such-file'].map((path) =>
          step('root', { op: 'mask', path }),
        ),
        step('root', { op: 'readonlyPath', path: '/tmp' }),
        step('root', { op: 'readonlyPath', path: '/no/such/path' }),
      ],
    },
  );
  expect(stdout).toBe('/hidden:\n\n/sys/firmware:\nend\n');
  expect(stderr).toMatch(/hidden\/x: Read-only file system.*\n.*tmp\/x: Read-only file system/);
});

hostTest('settings: sysctl, limits, working directory, umask, read-only root', ['linux', 'root'], async () => {
  const { stdout } = await shell(
    'cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ulimit -n; pwd; umask; touch /x || echo ro; ip addr show lo | head -1',
    {
      settings: [
        step('settings', { op: 'sysctl', key: 'net.ipv4.ip_unprivileged_port_start', value: '99' }),
        step('settings', { op: 'rlimit', resource: 7, soft: 111n, hard: 222n }),
        step('root', { op: 'readonlyRoot' }),
      ],
    },
  );
  expect(stdout).toMatch(/^99\n111\n\/\n0022\nro\n1: lo: <LOOPBACK,UP/);
});

hostTest('rights: user, groups, capabilities, no_new_privs, seccomp', ['linux', 'root'], async () => {
  // Everything is allowed but mkdir (83 on x86-64), which returns EPERM.
  const program = new Uint8Array(new Uint32Array([0x20, 0, 0x0001_0015, 83, 0x06, 0x7fff0000, 0x06, 0x00050001]).buffer);
  const { stdout, stderr } = await shell(
    'id -u; id -g; id -G; cat /proc/self/status | while read a b c; do case $a in Cap*|NoNewPrivs*|Seccomp:) echo $a $b;; esac; done; mkdir /tmp/y',
    {
      settings: [
        step('rights', { op: 'boundingSet', keep: [10, 0] }),
        step('rights', { op: 'user', uid: 1000, gid: 1001, additionalGids: [5, 6] }),
        step('rights', { op: 'capabilities', effective: [10], permitted: [10], inheritable: [10], ambient: [10] }),
        step('rights', { op: 'noNewPrivileges' }),
        ...(process.arch === 'x64' ? [step('rights', { op: 'seccomp', program, flags: 0 })] : []),
      ],
    },
  );
  expect(stdout).toBe(
    '1000\n1001\n1001 5 6\nCapInh: 0000000000000400\nCapPrm: 0000000000000400\nCapEff: 0000000000000400\nCapBnd: 0000000000000401\nCapAmb: 0000000000000400\nNoNewPrivs: 1\nSeccomp: 2\n',
  );
  expect(stderr).toContain('Operation not permitted');
});

hostTest('identity: the child joins its cgroup before its cgroup namespace, and gets its oom score', ['linux', 'root'], async () => {
  const cgroup = '/sys/fs/cgroup/pids/slipway-launcher-test';
  if (!existsSync('/sys/fs/cgroup/pids/cgroup.procs')) return;
  mkdirSync(cgroup, { recursive: true });
  const parts = {
    identity: [
      step('identity', { op: 'joinCgroup', procsFiles: [join(cgroup, 'cgroup.procs')] }),
      step('identity', { op: 'oomScore', value: 321 }),
    ],
    settings: [step('mounts', { op: 'unshare', namespaces: ['cgroup'] })],
  } satisfies Parts;
  try {
    const { stdout } = await shell('cat /proc/self/oom_score_adj /proc/self/cgroup', parts);
    expect(stdout).toMatch(/^321\n/);
    expect(stdout).toMatch(/\d+:pids:\/\n/);
  } finally {
    rmdirSync(cgroup);
  }
});

// @attack A52: twin
// @proves runtime-spec: config-linux.md#default-devices/console config.md#process/terminal
hostTest('a terminal is a pty of the container, its controlling terminal, and /dev/console', ['linux', 'root'], async () => {
  const { stdout } = await shell(
    "tty; stty size; stat -c '%t' /dev/console; cat /proc/self/stat | while read a b c d e f g rest; do echo $((g >> 8)); done",
    {
      terminal: true,
    },
  );
  expect(stdout.replaceAll('\r', '')).toBe('/dev/pts/0\n24 80\n88\n136\n');
});

hostTest('a further process joins the namespaces of a running one', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const first = await launcher.launch(standardPlan({ rootfs: rig.rootfs, args: ['sleep', '60'] }), shimOptions(dir));
  try {
    const kinds = ['ipc', 'uts', 'network', 'cgroup', 'pid', 'mount'] as const;
    const file = (kind: (typeof kinds)[number]) =>
      ({ network: 'net', mount: 'mnt', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup', pid: 'pid' })[kind];
    const execDir = rig.shimDir();
    const startFifo = rig.fifo();
    const plan = {
      operations: [
        ...kinds.map((kind, slot) => step('prepare', { op: 'openNamespace', slot, kind, hostPath: `/proc/${first.pid}/ns/${file(kind)}` })),
        step('clone', { op: 'clone', namespaces: [] }),
        ...kinds.map((kind, slot) => step('mounts', { op: 'joinNamespace', slot, kind })),
        step('settings', { op: 'workdir', path: '/tmp', create: false }),
        step('start', { op: 'awaitStart' }),
        step('start', {
          op: 'exec',
          args: ['/bin/sh', '-c', 'hostname; pwd; echo $$; readlink /proc/1/ns/mnt; readlink /proc/self/ns/mnt'],
          env: EMPTY_ENV,
        }),
      ],
    };
    await launcher.launch(plan, { ...shimOptions(execDir, { logPath: join(execDir, 'log') }), startFifo });
    openStart(startFifo);
    await expect.poll(() => existsSync(join(execDir, 'exit.json'))).toBe(true);
    const [host, cwd, pid, one, own] = readFileSync(join(execDir, 'log'), 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[3]);
    expect([host, cwd]).toEqual(['box', '/tmp']);
    expect(Number(pid)).toBeGreaterThan(1);
    expect(one).toBe(own);
  } finally {
    process.kill(first.pid, 'SIGKILL');
    await expect.poll(() => existsSync(join(dir, 'exit.json'))).toBe(true);
  }
});

hostTest('a detached process is left to the caller, with the streams it was given', ['linux', 'root'], async () => {
  const script = `
    import { createLauncher } from '${new URL('./index.ts', import.meta.url).pathname}';
    const { pid } = await createLauncher().launch(JSON.parse(process.argv[1]), { supervision: { mode: 'foreground', stdio: [0, 1, 2] } })
      .then(async (launched) => { process.exitCode = await launched.exit; return launched; });`;
  const plan = JSON.stringify(standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', 'cat; exit 5'] }));
  const failure = await new Promise<{ status: number; stdout: string }>((resolve) => {
    try {
      resolve({
        status: 0,
        stdout: execFileSync(process.execPath, ['--input-type=module', '-e', script, plan], { input: 'through\n', encoding: 'utf8' }),
      });
    } catch (error) {
      resolve(error as { status: number; stdout: string });
    }
  });
  expect(failure).toMatchObject({ status: 5, stdout: 'through\n' });
});

hostTest('a device may be a named pipe', ['linux', 'root'], async () => {
  const { stdout } = await shell('ls -l /tmp/pipe | head -c 10', {
    mounts: [step('devices', { op: 'device', path: '/tmp/pipe', type: 'p', major: 0, minor: 0, mode: 0o600, uid: 0, gid: 0 })],
  });
  expect(stdout).toBe('prw-------');
});
