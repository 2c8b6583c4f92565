import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SpecLinux } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cgroupDirs, eventually, OURS, OURS_AND_RUNC, TestRuntime } from './testing/test-runtime.ts';

/** Kind as config.json has it → file below /proc/PID/ns. */
const FILES = { ipc: 'ipc', uts: 'uts', network: 'net', pid: 'pid', cgroup: 'cgroup', mount: 'mnt', user: 'user', time: 'time' } as const;
type Kind = keyof typeof FILES;
const ALL: readonly Kind[] = ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'];
const IDS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const MAPS = { uidMappings: IDS, gidMappings: IDS };

const inode = (pid: number | 'self', kind: Kind) => readlinkSync(`/proc/${pid}/ns/${FILES[kind]}`);
const show = (kinds: readonly Kind[]) => kinds.map((kind) => `readlink /proc/self/ns/${FILES[kind]}`).join('; ');

/** Namespaces with a sleeper in them, kept by its pid. */
async function holdNamespaces(flags: readonly string[]): Promise<{ pid: number; [Symbol.dispose](): void }> {
  const child = spawn('unshare', [...flags, '/bin/sleep', '600'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  // unshare with --fork waits beside the process that is inside.
  const inside = () => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() || pid);
  await eventually(() => readFileSync(`/proc/${inside()}/cmdline`, 'utf8').startsWith('/bin/sleep'));
  const sleeper = inside();
  return {
    pid: sleeper,
    [Symbol.dispose]: () => {
      process.kill(sleeper, 'SIGKILL');
      child.kill('SIGKILL');
    },
  };
}

function withPaths(kinds: readonly Kind[], joined: Partial<Record<Kind, number>>): SpecLinux {
  const pathOf = (kind: Kind) => (joined[kind] === undefined ? {} : { path: `/proc/${joined[kind]}/ns/${FILES[kind]}` });
  return { namespaces: kinds.map((kind) => ({ type: kind, ...pathOf(kind) })), maskedPaths: [], readonlyPaths: [] };
}

describe.each(OURS_AND_RUNC)('namespaces, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  hostTest('network, ipc, uts and pid namespaces are joined by path', ['root'], async () => {
    using held = await holdNamespaces(['--net', '--ipc', '--uts', '--pid', '--fork', '--kill-child']);
    const kinds = ['network', 'ipc', 'uts', 'pid'] as const;
    const linux = withPaths(ALL, Object.fromEntries(kinds.map((kind) => [kind, held.pid])));

    expect((await runtime.shell(show(kinds), { linux, hostname: '' })).trim().split('\n')).toEqual(
      kinds.map((kind) => inode(held.pid, kind)),
    );
  });
});

describe('namespaces that only ours joins, or makes', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  // @proves runtime-spec: config-linux.md#namespaces/time config-linux.md#offset-for-time-namespace/offsets
  hostTest('a time namespace has clocks of its own, in exec too', ['root'], async () => {
    const linux = { ...withPaths([...ALL, 'time'], {}), timeOffsets: { boottime: { secs: 1_000_000 }, monotonic: { secs: 5 } } };
    const { id, pid } = await runtime.sleeping({ linux });
    const uptime = (text: string) => Number(text.split(' ')[0]);
    const own = uptime(readFileSync('/proc/uptime', 'utf8'));

    expect(uptime((await runtime.must('exec', id, '/bin/cat', '/proc/uptime')).stdout) - own).toBeGreaterThan(999_000);
    expect(inode(pid, 'time')).not.toBe(inode('self', 'time'));
    expect((await runtime.shell('cat /proc/self/timens_offsets', { linux })).replaceAll(/ +/g, ' ')).toBe(
      'monotonic 5 0\nboottime 1000000 0\n',
    );
  });

  hostTest('a time namespace in a user namespace, and one that is joined', ['root'], async () => {
    const linux = { ...withPaths([...ALL, 'user', 'time'], {}), ...MAPS, timeOffsets: { boottime: { secs: 1_000_000 } } };
    const { pid } = await runtime.sleeping({ linux });
    const joined = withPaths([...ALL, 'time'], { time: pid });

    expect(await runtime.shell(show(['time']), { linux: joined })).toBe(`${inode(pid, 'time')}\n`);
  });

  hostTest('a user namespace that is joined owns what is new: pid, mount and all', ['root'], async () => {
    const { pid } = await runtime.sleeping({ linux: { ...withPaths([...ALL, 'user'], {}), ...MAPS } });
    const linux = withPaths([...ALL, 'user'], { user: pid, network: pid });
    const text = await runtime.shell(`${show(['user', 'network'])}; id -u; echo $$; cat /proc/self/uid_map`, { linux });

    expect(text.replaceAll(/ +/g, ' ')).toBe(`${inode(pid, 'user')}\n${inode(pid, 'network')}\n0\n1\n 0 100000 65536\n`);
  });

  hostTest('others are joined beside a new user namespace, as far as the kernel lets one use them', ['root'], async () => {
    using held = await holdNamespaces(['--net', '--ipc']);
    const linux = { ...withPaths([...ALL, 'user'], { network: held.pid, ipc: held.pid }), ...MAPS };
    const withoutSys = runtimeMounts(runtime).filter(({ destination }) => !/^\/sys|mqueue/.test(destination));
    const text = await runtime.shell(`${show(['network', 'ipc'])}; id -u`, { linux, mounts: withoutSys });

    expect(text).toBe(`${inode(held.pid, 'network')}\n${inode(held.pid, 'ipc')}\n0\n`);
    const refused = await runtime.run({ linux });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('/mounts/');
  });

  hostTest('a mount namespace is joined, its other members keep their root, and a failed birth leaves it as it was', ['root'], async () => {
    using held = await holdNamespaces(['--mount', '--propagation', 'private']);
    const ours = () =>
      readFileSync(`/proc/${held.pid}/mountinfo`, 'utf8')
        .split('\n')
        .filter((line) => line.includes(runtime.dir));
    const linux = withPaths(ALL, { mount: held.pid });
    const failed = await runtime.run({ linux, process: { args: ['/no/such/program'] } });
    expect(failed.code).not.toBe(0);
    expect(ours()).toEqual([]);

    const { id, pid } = await runtime.sleeping({ linux });
    expect(inode(pid, 'mount')).toBe(inode(held.pid, 'mount'));
    expect(readlinkSync(`/proc/${held.pid}/root`)).toBe('/');
    expect(ours()).not.toEqual([]);
    expect((await runtime.must('exec', id, '/bin/sh', '-c', 'ls /; ls /proc/self/fd | wc -l')).stdout).toBe(
      'bin\ndev\netc\nmnt\nproc\nsys\ntmp\n4\n',
    );
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(runtime.dir);
  });

  hostTest('hooks of the runtime stay outside of a pid namespace that is joined', ['root'], async () => {
    using held = await holdNamespaces(['--pid', '--fork', '--kill-child']);
    const file = join(runtime.dir, 'hook-pidns');
    const hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `/usr/bin/readlink /proc/self/ns/pid > ${file}`] }] };
    await runtime.run({ linux: withPaths(ALL, { pid: held.pid }), hooks });

    expect(readFileSync(file, 'utf8')).toBe(`${inode('self', 'pid')}\n`);
  });
});

