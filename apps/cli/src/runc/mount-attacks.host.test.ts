/**
 * Ways out of a container through cgroup file systems, mounts that travel, and flags that are lifted. Each has a control in which the
 * attack succeeds, because the configuration gives away what keeps it from that: a test that never failed proves nothing.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SpecMount, SpecProcess } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { eventually, OURS, OURS_AND_RUNC, TestRuntime } from './testing/test-runtime.ts';

const IDS = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
const USER_NAMESPACES = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type }));
const PLAIN_NAMESPACES = ['mount', 'pid', 'network', 'ipc', 'uts'].map((type) => ({ type }));
/** Without a /dev of its own, a runtime would leave device nodes in the image. */
const BASE: readonly SpecMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
];
const CGROUP: SpecMount = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] };
const OPEN = { maskedPaths: [], readonlyPaths: [] };

/** Every right that the attacks could use. */
const RIGHTS = ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE', 'CAP_MKNOD', 'CAP_CHOWN', 'CAP_SETUID', 'CAP_SETGID'];
const strong: Partial<SpecProcess> = { capabilities: { bounding: RIGHTS, effective: RIGHTS, permitted: RIGHTS } };
const inUserNamespace = { namespaces: USER_NAMESPACES, uidMappings: IDS, gidMappings: IDS, ...OPEN };

