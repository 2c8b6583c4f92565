import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveRegistry } from '@slipway/registry';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { type CommandResult, dockerClient, TestDaemon } from './testing/test-daemon.ts';

/** What a build is given beside its context, and where its result goes; instructions themselves are in build.host.test.ts. */

const SLIPWAY = fileURLToPath(new URL('../../../bin/slipway', import.meta.url));
const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const SECRET = 'correct-horse-battery-staple';
const PASSWORD = 'troubador-and-3';

let daemon: TestDaemon;
let context: string;
let counter = 0;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());
beforeEach(() => {
  context = join(daemon.base, `context-${counter++}`);
  fs.mkdirSync(context);
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(context, name), text);
}

interface Input {
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

function start(program: string, args: readonly string[], { stdin, env }: Input): Promise<CommandResult> {
  const own = { PATH: process.env['PATH'] ?? '', HOME: daemon.base, DOCKER_HOST: `unix://${daemon.socket}`, DOCKER_BUILDKIT: '0', ...env };
  return new Promise((resolve) => {
    const child = execFile(program, args, { env: own, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 255, stdout, stderr }),
    );
    child.stdin?.on('error', () => {}); // it ended without reading, which is its right
    child.stdin?.end(stdin ?? '');
  });
}

/** The docker client's `build`, and ours. */
const theirs = (args: readonly string[], input: Input = {}) => start(dockerClient(), ['build', ...args], input);
const ours = (args: readonly string[], input: Input = {}) => start(SLIPWAY, ['build', ...args], input);

async function done(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result;
  expect([code, code === 0 ? '' : stdout + stderr + daemon.log]).toEqual([0, '']);
  return stdout;
}

const run = async (...args: string[]) => (await daemon.docker('run', '--rm', ...args)).stdout.trim();

