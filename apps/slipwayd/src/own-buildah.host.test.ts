/** Our buildah beside Debian's: the same script gives the same config, and the same files in one new layer. */
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveRegistry } from '@slipway/registry';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { podmanFiles } from '../../cli/src/runc/testing/engines.ts';
import { BUSYBOX_ARCHIVE, PeerPlace } from '../../cli/src/runc/testing/peer-place.ts';
import { type CommandResult, TestDaemon } from './testing/test-daemon.ts';

const BUILDAH = fileURLToPath(new URL('../../../bin/buildah', import.meta.url));
const NEEDS = ['root', 'linux', 'overlayfs'] as const;

let daemon: TestDaemon;
let place: PeerPlace;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  place = new PeerPlace();
  makeSources(place.path('src'));
}, 60_000);
afterAll(async () => {
  await place?.dispose();
  await daemon?.dispose();
}, 60_000);

/** Ours, in the place's directory. */
function own(args: readonly string[], stdin = ''): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.path('home'), TMPDIR: place.dir, DOCKER_HOST: `unix://${daemon.socket}` };
  const child = spawn(BUILDAH, args, { env, cwd: place.dir });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes) => {
    text.stdout += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    text.stderr += String(bytes);
  });
  child.stdin.on('error', () => {}); // it ended without reading, which is its right
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve({ code: code ?? 255, ...text })));
}

async function buildah(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await own(args);
  expect([code, stderr], args.join(' ')).toEqual([0, expect.any(String)]);
  return stdout.trim();
}

async function fails(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await own(args);
  expect([code, stderr], args.join(' ')).toEqual([125, expect.stringMatching(/^Error: |\nError: /)]);
  return stderr;
}

function makeSources(dir: string): void {
  fs.mkdirSync(join(dir, 'd'), { recursive: true });
  fs.writeFileSync(join(dir, 'one'), 'one\n', { mode: 0o640 });
  fs.writeFileSync(join(dir, 'd/two'), 'two\n');
  fs.symlinkSync('one', join(dir, 'link'));
  fs.chownSync(join(dir, 'd/two'), 5, 6);
  execFileSync('tar', ['-czf', `${dir}.tar.gz`, '-C', dir, '.']);
}

/** Words of buildah; `run` has what Debian's needs to use our runtime, and is left as it is for ours. */
const SCRIPT: readonly (readonly string[])[] = [
  ['run', 'it', '--', 'sh', '-c', 'echo made > /made; mkdir -p /var/lib/app; chown 3:4 /made; rm /bin/vi; ln -s /made /etc/to-made'],
  ['config', '--workingdir', '/app', '--env', 'A=1', '--env', 'B=$A$' + '{A}', '--env', 'GONE=1', '--label', 'l=1', '--label', 'm=2', 'it'],
  ['copy', 'it', 'src', '/app'],
  ['copy', '--chown', '7:8', '--chmod', '711', 'it', 'src/one', '/opt/new/'],
  ['copy', '--chown', 'root:users', 'it', 'src/one', '/opt/by-name'],
  ['copy', 'it', 'src/one', 'relative'],
  ['copy', 'it', 'src/o*', 'src/d', '/many/'],
  ['add', 'it', 'src.tar.gz', '/unpacked'],
  ['copy', 'it', 'src.tar.gz', '/not-unpacked'],
  ['add', 'it', 'src/one'],
  ['run', '--user', '12', '--workingdir', '/tmp', 'it', '--', 'sh', '-c', 'echo "$(id -u) $(pwd) $A $B" > /tmp/said'],
  ['config', '--cmd', 'echo "a b" c', '--entrypoint', '["/bin/sh","-c"]', '--port', '80', '--port', '53/udp', '--volume', '/data', 'it'],
  ['config', '--env', 'GONE-', '--label', 'm-', '--port', '80-', '--user', '7', '--stop-signal', 'SIGINT', '--author', 'me', 'it'],
  ['config', '--created-by', 'by hand', '--history-comment', 'a comment, ', 'it'],
];

