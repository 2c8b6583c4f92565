import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpecMount } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { OURS, OURS_AND_RUNC, TestRuntime } from './testing/test-runtime.ts';

const PROC: SpecMount = { destination: '/proc', type: 'proc', source: 'proc' };
const TABLE = 'cat /proc/self/mountinfo';

/** Attributes of the mount, its propagation, and options of the file system, for the last mount on each place. */
function places(mountinfo: string): Record<string, { own: string; propagation: string; type: string; data: string }> {
  const lines = mountinfo
    .trim()
    .split('\n')
    .map((line) => / (\S+) (\S+) ((?:\S+:\d+ |unbindable )*)- (\S+) \S+ (\S+)$/.exec(line));
  return Object.fromEntries(
    lines.map((match) => {
      const [, place = '', own = '', tags = '', type = '', data = ''] = match ?? [];
      return [place, { own, propagation: tags.replace(/:\d+/g, '').trim(), type, data }];
    }),
  );
}

describe.each(OURS_AND_RUNC)('options of mounts, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());
  const table = async (mounts: readonly SpecMount[], linux = {}) =>
    places(await runtime.shell(TABLE, { mounts: [PROC, ...mounts], linux: { maskedPaths: [], readonlyPaths: [], ...linux } }));

  hostTest('each attribute arrives in the kernel’s table [runtime-spec/config.md#linux-mount-options]', ['root'], async () => {
    const cases: readonly (readonly [string, string])[] = [
      ['ro', 'ro,relatime'],
      ['nosuid', 'rw,nosuid,relatime'],
      ['nodev', 'rw,nodev,relatime'],
      ['noexec', 'rw,noexec,relatime'],
      ['noatime', 'rw,noatime'],
      ['nodiratime', 'rw,nodiratime,relatime'],
      ['strictatime', 'rw'],
      ['relatime', 'rw,relatime'],
      ['rw', 'rw,relatime'],
      ['silent', 'rw,relatime'],
      ['iversion', 'rw,relatime'],
    ];
    const found = await table(cases.map(([word]) => ({ destination: `/mnt/${word}`, type: 'tmpfs', source: 'tmpfs', options: [word] })));

    for (const [word, own] of cases) expect(found[`/mnt/${word}`]?.own, word).toBe(own);
  });

  hostTest('each option of a file system arrives there', ['root'], async () => {
    const cases = ['sync', 'dirsync', 'lazytime'];
    const found = await table(
      cases.map((word) => ({ destination: `/mnt/${word}`, type: 'tmpfs', source: 'tmpfs', options: [word, 'size=64k'] })),
    );

    for (const word of cases) expect(found[`/mnt/${word}`]?.data.split(','), word).toEqual(expect.arrayContaining([word, 'size=64k']));
  });

  hostTest(
    'the recursive ones reach mounts below, the others only the top [runtime-spec/config.md#linux-mount-options]',
    ['root'],
    async () => {
      const source = join(runtime.dir, 'tree');
      mkdirSync(join(source, 'below'), { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', 'below', join(source, 'below')]);
      try {
        const bind = (destination: string, ...options: string[]) => ({ destination, type: 'bind', source, options: ['rbind', ...options] });
        const found = await table([bind('/mnt/top', 'ro', 'nosuid'), bind('/mnt/tree', 'rro', 'rnosuid', 'rnoexec', 'rnoatime')]);
        const flags = (place: string) => found[place]?.own.split(',') ?? [];

        expect(flags('/mnt/top')).toEqual(expect.arrayContaining(['ro', 'nosuid']));
        expect(flags('/mnt/top/below')).toEqual(['rw', 'relatime']);
        for (const place of ['/mnt/tree', '/mnt/tree/below']) {
          expect(flags(place), place).toEqual(expect.arrayContaining(['ro', 'nosuid', 'noexec', 'noatime']));
        }
      } finally {
        execFileSync('umount', ['-l', join(source, 'below')]);
      }
    },
  );

  hostTest('each propagation of a bind is its own', ['root'], async () => {
    const source = join(runtime.dir, 'propagation');
    mkdirSync(source, { recursive: true });
    const expected = { private: '', slave: 'master', shared: 'shared', unbindable: 'unbindable' };
    const words = Object.keys(expected) as (keyof typeof expected)[];
    const found = await table(
      words.map((word) => ({ destination: `/mnt/${word}`, type: 'bind', source, options: ['bind', `r${word}`] })),
      { rootfsPropagation: 'private' },
    );

    // What a slave follows depends on the host's own mount: on one that is private there is nobody to follow.
    for (const word of words.filter((each) => each !== 'slave')) expect(found[`/mnt/${word}`]?.propagation, word).toContain(expected[word]);
    expect(found['/mnt/private']?.propagation).toBe('');
  });

  hostTest(
    'each propagation of the root is what was asked for [runtime-spec/config-linux.md#rootfs-mount-propagation]',
    ['root'],
    async () => {
      const promised = { private: /^$/, rprivate: /^$/ };
      // Debian's runc leaves the root private all the same.
      const ours = { shared: /shared/, rshared: /shared/, unbindable: /unbindable/, runbindable: /unbindable/ };
      const expected = under.kind === 'ours' ? { ...promised, ...ours } : promised;
      for (const [rootfsPropagation, tags] of Object.entries(expected)) {
        expect((await table([], { rootfsPropagation }))['/']?.propagation, rootfsPropagation).toMatch(tags);
      }
      for (const rootfsPropagation of ['slave', 'rslave']) {
        expect((await table([], { rootfsPropagation }))['/']?.propagation, rootfsPropagation).not.toMatch(/shared|unbindable/);
      }
    },
  );

  // @proves runtime-spec: config.md#linux-mount-options/tmpcopyup
  hostTest('tmpcopyup begins with what the image has', ['root'], async () => {
    const rootfs = runtime.rootfs();
    mkdirSync(join(rootfs, 'var/deep/er'), { recursive: true });
    writeFileSync(join(rootfs, 'var/file'), 'content\n', { mode: 0o640 });
    writeFileSync(join(rootfs, 'var/deep/er/run'), '#!/bin/sh\necho ran\n');
    chmodSync(join(rootfs, 'var/deep/er/run'), 0o755);
    symlinkSync('/etc/passwd', join(rootfs, 'var/link'));
    const mounts = [PROC, { destination: '/var', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'size=1m'] }];
    const line =
      "stat -c '%a %s' /var/file; cat /var/file; /var/deep/er/run; readlink /var/link; touch /var/new && echo writable; stat -f -c %T /var";

    expect(await runtime.shell(line, { root: { path: rootfs }, mounts }, rootfs)).toBe(
      '640 8\ncontent\nran\n/etc/passwd\nwritable\ntmpfs\n',
    );
    expect(() => readFileSync(join(rootfs, 'var/new'))).toThrow();
  });
});

