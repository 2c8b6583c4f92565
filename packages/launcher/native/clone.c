/*
 * The birth: the launcher performs what happens outside, makes the child, and watches it perform the rest.
 *
 *   launcher:  prepare… ─ clone ─ identity… ─ GO ───── watch ───────────────── told the starter
 *   child:                  └──── waits ───────┴─ mounts … rights ─ awaitStart ─ exec
 *
 * Knows: the two processes and how a launch ends.
 * Does not know: the single operations.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

/* How long records may lie on the board before the starter sees them, for operations that take long. */
enum { FLUSH_INTERVAL_MS = 20 };

static void child_born(struct launch *l);

/* In the cradle, where there is one; else here, and the child has its way into the groups before it (op_join_cgroup). */
static pid_t clone3_child(struct launch *l, struct clone_args *args)
{
    pid_t pid = l->plan.cradle || rehearsal_suits() ? cradle_clone(args, child_born) : -1;

    l->cradled = pid > 0 && l->plan.cradle;
    cradle_dismiss();
    if (pid > 0) {
        rehearsal_was_of_use();
        return pid;
    }
    rehearsal_was_in_vain(l);
    return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

/* Old kernels and filters that do not know clone3, or not its way into a cgroup. */
static pid_t clone_child(const struct clone_args *args)
{
    return (pid_t)syscall(SYS_clone, (unsigned long)(args->flags & ~CLONE_INTO_CGROUP) | SIGCHLD, 0, 0, 0, 0);
}

/* A child in new namespaces and, unless `cgroup` is empty, in that v2 cgroup. */
static pid_t clone_into(struct launch *l, uint64_t namespaces, const char *cgroup)
{
    struct clone_args args = {.flags = namespaces, .exit_signal = SIGCHLD};
    pid_t pid;

    if (*cgroup != '\0') {
        l->cgroup = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (l->cgroup < 0)
            return fail("open cgroup");
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)l->cgroup;
    }
    pid = clone3_child(l, &args);
    l->in_cgroup = pid > 0 && l->cgroup >= 0;
    if (pid < 0 && (errno == ENOSYS || l->cgroup >= 0))
        pid = clone_child(&args);
    if (pid < 0)
        fail("clone3");
    return pid;
}

/* The child's standard streams, before anything of the plan runs. */
static int install_stdio(const struct launch *l)
{
    for (int i = 0; i < 3; i++)
        if (l->stdio[i] >= 0 && dup2(l->stdio[i], i) < 0)
            return fail("dup2");
    return 0;
}

static uint32_t first_inside(const struct plan *plan)
{
    uint32_t i = 0;

    while (opcode_is_outside(plan->operations[i].code))
        i++;
    return i;
}

static _Noreturn void child_main(struct launch *l)
{
    struct sync_message go;
    int none[2];
    uint32_t i = first_inside(&l->plan);

    l->inside = true;
    /* A launcher that dies takes the half-born container with it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_fd(&l->input);
    close_fd(&l->control);
    rehearsal_forget();
    if (l->plan.mode == MODE_SHIM)
        shim_forget(l);
    if (sync_receive(l->sync, &go, none) != 1 || go.type != SYNC_GO)
        _exit(1);
    l->stepping = go.value != 0;
    if (l->proc < 0)
        l->proc = open_trusted_proc();
    umask(0);
    if (install_stdio(l) < 0 || (needs_staging(&l->plan) && take_staged_trees(l) < 0)) {
        l->board->records[i] = (struct record){.kind = RECORD_FAILED, .index = i, .error = errno};
        strncpy(l->board->records[i].call, failed_call(), sizeof(l->board->records[i].call) - 1);
        sync_send(l->sync, SYNC_FAILED, i);
        _exit(1);
    }
    for (; i < l->plan.count; i++)
        if (perform(l, i) < 0)
            break;
    /* Only a failure comes here: exec does not return. */
    if (l->waited) {
        send_failure(l, i);
        answer_failure(l, i);
    } else {
        sync_send(l->sync, SYNC_FAILED, i);
    }
    _exit(1);
}