/** Files below the daemon's directories that hold a text. */
function filesWith(text: string): string[] {
  try {
    return execFileSync('grep', ['-rlaF', text, daemon.root, `${daemon.root}-build`, daemon.state, daemon.journal], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  } catch {
    return [];
  }
}

hostTest('a secret is there for its step, and afterwards nowhere: no layer, history, cache, journal, log', [...NEEDS], async () => {
  write({
    Dockerfile: `FROM busybox
RUN --mount=type=secret,id=token,required=true sha256sum < /run/secrets/token > /sum && stat -c '%a %u' /run/secrets/token > /rights
RUN --mount=type=secret,id=token,target=/in/place,mode=0440,uid=7 stat -c '%a %u' /in/place >> /rights
RUN --mount=type=secret,id=other test ! -e /run/secrets/other
`,
  });
  fs.writeFileSync(join(daemon.base, 'token'), SECRET);
  const given = `id=token,src=${join(daemon.base, 'token')}`;
  await done(ours(['--secret', given, '-t', 'kept', context]));
  fs.rmSync(join(daemon.base, 'token'));
  expect(await run('kept', 'sh', '-c', 'cat /sum /rights; ls /run/secrets /in 2>/dev/null; true')).toBe(
    `${execFileSync('sha256sum', { input: SECRET, encoding: 'utf8' }).trim()}\n400 0\n440 7`,
  );
  expect(await daemon.docker('history', '--no-trunc', 'kept')).not.toMatchObject({ stdout: expect.stringContaining(SECRET) });
  expect(filesWith(SECRET)).toEqual([]);
  expect(daemon.log).not.toContain(SECRET);
  // The same step with another secret is the same step.
  expect(await done(ours(['--secret', 'id=token,env=TOKEN', context], { env: { TOKEN: 'other' } }))).toContain('Using cache');
  // The control: what a step writes down itself is found.
  write({ Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=token cat /run/secrets/token > /leak\n' });
  await done(ours(['--secret', 'id=token,env=TOKEN', '-t', 'leak', context], { env: { TOKEN: `${SECRET}-written` } }));
  expect(filesWith(`${SECRET}-written`)).not.toEqual([]);
});

hostTest('a secret that is needed and not given, or wanted in the environment, is refused by its line', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s,required=true true\n' });
  expect(await theirs([context])).toMatchObject({ code: 1, stderr: expect.stringContaining('line 2: secret s: not found') });
  write({ Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s,env=S true\n' });
  expect(await ours(['--secret', 'id=s,env=HOME', context])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('line 2: a secret in an'),
  });
  expect(await ours(['--secret', 'src=x', context])).toMatchObject({ code: 1, stderr: expect.stringContaining('--secret id=NAME') });
});

hostTest('proxies reach the steps, and neither history nor cache; arguments that nobody wants are named', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nARG USED\nRUN test "$HTTP_PROXY" = http://proxy.invalid:1 && echo $USED > /used\n' });
  const args = ['--build-arg', 'HTTP_PROXY=http://proxy.invalid:1', '--build-arg', 'USED=1'];
  const first = await done(theirs([...args, '--build-arg', 'STRAY=1', '-t', 'proxied', context]));
  expect(first).toContain('[Warning] One or more build-args [STRAY] were not consumed');
  const history = (await daemon.docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', 'proxied')).stdout;
  expect(history).toMatch(/^RUN \|1 USED=1 \/bin\/sh -c test/);
  expect(history).not.toContain('HTTP_PROXY=');
  const second = await done(theirs(['--build-arg', 'USED=1', '--build-arg', 'https_proxy=http://other.invalid', context]));
  expect(second.split('Using cache')).toHaveLength(2);
  expect(second).not.toContain('[Warning]');
});

hostTest('limits, hosts, network and platform of the classic builder; what it cannot do is refused', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nRUN ulimit -n > /limits; grep mine /etc/hosts >> /limits; ls /sys/class/net | wc -l >> /limits\n' });
  const limits = ['--ulimit', 'nofile=123:123', '--add-host', 'mine:10.1.2.3', '--memory', '64m', '--network', 'none'];
  await done(theirs([...limits, '--platform', `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`, '-t', 'limited', context]));
  expect(await run('limited', 'cat', '/limits')).toMatch(/^123\n10\.1\.2\.3\s+mine\n1$/);
  for (const [flags, message] of [
    [['--platform', 'linux/s390x'], 'images are built for linux/'],
    [['--network', 'elsewhere'], 'network "elsewhere" is not available'],
    [['--cgroup-parent', '/x'], 'cgroupparent is not available'],
    [['--security-opt', 'seccomp=unconfined'], 'securityopt is not available'],
  ] as const)
    expect(await theirs([...flags, context])).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  expect(await ours(['--squash', context])).toMatchObject({ code: 1, stderr: expect.stringContaining('squash is not available') });
});

hostTest('a Dockerfile on stdin, alone or for a context; a tar on stdin; a Dockerfile outside', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nRUN exit 9\n', f: 'content' });
  const text = 'FROM busybox\nCOPY . /c/\n';
  const packed = (...flags: string[]) => execFileSync('tar', ['-c', ...flags, '-C', context, '.']);
  fs.writeFileSync(join(daemon.base, 'Outside'), text);
  const outside = join(daemon.base, 'Outside');
  for (const [name, build] of [
    ['theirs', theirs],
    ['ours', ours],
  ] as const) {
    await done(build(['-t', name, '-'], { stdin: 'FROM busybox\nRUN echo alone > /f\n' }));
    expect(await run(name, 'cat', '/f')).toBe('alone');
    await done(build(['-t', name, '-f', '-', context], { stdin: text }));
    await done(build(['-t', name, '-f', outside, context]));
    expect(await run(name, 'sh', '-c', 'cat /c/f; ls -A /c | grep -c dockerfile')).toBe('content0');
    write({ Other: text });
    for (const tar of [packed(), packed('-z')]) await done(build(['-t', name, '-f', 'Other', '-'], { stdin: tar }));
    expect(await run(name, 'cat', '/c/f')).toBe('content');
  }
  expect(await ours(['https://example.com/x.git'])).toMatchObject({ code: 1, stderr: expect.stringContaining('contexts are not fetched') });
});

hostTest(
  '--output: files, a tar of them, an archive of the image; nothing stays in the engine but what has a name',
  [...NEEDS],
  async () => {
    write({
      Dockerfile: 'FROM busybox AS made\nRUN mkdir /out && echo made > /out/f && ln -s f /out/l\nFROM scratch\nCOPY --from=made /out /\n',
    });
    const to = (name: string) => join(daemon.base, name);
    const images = async () => (await daemon.docker('images', '-aq')).stdout.split('\n').sort();
    const before = await images();
    await done(ours(['-o', to('files'), context]));
    expect(fs.readdirSync(to('files')).sort()).toEqual(['f', 'l']);
    expect(fs.readFileSync(to('files/l'), 'utf8')).toBe('made\n');
    await done(ours(['--output', `type=tar,dest=${to('files.tar')}`, context]));
    expect(
      execFileSync('tar', ['-tf', to('files.tar')], { encoding: 'utf8' })
        .split('\n')
        .sort(),
    ).toEqual(['', 'f', 'l']);
    expect(await images()).toEqual(before);
    await done(ours(['-t', 'put/out:1', '--output', `type=oci,dest=${to('image.tar')}`, context]));
    expect((await images()).length).toBe(before.length + 1);
    await daemon.docker('rmi', 'put/out:1');
    const inspected = execFileSync('skopeo', ['inspect', '--config', `oci-archive:${to('image.tar')}`], { encoding: 'utf8' });
    expect(JSON.parse(inspected)).toMatchObject({ rootfs: { diff_ids: [expect.any(String)] } });
    expect((await daemon.docker('load', '-i', to('image.tar'))).stdout).toContain('put/out:1');
    expect((await daemon.docker('ps', '-aq')).stdout).toBe('');
  },
);

hostTest('base images behind a password: shown to their registry, and to no other', [...NEEDS], async () => {
  const registry = await serveRegistry({
    root: join(daemon.base, 'registry'),
    listen: '127.0.0.1:0',
    readOnly: false,
    checkPassword: async (user, password) => user === 'alice' && password === PASSWORD,
    onInternalError: (error) => expect.unreachable(String(error)),
  });
  try {
    const name = `${registry.address}/team/base:1`;
    write({ Dockerfile: `FROM ${name}\nRUN echo below > /x\n` });
    await daemon.docker('tag', 'busybox', name);
    expect((await daemon.dockerWith(PASSWORD, 'login', '-u', 'alice', '--password-stdin', registry.address)).code).toBe(0);
    expect((await daemon.docker('push', name)).code).toBe(0);
    for (const build of [theirs, ours]) {
      await daemon.docker('rmi', '-f', name);
      await done(build(['-t', 'private', context]));
    }
    await daemon.docker('rmi', '-f', name);
    await daemon.docker('logout', registry.address);
    expect(await theirs([context])).toMatchObject({ code: 1, stderr: expect.stringMatching(/line 1: .*(denied|unauthorized|log in)/i) });
    expect(filesWith(PASSWORD)).toEqual([]);
  } finally {
    await registry.close();
  }
});

hostTest('ADD of an address: of hosts that the engine allows, by name, time and digest; of others it is refused', [...NEEDS], async () => {
  let served = 'one';
  const server = createServer((_request, response) => response.setHeader('last-modified', 'Thu, 01 Jan 2015 00:00:00 GMT').end(served));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    write({ Dockerfile: `FROM busybox\nADD http://${host}/some/file?x=1 /in/\nRUN stat -c '%a %Y' /in/file > /about\n` });
    expect(await theirs([context])).toMatchObject({ code: 1, stderr: expect.stringMatching(/line 2: .*an address that is not public/) });
    await daemon.down('SIGTERM');
    await daemon.up('--build-add-host', host);
    await done(theirs(['-t', 'added', context]));
    expect(await run('added', 'cat', '/in/file', '/about')).toBe('one600 1420070400');
    expect((await done(theirs([context]))).split('Using cache')).toHaveLength(3);
    served = 'two';
    expect(await done(theirs([context]))).not.toContain('Using cache');
    const checked = (text: string) =>
      `FROM busybox\nADD --checksum=sha256:${createHash('sha256').update(text).digest('hex')} http://${host}/f /g\n`;
    write({ Dockerfile: checked('two') });
    await done(theirs([context]));
    write({ Dockerfile: checked('one') });
    expect(await theirs([context])).toMatchObject({ code: 1, stderr: expect.stringMatching(/line 2: .*its digest is sha256:/) });
    write({ Dockerfile: `FROM busybox\nADD http://${host}/ /in/\n` });
    expect(await theirs([context])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('line 2: the address ends with no file name'),
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

hostTest('cache mounts: locked by one step after the other, private to each, shared by all', [...NEEDS], async () => {
  // Each of two stages goes on only when the other one is in the same directory: with sharing=locked never, with sharing=shared always.
  const stage = (name: string, other: string, sharing: string, tries: number) => `FROM busybox AS ${name}
RUN --mount=type=cache,id=${sharing},sharing=${sharing},target=/c touch /c/${name}; n=0; \\
    while [ ! -e /c/${other} ] && [ $n -lt ${tries} ]; do n=$((n+1)); sleep 0.1; done; \\
    ([ -e /c/${other} ] && echo met || echo alone) > /${name}${sharing === 'locked' ? `; rm /c/${name}` : ''}
`;
  const both = (sharing: string, tries: number) =>
    `${stage('a', 'b', sharing, tries)}${stage('b', 'a', sharing, tries)}FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\n`;
  for (const [sharing, tries, met] of [
    ['shared', 300, 'met'],
    ['locked', 3, 'alone'],
    ['private', 3, 'alone'],
  ] as const) {
    write({ Dockerfile: both(sharing, tries) });
    const out = join(daemon.base, `cache-${sharing}`);
    await done(ours(['-o', out, context]));
    expect([sharing, ...['a', 'b'].map((name) => fs.readFileSync(join(out, name), 'utf8').trim())]).toEqual([sharing, met, met]);
  }
  write({ Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=maybe true\n' });
  expect(await ours([context])).toMatchObject({ code: 1, stderr: expect.stringContaining('line 2: unsupported sharing value "maybe"') });
});
