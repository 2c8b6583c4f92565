import { existsSync } from 'node:fs';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

const NEEDS = ['root', 'linux', 'overlayfs'] as const;

hostTest('run gives output, input and the exit code, and --rm leaves nothing', [...NEEDS], async () => {
  expect(await daemon.docker('run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 42')).toEqual({
    code: 42,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  expect(await daemon.dockerWith('typed', 'run', '--rm', '-i', 'busybox', 'cat')).toMatchObject({ code: 0, stdout: 'typed' });
  expect((await daemon.docker('ps', '-aq')).stdout).toBe('');
});

hostTest('what run is asked for is what the process finds', [...NEEDS], async () => {
  const script =
    'echo $A; pwd; hostname; id -u; id -G; cat /proc/self/limits | grep "open files" | awk \'{print $4, $5}\'; cat /etc/hostname';
  const flags = ['-e', 'A=1', '-w', '/tmp', '-u', '1000:1001', '--group-add', '7', '--hostname', 'lab', '--ulimit', 'nofile=100:200'];
  const { stdout } = await daemon.docker('run', '--rm', ...flags, '--entrypoint', '/bin/sh', 'busybox', '-c', script);
  expect(stdout.split('\n')).toEqual(['1', '/tmp', 'lab', '1000', '1001 7', '100 200', 'lab', '']);
});

hostTest('limits are the cgroup’s own', [...NEEDS], async () => {
  const { stdout: id } = await daemon.docker('run', '-d', '-m', '64m', '--cpus', '0.5', '--pids-limit', '20', 'busybox', 'sleep', '100');
  const stats = await daemon.docker('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', id.trim());
  expect(stats.stdout).toMatch(/\/ 64MiB 1\n/);
  const fork = await daemon.docker('exec', id.trim(), 'sh', '-c', 'for i in $(seq 30); do sleep 5 & done');
  expect(fork.stderr).toMatch(/fork|Resource temporarily unavailable/);
  await daemon.docker('rm', '-f', id.trim());
});

hostTest('a container on a terminal: its size, what is typed, its exit code', [...NEEDS], async () => {
  const { code, stdout } = await daemon.dockerOnTerminal(['tty; stty size\n', 'exit 7\n'], 'run', '-it', '--rm', 'busybox', 'sh');
  expect(stdout).toMatch(/\/dev\/(pts\/0|console)\r\n24 80\r\n/);
  expect(code).toBe(7);
});

hostTest('exec: output however short, user, environment, terminal, and the codes 126 and 127', [...NEEDS], async () => {
  await daemon.docker('run', '-d', '--name', 'exec-me', 'busybox', 'sleep', '100');
  const exec = (...args: readonly string[]) => daemon.docker('exec', ...args);
  for (let round = 0; round < 10; round++) expect((await exec('exec-me', 'echo', `round ${round}`)).stdout).toBe(`round ${round}\n`);
  expect((await exec('-e', 'B=2', '-w', '/etc', '-u', 'nobody', 'exec-me', 'sh', '-c', 'echo $B; pwd; id -un; exit 3')).stdout).toBe(
    '2\n/etc\nnobody\n',
  );
  expect((await exec('exec-me', 'sh', '-c', 'exit 3')).code).toBe(3);
  expect((await exec('exec-me', 'no-such-program')).code).toBe(127);
  expect((await exec('exec-me', '/etc')).code).toBe(126);
  expect(await exec('-w', '/no-such-directory', 'exec-me', 'true')).toMatchObject({
    code: 126,
    stderr: expect.stringMatching(/process\/cwd|director/),
  });
  expect((await exec('exec-me', 'ls', '/')).stdout).not.toContain('no-such-directory');
  expect((await daemon.dockerWith('through', 'exec', '-i', 'exec-me', 'cat')).stdout).toBe('through');
  expect(await daemon.dockerOnTerminal(['stty size; exit 5\n'], 'exec', '-it', 'exec-me', 'sh')).toMatchObject({
    code: 5,
    stdout: expect.stringContaining('24 80'),
  });
  await daemon.docker('rm', '-f', 'exec-me');
});

hostTest('refusals say what is wrong, with docker’s exit codes, and leave nothing', [...NEEDS], async () => {
  const run = (...args: readonly string[]) => daemon.docker('run', '--rm', ...args);
  await daemon.docker('create', '--name', 'taken', 'busybox', 'true');
  const holder = (await daemon.docker('inspect', '-f', '{{.Id}}', 'taken')).stdout.trim();
  const cases: readonly (readonly [args: readonly string[], code: number, says: string])[] = [
    [['busybox', 'no-such-program'], 127, 'exec: "no-such-program": executable file not found in $PATH'],
    [['busybox', '/etc'], 126, 'permission denied'],
    [['-m', '4m', 'busybox', 'true'], 125, 'minimum memory limit allowed is 6MB'],
    [['--name', 'taken', 'busybox', 'true'], 125, `already in use by container "${holder}"`],
    [['127.0.0.1:1/no-such-image', 'true'], 125, 'cannot talk to https://127.0.0.1:1/v2/no-such-image'],
    [['--network', 'bridge', 'busybox', 'true'], 125, 'network "bridge" is not available'],
    [['-p', '80:80', 'busybox', 'true'], 125, 'publishing ports needs a network'],
    [['-u', 'no-such-user', 'busybox', 'true'], 125, 'unable to find user no-such-user'],
    [['-v', `${daemon.root}:/x`, 'busybox', 'true'], 125, 'is the engine'],
    [['-v', '/tmp:/proc/x', 'busybox', 'true'], 125, 'it lies inside a kernel file system'],
  ];
  for (const [args, code, says] of cases) {
    const result = await run(...args);
    expect([args, result.code, result.stderr]).toEqual([args, code, expect.stringContaining(says)]);
  }
  expect((await daemon.docker('ps', '-aq')).stdout.trim().split('\n')).toHaveLength(1);
  await daemon.docker('rm', 'taken');
});

hostTest('logs: everything, the end of it, with times, and as it comes', [...NEEDS], async () => {
  await daemon.docker(
    'run',
    '-d',
    '--name',
    'talks',
    'busybox',
    'sh',
    '-c',
    'for i in 1 2 3 4; do echo $i; sleep 0.3; done; echo last >&2',
  );
  expect(await daemon.docker('logs', '-f', 'talks')).toEqual({ code: 0, stdout: '1\n2\n3\n4\n', stderr: 'last\n' });
  expect((await daemon.docker('logs', '--tail', '2', 'talks')).stdout).toBe('4\n');
  expect((await daemon.docker('logs', '-t', 'talks')).stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{18}Z 1\n/);
  await daemon.docker('rm', 'talks');
});

hostTest('stop, kill, wait, pause, rename, top, inspect and ps tell the same story', [...NEEDS], async () => {
  const inspect = async (format: string) => (await daemon.docker('inspect', '-f', format, 'life')).stdout.trim();
  await daemon.docker('create', '--name', 'birth', 'busybox', 'sleep', '100');
  await daemon.docker('rename', 'birth', 'life');
  expect(await inspect('{{.State.Status}}')).toBe('created');
  await daemon.docker('start', 'life');
  expect((await daemon.docker('top', 'life')).stdout).toContain('sleep 100');
  await daemon.docker('pause', 'life');
  expect((await daemon.docker('ps', '--format', '{{.Names}} {{.Status}}')).stdout).toMatch(/^life Up .* \(Paused\)\n$/);
  expect((await daemon.docker('exec', 'life', 'true')).stderr).toContain('it is paused');
  await daemon.docker('unpause', 'life');
  const waiting = daemon.docker('wait', 'life');
  await daemon.docker('stop', '-t', '0', 'life');
  expect((await waiting).stdout).toBe('137\n');
  expect(await inspect('{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}')).toBe('exited 137 0');
  await daemon.docker('start', 'life');
  await daemon.docker('pause', 'life');
  expect((await daemon.docker('rm', '-f', 'life')).code).toBe(0);
});

hostTest('update changes limits where they hold, and in the document for the next start', [...NEEDS], async () => {
  const host = async (field: string) => (await daemon.docker('inspect', '-f', `{{.HostConfig.${field}}}`, 'limited')).stdout.trim();
  const inside = async (...files: string[]) => (await daemon.docker('exec', 'limited', 'cat', ...files)).stdout;
  const [memory, pids] = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/pids.max']
    : ['/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/pids/pids.max'];
  await daemon.docker('run', '-d', '--name', 'limited', '-m', '64m', '--pids-limit', '20', 'busybox', 'sleep', '1000');

  expect(await daemon.docker('update', '-m', '96m', '--memory-swap', '-1', '--cpus', '0.5', 'limited')).toEqual({
    code: 0,
    stdout: 'limited\n',
    stderr: '',
  });
  expect(await inside(memory)).toBe(`${96 << 20}\n`);
  expect(await inside(pids)).toBe('20\n');
  await daemon.docker('update', '--pids-limit', '-1', 'limited');
  expect(await inside(pids)).toBe('max\n');
  expect([await host('Memory'), await host('NanoCpus'), await host('MemorySwap')]).toEqual([`${96 << 20}`, '500000000', '-1']);

  const refused = await daemon.docker('update', '-m', '1m', 'limited');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('minimum memory limit allowed is 6MB')]);
  expect((await daemon.docker('update', '--cpu-quota', '5000', 'limited')).stderr).toContain('NanoCPUs has already been set');
  expect((await daemon.docker('update', '--restart', 'always', 'limited')).stderr).toContain('not available');
  expect(await inside(memory)).toBe(`${96 << 20}\n`);

  await daemon.docker('stop', '-t', '0', 'limited');
  expect((await daemon.docker('update', '-m', '80m', 'limited')).code).toBe(0);
  await daemon.docker('start', 'limited');
  expect(await inside(memory)).toBe(`${80 << 20}\n`);
  const until = String(Math.floor(Date.now() / 1000) + 1);
  const told = ['--since', '1', '--until', until, '--filter', 'container=limited', '--filter', 'event=update'];
  const { stdout } = await daemon.docker('events', ...told, '--format', '{{.Action}}');
  expect(stdout.trim().split('\n')).toEqual(['update', 'update', 'update']);
  await daemon.docker('rm', '-f', 'limited');

  await daemon.docker('create', '--name', 'limited', '-m', '64m', 'busybox', 'sleep', '1000');
  await daemon.docker('update', '-m', '72m', 'limited');
  await daemon.docker('start', 'limited');
  expect(await inside(memory)).toBe(`${72 << 20}\n`);
  await daemon.docker('rm', '-f', 'limited');
});

