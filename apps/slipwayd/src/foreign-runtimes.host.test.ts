import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const RUNSC = fileURLToPath(new URL('../../../.slipway/peers/runsc/usr/bin/runsc', import.meta.url));
const PROGRAMS: Readonly<Record<string, string>> = {
  runc: '/usr/sbin/runc',
  crun: 'crun-not-hybrid',
  bare: '/usr/bin/crun',
  runsc: 'runsc-without-network',
};
/** crun 1.8 does not start where a v2 hierarchy has controllers beside v1: it does not get to see that one. */
const WITHOUT_HYBRID = 'if mountpoint -q /sys/fs/cgroup/unified; then umount --lazy /sys/fs/cgroup/unified; fi; exec "$0" "$@"';
/** Scripts around those that need flags, or something out of the way, as people write them. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'crun-not-hybrid': `exec unshare --mount /bin/sh -c '${WITHOUT_HYBRID}' /usr/bin/crun "$@"`,
  // Its own network would copy interfaces, of which there are none.
  'runsc-without-network': `exec ${RUNSC} --network=none "$@"`,
};

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  for (const [name, line] of Object.entries(SCRIPTS))
    writeFileSync(
      join(daemon.base, name),
      `#!/bin/sh
${line}
`,
      { mode: 0o755 },
    );
  await daemon.down('SIGTERM');
  await daemon.up(...flags());
});
afterAll(() => daemon.dispose());

function flags(): string[] {
  return Object.entries(PROGRAMS).flatMap(([name, path]) => [
    '--runtime',
    `${name}=${path.startsWith('/') ? path : join(daemon.base, path)}`,
  ]);
}

const docker = (...args: readonly string[]) => daemon.docker(...args);
const inspect = async (name: string, format: string) => (await docker('inspect', '-f', format, name)).stdout.trim();

hostTest('info lists the runtimes, and an unknown one is refused by name', [...NEEDS], async () => {
  const { stdout } = await docker('info', '--format', '{{range $name, $_ := .Runtimes}}{{$name}} {{end}}{{.DefaultRuntime}}');
  expect(stdout.trim()).toBe('bare crun runc runsc slipway slipway');
  expect((await docker('run', '--rm', '--runtime', 'kata', 'busybox', 'true')).stderr).toContain('Unknown runtime specified kata');
});

/** Those that have every verb. */
const WHOLE = ['runc', 'crun'];

