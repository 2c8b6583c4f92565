/** Images that stand unpacked on the host, once for all machines: what they cost a machine, and what its root can do to them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { CHECKOUT, TestMachines } from './testing/test-machines.ts';

const NEEDS = ['linux', 'root', 'overlayfs', 'user-namespaces'] as const;
const SHARED = `${CHECKOUT}/.slipway/images/layout/shared`;
/** What a pull writes down, and what the engine prepares for a container. `big` has 240 MiB. */
const HARDLY_ANYTHING = 1024 * 1024;
/** On the host also what the machine's file system writes for itself: its log, and tables that it fills in by and by. */
const WITH_OWN_TABLES = 16 * HARDLY_ANYTHING;
const BUSYBOX_BYTES = 1_900_000;

let lab: TestMachines;
beforeAll(async () => {
  lab = new TestMachines(`slipway-shared-test-${process.pid}`);
  await Promise.all(['one', 'two'].map(async (id) => lab.machines.ensure(id).then(() => lab.engineReady(id))));
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** Blocks that the machine's file system has in use, and those that its image has on the host. */
async function takenBy(id: string): Promise<{ readonly inside: number; readonly outside: number }> {
  const used = await lab.inside(id, 'sync -f /; stat -f -c "%b %f %S" /');
  const [blocks = 0, free = 0, size = 0] = used.split(' ').map(Number);
  execFileSync('sync', ['--file-system', lab.work]);
  return { inside: (blocks - free) * size, outside: statSync(`${lab.work}/disks/${id}.img`).blocks * 512 };
}

/** Everything below a directory, as it would be after no change. */
function stateOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => {
    const { mode, uid, gid, mtimeMs, ctimeMs, size } = statSync(join(entry.parentPath, entry.name));
    return [join(entry.parentPath, entry.name), mode, uid, gid, mtimeMs, ctimeMs, size].join(' ');
  });
}

hostTest('two machines run the lessons’ large image, and neither has a byte of it on its disk', NEEDS, async () => {
  for (const id of ['one', 'two']) {
    const before = await takenBy(id);
    expect(await lab.inside(id, 'docker pull big')).toMatch(/Already exists/);
    expect(
      await lab.inside(
        id,
        'docker run --rm big sh -c "id -u; stat -c %u:%g:%s /data/part-0; echo mine > /data/part-0; wc -c < /data/part-0"',
      ),
    ).toBe('0\n0:0:25000000\n5\n');
    expect(await lab.inside(id, 'docker run --rm busybox echo runs')).toBe('runs\n');
    const after = await takenBy(id);
    expect(after.inside - before.inside).toBeLessThan(HARDLY_ANYTHING);
    expect(after.outside - before.outside).toBeLessThan(WITH_OWN_TABLES);
  }
});

hostTest('the control: an engine that is not told of them takes blobs and files', NEEDS, async () => {
  const before = await takenBy('two');
  const engine = 'slipwayd --root /var/lib/other --state /run/other --docker-socket /run/other.sock --cgroup-parent other';
  const start = `${engine} --registry-mirror docker.io=http://127.0.0.1:5000 >/dev/null 2>&1 & echo $! > /run/other.pid`;
  const pull = 'until [ -S /run/other.sock ]; do sleep 0.1; done; docker -H unix:///run/other.sock pull -q busybox';
  expect(await lab.inside('two', `${start}; ${pull}; kill $(cat /run/other.pid)`)).toContain('busybox');
  expect((await takenBy('two')).inside - before.inside).toBeGreaterThan(2 * BUSYBOX_BYTES);
});

hostTest('root of a machine cannot change them, however it reaches them', NEEDS, async () => {
  const before = stateOf(SHARED);
  const file = '/srv/images/shared/layers/*/fs/data/part-0';
  const attempts = [
    `echo x > $(echo ${file})`,
    `chmod 777 ${file}`,
    `chown 5 ${file}`,
    `rm -f ${file}`,
    `setfattr -n user.mine -v 1 ${file}`,
    `truncate -s 0 ${file}`,
    'touch /srv/images/shared/mine',
    'mount -o remount,bind,rw /srv/images',
    'mount -o remount,rw /srv/images',
    'mkdir -p /tmp/b && mount --bind /srv/images/shared /tmp/b && mount -o remount,bind,rw /tmp/b',
    'touch /tmp/b/mine',
    'unshare --user --map-root-user --mount sh -c "mount -o remount,bind,rw /srv/images"',
    'mkdir -p /tmp/w /tmp/m && mount -t overlay o -o userxattr,lowerdir=/usr,upperdir=/srv/images/shared,workdir=/tmp/w /tmp/m && touch /tmp/m/mine',
    'mount --move /srv/images /mnt; touch /mnt/shared/mine; changed=$?; mount --move /mnt /srv/images; exit $changed',
  ];
  const script = attempts.map((attempt, at) => `(${attempt}) >/dev/null 2>&1 && echo ${at}`).join('\n');
  const done = (await lab.inside('one', `${script}; true`)).split('\n').filter(Boolean);
  expect(done.map((at) => attempts[Number(at)])).toEqual([]);
  // A container's root has them below its own.
  expect(await lab.inside('one', 'docker run --rm --privileged big sh -c "rm -rf /data /bin/sh; echo gone"')).toContain('gone');
  expect(stateOf(SHARED)).toEqual(before);
  expect(await lab.inside('two', 'docker run --rm big sh -c "wc -c < /data/part-0"')).toBe('25000000\n');
});

hostTest('removed, collected, unmounted or found anew: a machine hurts its own names only', NEEDS, async () => {
  const before = stateOf(SHARED);
  expect(await lab.inside('one', 'docker rmi big >/dev/null && docker image prune -af')).toContain('Total reclaimed space');
  expect(await lab.inside('one', 'docker pull big | grep -c "Already exists"; docker system df | grep Images')).toMatch(
    /^4\nImages +\d+ +\d+ +[\d.]+(k|M)?B/,
  );
  expect(await lab.inside('one', 'slipway store check')).toContain('the store is sound');

  expect(await lab.inside('one', 'docker run -d --name stays big sleep 300 >/dev/null; umount -l /srv/images; ls -A /srv/images')).toBe('');
  expect(await lab.inside('one', 'docker exec stays wc -c /data/part-1')).toContain('25000000');
  expect(await lab.inside('two', 'docker run --rm big ls /data')).toContain('part-9');
  expect(stateOf(SHARED)).toEqual(before);
  expect(existsSync(`${SHARED}/layers.json`)).toBe(true);
});