describe('what only ours promises of mounts', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  hostTest('a remount changes what is said and leaves the rest', ['root'], async () => {
    const mounts = [
      PROC,
      { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=64k'] },
      { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro', 'size=128k'] },
    ];
    const { own = '', data = '' } =
      places(await runtime.shell(TABLE, { mounts, linux: { maskedPaths: [], readonlyPaths: [] } }))['/mnt'] ?? {};

    expect([own, data.includes('size=128k')]).toEqual(['ro,nosuid,relatime', true]);
    const nothing = [PROC, { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro'] }];
    expect((await runtime.run({ mounts: nothing })).stderr).toContain('/mounts/1');
  });

  hostTest('id-mapped mounts show other owners, and mounts below only with ridmap', ['root'], async () => {
    const source = join(runtime.dir, 'idmapped');
    mkdirSync(join(source, 'below'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'below', join(source, 'below')]);
    try {
      const map = [{ containerID: 0, hostID: 7000, size: 10 }];
      const bind = (destination: string, word: string) => {
        return { destination, type: 'bind', source, options: ['rbind', word], uidMappings: map, gidMappings: map };
      };
      const mounts = [PROC, bind('/mnt/one', 'idmap'), bind('/mnt/all', 'ridmap')];
      const line = 'stat -c %u:%g /mnt/one /mnt/one/below /mnt/all /mnt/all/below';

      expect((await runtime.shell(line, { mounts })).trim().split('\n')).toEqual(['7000:7000', '0:0', '7000:7000', '7000:7000']);
    } finally {
      execFileSync('umount', ['-l', join(source, 'below')]);
    }
  });

  // @proves runtime-spec: config.md#linux-mount-options/nosymfollow
  hostTest('nosymfollow keeps links from being followed, there alone', ['root'], async () => {
    const source = join(runtime.dir, 'links');
    mkdirSync(source, { recursive: true });
    symlinkSync('/etc/passwd', join(source, 'link'));
    const bind = (destination: string, ...options: string[]) => ({ destination, type: 'bind', source, options: ['bind', ...options] });
    const line = 'cat /mnt/no/link >/dev/null 2>&1 || echo refused; cat /mnt/yes/link';

    expect(await runtime.shell(line, { mounts: [PROC, bind('/mnt/no', 'nosymfollow'), bind('/mnt/yes')] })).toBe(
      'refused\nroot:x:0:0:root:/:/bin/sh\n',
    );
  });

  // A36 for mounts: what the image has at the place of a copy neither leads out nor holds the runtime up.
  hostTest('tmpcopyup copies links, fifos and devices as such, and never what they lead to', ['root'], async () => {
    const rootfs = runtime.rootfs();
    mkdirSync(join(rootfs, 'var'), { recursive: true });
    writeFileSync(join(runtime.dir, 'secret'), 'of the host\n');
    symlinkSync(join(runtime.dir, 'secret'), join(rootfs, 'var/link'));
    execFileSync('mkfifo', [join(rootfs, 'var/fifo')]);
    execFileSync('mknod', [join(rootfs, 'var/null'), 'c', '1', '3']);
    const mounts = [PROC, { destination: '/var', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }];
    const line = "stat -c '%F' /var/link /var/fifo /var/null; cat /var/link 2>&1 | grep -c 'of the host'";

    expect((await runtime.run({ mounts, process: { args: ['/bin/sh', '-c', line] } }, rootfs)).stdout).toBe(
      'symbolic link\nfifo\ncharacter special file\n0\n',
    );
  });
});
