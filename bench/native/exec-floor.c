/*
 * The floor of `exec`: the least a program must do to begin a further process in a container that runs.
 *
 * Knows: the six namespaces and the groups of a default container; no rights given up, no seccomp, no search for the command.
 * Prints nanoseconds from its own first instruction to the execve of /bin/true in the container.
 *
 *     exec-floor PID [CGROUP.PROCS …]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static void die(const char *what)
{
    fprintf(stderr, "exec-floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Its end closes the pipe's last writer at the execve. */
static void begin(int writer)
{
    execl("/bin/true", "true", (char *)NULL);
    if (write(writer, "x", 1) < 0)
        _exit(2);
    _exit(1);
}

int main(int argc, char **argv)
{
    uint64_t began = now_ns();
    int ends[2], target, status;
    char failed;
    pid_t child;

    if (argc < 2 || (target = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0)) < 0)
        die("pidfd_open");
    for (int i = 2; i < argc; i++) {
        int procs = open(argv[i], O_WRONLY | O_CLOEXEC);
        if (procs < 0 || write(procs, "0", 1) < 0)
            die(argv[i]);
        close(procs);
    }
    if (setns(target, NAMESPACES) < 0)
        die("setns");
    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe2");
    child = fork();
    if (child == 0)
        begin(ends[1]);
    close(ends[1]);
    if (child < 0 || read(ends[0], &failed, 1) != 0)
        die("execve");
    printf("%llu\n", (unsigned long long)(now_ns() - began));
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
