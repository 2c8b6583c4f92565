import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOCKER_DEFAULTS, planSeccompProfile } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { architecture, machineArchitectures } from './architectures.ts';
import { compileSeccomp } from './compile.ts';

/** Loads the filter in argv[1], then makes the calls `number:argument` that follow and prints each one's errno. */
const PROBE = String.raw`
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
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

        sscanf(argv[i], "%lu:%lx", &number, &argument);
        errno = 0;
        result = syscall(number, argument, 1, 0, 0, 0, 0);
        printf("%d\n", result < 0 ? errno : 0);
    }
    return 0;
}
`;

const EPERM = 1;
const ENOSYS = 38;
const dir = mkdtempSync(join(tmpdir(), 'slipway-seccomp-'));
const native = architecture(machineArchitectures(process.arch)?.[0] ?? 'SCMP_ARCH_X86_64');

beforeAll(() => {
  writeFileSync(join(dir, 'probe.c'), PROBE);
  execFileSync('gcc', ['-O1', '-o', join(dir, 'probe'), join(dir, 'probe.c')]);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** errno of each call under the default profile, made by root with every capability the host gives. */
function probe(calls: readonly (readonly [name: string | number, argument: bigint])[]): number[] {
  const { program, flags } = compileSeccomp(planSeccompProfile(DOCKER_DEFAULTS.capabilities));
  writeFileSync(join(dir, 'filter'), program);
  const args = calls.map(([name, argument]) => `${typeof name === 'number' ? name : native.calls.get(name)}:${argument.toString(16)}`);
  const { stdout, stderr, status } = spawnSync(join(dir, 'probe'), [join(dir, 'filter'), String(flags), ...args], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.trim().split('\n').map(Number);
}

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
});

hostTest('sockets of AF_ALG and AF_VSOCK are refused even with garbage above bit 31, others are not', ['linux', 'root'], async () => {
  const families = [38n, 40n, 0xdead_0000_0026n, 1n, 2n];
  expect(probe(families.map((family) => ['socket', family] as const))).toEqual([EPERM, EPERM, EPERM, 0, 0]);
});

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
});