hostTest('the same script gives the config and the layer that Debian’s gives', [...NEEDS], async () => {
  const files = podmanFiles(place);
  const peer = (...args: readonly string[]) => place.must([...files.buildah, ...args], files.env);
  await peer('from', '-q', '--name', 'it', `docker-archive:${BUSYBOX_ARCHIVE}`);
  await buildah('from', '-q', '--name', 'it', 'busybox');
  for (const [verb = '', ...args] of SCRIPT) {
    await peer(verb, ...(verb === 'run' ? ['--runtime', place.runtime, '--network', 'none'] : []), ...args);
    await buildah(verb, ...args);
  }
  await peer('commit', '-q', 'it', `oci:${place.path('debian')}:1`);
  const id = await buildah('commit', '-q', 'it', `oci:${place.path('ours')}:1`);
  const [ours, debian] = [readLayout(place.path('ours')), readLayout(place.path('debian'))];

  expect(ours.id).toBe(`sha256:${id}`);
  expect(ours.config).toEqual(debian.config);
  expect(ours.members).toEqual(debian.members);
  expect(ours.members['many/two']).toEqual(['-rw-r--r--', '0/0', '4', '']);
  expect(ours.members['tmp/said']?.[1]).toBe('12/0');
  expect(ours.text('tmp/said')).toBe('12 /tmp 1 11\n');
  expect(ours.text('opt/new/one')).toBe('one\n');
  await buildah('rm', 'it');
});

interface ReadLayout {
  readonly id: string;
  /** Without what is a time, and what tells the two programs apart. */
  readonly config: unknown;
  /** Of the topmost layer: path → mode, owner, size, link. */
  readonly members: Readonly<Record<string, readonly string[]>>;
  text(path: string): string;
}

function readLayout(dir: string): ReadLayout {
  const json = (path: string) => JSON.parse(fs.readFileSync(join(dir, path), 'utf8'));
  const blob = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const manifest = json(blob(json('index.json').manifests[0].digest));
  const { created: _created, rootfs, history, config, ...rest } = json(blob(manifest.config.digest));
  const { 'io.buildah.version': _version, ...labels } = config.Labels;
  const steps = history.map(({ created: _at, ...step }: Record<string, string>) => ({
    ...step,
    ...(step['comment'] === undefined ? {} : { comment: step['comment'].replace('localhost/', '') }),
  }));
  const layer = join(dir, blob(manifest.layers.at(-1).digest));
  return {
    id: manifest.config.digest,
    config: { ...rest, config: { ...config, Labels: labels }, history: steps, below: rootfs.diff_ids.slice(0, -1) },
    members: membersOf(execFileSync('tar', ['-tvf', layer, '--numeric-owner', '--full-time'], { encoding: 'utf8' })),
    text: (path) => execFileSync('tar', ['-xOf', layer, path], { encoding: 'utf8' }),
  };
}

/** Debian's leaves what its runtime mounted something on; a whiteout's mode means nothing. */
function membersOf(listing: string): Readonly<Record<string, readonly string[]>> {
  const found = listing.split('\n').flatMap((line) => {
    const [, mode = '', owner = '', size = '', path = '', link = ''] =
      /^(\S+) (\S+) +(\d+) +\S+ +\S+ +(.*?)(?: -> (.*))?$/.exec(line) ?? [];
    return path === '' || path === 'etc/hostname' || /^(run|proc|sys|dev)\//.test(path)
      ? []
      : [[path, [/\.wh\./.test(path) ? '' : mode, owner, size, link]] as const];
  });
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

hostTest(
  'commands run one after another on one root, with our streams and their exit codes, and leave no container',
  [...NEEDS],
  async () => {
    const name = await buildah('from', 'busybox');
    expect(name).toBe('busybox-working-container');
    expect(await buildah('from', 'busybox')).toBe('busybox-working-container-1');
    expect(await own(['run', name, 'sh', '-c', 'cat > /given; echo out; echo err >&2; exit 3'], 'typed')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\nError: while running runtime: exit status 3\n',
    });
    expect(await buildah('run', name, 'cat', '/given')).toBe('typed');
    expect((await own(['run', name, '/nothing'])).code).toBe(127);
    expect(await fails('run', name)).toContain('command must be specified');
    expect((await daemon.docker('ps', '-aq')).stdout.trim().split('\n')).toHaveLength(2);
    expect(await buildah('containers', '-n')).toMatch(/busybox:latest +busybox-working-container\n.* busybox-working-container-1$/s);
    expect(JSON.parse(await buildah('containers', '--json'))).toHaveLength(2);
    await buildah('rm', '-a');
    expect(await buildah('containers', '-q')).toBe('');
    expect((await daemon.docker('ps', '-aq')).stdout).toBe('');
  },
);

