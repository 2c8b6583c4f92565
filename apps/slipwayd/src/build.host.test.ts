import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { type CommandResult, dockerClient, TestDaemon } from './testing/test-daemon.ts';

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

const NEEDS = ['root', 'linux', 'overlayfs'] as const;

/** Files of the context; the Dockerfile is one. */
function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(join(context, name, '..'), { recursive: true });
    fs.writeFileSync(join(context, name), text);
  }
}

/** The real client, told to use the classic builder. */
function build(...args: string[]): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: daemon.base, DOCKER_HOST: `unix://${daemon.socket}`, DOCKER_BUILDKIT: '0' };
  return new Promise((resolve) => {
    execFile(dockerClient(), ['build', ...args, context], { env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 255, stdout, stderr }),
    );
  });
}

async function built(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await build(...args);
  expect([code, code === 0 ? '' : stdout + stderr + daemon.log]).toEqual([0, '']);
  return stdout;
}

const run = async (...args: string[]) => (await daemon.docker('run', '--rm', ...args)).stdout.trim();
const inspect = async (name: string) => JSON.parse((await daemon.docker('image', 'inspect', name)).stdout)[0] as Record<string, never>;

hostTest('every instruction does what docker’s does', [...NEEDS], async () => {
  write({
    Dockerfile: `# escape=\\
ARG BASE=busybox
FROM $BASE AS base
ARG WHO=nobody
ENV GREETING="hello $WHO" DIR=/srv
LABEL a=1 b="two words"
WORKDIR $DIR
COPY a.txt sub/ ./
COPY --chown=12:13 --chmod=0600 a.txt /owned
COPY *.md /docs/
ADD archive.tar.gz /unpacked/
RUN echo "$GREETING" > greeting && \\
    # a comment in between
    pwd >> greeting
RUN <<EOF
echo first > /heredoc
echo second >> /heredoc
EOF
COPY <<-"END" /made
	literal $WHO
	END
USER 1000:1001
RUN id -u > /tmp/who
EXPOSE 80 90/udp
VOLUME /data
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s CMD true
ENTRYPOINT ["cat"]
CMD ["/srv/greeting"]
`,
    'a.txt': 'A\n',
    'one.md': '1',
    'two.md': '2',
    'sub/inner/b.txt': 'B\n',
    'sub/run.sh': '#!/bin/sh\n',
  });
  fs.chmodSync(join(context, 'sub/run.sh'), 0o755);
  fs.symlinkSync('inner/b.txt', join(context, 'sub/link'));
  execFileSync('tar', ['-czf', join(context, 'archive.tar.gz'), '-C', context, 'sub']);

  const output = await built('-t', 'all:in', '-t', 'all', '--build-arg', 'WHO=you', '--label', 'c=3');

  const steps = [...output.matchAll(/^Step (\d+)\/(\d+) : /gm)].map(([, number, total]) => ({
    number: Number(number),
    total: Number(total),
  }));
  expect(output).toMatch(/Step \d+\/\d+ : FROM busybox AS base\n/);
  expect(steps.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1));
  expect(new Set(steps.map(({ total }) => total))).toEqual(new Set([steps.length]));
  expect(output).toMatch(/Successfully built [0-9a-f]{12}\nSuccessfully tagged all:in\nSuccessfully tagged all:latest\n$/);
  expect(await run('all:in')).toBe('hello you\n/srv');
  const script =
    'cat /srv/link /heredoc /made /tmp/who /docs/two.md; stat -c "%a %u:%g" /owned; stat -c %a /srv/run.sh; cat /unpacked/sub/inner/b.txt';
  expect(await run('--entrypoint', 'sh', 'all', '-c', script)).toBe('B\nfirst\nsecond\nliteral $WHO\n1000\n2600 12:13\n755\nB');
  expect(await inspect('all')).toMatchObject({
    Config: {
      User: '1000:1001',
      Env: expect.arrayContaining(['GREETING=hello you', 'DIR=/srv']),
      Labels: { a: '1', b: 'two words', c: '3' },
      ExposedPorts: { '80/tcp': {}, '90/udp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      StopSignal: 'SIGINT',
      Shell: ['/bin/sh', '-ec'],
      Entrypoint: ['cat'],
      Cmd: ['/srv/greeting'],
    },
  });
  const history = await daemon.docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', 'all');
  expect(history.stdout).toMatch(/^CMD \["\/srv\/greeting"\]\nENTRYPOINT/);
});

