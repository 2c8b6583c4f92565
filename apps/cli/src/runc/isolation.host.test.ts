import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultSpec } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

const KINDS = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', mount: 'mnt', cgroup: 'cgroup' } as const;
const namespaceOf = (pid: number | 'self', file: string) => readlinkSync(`/proc/${pid}/ns/${file}`);

describe.each(RUNTIMES)('isolation, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @proves runtime-spec: config-linux.md#namespaces/new config-linux.md#namespaces/inherited config-linux.md#namespaces/supported
  hostTest('each namespace is new when it is listed, and ours when not [runtime-spec/config-linux.md#namespaces]', ['root'], async () => {
    const all = await runtime.sleeping({ linux: { namespaces: Object.keys(KINDS).map((type) => ({ type })) } });
    const few = await runtime.sleeping({ linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }] } });

    for (const file of Object.values(KINDS)) {
      expect(namespaceOf(all.pid, file), file).not.toBe(namespaceOf('self', file));
      const shared = namespaceOf(few.pid, file) === namespaceOf('self', file);
      expect(shared, file).toBe(file !== 'mnt' && file !== 'uts');
    }
  });

  // @proves runtime-spec: config-linux.md#namespaces/path-joined
  hostTest('namespaces are joined by path', ['root'], async () => {
    const first = await runtime.sleeping({ hostname: 'first' });
    const path = (file: string) => `/proc/${first.pid}/ns/${file}`;
    const namespaces = [
      { type: 'mount' },
      { type: 'pid', path: path('pid') },
      { type: 'network', path: path('net') },
      { type: 'ipc', path: path('ipc') },
    ];
    const second = await runtime.sleeping({
      hostname: 'first',
      linux: { namespaces: [...namespaces, { type: 'uts', path: path('uts') }] },
    });

    for (const file of ['pid', 'net', 'ipc', 'uts']) expect(namespaceOf(second.pid, file), file).toBe(namespaceOf(first.pid, file));
    expect(namespaceOf(second.pid, 'mnt')).not.toBe(namespaceOf(first.pid, 'mnt'));
  });

  // @proves runtime-spec: config.md#hostname/set
  hostTest('the container has its own names, its own pid 1 and its loopback', ['root'], async () => {
    expect(await runtime.shell('hostname; echo $$; ip addr show lo | grep -c "127.0.0.1/8"')).toBe('container\n1\n1\n');
  });

  // @proves runtime-spec: config.md#mounts/order config.md#linux-mount-options/supported config.md#linux-mount-options/unknown
  // @proves runtime-spec: config-linux.md#default-filesystems/available
  hostTest('mounts come as the document says', ['root'], async () => {
    const source = runtime.rootfs();
    writeFileSync(join(source, 'file'), 'from the host');
    const defaults = defaultSpec().mounts ?? [];
    const mounts = [
      ...defaults,
      { destination: '/made/here', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'nosuid', 'noexec', 'mode=701'] },
      { destination: '/data', type: 'bind', source, options: ['rbind', 'ro'] },
      { destination: '/one-file', source: join(source, 'file'), options: ['bind'] },
    ];
    const table = await runtime.shell(
      'cat /data/file /one-file; stat -c %a /made/here; touch /data/x 2>/dev/null || echo read-only; cat /proc/self/mountinfo',
      {
        root: { path: runtime.rootfs() },
        mounts,
      },
    );

    expect(table).toMatch(/^from the hostfrom the host701\nread-only\n/);
    const options = (place: string) =>
      table
        .split('\n')
        .find((line) => line.split(' ')[4] === place)
        ?.split(' ')[5];
    expect(options('/made/here')).toBe('rw,nosuid,noexec,relatime');
    expect(options('/data')).toMatch(/^ro/);
    expect(options('/dev/mqueue')).toBe('rw,nosuid,nodev,noexec,relatime');
  });

  // @proves runtime-spec: config-linux.md#default-devices/nodes config-linux.md#default-devices/ptmx
  hostTest('devices and the links of /dev [runtime-spec/config-linux.md#default-devices]', ['root'], async () => {
    const line =
      'cd /dev; for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" $d; done; for l in fd stdin stdout stderr ptmx; do readlink $l; done';

    expect((await runtime.shell(line)).trim().split('\n')).toEqual([
      ...['null 1:3 666', 'zero 1:5 666', 'full 1:7 666', 'random 1:8 666', 'urandom 1:9 666', 'tty 5:0 666'],
      ...['/proc/self/fd', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/self/fd/2', 'pts/ptmx'],
    ]);
  });

  // @proves runtime-spec: config-linux.md#masked-paths/unreadable config-linux.md#readonly-paths/read-only
  hostTest('masked and read-only paths [runtime-spec/config-linux.md#masked-paths]', ['root'], async () => {
    const rootfs = runtime.rootfs();
    writeFileSync(join(rootfs, 'secret'), 'secret');
    const changes = { root: { path: rootfs }, linux: { maskedPaths: ['/secret', '/etc', '/absent'], readonlyPaths: ['/tmp', '/absent'] } };

    expect(await runtime.shell('cat /secret; stat -c "%t:%T" /secret; ls /etc; touch /tmp/x 2>&1 || :', changes)).toBe(
      '1:3\ntouch: /tmp/x: Read-only file system\n',
    );
  });

  // @proves runtime-spec: config.md#root/readonly
  hostTest('a read-only root', ['root'], async () => {
    const root = { path: runtime.rootfs(), readonly: true };

    expect(await runtime.shell('touch /x 2>&1 || :; touch /dev/shm/x && echo but not /dev/shm', { root })).toBe(
      'touch: /x: Read-only file system\nbut not /dev/shm\n',
    );
  });

  // @attack A40: attack
  hostTest('no mount of a container appears on the host', ['root'], async () => {
    for (const rootfsPropagation of ['private', 'slave', 'shared']) await runtime.sleeping({ linux: { rootfsPropagation } });

    // A leaked mount shows the container's files by their path here, wherever it is mounted.
    expect(readFileSync('/proc/1/mountinfo', 'utf8')).not.toContain(runtime.dir);
  });

  // @attack A39: twin
  // @proves runtime-spec: config-linux.md#sysctl/set
  hostTest('kernel parameters of a namespace are set inside it alone', ['root'], async () => {
    const before = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim();
    const other = before === '1' ? '0' : '1';
    const sysctl = { 'net.ipv4.ip_forward': other, 'fs.mqueue.msg_max': '7' };

    expect(await runtime.shell('cat /proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max', { linux: { sysctl } })).toBe(
      `${other}\n7\n`,
    );
    expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim()).toBe(before);
  });

  // @attack A39: attack
  hostTest('kernel parameters of the machine are out of reach', ['root'], async () => {
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    for (const sysctl of [
      { 'kernel.core_pattern': '|/x' },
      { 'kernel.shm_rmid_forced': '1+kernel.core_pattern=|/x' },
      { 'net.ipv4/../../kernel/core_pattern': '|/x' },
    ]) {
      expect((await runtime.run({ linux: { sysctl: sysctl as Record<string, string> } })).code).not.toBe(0);
    }
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
  });

  hostTest('exec enters every namespace of the container', ['root'], async () => {
    const { id, pid } = await runtime.sleeping({ linux: { namespaces: Object.keys(KINDS).map((type) => ({ type })) } });
    const { stdout } = await runtime.must(
      'exec',
      '--env',
      'A=b',
      '--cwd',
      '/tmp',
      id,
      '/bin/sh',
      '-c',
      'for n in pid net ipc uts mnt cgroup; do readlink /proc/self/ns/$n; done; echo $A; pwd',
    );

    expect(stdout.trim().split('\n')).toEqual([
      ...['pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'].map((file) => namespaceOf(pid, file)),
      'b',
      '/tmp',
    ]);
    expect((await runtime.call('exec', id, '/bin/sh', '-c', 'exit 9')).code).toBe(9);
    expect((await runtime.call('exec', id, 'nosuch')).stderr).toMatch(/executable file .*not found/);
  });
});