/* The child's first step, on whosever stack: it has the launcher's end of the socket too. */
static void child_born(struct launch *l)
{
    close(l->sync);
    l->sync = l->child_sync;
    l->child_sync = -1;
    close_fd(&l->cgroup);
    child_main(l);
}

/* What the process in between has to say: the child's pid, or which call failed. */
struct between {
    pid_t pid;
    int error;
    char call[24];
};

static _Noreturn void go_through(struct launch *l, const struct operation *op, int report)
{
    struct clone_args args = {.flags = op->arg[0].number | CLONE_PARENT}; /* which has it end with our own signal */
    struct between said = {.pid = -1};

    l->proc = open_trusted_proc(); /* before another mount namespace shows another one */
    for (uint64_t i = 0; i < op->arg[2].number && said.error == 0; i++) {
        uint32_t slot = op->arg[2].numbers[i];
        if (slot >= MAX_SLOTS || setns(l->slots[slot], 0) < 0)
            said.error = slot >= MAX_SLOTS ? EBADF : errno;
    }
    strcpy(said.call, "setns");
    if (said.error == 0) {
        said.pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
        if (said.pid == 0) {
            close(report);
            child_born(l);
        }
        said.error = said.pid < 0 ? errno : 0;
        strcpy(said.call, "clone3");
    }
    _exit(write(report, &said, sizeof(said)) == sizeof(said) ? 0 : 1);
}

/* The child is our child, made by a process that has gone where we cannot follow and come back. */
static pid_t clone_through(struct launch *l, const struct operation *op)
{
    static struct between said;
    int report[2];
    pid_t between;
    ssize_t got;

    cradle_dismiss();
    if (pipe2(report, O_CLOEXEC) < 0)
        return fail("pipe2");
    between = fork();
    if (between == 0)
        go_through(l, op, report[1]);
    close(report[1]);
    got = between < 0 ? -1 : read(report[0], &said, sizeof(said));
    close(report[0]);
    while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR)
        ;
    if (got != sizeof(said))
        return fail_with("fork", EPIPE);
    return said.pid > 0 ? said.pid : fail_with(said.call, said.error);
}

int op_clone(struct launch *l, const struct operation *op)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return fail("socketpair");
    if (needs_staging(&l->plan) && stage_trees(l) < 0) {
        int error = errno;
        leave_staging();
        close(pair[0]);
        close(pair[1]);
        errno = error;
        return -1;
    }
    l->sync = pair[0];
    l->child_sync = pair[1];
    l->child = op->arg[2].number > 0 ? clone_through(l, op) : clone_into(l, op->arg[0].number, op->arg[1].text);
    if (l->child == 0)
        child_born(l);
    close_fd(&l->child_sync);
    close_fd(&l->cgroup);
    if (l->child < 0) {
        int error = errno;
        const char *call = failed_call();
        l->child = 0;
        leave_staging();
        return fail_with(call, error);
    }
    atomic_store(&l->board->child, l->child);
    if (leave_staging() < 0)
        return -1;
    if (*op->arg[1].text != '\0' && !l->in_cgroup && join_late(l, op->arg[1].text) < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        close_fd(&l->stdio[i]);
    return 0;
}

/* Kills and reaps, so that a failed launch leaves no process behind. */
void end_child(struct launch *l)
{
    if (l->child <= 0)
        return;
    kill(l->child, SIGKILL);
    while (waitpid(l->child, NULL, 0) < 0 && errno == EINTR)
        ;
    l->child = 0;
}

/* The child's questions to the starter go through us: we hold the control fd. */
static int relay(struct launch *l, uint32_t index, enum record_kind why)
{
    int answer = index < l->plan.count ? ask(l, index, why) : 'a';

    return sync_send(l->sync, SYNC_COMMAND, (uint32_t)answer);
}

static int keep_terminal(struct launch *l, const int fds[2])
{
    l->master = fds[0];
    l->slave = fds[1];
    if (l->plan.console_socket == NULL)
        return 0;
    return send_to_console_socket(l->plan.console_socket, l->master);
}