hostTest('stages: copied from by name and number, built from, run side by side, and left out when not needed', [...NEEDS], async () => {
  write({
    Dockerfile: `FROM busybox AS one
RUN mkdir /out && echo one > /out/f && ln -s f /out/link
FROM busybox AS two
RUN echo two > /two
FROM busybox AS never
RUN exit 1
FROM one AS grown
RUN cat /out/f > /grown
FROM scratch
COPY --from=busybox /bin /bin
COPY --from=one /out /out/
COPY --from=1 /two /renamed
COPY --from=grown /grown /
CMD ["/bin/sh", "-c", "cat /out/link /renamed /grown; ls /"]
`,
  });
  await built('-t', 'staged');
  expect(await run('staged')).toMatch(/^one\ntwo\none\n/);
  const never = await build('--target', 'never', '-t', 'x');
  expect(never.stderr).toContain("line 6: The command '/bin/sh -c exit 1' returned a non-zero code: 1");
  await built('--target', 'two', '-t', 'target');
  expect(await run('target', 'cat', '/two')).toBe('two');
});

function spansOf(name: string): Readonly<Record<string, string>>[] {
  const spans = daemon.readJournal().flatMap(({ span }) => (span === undefined ? [] : [span as Record<string, string>]));
  return spans.filter((span) => span['name'] === name);
}

/** What the steps of the last build say of the cache, by the journal. */
function lastMisses(): unknown[] {
  const trace = spansOf('build').at(-1)?.['trace'];
  return spansOf('build.step').flatMap((span) => {
    if (span['trace'] !== trace || span['endMs'] === undefined) return [];
    const { cached, miss } = JSON.parse(span['response'] ?? '{}') as Record<string, unknown>;
    return cached === undefined ? [] : [cached === true ? 'hit' : miss];
  });
}

hostTest('what went into a step decides whether it is done again, and the journal says what changed', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nARG V=1\nCOPY f /f\nRUN cat /f; date +%N > /time\nRUN echo $V > /v\n', f: 'content' });
  const hits = (output: string) => output.split('Using cache').length - 1;
  await built('-t', 'cached:1');
  await expect.poll(lastMisses).toEqual([{ reason: 'first' }, { reason: 'first' }, { reason: 'first' }]);
  expect(hits(await built('-t', 'cached:2'))).toBe(3);
  await expect.poll(lastMisses).toEqual(['hit', 'hit', 'hit']);
  expect(await inspect('cached:2')).toMatchObject({ Id: (await inspect('cached:1'))['Id'] });
  fs.utimesSync(join(context, 'f'), 1, 1);
  expect(hits(await built('-t', 'cached:3'))).toBe(3);
  write({ f: 'other' });
  expect(hits(await built('-t', 'cached:4'))).toBe(0);
  await expect.poll(lastMisses).toEqual([{ reason: 'files', detail: ['/f'] }, { reason: 'above' }, { reason: 'above' }]);
  expect(hits(await built('-t', 'cached:5', '--build-arg', 'V=2'))).toBe(1);
  await expect
    .poll(lastMisses)
    .toEqual(['hit', { reason: 'settings', detail: ['build arguments'] }, { reason: 'settings', detail: ['build arguments'] }]);
  expect(hits(await built('-t', 'cached:6', '--no-cache'))).toBe(0);
  await expect.poll(lastMisses).toEqual([{ reason: 'unwanted' }, { reason: 'unwanted' }, { reason: 'unwanted' }]);
  expect((await daemon.docker('builder', 'prune', '-f')).stdout).toContain('Total reclaimed space');
  expect(hits(await built('-t', 'cached:7'))).toBe(0);
  await expect.poll(() => lastMisses()[0]).toEqual({ reason: 'gone' });
  expect(await run('cached:7', 'cat', '/f', '/v')).toBe('other1');
  const plans = spansOf('build.plan').flatMap(({ response }) => (response === undefined ? [] : [JSON.parse(response)]));
  expect(plans.at(-1)).toMatchObject({ target: 0, stages: [{ stage: 0, from: 'busybox', line: 1, needs: [] }] });
  expect(plans.at(-1).stages[0].steps).toEqual([
    { line: 2, text: 'ARG V=1' },
    { line: 3, text: 'COPY f /f' },
    { line: 4, text: 'RUN cat /f; date +%N > /time' },
    { line: 5, text: 'RUN echo $V > /v' },
  ]);
});

