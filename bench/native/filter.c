/*
 * What a seccomp filter costs.
 *
 *     filter get PID > FILE     the filter that a process is under, as the kernel was given it
 *     filter load FILE          nanoseconds of loading it, of a call before it is there, and of an allowed call under it
 *
 * Knows: ptrace(2)'s and seccomp(2)'s calls.
 * Does not know: whose filter it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 50000 };

static struct sock_filter code[BPF_MAXINSNS];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double time_call(void)
{
    long long began = now();

    for (int i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
    return (double)(now() - began) / CALLS;
}

/* The one that was loaded last. */
static void get(pid_t pid)
{
    long length;

    if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0 || waitpid(pid, NULL, __WALL) < 0)
        fail("attach");
    length = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0, code);
    if (length < 0)
        fail("get filter");
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    if (fwrite(code, sizeof(code[0]), (size_t)length, stdout) != (size_t)length || fflush(stdout) != 0)
        fail("write");
}

static void load(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, code, sizeof(code));
    struct sock_fprog program = {.len = (unsigned short)(bytes / (ssize_t)sizeof(code[0])), .filter = code};
    double before, under;
    long long began, loaded;

    if (bytes < 0)
        fail(path);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail("no_new_privs");
    before = time_call();
    began = now();
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0)
        fail("seccomp");
    loaded = now();
    under = time_call();
    printf("%lld %f %f\n", loaded - began, before, under);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "get") == 0)
        get(atoi(argv[2]));
    else if (argc == 3 && strcmp(argv[1], "load") == 0)
        load(argv[2]);
    else
        return 2;
    return 0;
}
