import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOCKER_DEFAULTS, planSeccompProfile, type SpecSeccomp } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { architecture, machineArchitectures } from './architectures.ts';
import { compileSeccomp } from './compile.ts';

/** Loads the filter in argv[1], then makes the calls `number:argument` that follow, `@path` for the 32-bit mkdir, and prints each one's errno. */
const PROBE = String.raw`
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static struct sock_filter code[4096];
    int fd = open(argv[1], O_RDONLY);
    ssize_t length = read(fd, code, sizeof code);
    struct sock_fprog program = { length / 8, code };

    close(fd);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, atoi(argv[2]), &program)) {
        perror("seccomp");
        return 1;
    }
    for (int i = 3; i < argc; i++) {
        unsigned long number, argument;
        long result;

#ifdef __x86_64__
        if (argv[i][0] == '@') {
            static char path[4096]; /* the call takes addresses of 32 bits, which the stack has not */

            strncpy(path, argv[i] + 1, sizeof path - 1);
            __asm__ volatile("int $0x80" : "=a"(result) : "a"(39L), "b"(path), "c"(0755L) : "memory");
            printf("%ld\n", -result);
            continue;
        }
#endif
        sscanf(argv[i], "%lu:%lx", &number, &argument);
        errno = 0;
        result = syscall(number, argument, 1, 0, 0, 0, 0);
        printf("%d\n", result < 0 ? errno : 0);
    }
    return 0;
}
`;

const DEFAULT = planSeccompProfile(DOCKER_DEFAULTS.capabilities);
const OPEN: SpecSeccomp = { defaultAction: 'SCMP_ACT_ALLOW' };
const EPERM = 1;
const ENOSYS = 38;
const dir = mkdtempSync(join(tmpdir(), 'slipway-seccomp-'));
const native = architecture(machineArchitectures(process.arch)?.[0] ?? 'SCMP_ARCH_X86_64');

beforeAll(() => {
  writeFileSync(join(dir, 'probe.c'), PROBE);
  execFileSync('gcc', ['-O1', '-no-pie', '-o', join(dir, 'probe'), join(dir, 'probe.c')]);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** errno of each call under the default profile, made by root with every capability the host gives. */
function probe(calls: readonly (readonly [name: string | number, argument: bigint])[], profile = DEFAULT): number[] {
  const { program, flags } = compileSeccomp(profile);
  writeFileSync(join(dir, 'filter'), program);
  const args = calls.map(([name, argument]) => `${typeof name === 'number' ? name : native.calls.get(name)}:${argument.toString(16)}`);
  const { stdout, stderr, status } = spawnSync(join(dir, 'probe'), [join(dir, 'filter'), String(flags), ...args], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.trim().split('\n').map(Number);
}

// @attack A50: attack, control
hostTest('the kernel loads the default profile, and denies what a container must not reach', ['linux', 'root'], async () => {
  const denied = [
    'io_uring_setup',
    'bpf',
    'userfaultfd',
    'perf_event_open',
    'keyctl',
    'add_key',
    'mount',
    'kexec_load',
    'init_module',
    'open_by_handle_at',
    'swapoff',
    'setns',
  ];
  expect(probe(denied.map((name) => [name, 0n] as const))).toEqual(denied.map(() => EPERM));
  // The control: without the profile these find fault with their arguments only.
  const reached = ['bpf', 'keyctl', 'add_key', 'mount', 'setns'].map((name) => [name, 0n] as const);
  expect(probe(reached, OPEN)).not.toContain(EPERM);
});

// @attack A50: attack, twin
hostTest('sockets of AF_ALG and AF_VSOCK are refused even with garbage above bit 31, others are not', ['linux', 'root'], async () => {
  const families = [38n, 40n, 0xdead_0000_0026n, 1n, 2n];
  expect(probe(families.map((family) => ['socket', family] as const))).toEqual([EPERM, EPERM, EPERM, 0, 0]);
});

// @attack A17: attack, control, twin
hostTest('new namespaces are denied, clone3 and calls of the future do not exist, ordinary calls work', ['linux', 'root'], async () => {
  const calls = [
    ['unshare', 0x1000_0000n],
    ['clone', 0x1000_0000n],
    ['clone3', 0n],
    [500, 0n],
    ['getpid', 0n],
    ['umask', 0o22n],
  ] as const;
  expect(probe(calls)).toEqual([EPERM, EPERM, ENOSYS, ENOSYS, 0, 0]);
  // The control: without the profile clone3 exists.
  expect(probe([['clone3', 0n]], OPEN)).not.toEqual([ENOSYS]);
});

/** The 32-bit mkdir of a program for 64 bits, under a filter. */
function legacyMkdir(name: string, profile: SpecSeccomp) {
  const { program, flags } = compileSeccomp(profile);
  writeFileSync(join(dir, 'filter'), program);
  const { stdout, signal } = spawnSync(join(dir, 'probe'), [join(dir, 'filter'), String(flags), `@${join(dir, name)}`], {
    encoding: 'utf8',
  });
  return { signal, errno: stdout.trim(), made: existsSync(join(dir, name)) };
}

// @attack A16: attack, control, twin
hostTest(
  'a call of another architecture does not go round the filter: it ends the process, or has rules of its own',
  ['linux'],
  async () => {
    if (process.arch !== 'x64') return;
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' };
    const denying = (...architectures: string[]): SpecSeccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', architectures, syscalls: [rule] });
    const both = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'];
    // The control: where nothing forbids it the directory is made, unless this kernel has no such calls.
    const open = legacyMkdir('open', { ...OPEN, architectures: both });
    if (open.signal === 'SIGSEGV') return;
    expect(open).toEqual({ signal: null, errno: '0', made: true });

    expect(legacyMkdir('foreign', denying('SCMP_ARCH_X86_64'))).toEqual({ signal: 'SIGSYS', errno: '', made: false });
    expect(legacyMkdir('known', denying(...both))).toEqual({ signal: null, errno: String(EPERM), made: false });
  },
);