hostTest('with SOURCE_DATE_EPOCH two builds from nothing give the same image', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nARG SOURCE_DATE_EPOCH\nWORKDIR /w/x\nCOPY . .\nRUN echo made > /made; mkdir /d\n', 'a/b': 'x' });
  const ids: unknown[] = [];
  for (const tag of ['repro:1', 'repro:2']) {
    await built('-t', tag, '--no-cache', '--build-arg', 'SOURCE_DATE_EPOCH=1700000000');
    ids.push((await inspect(tag))['Id']);
  }
  expect(ids[0]).toBe(ids[1]);
  expect(await inspect('repro:1')).toMatchObject({ Created: '2023-11-14T22:13:20.000Z' });
});

hostTest('.dockerignore, and another Dockerfile', [...NEEDS], async () => {
  write({
    'Other.Dockerfile': 'FROM busybox\nCOPY . /c/\nRUN cd /c && find . -type f | sort > /list\n',
    '.dockerignore': '# comment\n**/*.log\nnode_modules\n!keep.log\nsecret*\n',
    'a.txt': '',
    'x/y/b.log': '',
    'keep.log': '',
    'node_modules/m/index.js': '',
    'secret.key': '',
  });
  await built('-f', join(context, 'Other.Dockerfile'), '-t', 'ignored');
  expect(await run('ignored', 'cat', '/list')).toBe('./.dockerignore\n./Other.Dockerfile\n./a.txt\n./keep.log');
});

hostTest('RUN --mount: a cache that lasts, files of the context, a tmpfs, and nothing of them in the image', [...NEEDS], async () => {
  write({
    Dockerfile: `FROM busybox
ARG ROUND
RUN --mount=type=cache,target=/cache,mode=0700 --mount=type=bind,source=f,target=/in/f --mount=type=tmpfs,target=/t \\
    echo $ROUND >> /cache/rounds; cat /cache/rounds /in/f > /seen; echo x > /t/x; (echo y > /in/f) 2>/dev/null || echo read-only >> /seen
`,
    f: 'from the context\n',
  });
  await built('-t', 'mounts', '--build-arg', 'ROUND=one');
  await built('-t', 'mounts', '--build-arg', 'ROUND=two');
  expect(await run('mounts', 'cat', '/seen')).toBe('one\ntwo\nfrom the context\nread-only');
  expect(await run('mounts', 'sh', '-c', 'ls -d /cache /in /t 2>/dev/null; true')).toBe('');
});

hostTest('COPY --exclude and --parents, archives of bzip2 and xz, and a cache that begins as a copy', [...NEEDS], async () => {
  write({
    Dockerfile: `FROM busybox AS files
RUN mkdir -m 0711 /files && mkdir /files/in && echo begun > /files/in/f && chown 5:6 /files /files/in/f
FROM busybox
COPY --exclude=*.log --exclude=in src /excluded/
COPY --parents src/./in/*.txt src/a.txt /parents/
COPY --from=files --parents /files/./in /from/
ADD packed.tar.xz packed.tar.bz2 plain.txt.xz /added/
RUN --mount=type=cache,from=files,source=/files,target=/cache \\
    stat -c '%a %u:%g' /cache /cache/in/f > /seen; cat /cache/in/f >> /seen; echo grown >> /cache/in/f
RUN --mount=type=cache,from=files,source=/files,target=/cache cat /cache/in/f >> /seen
RUN --mount=type=cache,target=/cache ls /cache >> /seen
RUN --mount=from=files,source=/files,target=/b --mount=target=/c,source=src \
    stat -c '%a %u:%g' /b /b/in/f >> /seen; stat -c '%u:%g' /c /c/a.txt >> /seen
RUN cd / && find excluded parents from added -type f | sort > /list
`,
    'src/a.txt': 'a',
    'src/b.log': 'b',
    'src/in/c.txt': 'c',
  });
  const source = join(context, 'src');
  execFileSync('tar', ['-cJf', join(context, 'packed.tar.xz'), '-C', source, 'a.txt']);
  execFileSync('tar', ['-cjf', join(context, 'packed.tar.bz2'), '-C', source, 'b.log']);
  fs.writeFileSync(join(context, 'plain.txt.xz'), execFileSync('xz', ['--stdout', join(source, 'a.txt')]));
  await built('-t', 'features');
  const added = 'added/a.txt\nadded/b.log\nadded/plain.txt.xz';
  expect(await run('features', 'cat', '/list')).toBe(`${added}\nexcluded/a.txt\nfrom/in/f\nparents/in/c.txt\nparents/src/a.txt`);
  expect(await run('features', 'cat', '/seen')).toBe('711 5:6\n644 5:6\nbegun\nbegun\ngrown\n711 5:6\n644 5:6\n0:0\n0:0');
});