hostTest('two commands never share a root, and a root that is lent stays', [...NEEDS], async () => {
  await buildah('from', '--name', 'lender', 'busybox');
  const sleeping = own(['run', 'lender', 'sh', '-c', 'while [ ! -e /go ]; do sleep 0.1; done; echo gone']);
  const guest = async () => (await daemon.docker('ps', '-q')).stdout.trim();
  await expect.poll(guest, { timeout: 20_000 }).not.toBe('');
  expect(await fails('run', 'lender', 'true')).toContain('lends its root');
  expect(await fails('rm', 'lender')).toContain('lends its root');
  expect((await daemon.docker('start', 'lender')).stderr).toContain('lends its root');
  // A file from outside is seen by who runs there: it is the same root.
  fs.writeFileSync(place.path('go'), '');
  expect((await daemon.docker('cp', place.path('go'), `${await guest()}:/go`)).code).toBe(0);
  expect(await sleeping).toMatchObject({ code: 0, stdout: 'gone\n' });
  expect(await buildah('run', 'lender', 'ls', '/go')).toBe('/go');
  await buildah('rm', 'lender');
});

hostTest('from scratch: one layer of what was copied, mounted and written by the host’s own tools too', [...NEEDS], async () => {
  const name = await buildah('from', 'scratch');
  await buildah('copy', name, 'src/one', '/');
  const root = await buildah('mount', name);
  expect(fs.readdirSync(root)).toEqual(['one']);
  fs.writeFileSync(join(root, 'by-host'), 'written');
  expect(await buildah('mount')).toBe(`${name} ${root}`);
  await buildah('umount', name);
  await buildah('config', '--cmd', '/one', name);
  const id = await buildah('commit', '--rm', '--timestamp', '1000000000', name, 'from-scratch:1');
  expect(await buildah('containers', '-q')).toBe('');
  const [image] = JSON.parse((await daemon.docker('image', 'inspect', 'from-scratch:1')).stdout);
  expect(image).toMatchObject({ Id: `sha256:${id}`, Created: '2001-09-09T01:46:40.000Z', Config: { Cmd: ['/one'] } });
  expect(image.RootFS.Layers).toHaveLength(1);
  expect((await own(['images', '-n'])).stdout).toMatch(/^from-scratch +1 /);
  await buildah('rmi', 'from-scratch:1');
});