describe.each(OURS_AND_RUNC)('ways out through mounts, by $name', (under) => {
  let runtime: TestRuntime;
  let rootfs: string;
  beforeAll(() => {
    runtime = new TestRuntime(under);
    rootfs = runtime.rootfs();
    // Root of a user namespace can make none of them.
    for (const name of ['mnt/attack', 'sys/fs/cgroup']) mkdirSync(join(rootfs, name), { recursive: true });
  });
  afterAll(() => runtime.dispose());

  /** A program of the container's that the kernel would run outside of it, as root, if the attack succeeded. */
  const plant = (name: string): { marker: string; attack: string } => {
    const [marker, agent] = [join(rootfs, `tmp/${name}`), join(rootfs, `tmp/${name}-agent`)];
    writeFileSync(agent, `#!${join(rootfs, 'bin/busybox')} sh\necho escaped >${marker}\n`, { mode: 0o755 });
    chmodSync(join(rootfs, 'tmp'), 0o777);
    const steps = [
      'for kind in none,name=slipway-attack memory cpu; do',
      '  mount -t cgroup -o $kind attack /mnt/attack 2>/dev/null || continue',
      `  echo ${agent} >/mnt/attack/release_agent 2>/dev/null && echo written`,
      '  [ $kind = none,name=slipway-attack ] || { busybox umount /mnt/attack; continue; }',
      '  mkdir /mnt/attack/child && echo 1 >/mnt/attack/child/notify_on_release',
      '  (sh -c "echo 0 >/mnt/attack/child/cgroup.procs"); busybox rmdir /mnt/attack/child 2>/dev/null',
      'done; echo end',
    ];
    return { marker, attack: steps.join('\n') };
  };

  // @attack A21: attack
  hostTest('no release agent is set, from a user namespace or without rights', ['root', 'user-namespaces'], async () => {
    const { marker, attack } = plant('a21');
    const root = { path: rootfs };
    expect(await runtime.shell(attack, { root, mounts: BASE }, rootfs)).toBe('end\n');
    expect(await runtime.shell(attack, { root, mounts: BASE, linux: inUserNamespace, process: strong }, rootfs)).toBe('end\n');
    const nested = { root, mounts: [...BASE, { ...CGROUP, options: ['rw'] }], linux: inUserNamespace, process: strong };
    expect(await runtime.shell(attack, nested, rootfs)).toBe('end\n');
    expect(existsSync(marker)).toBe(false);
  });

  // @attack A22: attack
  // @attack A21: twin
  hostTest('the cgroup file system can be read, and shows the container as its top; nothing is made or moved', ['root'], async () => {
    const line = [
      'for dir in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $dir/inner 2>/dev/null && echo made; done',
      'for file in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do (echo 0 >$file) 2>/dev/null && echo moved; done',
      'cut=\'/proc/self/cgroup\'; while IFS=: read -r _ _ path; do [ "$path" = / ] || echo "outside $path"; done <$cut',
      'ls /sys/fs/cgroup | grep -q . && echo shown',
    ].join('\n');
    const namespaces = [...PLAIN_NAMESPACES, { type: 'cgroup' }];

    const shown = await runtime.shell(line, { mounts: [...BASE, CGROUP], linux: { namespaces, ...OPEN } });
    // Known-bad: below a directory that is not, Debian's runc 1.1.5 leaves a hierarchy writable (CVE-2023-25809 is of this kind).
    if (under.kind === 'ours') expect(shown).toBe('shown\n');
    else expect(shown).toMatch(/^(made\nmoved\n)?shown\n$/);
  });

  // @attack A08: attack, control, twin
  hostTest('a kernel parameter is set in the kernel, and never written to a file of the image', ['root'], async () => {
    const image = runtime.rootfs();
    const decoy = join(image, 'proc/sys/net/ipv4/ip_forward');
    mkdirSync(dirname(decoy), { recursive: true });
    writeFileSync(decoy, 'decoy\n');
    const linux = { sysctl: { 'net.ipv4.ip_forward': '1' }, ...OPEN };
    const id = runtime.newId();
    await runtime.call('create', '--bundle', runtime.bundle({ root: { path: image }, mounts: BASE.slice(1), linux }), id);

    expect(readFileSync(decoy, 'utf8') === 'decoy\n').toBe(!differs(under, 'sysctl-into-image'));
    // Without a /proc there are runtimes that come no further.
    if (differs(under, 'sysctl-into-image')) return;
    const target = String((await runtime.state(id)).pid);
    expect(execFileSync('nsenter', ['--net', '--target', target, 'cat', '/proc/sys/net/ipv4/ip_forward'], { encoding: 'utf8' })).toBe(
      '1\n',
    );
  });

  // @attack A40: attack, control, twin
  hostTest('a mount made inside stays inside, unless the bind is shared', ['root'], async () => {
    const volume = join(runtime.dir, 'volume');
    mkdirSync(join(volume, 'd'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'volume', volume]);
    execFileSync('mount', ['--make-shared', volume]);
    try {
      mkdirSync(join(volume, 'd'));
      const leaks = () =>
        readFileSync('/proc/self/mountinfo', 'utf8')
          .split('\n')
          .filter((line) => line.includes(`${volume}/d`)).length;
      const attempt = async (options: readonly string[], rootfsPropagation: string) => {
        const bind = { destination: '/mnt', type: 'bind', source: volume, options: ['rbind', ...options] };
        const linux = { rootfsPropagation, ...OPEN };
        await runtime.shell('mount -t tmpfs inside /mnt/d && echo mounted', { mounts: [...BASE, bind], linux, process: strong });
        return leaks();
      };

      for (const rootfsPropagation of ['private', 'slave', 'rslave']) {
        for (const options of [['rprivate'], ['rslave']]) expect(await attempt(options, rootfsPropagation)).toBe(0);
      }
      expect(await attempt([], 'rprivate')).toBe(0);
      // Known-bad: asked for by name, and then it is what happens. Debian's runc needs a shared root for it, too.
      if (under.kind === 'ours') expect(await attempt(['rshared'], 'rslave')).toBeGreaterThan(0);
    } finally {
      execFileSync('umount', ['-R', '-l', volume]);
    }
  });

  // @attack A43: attack, control, twin
  hostTest('nosuid, nodev and noexec of a host’s mount hold in a user namespace', ['root', 'user-namespaces'], async () => {
    const source = join(runtime.dir, 'limited');
    mkdirSync(source, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,nodev,noexec,mode=755', 'limited', source]);
    try {
      copyFileSync('/usr/bin/busybox', join(source, 'busybox'));
      chmodSync(join(source, 'busybox'), 0o4755);
      const bind = { destination: '/mnt', type: 'bind', source, options: ['bind'] };
      const line = [
        'for words in suid dev exec rw,suid,dev,exec; do mount -o remount,bind,$words /mnt 2>/dev/null && echo lifted $words; done',
        '/mnt/busybox true 2>/dev/null && echo ran',
        '[ -s /mnt/busybox ] && echo readable',
        "grep ' /mnt ' /proc/self/mountinfo | grep -q 'nosuid,nodev,noexec' && echo kept",
      ].join('\n');

      const changes = { root: { path: rootfs }, mounts: [...BASE, bind], process: strong };
      expect(await runtime.shell(line, { ...changes, linux: inUserNamespace }, rootfs)).toBe('readable\nkept\n');
      // Known-bad: with the same rights in the first user namespace they are lifted.
      const control = await runtime.run({ ...changes, process: { ...strong, args: ['/bin/sh', '-c', line] }, linux: OPEN }, rootfs);
      expect(control.stdout).toContain('lifted exec\n');
    } finally {
      execFileSync('umount', ['-l', source]);
    }
  });
});

describe('the same with what keeps it from that given away', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  // @attack A21: control
  hostTest('with CAP_SYS_ADMIN in the first user namespace a release agent runs outside', ['root'], async () => {
    if (!readFileSync('/proc/filesystems', 'utf8').includes('\tcgroup\n')) return;
    const rootfs = runtime.rootfs();
    const marker = join(rootfs, 'tmp/marker');
    const agent = join(rootfs, 'tmp/agent');
    writeFileSync(agent, `#!${join(rootfs, 'bin/busybox')} sh\necho escaped >${marker}\n`, { mode: 0o755 });
    const line = [
      'mkdir -p /mnt/attack && mount -t cgroup -o none,name=slipway-attack attack /mnt/attack',
      `echo ${agent} >/mnt/attack/release_agent && echo written`,
      'mkdir /mnt/attack/child && echo 1 >/mnt/attack/child/notify_on_release',
      'sh -c "echo 0 >/mnt/attack/child/cgroup.procs"; sleep 1; busybox rmdir /mnt/attack/child',
    ].join('\n');
    const changes = { root: { path: rootfs }, mounts: BASE, linux: { namespaces: PLAIN_NAMESPACES, ...OPEN }, process: strong };

    expect(await runtime.shell(line, changes, rootfs)).toBe('written\n');
    await eventually(() => existsSync(marker), 30_000);
    rmSync(marker);
  });

  // @attack A22: control, twin
  hostTest('a writable cgroup file system lets groups be made, which go with the container', ['root'], async () => {
    const mounts = [...BASE, { ...CGROUP, options: ['rw', 'nosuid'] }];
    const namespaces = [...PLAIN_NAMESPACES, { type: 'cgroup' }];
    const line = 'cd /sys/fs/cgroup; [ -d pids ] && cd pids; mkdir inner && echo made; ls -d inner';

    expect(await runtime.shell(line, { mounts, linux: { namespaces, ...OPEN } })).toBe('made\ninner\n');
  });
});