hostTest('events tell a container’s life in order', [...NEEDS], async () => {
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await daemon.docker('run', '--rm', '--name', 'eventful', 'busybox', 'true');
  const until = String(Math.floor(Date.now() / 1000) + 1);
  const { stdout } = await daemon.docker(
    'events',
    '--since',
    since,
    '--until',
    until,
    '--filter',
    'container=eventful',
    '--format',
    '{{.Action}}',
  );
  expect(stdout.trim().split('\n')).toEqual(['create', 'attach', 'start', 'die', 'destroy']);
});

hostTest('exit codes from 0 to 255 come back exactly, however short the life [E29]', [...NEEDS], async () => {
  for (const code of [0, 1, 2, 125, 126, 127, 128, 200, 255]) {
    expect((await daemon.docker('run', '--rm', 'busybox', 'sh', '-c', `exit ${code}`)).code).toBe(code);
  }
});

hostTest('the journal holds one trace from the request to every operation of the birth', [...NEEDS], async () => {
  await daemon.docker(
    'run',
    '-d',
    '--name',
    'traced',
    '-e',
    'API_TOKEN=hunter2',
    'busybox',
    'sh',
    '-c',
    'touch /made; rm /etc/passwd; sleep 100',
  );
  const spans = () => daemon.readJournal().flatMap((event) => (event['type'] === 'span' ? [event['span'] as Record<string, unknown>] : []));
  await expect
    .poll(() => JSON.stringify(daemon.readJournal().findLast(({ type }) => type === 'layers')), { timeout: 5000 })
    .toContain('"whiteout"');
  const start = spans().find(({ name, endMs }) => endMs !== undefined && String(name).endsWith('/start'));
  const ofTrace = spans().filter(({ trace }) => trace === start?.['trace']);
  expect(new Set(ofTrace.map(({ actor }) => actor))).toEqual(new Set(['api', 'engine', 'runtime', 'launcher']));
  const operations = ofTrace.flatMap(({ operation }) => (operation === undefined ? [] : [operation as Record<string, unknown>]));
  expect(operations.map(({ op }) => op)).toEqual(
    expect.arrayContaining(['clone', 'joinCgroup', 'mount', 'pivotRoot', 'capabilities', 'seccomp']),
  );
  expect(operations.every(({ errno, reason }) => errno === 0 && reason !== '')).toBe(true);
  expect(JSON.stringify(daemon.readJournal())).not.toContain('hunter2');
  await daemon.docker('rm', '-f', 'traced');
});
