import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Machines } from './machines.ts';
import { CHECKOUT, LIMITS, TestMachines } from './testing/test-machines.ts';

const NEEDS = ['linux', 'root', 'overlayfs', 'user-namespaces'] as const;

let lab: TestMachines;
let machines: Machines;

beforeAll(() => {
  lab = new TestMachines(`slipway-machine-test-${process.pid}`);
  machines = lab.machines;
});

afterAll(() => lab[Symbol.asyncDispose]());

const inside = (id: string, script: string) => lab.inside(id, script);
const engineReady = (id: string) => lab.engineReady(id);

function mountsBelow(dir: string): number {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(dir)).length;
}

// @attack A28: twin
hostTest('root of a machine is nobody outside, and the machine looks like one of its own', NEEDS, async () => {
  const handle = await machines.ensure('one');

  expect(readFileSync(`/proc/${handle.initHostPid}/status`, 'utf8')).toMatch(/^Uid:\s+100000\t/m);
  expect(await inside('one', 'id -u; hostname; cat /proc/1/comm; ls -ld /usr | cut -d" " -f3')).toBe('0\nlab\ntini\nroot\n');
  expect(await inside('one', 'touch /usr/x 2>&1')).toContain('Read-only file system');
  expect(await inside('one', 'cat /sys/kernel/debug/x /proc/sysrq-trigger 2>&1; echo 1 > /proc/sys/kernel/core_pattern')).toMatch(/exit 1/);
});

hostTest('the lessons’ images are in a registry inside, and nobody there can change them', NEEDS, async () => {
  await machines.ensure('one');
  await engineReady('one');

  const catalogue = 'for i in $(seq 100); do curl -sf http://127.0.0.1:5000/v2/_catalog && exit 0; sleep 0.1; done; exit 1';
  expect(JSON.parse(await inside('one', catalogue))).toEqual({
    repositories: ['atlas', 'big', 'busybox', 'debian', 'hello', 'hello-world', 'layers-demo', 'web'].map((name) => `library/${name}`),
  });
  const manifest = 'curl -s http://127.0.0.1:5000/v2/library/debian/manifests/latest';
  const blob = `curl -s http://127.0.0.1:5000/v2/library/debian/blobs/$(${manifest} | jq -r .config.digest)`;
  expect(await inside('one', `${blob} | sha256sum | cut -c -64; ${manifest} | jq -r .config.digest`)).toMatch(
    /^([0-9a-f]{64})\nsha256:\1\n$/,
  );
  expect(await inside('one', 'rm -rf /srv/images/blobs 2>&1; ls /srv/images')).toMatch(/Read-only file system[\s\S]*index\.json/);
  const deleting = 'curl -s -X DELETE http://127.0.0.1:5000/v2/library/debian/manifests/latest | jq -r .errors[0].code';
  expect(await inside('one', deleting)).toBe('DENIED\n');
});

hostTest('docker pulls and runs the lessons’ images without any network', NEEDS, async () => {
  await machines.ensure('one');
  await engineReady('one');

  expect(await inside('one', 'ip -o -4 addr')).not.toContain('eth');
  expect(await inside('one', 'docker pull -q debian && docker run --rm debian sh -c "id -u; ls /bin/sed"')).toContain('0\n/bin/sed\n');
  expect(await inside('one', 'docker run --rm hello 2>&1')).toContain('Hello from a container');
  const push = 'docker tag hello 127.0.0.1:5000/mine:1 && docker push -q 127.0.0.1:5000/mine:1';
  const again = 'docker rmi hello 127.0.0.1:5000/mine:1 >/dev/null && docker run --rm 127.0.0.1:5000/mine:1 2>&1';
  expect(await inside('one', `${push} && ${again}`)).toContain('Hello from a container');
});

hostTest('a pull inside can be lazy: the machine’s root may open its own /dev/fuse, whatever the host’s is open to', NEEDS, async () => {
  await machines.ensure('one');
  await engineReady('one');

  const convert = 'slipway image convert --lazy docker://127.0.0.1:5000/library/busybox docker://127.0.0.1:5000/mine/lazy';
  expect(await inside('one', `${convert} && docker pull --lazy 127.0.0.1:5000/mine/lazy`)).not.toMatch(/exit|not lazily/i);
  expect(await inside('one', 'docker run --rm 127.0.0.1:5000/mine/lazy id -u')).toBe('0\n');
  expect(await inside('one', 'slipway store check')).toContain('the store is sound');
  // The twin: without the device it is a pull as ever, and says why.
  const without =
    'docker rmi -f 127.0.0.1:5000/mine/lazy >/dev/null; umount /dev/fuse; rm /dev/fuse; docker pull --lazy 127.0.0.1:5000/mine/lazy';
  expect(await inside('one', without)).toContain('not lazily: there is no /dev/fuse here');
  expect(await inside('one', 'docker run --rm 127.0.0.1:5000/mine/lazy id -u')).toBe('0\n');
});

hostTest('the tools of the lessons work inside', NEEDS, async () => {
  await machines.ensure('one');

  expect(await inside('one', 'unshare -u sh -c "hostname other; hostname"; hostname')).toBe('other\nlab\n');
  expect(await inside('one', 'lsns -t pid -o COMMAND -n')).toContain('tini');
  expect(await inside('one', 'ip -o link show lo; strace -c true 2>&1 | tail -1; nsenter -t 1 -u hostname')).toMatch(
    /LOOPBACK[\s\S]*total\nlab/,
  );
  expect(await inside('one', 'mkdir -p /tmp/m && mount -t tmpfs t /tmp/m && findmnt -n -o FSTYPE /tmp/m; umount /tmp/m')).toBe('tmpfs\n');
});

