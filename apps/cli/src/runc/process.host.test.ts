import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { eventually, OURS, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

describe('a process is scheduled and placed as its document says', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  /** Fields of /proc/PID/stat after the name, by their number in proc_pid_stat(5). */
  const stat = (pid: number) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (number: number) => Number(fields[number - 3]);
  };
  const SCHED_BATCH = 3;
  const SCHED_IDLE = 5;

  // @proves runtime-spec: config.md#linux-process/scheduler config.md#linux-process/io-priority
  hostTest('scheduling policy, nice and disk priority, of further processes too', ['root'], async () => {
    const process = {
      scheduler: { policy: 'SCHED_BATCH', nice: 7 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
    };
    const { id, pid } = await runtime.sleeping({ process });
    const seen = (each: number) => [stat(each)(41), stat(each)(19), execFileSync('ionice', ['-p', String(each)], { encoding: 'utf8' })];

    expect(seen(pid)).toEqual([SCHED_BATCH, 7, 'best-effort: prio 6\n']);
    const pidFile = join(runtime.dir, 'exec-pid');
    await runtime.must('exec', '--detach', '--pid-file', pidFile, id, '/bin/sleep', '1000');
    expect(seen(Number(readFileSync(pidFile, 'utf8')))).toEqual([SCHED_BATCH, 7, 'best-effort: prio 6\n']);
    const idle = await runtime.sleeping({ process: { scheduler: { policy: 'SCHED_IDLE' } } });
    expect(stat(idle.pid)(41)).toBe(SCHED_IDLE);
  });

  hostTest('what the kernel does not grant is an error that names the field', ['root'], async () => {
    const scheduler = { policy: 'SCHED_DEADLINE', runtime: 20, deadline: 10, period: 5 };
    const refused = await runtime.run({ process: { scheduler } });

    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/scheduler.*sched_setattr: EINVAL/);
  });

  // @proves runtime-spec: config-linux.md#memory-policy/mode
  hostTest('memory of a NUMA node, where the kernel has them', ['root'], async () => {
    const linux = { memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] } };
    const ended = await runtime.run({ linux, process: { args: ['/bin/cat', '/proc/self/numa_maps'] } });

    if (existsSync('/proc/self/numa_maps')) expect(ended.stdout).toMatch(/ bind=static:0 /);
    else expect(ended.stderr).toMatch(/memoryPolicy.*ENOSYS/);
  });

  hostTest('a label of a security module is written, or refused where the kernel has none', ['root'], async () => {
    const has = existsSync('/sys/module/apparmor') && readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y');
    const ended = await runtime.run({ process: { args: ['/bin/cat', '/proc/self/attr/current'], apparmorProfile: 'unconfined' } });

    if (has) expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^unconfined/) });
    else expect(ended.stderr).toContain('process.apparmorProfile needs AppArmor, which this kernel does not run');
  });
});

/** Listens at argv[1]; prints the message, then answers every call with errno argv[2]. Ends with its container. */
const AGENT = `
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = { AF_UNIX };
    static char text[8192], space[CMSG_SPACE(sizeof(int))];
    struct iovec part = { text, sizeof text - 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), connection, filter;

    strcpy(address.sun_path, argv[1]);
    if (argc < 3 || bind(listener, (void *)&address, sizeof address) || listen(listener, 1))
        return 1;
    connection = accept(listener, 0, 0);
    if (recvmsg(connection, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == 0)
        return 2;
    memcpy(&filter, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof filter);
    puts(text);
    fflush(stdout);
    for (;;) {
        struct seccomp_notif request = { 0 };
        struct seccomp_notif_resp answer = { 0 };
        if (ioctl(filter, SECCOMP_IOCTL_NOTIF_RECV, &request)) {
            if (errno == EINTR)
                continue;
            return 0;
        }
        answer.id = request.id;
        answer.error = -atoi(argv[2]);
        ioctl(filter, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}
`;