hostTest('ONBUILD waits for the build on top', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox\nONBUILD COPY f /f\nONBUILD RUN cat /f > /g\n', f: 'later' });
  await built('-t', 'trigger');
  write({ Dockerfile: 'FROM trigger\n' });
  await built('-t', 'triggered');
  expect(await run('triggered', 'cat', '/g')).toBe('later');
  expect(await inspect('triggered')).toMatchObject({ Config: { OnBuild: null } });
});

const REFUSED: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['an unknown instruction', { Dockerfile: 'FROM busybox\n\nFETCH x\n' }, 'line 3: unknown instruction: FETCH'],
  ['a source that is not there', { Dockerfile: 'FROM busybox\nCOPY nothing /\n' }, 'line 2: "nothing" not found in the build context'],
  ['an image that is nowhere', { Dockerfile: 'FROM 127.0.0.1:1/nothing/here\n' }, 'line 1: cannot talk to'],
  [
    'a command that fails',
    { Dockerfile: 'FROM busybox\nRUN echo why >&2; exit 7\n' },
    "line 2: The command '/bin/sh -c echo why >&2; exit 7' returned a non-zero code: 7",
  ],
  ['an unknown flag', { Dockerfile: 'FROM busybox\nCOPY --nope=1 a b\n' }, 'line 2: unknown flag: --nope'],
  ['a user that is not there', { Dockerfile: 'FROM busybox\nCOPY --chown=ghost f /\n', f: '' }, 'line 2: '],
  [
    'a repository of another host',
    { Dockerfile: 'FROM busybox\nADD https://example.com/x.git /\n' },
    'line 2: ADD https://example.com/x.git: repositories are not fetched',
  ],
];
for (const [title, files, message] of REFUSED) {
  hostTest(`${title} is refused by its line, and leaves no container and no name`, [...NEEDS], async () => {
    write(files);
    const { code, stderr } = await build('-t', 'refused');
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect((await daemon.docker('ps', '-aq')).stdout).toBe('');
    expect((await daemon.docker('image', 'inspect', 'refused')).code).toBe(1);
  });
}

hostTest('the context cannot be left, by links or by names', [...NEEDS], async () => {
  fs.writeFileSync(join(daemon.base, 'canary'), 'host');
  write({ Dockerfile: 'FROM busybox\nCOPY link /link\n', 'in/f': 'inside' });
  fs.symlinkSync(join(daemon.base, 'canary'), join(context, 'link'));
  expect((await build('-t', 'left')).stderr).toContain('not found in the build context');
  write({ Dockerfile: 'FROM busybox\nCOPY ../../../../canary /x\n' });
  expect((await build('-t', 'left')).stderr).toContain('not found in the build context');
  // The twin: a link inside the context is followed.
  write({ Dockerfile: 'FROM busybox\nCOPY inner /x\n' });
  fs.symlinkSync('/in/f', join(context, 'inner'));
  await built('-t', 'stayed');
  expect(await run('stayed', 'cat', '/x')).toBe('inside');
});

hostTest('the journal tells stages and steps, with cache hits and sizes', [...NEEDS], async () => {
  write({ Dockerfile: 'FROM busybox AS told\nENV A=1\nRUN echo told > /told\n' });
  await built('-t', 'told');
  await built('-t', 'told');
  const closed = () => spansOf('build.step').filter(({ endMs, request }) => endMs !== undefined && request?.includes('/told'));
  const layer = { diffId: expect.any(String), digest: expect.any(String), sizeBytes: expect.any(Number) };
  await expect
    .poll(() => closed().map(({ response }) => JSON.parse(response ?? '{}')))
    .toEqual([
      { cached: false, miss: { reason: 'first' }, layer },
      { cached: true, layer },
    ]);
  const stages = spansOf('build.stage').map(({ request }) => JSON.parse(request ?? '{}'));
  expect(stages).toContainEqual({ stage: 0, from: 'busybox', name: 'told' });
});