hostTest('files of other containers and images, of a context with what is left out, and of addresses', [...NEEDS], async () => {
  const body = 'from afar\n';
  const server = createServer((request, reply) => (request.url === '/file.txt' ? reply.end(body) : reply.writeHead(404).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.txt`;
  const sum = execFileSync('sha256sum', { input: body, encoding: 'utf8' }).slice(0, 64);
  try {
    await buildah('from', '--name', 'first', 'busybox');
    await buildah('from', '--name', 'second', 'scratch');
    await buildah('run', 'first', 'sh', '-c', 'mkdir /out; echo built > /out/program');
    await buildah('copy', '--from', 'first', 'second', '/out', '/app');
    await buildah('copy', '--from', 'busybox', 'second', '/etc/passwd', '/passwd');
    fs.writeFileSync(place.path('ignore'), 'd\n');
    await buildah('copy', '--contextdir', 'src', '--ignorefile', 'ignore', 'second', '.', '/context');
    await buildah('add', '--checksum', `sha256:${sum}`, 'second', url, '/fetched/');
    const tree = await buildah('mount', 'second');
    expect(execFileSync('find', ['.', '!', '-type', 'd'], { cwd: tree, encoding: 'utf8' }).trim().split('\n').sort()).toEqual([
      './app/program',
      './context/link',
      './context/one',
      './fetched/file.txt',
      './passwd',
    ]);
    expect(fs.readFileSync(join(tree, 'fetched/file.txt'), 'utf8')).toBe(body);
    await buildah('umount', 'second');
    // What must not work does not, and what was there stays.
    fs.symlinkSync('/etc', place.path('src/d/out'));
    expect(await fails('copy', '--contextdir', 'src/d', 'second', 'out/passwd', '/stolen')).toContain('leads out of the context');
    fs.rmSync(place.path('src/d/out'));
    expect(await fails('add', '--checksum', `sha256:${'0'.repeat(64)}`, 'second', url, '/other')).toContain('its bytes have the digest');
    expect(await fails('add', 'second', `${url}.not`, '/other')).toContain('404');
    expect(await fails('copy', 'second', url, '/other')).toContain('copy does not');
    expect(await fails('copy', 'second', 'nothing-here', '/other')).toContain('no such file');
    expect((await daemon.docker('diff', 'second')).stdout).not.toMatch(/stolen|other/);
    await buildah('rm', 'first', 'second');
  } finally {
    server.close();
  }
});

hostTest('to a registry and from it, by commit, push and pull', [...NEEDS], async () => {
  const registry = await serveRegistry({
    root: place.path('registry'),
    listen: '127.0.0.1:0',
    onInternalError: (error) => console.error(error),
  });
  try {
    const at = (name: string) => `${registry.address}/${name}`;
    await buildah('from', '--name', 'pushed', 'busybox');
    await buildah('copy', 'pushed', 'src/one', '/one');
    const id = await buildah('commit', '-q', 'pushed', `docker://${at('direct:1')}`);
    expect(await buildah('images', '-q')).not.toContain(id.slice(0, 12));
    await buildah('commit', '-q', 'pushed', 'kept:1');
    await buildah('push', '-q', 'kept:1', at('pushed:1'));
    for (const name of ['direct:1', 'pushed:1']) {
      const again = await buildah('from', '-q', `docker://${at(name)}`);
      expect(await buildah('run', again, 'cat', '/one')).toBe('one');
      await buildah('rm', again);
    }
    await buildah('tag', 'kept:1', at('tagged:2'));
    expect(await buildah('images', '-n')).toMatch(new RegExp(`${registry.address}/tagged +2 `));
    await buildah('rm', 'pushed');
  } finally {
    await registry.close();
  }
});

hostTest('mistakes are said in a sentence, and change nothing', [...NEEDS], async () => {
  expect(await fails('frob')).toContain('unknown command "frob"');
  expect(await fails('config', '--user', '1', 'nobody-here')).toContain('container not known');
  expect(await fails('from', '--pull-never', 'not-here')).toContain('image not known');
  expect(await fails('config', '--nonsense', 'x')).toContain('unknown flag: --nonsense');
  await buildah('from', '--name', 'wrong', 'busybox');
  expect(await fails('config', '--env', 'A=$NOWHERE', 'wrong')).toContain('no value set');
  expect(await fails('config', '--annotation', 'a=b', 'wrong')).toContain('annotations');
  expect(await fails('copy', '--chown', 'stranger', 'wrong', 'src/one', '/x')).toContain('no user "stranger"');
  expect(await fails('commit', 'wrong', 'UPPER/Case')).toContain('UPPER');
  expect(await buildah('inspect', '--format', '{{json .OCIv1.config}}', 'wrong')).not.toContain('NOWHERE');
  await buildah('rm', 'wrong');
});
