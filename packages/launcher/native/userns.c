/*
 * Without root: the launcher itself enters a user namespace first, and is root in there for everything that follows.
 *
 * Who has no rights outside can prepare nothing for a child, not even copy a mount. Inside a user namespace of its own it can,
 * and what it makes then belongs to that namespace. Which ids it may map is for newuidmap(1) and newgidmap(1) to say; its own
 * user and group anybody may.
 *
 * Knows: one way in, for a new namespace and for one that exists.
 * Does not know: which ids were allotted to whom.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

enum { MAX_LINES = 340, EXIT_NO_EXEC = 127 };

/* The words of one helper's command line: program, pid, then three numbers a line. */
static struct {
    char number[3 * MAX_LINES + 1][12];
    char *word[3 * MAX_LINES + 3];
} line;

static void write_line(const char *program, pid_t target, const struct argument *map)
{
    size_t count = 0;
    uint64_t numbers[3 * MAX_LINES + 1] = {(uint64_t)target};

    for (uint64_t i = 0; i < map->number && i < MAX_LINES; i++) {
        numbers[3 * i + 1] = map->idmap[i].inside;
        numbers[3 * i + 2] = map->idmap[i].outside;
        numbers[3 * i + 3] = map->idmap[i].size;
    }
    line.word[count++] = (char *)(uintptr_t)program;
    for (size_t i = 0; i < 3 * map->number + 1; i++) {
        struct text digits = {.length = 0};
        text_add_number(&digits, numbers[i]);
        strcpy(line.number[i], digits.bytes);
        line.word[count++] = line.number[i];
    }
    line.word[count] = NULL;
}

/* The helpers say on stderr why they refuse, which is the caller's too. */
static int run_helper(const char *program, pid_t target, const struct argument *map)
{
    char *const none[] = {NULL};
    int status = 0;
    pid_t pid;

    write_line(program, target, map);
    pid = fork();
    if (pid == 0) {
        reset_signals();
        execve(program, line.word, none);
        _exit(EXIT_NO_EXEC);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && status == 0 ? 0 : -1;
}

/* A process that stays outside until the launcher has left. */
static _Noreturn void map_from_outside(const struct operation *op, int ready, pid_t target)
{
    char go;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(ready, &go, 1) != 1)
        _exit(1);
    if (run_helper(op->arg[4].text, target, &op->arg[1]) < 0)
        _exit(1);
    _exit(run_helper(op->arg[5].text, target, &op->arg[2]) < 0 ? 2 : 0);
}

static int end_of_helper(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status == 0)
        return 0;
    return fail_with(WIFEXITED(status) && WEXITSTATUS(status) == 2 ? "newgidmap" : "newuidmap", EPERM);
}

static int leave_home(void)
{
    /* With a mount namespace, since that of outside is not ours to mount in. */
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? fail("unshare") : 0;
}

static int enter_with_helpers(const struct operation *op)
{
    pid_t self = getpid(), helper;
    int ready[2];

    if (pipe2(ready, O_CLOEXEC) < 0)
        return fail("pipe2");
    helper = fork();
    if (helper == 0) {
        close(ready[1]);
        map_from_outside(op, ready[0], self);
    }
    close(ready[0]);
    if (helper < 0 || leave_home() < 0) {
        int error = errno;
        close(ready[1]); /* the helper reads its end, and ends */
        if (helper > 0)
            end_of_helper(helper);
        return fail_with(helper < 0 ? "fork" : "unshare", error);
    }
    if (write(ready[1], "g", 1) != 1)
        return fail("write");
    close(ready[1]);
    return end_of_helper(helper);
}

static int enter_alone(const struct operation *op)
{
    return leave_home() < 0 ? -1 : write_maps(getpid(), op->arg[3].number != 0, &op->arg[1], &op->arg[2]);
}

static int enter_existing(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result;

    if (fd < 0)
        return fail("open");
    result = setns(fd, CLONE_NEWUSER);
    close(fd);
    return result < 0 ? fail("setns") : 0;
}

int op_enter_user_namespace(struct launch *l, const struct operation *op)
{
    int result;

    (void)l;
    /* Files below our /proc/PID are ours to open, and newuidmap's to find ours, only so. There is no right here worth stealing. */
    prctl(PR_SET_DUMPABLE, 1);
    if (*op->arg[0].text != '\0')
        result = enter_existing(op->arg[0].text);
    else
        result = *op->arg[4].text != '\0' ? enter_with_helpers(op) : enter_alone(op);
    if (result < 0)
        return -1;
    if (syscall(SYS_setresgid, 0, 0, 0) < 0)
        return fail("setresgid");
    return syscall(SYS_setresuid, 0, 0, 0) < 0 ? fail("setresuid") : 0;
}
