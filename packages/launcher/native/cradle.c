/*
 * The cradle: a process that stands in the cgroups of a container to come, so that the container's child is born in them.
 *
 * Moving a process between v1 cgroups waits until every processor has passed a quiet state, some ten milliseconds that nobody
 * who starts a container wants to spend. A child stands where its maker stands: so a process started for a later launch (fork is
 * slow, too) sets this one apart, which joins the groups while nobody waits and then, when the plan has come, makes the child in
 * its own place. It is a process of its own, since membership is a process's, and shares everything else (memory, descriptors)
 * with the launcher, so that the child it makes is the one that the launcher would have made: with the plan, and as the
 * launcher's child (CLONE_PARENT). One of the two sleeps whenever the other one works.
 *
 * Knows: two threads of control in one memory, taking turns.
 * Does not know: which groups, or what the child is for.
 *
 * @see clone(2) CLONE_VM, CLONE_PARENT; futex(2); ../../cgroups/src/ready-moves.ts for the wait
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

#define STACK_BYTES (1u << 20)

/* How often a launcher that waits looks whether its cradle still lives: only the kernel's memory killer would end it. */
enum { LOOK_INTERVAL_MS = 50 };

enum turn { TURN_JOIN, TURN_WAIT, TURN_MAKE, TURN_MADE };

static struct {
    pid_t pid; /* 0: there is none */
    pid_t launcher;
    char *groups; /* cgroup.procs files, a line each */
    _Atomic uint32_t turn;
    struct launch *launch;
    const struct clone_args *args;
    void (*born)(struct launch *l);
    pid_t child;
    int error;
} cradle;

static void sleep_while(uint32_t turn, int timeout_ms)
{
    const struct timespec limit = {.tv_nsec = timeout_ms * 1000000L};

    syscall(SYS_futex, &cradle.turn, FUTEX_WAIT, turn, timeout_ms < 0 ? NULL : &limit, NULL, 0);
}

static void pass_turn(uint32_t turn)
{
    atomic_store(&cradle.turn, turn);
    syscall(SYS_futex, &cradle.turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int join_groups(void)
{
    struct text self = {.length = 0};
    char *rest = NULL;

    text_add(&self, "0");
    for (char *file = strtok_r(cradle.groups, "\n", &rest); file != NULL; file = strtok_r(NULL, "\n", &rest))
        if (write_file(file, &self) < 0)
            return -1;
    return 0;
}

static int cradle_main(void *unused)
{
    const struct record ready = {.kind = RECORD_READY, .index = NO_OPERATION};
    struct clone_args args;
    uint64_t flags;

    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "slipway-cradle");
    if (getppid() != cradle.launcher || join_groups() < 0)
        _exit(1);
    rehearse(cradle.launch);
    pass_turn(TURN_WAIT);
    send_record(cradle.launch, &ready);
    while (atomic_load(&cradle.turn) == TURN_WAIT)
        sleep_while(TURN_WAIT, -1);
    args = *cradle.args;
    flags = args.flags;
    cradle.child = -1;
    if (rehearsal_settle(&flags) == 0) {
        args.flags = flags;
        cradle.child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    }
    if (cradle.child == 0)
        cradle.born(cradle.launch);
    cradle.error = errno;
    pass_turn(TURN_MADE);
    _exit(0);
}

/* Without a cradle a launch is slower and nothing else, so nothing here is an error. */
void cradle_prepare(struct launch *l)
{
    const char *groups = getenv("CRADLE");
    char *stack;

    if (groups == NULL)
        return;
    stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    cradle.groups = strdup(groups);
    if (stack == MAP_FAILED || cradle.groups == NULL)
        return;
    cradle.launch = l;
    cradle.launcher = getpid();
    cradle.pid = clone(cradle_main, stack + STACK_BYTES, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, NULL);
    if (cradle.pid < 0)
        cradle.pid = 0;
}

static bool is_gone(void)
{
    if (waitpid(cradle.pid, NULL, WNOHANG) != cradle.pid)
        return false;
    cradle.pid = 0;
    return true;
}

void cradle_dismiss(void)
{
    if (cradle.pid != 0)
        kill(cradle.pid, SIGKILL);
}

void cradle_leave(void)
{
    if (cradle.pid == 0)
        return;
    cradle_dismiss();
    while (waitpid(cradle.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    cradle.pid = 0;
}

void cradle_stand_by(void)
{
    if (atomic_load(&cradle.turn) == TURN_JOIN)
        cradle_leave();
}

pid_t cradle_clone(struct clone_args *args, void (*born)(struct launch *l))
{
    if (cradle.pid == 0 || atomic_load(&cradle.turn) != TURN_WAIT || is_gone())
        return -1;
    args->flags |= CLONE_PARENT;
    args->exit_signal = 0; /* the cradle's own, which is SIGCHLD */
    cradle.args = args;
    cradle.born = born;
    pass_turn(TURN_MAKE);
    while (atomic_load(&cradle.turn) == TURN_MAKE && !is_gone())
        sleep_while(TURN_MAKE, LOOK_INTERVAL_MS);
    cradle_dismiss();
    args->flags &= ~(uint64_t)CLONE_PARENT;
    args->exit_signal = SIGCHLD;
    if (atomic_load(&cradle.turn) != TURN_MADE)
        return -1;
    errno = cradle.error;
    return cradle.child;
}