/** The mounts of the usual document. */
function runtimeMounts(runtime: TestRuntime): readonly { destination: string }[] {
  return JSON.parse(readFileSync(join(runtime.bundle(), 'config.json'), 'utf8')).mounts;
}

describe('network devices', () => {
  let runtime: TestRuntime;
  /** The end of a namespace destroys its devices a moment later, so each test has a name of its own. */
  let name = '';
  const names = new Set<string>();
  const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(async () => {
    await runtime.dispose();
    for (const each of names) spawnSync('ip', ['link', 'del', each]);
  });
  /** A veth with lasting addresses of both families, and up. */
  const makeDevice = () => {
    name = `sw${process.pid % 100_000}x${names.size}`;
    names.add(name);
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
    ip('link', 'set', name, 'up');
    ip('addr', 'add', '10.213.7.1/24', 'brd', '+', 'dev', name);
    ip('-6', 'addr', 'add', 'fd00:213::1/64', 'dev', name, 'nodad');
  };
  const addresses = (text: string) =>
    [...text.matchAll(/inet6? (\S+)(?: brd (\S+))? scope global/g)].map(([, address, brd]) => `${address} ${brd ?? ''}`);
  const both = ['10.213.7.1/24 10.213.7.255', 'fd00:213::1/64 '];

  // @proves runtime-spec: config-linux.md#network-devices/moved config-linux.md#network-devices/attributes
  // @proves runtime-spec: config-linux.md#network-devices/up
  hostTest('a device moves with its lasting addresses, takes its new name and is up', ['root'], async () => {
    makeDevice();
    const linux = { netDevices: { [name]: { name: 'eth0' } } };
    const text = await runtime.shell('ip addr show eth0', { linux });

    expect(text).toMatch(/: eth0@\S+ <.*\bUP\b/);
    expect(addresses(text)).toEqual(both);
  });

  // @proves runtime-spec: config-linux.md#network-devices/template config-linux.md#network-devices/left-there
  hostTest('in a user namespace, and in a namespace that is joined, where it stays', ['root'], async () => {
    makeDevice();
    const user = { ...withPaths([...ALL, 'user'], {}), ...MAPS, netDevices: { [name]: {} } };
    expect(addresses(await runtime.shell(`ip addr show ${name}`, { linux: user }))).toEqual(both);
    makeDevice();
    using held = await holdNamespaces(['--net']);
    const linux = { ...withPaths(ALL, { network: held.pid }), netDevices: { [name]: { name: 'eth%d' } } };
    expect(addresses(await runtime.shell('ip addr', { linux }))).toEqual(both);
    expect(addresses(execFileSync('nsenter', ['--net', '--target', String(held.pid), 'ip', 'addr'], { encoding: 'utf8' }))).toEqual(both);
  });

  hostTest('a birth that fails gives the device back, named, addressed and up as it was', ['root'], async () => {
    makeDevice();
    const id = runtime.newId();
    const bundle = runtime.bundle({ process: { args: ['/no/such/program'] }, linux: { netDevices: { [name]: { name: 'eth0' } } } });
    expect((await runtime.call('create', '--bundle', bundle, id)).code).not.toBe(0);

    const text = ip('addr', 'show', name);
    expect(text).toMatch(/<.*\bUP\b/);
    expect(addresses(text)).toEqual(both);
    expect(cgroupDirs(id)).toEqual([]);
  });

  // @proves runtime-spec: config-linux.md#network-devices/name-taken
  hostTest('a name that is taken where the device goes is an error, and the device stays', ['root'], async () => {
    makeDevice();
    const ended = await runtime.run({ linux: { netDevices: { [name]: { name: 'lo' } } } });

    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain(`/linux/netDevices/${name}`);
    expect(addresses(ip('addr', 'show', name))).toEqual(both);
  });

  hostTest('a device that is not there is refused by name', ['root'], async () => {
    const refused = await runtime.run({ linux: { netDevices: { 'no-such-dev': {} } } });

    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('no-such-dev');
  });
});
