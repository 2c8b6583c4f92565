import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, hostPlatform } from '@slipway/oci';
import { mounted } from '@slipway/snapshots/testing';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { type ImageStore, openImageStore } from './index.ts';

/** Our busybox archive through other people's tools and back, and their unpacked tree beside ours. */

const SCRIPT = new URL('../../../scripts/make-busybox-image.ts', import.meta.url).pathname;

let base: string;
let archive: string;
let store: ImageStore;
beforeEach(async () => {
  base = fs.mkdtempSync(join(tmpdir(), 'interop-'));
  archive = join(base, 'busybox.tar');
  execFileSync(process.execPath, [SCRIPT, archive]);
  store = await openImageStore({
    root: join(base, 'store'),
    platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
  });
});
afterEach(async () => {
  await store.close();
  fs.rmSync(base, { recursive: true });
});

const skopeo = (...args: string[]) => execFileSync('skopeo', ['--insecure-policy', ...args], { encoding: 'utf8', stdio: 'pipe' });
const loadFile = (path: string) => store.loadArchive(fs.createReadStream(path));

/** Every path with what is known of it; times too, since a layer keeps them. */
function listing(root: string): string[] {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.sort().map((name) => {
    const info = fs.lstatSync(join(root, name));
    const content = info.isFile()
      ? digestOf(fs.readFileSync(join(root, name)))
      : info.isSymbolicLink()
        ? fs.readlinkSync(join(root, name))
        : '';
    return [
      name,
      info.mode.toString(8),
      info.uid,
      info.gid,
      info.isDirectory() ? '' : info.nlink,
      Math.floor(info.mtimeMs / 1000),
      content,
    ].join(' ');
  });
}

describe('the busybox image', () => {
  hostTest('is the same bytes every time', ['linux'], async () => {
    const again = join(base, 'again.tar');
    execFileSync(process.execPath, [SCRIPT, again]);

    expect(fs.readFileSync(again).equals(fs.readFileSync(archive))).toBe(true);
  });

  hostTest('loads, runs a shell, and has lost the note that its third layer deletes', ['root', 'overlayfs'], async () => {
    await loadFile(archive);
    const { mounts, image } = await store.prepareRootfs('busybox', 'c1');

    mounted(mounts, (path) => {
      expect(
        execFileSync('chroot', [path, 'sh', '-c', 'id -un; ls /tmp; cat /etc/build-note || echo gone'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      ).toBe('root\ngone\n');
    });
    expect(image.layers).toHaveLength(3);
    expect(image.layers.every(({ createdBy }) => createdBy !== undefined)).toBe(true);
  });

  hostTest('works in a user namespace too: whiteouts are made and overlay mounts', ['root', 'overlayfs', 'user-namespaces'], async () => {
    const script = `const { openImageStore } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
      const { execFileSync } = await import('node:child_process'); const { createReadStream, mkdirSync } = await import('node:fs');
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/mnt']); mkdirSync('/mnt/r');
      const store = await openImageStore({ root: '/mnt/store', platform: { os: 'linux', architecture: ${JSON.stringify(hostPlatform(process.arch).architecture)} } });
      const { warnings } = await store.loadArchive(createReadStream(${JSON.stringify(archive)}));
      const { mounts: [mount] } = await store.prepareRootfs('busybox', 'c1');
      execFileSync('mount', ['-t', mount.type, '-o', mount.options.join(','), mount.source, '/mnt/r']);
      execFileSync('chroot', ['/mnt/r', 'sh', '-c', 'rm /bin/vi && ! test -e /etc/build-note && test -e /etc/passwd']);
      console.log(JSON.stringify({ warnings, xattr: mount.options.includes('userxattr') }));`;
    fs.chmodSync(base, 0o755);
    const file = join(base, 'inside.mjs');
    fs.writeFileSync(file, script);
    const args = ['--user', '--map-root-user', '--mount', '--propagation', 'private', process.execPath, file];

    expect(JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))).toEqual({ warnings: [], xattr: true });
  });

  for (const transport of ['oci-archive', 'docker-archive']) {
    hostTest(`skopeo reads it, writes a ${transport}, and that loads with the same files`, ['root', 'overlayfs'], async () => {
      const theirs = join(base, 'theirs.tar');
      skopeo('copy', `oci-archive:${archive}`, `${transport}:${theirs}:docker.io/library/copied:1`);

      await loadFile(archive);
      await loadFile(theirs);

      const diffIds = async (name: string) => (await store.get(name)).config.diffIds;
      expect(await diffIds('copied:1')).toEqual(await diffIds('busybox'));
    });
  }

  hostTest('skopeo reads its docker side too', ['linux'], async () => {
    const inspected: unknown = JSON.parse(skopeo('inspect', '--config', `docker-archive:${archive}`));

    expect(inspected).toMatchObject({ config: { Cmd: ['sh'] } });
  });

  hostTest('umoci unpacks the same tree as we do, to the last mode and time [B38]', ['root', 'overlayfs'], async () => {
    const layout = join(base, 'layout');
    skopeo('copy', `oci-archive:${archive}`, `oci:${layout}:latest`);
    execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, join(base, 'bundle')], { stdio: 'pipe' });

    await loadFile(archive);
    const { mounts } = await store.prepareRootfs('busybox', 'c1');

    expect(mounted(mounts, listing)).toEqual(listing(join(base, 'bundle/rootfs')));
  });
});