hostTest(
  'a real runc runs a limited container inside',
  NEEDS,
  async () => {
    await machines.ensure('one');
    const script = `
    rm -rf /tmp/b && mkdir -p /tmp/b/rootfs && cd /tmp/b && docker create --name seed busybox true >/dev/null 2>&1; cp -a $(ls -d /var/lib/slipway/snapshots/1/fs)/. rootfs/
    mkdir -p rootfs/proc rootfs/sys rootfs/dev && runc spec
    jq '.process.args=["/bin/cat","/sys/fs/cgroup/memory/memory.limit_in_bytes"] | .process.terminal=false | .linux.resources.memory.limit=67108864 | del(.process.rlimits)' config.json > c && mv c config.json
    runc run real`;

    expect(await inside('one', script)).toMatch(/^67108864\n/m);
  },
  90_000,
);

hostTest('the engine inside runs containers, under the machine’s own limits', NEEDS, async () => {
  await machines.ensure('one');
  await engineReady('one');

  expect(await inside('one', 'docker run --rm -m 64m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>&1')).toBe('67108864\n');
});

// @attack A28: attack
hostTest(
  'a fork bomb, a full disk and rm -rf / hurt one machine only',
  NEEDS,
  async () => {
    const [one, two] = [await machines.ensure('one'), await machines.ensure('two')];
    const rangeOf = (pid: number) => readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)[1];
    expect(rangeOf(one.initHostPid)).not.toBe(rangeOf(two.initHostPid));

    const bomb = machines.run('two', ['/bin/bash', '-c', 'f() { f | f & }; f; sleep 2'], { timeoutMs: 8000 }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const started = performance.now();
    expect(await inside('one', 'echo alive')).toBe('alive\n');
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(Number(readFileSync(`${one.cgroupPrefix['pids'] ?? one.cgroupPrefix['unified']}/pids.max`, 'utf8'))).toBe(LIMITS.pids);
    await machines.reset('two');
    await bomb;

    expect(await inside('two', 'dd if=/dev/zero of=/fill bs=1M 2>&1 | head -1')).toContain('No space left on device');
    expect(await inside('one', 'dd if=/dev/zero of=/ok bs=1M count=5 2>/dev/null && stat -c %s /ok; rm /ok')).toBe('5242880\n');

    await inside('two', 'rm -rf --no-preserve-root / 2>/dev/null; true');
    expect(existsSync(`${CHECKOUT}/.slipway/tools/usr/bin/bash`)).toBe(true);
    expect(await inside('one', 'docker version >/dev/null && ls /etc/passwd')).toBe('/etc/passwd\n');

    await machines.reset('two');
    expect(await inside('two', 'ls /etc/passwd; ls /fill 2>&1')).toContain('/etc/passwd');
  },
  120_000,
);

hostTest('of a machine whose state cannot be read nothing is taken away: it may run', NEEDS, async () => {
  const made = await machines.ensure('three');
  const path = `${lab.work}/s/runtime/three/state.json`;
  const state = readFileSync(path);
  writeFileSync(path, '{');
  await expect(machines.remove('three')).rejects.toMatchObject({ code: 'E_STATE_DAMAGED' });
  await expect(machines.reset('three')).rejects.toMatchObject({ code: 'E_STATE_DAMAGED' });
  expect(existsSync(`${lab.work}/disks/three.img`)).toBe(true);
  writeFileSync(path, state);
  expect((await machines.ensure('three')).initHostPid).toBe(made.initHostPid);
  expect(await inside('three', 'ls -d /etc')).toBe('/etc\n');
});

hostTest('a machine is found again by another opener, and removing it leaves nothing', NEEDS, async () => {
  const made = await machines.ensure('three');
  const found = await machines.ensure('three');
  expect(found.initHostPid).toBe(made.initHostPid);
  expect(found.createdInMs).toBeUndefined();

  await machines.remove('three');

  expect(existsSync(`/proc/${made.initHostPid}`)).toBe(false);
  expect(mountsBelow(`${lab.work}/s/m/three`)).toBe(0);
  expect(existsSync(`${lab.work}/disks/three.img`)).toBe(false);
  for (const path of Object.values(made.cgroupPrefix)) expect(existsSync(path)).toBe(false);
  await expect(machines.remove('three')).resolves.toBeUndefined();
});

hostTest('what a machine cannot have: another’s id, kernel interfaces that no lesson needs', NEEDS, async () => {
  await machines.ensure('one');

  await expect(machines.ensure('../x')).rejects.toMatchObject({ code: 'E_MACHINE_ID' });
  await expect(machines.run('nobody', ['true'])).rejects.toMatchObject({ kind: 'not-found' });
  expect(await inside('one', 'strace -e trace=bpf,io_uring_setup true 2>&1; unshare -r true && echo nested')).toContain('nested');
  expect(await inside('one', 'insmod /x 2>&1; mknod /tmp/sda b 8 0 2>&1')).toMatch(/not permitted/);
});