describe.each(RUNTIMES)('a seccomp agent, by $name', (under) => {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-agent-'));
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
    writeFileSync(join(dir, 'agent.c'), AGENT);
    execFileSync('gcc', ['-O1', '-o', join(dir, 'agent'), join(dir, 'agent.c')]);
  });
  afterAll(async () => {
    await runtime.dispose();
    rmSync(dir, { recursive: true });
  });
  const ENOMSG = 42;
  let count = 0;

  const startAgent = async () => {
    const socket = join(dir, `agent-${count++}.sock`);
    const child = spawn(join(dir, 'agent'), [socket, String(ENOMSG)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    child.stdout.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
    });
    await eventually(() => existsSync(socket));
    return { socket, heard: () => heard, [Symbol.dispose]: () => void child.kill('SIGKILL') };
  };
  const profile = (listenerPath: string) => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath,
    listenerMetadata: 'a word for the agent',
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
  });

  for (const noNewPrivileges of [true, false]) {
    // @proves runtime-spec: config-linux.md#the-container-process-state/sent config-linux.md#seccomp/listener-socket config-linux.md#seccomp/listener-once
    hostTest(`decides calls, knows whose they are, with no_new_privs ${noNewPrivileges}`, ['root'], async () => {
      using agent = await startAgent();
      const rootfs = runtime.rootfs();
      const changes = { annotations: { key: 'value' }, linux: { seccomp: profile(agent.socket) }, process: { noNewPrivileges } };
      const text = await runtime.shell('mkdir /tmp/x 2>&1; ls /tmp; ls /proc/self/fd | wc -l', changes, rootfs);

      expect(text).toBe("mkdir: can't create directory '/tmp/x': No message of desired type\n4\n");
      const told = JSON.parse(agent.heard());
      expect(told).toMatchObject({
        fds: ['seccompFd'],
        metadata: 'a word for the agent',
        state: { status: 'creating', annotations: { key: 'value' } },
      });
      expect(told.pid).toBe(told.state.pid);
    });
  }

  // @proves runtime-spec: config-linux.md#seccomp/listener-failure
  hostTest('without an agent there is no container', ['root'], async () => {
    const refused = await runtime.run({ linux: { seccomp: profile(join(dir, 'nobody.sock')) } });

    expect(refused.code).not.toBe(0);
  });

  hostTest('a further process has an agent of its own', ['root'], async () => {
    using first = await startAgent();
    const { id, pid } = await runtime.sleeping({ linux: { seccomp: profile(first.socket) } });
    await eventually(() => first.heard() !== '');
    rmSync(first.socket);
    const socket = first.socket;
    const child = spawn(join(dir, 'agent'), [socket, String(ENOMSG)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    child.stdout.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
    });
    try {
      await eventually(() => existsSync(socket));
      const ended = await runtime.call('exec', id, '/bin/sh', '-c', 'mkdir /tmp/y 2>&1');
      expect(ended.stdout).toContain('No message of desired type');
      expect(JSON.parse(heard)).toMatchObject({ state: { id, pid: differs(under, 'agent-without-pid') ? 0 : pid, status: 'running' } });
      expect(JSON.parse(heard).pid).not.toBe(pid);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('a program on our own terminal', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  /** What our runtime says on a terminal of 33×101, at which somebody sits until it has ended. */
  const onTerminal = async (...args: readonly string[]): Promise<string> => {
    const command = `stty rows 33 cols 101; ${['exec', OURS.binary, '--root', runtime.root, ...args].join(' ')}`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const bound = setTimeout(() => child.kill('SIGKILL'), 20_000);
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += String(bytes);
    });
    await new Promise((resolve) => child.once('close', resolve));
    clearTimeout(bound);
    return output.trim();
  };
  const SIZE = ['/bin/stty', 'size'];

  hostTest('finds its size with its first look, in run and in exec, whatever the document says', ['root'], async () => {
    const process = { terminal: true, args: SIZE };
    expect(await onTerminal('run', '--bundle', runtime.bundle({ process }), runtime.newId())).toBe('33 101');
    const elsewhere = runtime.bundle({ process: { ...process, consoleSize: { height: 5, width: 6 } } });
    expect(await onTerminal('run', '--bundle', elsewhere, runtime.newId())).toBe('33 101');
    const { id } = await runtime.sleeping();
    expect(await onTerminal('exec', '--tty', id, ...SIZE)).toBe('33 101');
  });
});