/* The child ended without a word: by which signal, if by one. It is reaped here, where its status still tells. */
static int say_what_killed(struct launch *l)
{
    static struct text call;
    int status = 0;

    while (waitpid(l->child, &status, 0) < 0 && errno == EINTR)
        ;
    l->child = 0;
    text_add(&call, WIFSIGNALED(status) ? "signal " : "exit ");
    text_add_number(&call, (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    return fail_with(call.bytes, ECHILD);
}

/* 1: the process waits for its start or has been exec'ed; 0: not yet; -1: it failed. */
static int handle_message(struct launch *l)
{
    struct sync_message message;
    int fds[2];
    int got = sync_receive(l->sync, &message, fds);

    if (got == 0)
        return atomic_load(&l->board->executing) ? 1 : say_what_killed(l);
    if (got < 0)
        return -1;
    switch (message.type) {
    case SYNC_STOP:
        return relay(l, message.value, RECORD_STOP);
    case SYNC_TIME:
        return sync_send(l->sync, SYNC_COMMAND, write_time_offsets(l, message.value) < 0 ? (uint32_t)errno : 0);
    case SYNC_HOOK:
        return relay(l, message.value, RECORD_HOOK);
    case SYNC_TERMINAL:
        return keep_terminal(l, fds);
    case SYNC_WAITING:
        l->flush_limit = message.value;
        return 1;
    default:
        return fail_with("child", EPROTO);
    }
}

/* Watches the child until it waits for its start, has been exec'ed, failed, or nobody wants it any more. */
static int watch(struct launch *l)
{
    int result = 0;

    while (result == 0) {
        struct pollfd fds[2] = {{.fd = l->sync, .events = POLLIN}, {.fd = l->control, .events = POLLRDHUP}};
        int ready = poll(fds, 2, FLUSH_INTERVAL_MS);

        if (ready < 0 && errno != EINTR)
            return fail("poll");
        /* Not at every word of the child: a starter that is woken would take the child's processor. Questions flush by themselves. */
        if (ready == 0)
            flush_records(l);
        if (fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR))
            return fail_with("starter gone", ECANCELED);
        if (l->deadline != 0 && now_ns() >= l->deadline)
            return fail_with("timeout", ETIMEDOUT);
        if (fds[0].revents != 0)
            result = handle_message(l);
    }
    return result < 0 ? -1 : 0;
}

static void announce(struct launch *l)
{
    struct record record = {.kind = RECORD_LAUNCHED, .index = l->plan.count, .pid = l->child};

    record.start_time = start_time_of(l->child);
    record.start_ns = record.end_ns = now_ns();
    flush_records(l);
    if (l->plan.mode == MODE_SHIM)
        shim_announce(l, record.start_time);
    send_record(l, &record);
}

/* All this needs what the prepare phase opened, and a right or a view of the host that the child may not have. */
static int prepare_for_child(struct launch *l, uint32_t *at)
{
    return prepare_masks(l) < 0 || prepare_sources(l, at) < 0 || rehearsal_compare(l, at) < 0 ? -1 : 0;
}

static int perform_outside(struct launch *l, uint32_t *i)
{
    uint32_t inside = first_inside(&l->plan);

    for (; *i < inside; (*i)++) {
        if (l->plan.operations[*i].code == OP_CLONE && prepare_for_child(l, i) < 0)
            return -1;
        if (perform(l, *i) < 0)
            return -1;
    }
    return sync_send(l->sync, SYNC_GO, l->stepping);
}

/* The whole launch. On -1 the child is gone, and the starter has been told which operation failed. */
int run_launch(struct launch *l)
{
    uint32_t i = 0;
    int error;

    if (perform_outside(l, &i) == 0) {
        if (watch(l) == 0) {
            keep_devices();
            announce(l);
            return 0;
        }
        i = atomic_load(&l->board->done);
    }
    error = errno;
    end_child(l);
    return_devices();
    detach_joined_root(l);
    flush_records(l);
    errno = error;
    send_failure(l, i);
    return -1;
}