describe.each([...WHOLE, 'runsc'])('a container on %s', (runtime) => {
  const run = (...args: readonly string[]) => docker('run', '--runtime', runtime, ...args);

  hostTest('gives output, input and exit code; nothing is left of it', [...NEEDS], async () => {
    expect(await run('--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 42')).toEqual({
      code: 42,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    const cat = await daemon.dockerWith('typed', 'run', '--rm', '-i', '--runtime', runtime, 'busybox', 'cat');
    expect(cat).toMatchObject({ code: 0, stdout: 'typed' });
    expect((await docker('ps', '-aq')).stdout).toBe('');
    expect(readdirSync(join(daemon.state, 'runtimes', runtime, 'containers'))).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(`${daemon.root}/containers`);
  });

  hostTest('has a terminal', [...NEEDS], async () => {
    const { code, stdout } = await daemon.dockerOnTerminal(
      ['tty; stty size; exit 3\n'],
      'run',
      '--rm',
      '-it',
      '--runtime',
      runtime,
      'busybox',
      'sh',
    );
    // crun 1.8 does not pass on how large the terminal is.
    expect([code, stdout]).toEqual([3, expect.stringContaining(runtime === 'crun' ? '/dev/pts/0' : '24 80')]);
  });

  hostTest('a command that is not there: 127, and no container runs', [...NEEDS], async () => {
    const { code, stderr } = await run('--rm', 'busybox', 'nosuch');
    expect([code, stderr]).toEqual([127, expect.stringContaining('not found')]);
    expect((await docker('ps', '-aq')).stdout).toBe('');
  });

  // runsc has no update, and what runs in its sandbox is no process of the host's.
  if (WHOLE.includes(runtime))
    hostTest('limits, exec, update, pause, logs, top, stats, stop and start again', [...NEEDS], async () => {
      await run('-d', '--name', 'life', '-m', '64m', '--pids-limit', '20', 'busybox', 'sh', '-c', 'echo begun; exec sleep 1000');
      const pid = Number(await inspect('life', '{{.State.Pid}}'));
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toMatch(/^sleep\0|^sh\0/);
      expect(await inspect('life', '{{.HostConfig.Runtime}}')).toBe(runtime);
      expect(memoryLimit(pid)).toBe(String(64 << 20));
      expect(await docker('exec', 'life', 'sh', '-c', 'id -u; exit 4')).toEqual({ code: 4, stdout: '0\n', stderr: '' });
      expect((await docker('exec', 'life', 'nosuch')).code).toBe(127);
      expect((await docker('update', '-m', '80m', '--memory-swap', '-1', 'life')).stderr).toBe('');
      expect(memoryLimit(pid)).toBe(String(80 << 20));
      await docker('pause', 'life');
      expect(await inspect('life', '{{.State.Status}}')).toBe('paused');
      await docker('unpause', 'life');
      expect((await docker('top', 'life')).stdout).toContain('sleep 1000');
      expect((await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', 'life')).stdout).toContain('80MiB');
      expect((await docker('logs', 'life')).stdout).toBe('begun\n');
      await docker('stop', '-t', '0', 'life');
      expect(await inspect('life', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 137');
      await docker('start', 'life');
      expect((await docker('logs', 'life')).stdout).toBe('begun\nbegun\n');
      expect((await docker('rm', '-f', 'life')).code).toBe(0);
      expect(existsSync(`/proc/${pid}/root/bin/busybox`)).toBe(false);
    });

  hostTest('outlives the daemon, which finds it and its exit code again', [...NEEDS], async () => {
    await run('-d', '--name', 'lasts', 'busybox', 'sh', '-c', 'trap "exit 9" USR1; while :; do sleep 0.1; done');
    await daemon.down('SIGKILL');
    await daemon.up(...flags());
    expect(await inspect('lasts', '{{.State.Status}}')).toBe('running');
    expect((await docker('exec', 'lasts', 'sh', '-c', 'exit 4')).code).toBe(4);
    const waiting = docker('wait', 'lasts');
    await docker('kill', '-s', 'USR1', 'lasts');
    expect((await waiting).stdout).toBe('9\n');
    await docker('rm', 'lasts');
  });

  hostTest('is named in the journal', [...NEEDS], async () => {
    await run('--rm', '--name', 'told', 'busybox', 'true');
    const text = () => JSON.stringify(daemon.readJournal());
    await expect.poll(text, { timeout: 10_000 }).toContain(`\\"runtime\\":\\"${runtime}\\"`);
    await expect.poll(text, { timeout: 10_000 }).toContain(PROGRAMS[runtime] ?? '');
  });
});

/** Its second version has controllers beside v1’s. */
const UNIFIED = '/sys/fs/cgroup/unified/cgroup.controllers';
if (existsSync(UNIFIED) && readFileSync(UNIFIED, 'utf8').trim() !== '')
  hostTest('crun says itself why it cannot on this host; the start fails with its words, and nothing is left', [...NEEDS], async () => {
    const { code, stderr } = await docker('run', '--rm', '--runtime', 'bare', 'busybox', 'true');
    expect([code, stderr]).toEqual([125, expect.stringContaining('bare run: cgroups in hybrid mode not supported')]);
    expect((await docker('ps', '-aq')).stdout).toBe('');
    expect(readdirSync(join(daemon.state, 'runtimes/bare/containers'))).toEqual([]);
  });

hostTest('--default-runtime is for containers that ask for none', [...NEEDS], async () => {
  await daemon.down('SIGTERM');
  expect((await daemon.second('--default-runtime', 'runc')).stderr).toContain('invalid default-runtime');
  await daemon.up(...flags(), '--default-runtime', 'runc');
  await docker('create', '--name', 'usual', 'busybox', 'true');
  await docker('create', '--name', 'ours', '--runtime', 'slipway', 'busybox', 'true');
  expect([await inspect('usual', '{{.HostConfig.Runtime}}'), await inspect('ours', '{{.HostConfig.Runtime}}')]).toEqual([
    'runc',
    'slipway',
  ]);
  await docker('rm', 'usual', 'ours');
});

function memoryLimit(pid: number): string {
  const path = execFileSync('sh', ['-c', `sed -n 's/^[0-9]*:memory://p;s/^0:://p' /proc/${pid}/cgroup | head -1`], {
    encoding: 'utf8',
  }).trim();
  const v1 = `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`;
  return readFileSync(existsSync(v1) ? v1 : `/sys/fs/cgroup${path}/memory.max`, 'utf8').trim();
}
