/*
 * Hooks: programs of the caller that run in the middle of a birth.
 *
 * A hook of the runtime's namespaces is the starter's to run: it is the runtime, and we only ask. A hook of the container's
 * namespaces can only be run by a process that is in them, so the child does it.
 *
 * Knows: one program's life: state in, output out (the first 2 KiB are kept, the rest is read and dropped), a time limit.
 * Does not know: which hook belongs where in a birth; that is the plan's order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

enum { OUTPUT_BYTES = 2048, HOOK_UMASK = 022, EXIT_NO_EXEC = 127 };

struct hook {
    pid_t pid;
    int ended, in, out; /* pidfd, its stdin, its stdout and stderr */
    const char *state[3];
    size_t state_at;    /* bytes of state[part] that are written */
    unsigned part;
    uint64_t deadline;  /* CLOCK_MONOTONIC ns; 0: none */
};

static struct {
    size_t length;
    char bytes[OUTPUT_BYTES + 1];
} output;

const char *hook_output(void)
{
    return output.bytes;
}

int op_runtime_hook(struct launch *l, const struct operation *op)
{
    int answer = ask(l, (uint32_t)(op - l->plan.operations), RECORD_HOOK);

    if (answer == 'c')
        return 0;
    return answer == 't' ? fail_with("timeout", ETIMEDOUT) : fail_with("hook", ECANCELED);
}

static _Noreturn void become_hook(const struct operation *op, int in, int out)
{
    struct text reason = {.length = 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    umask(HOOK_UMASK);
    if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 && chdir("/") == 0) {
        close_range(3, ~0u, 0);
        reset_signals();
        execve(op->arg[0].text, op->arg[1].texts, op->arg[2].texts);
    }
    text_add(&reason, strerrordesc_np(errno));
    text_add(&reason, "\n");
    if (write(2, reason.bytes, reason.length) < 0)
        _exit(EXIT_NO_EXEC);
    _exit(EXIT_NO_EXEC);
}

static int start_hook(struct hook *h, const struct operation *op)
{
    int in[2], out[2] = {-1, -1};

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        return fail("pipe2");
    h->pid = fork();
    if (h->pid == 0)
        become_hook(op, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    h->in = in[1];
    h->out = out[0];
    if (h->pid < 0)
        return fail("fork");
    h->ended = (int)syscall(SYS_pidfd_open, h->pid, 0);
    if (h->ended < 0)
        return fail("pidfd_open");
    fcntl(h->in, F_SETFL, O_NONBLOCK);
    return fcntl(h->out, F_SETFL, O_NONBLOCK) < 0 ? fail("fcntl") : 0;
}

/* A hook that does not want to know its container may close its stdin. */
static void feed(struct hook *h)
{
    ssize_t sent;

    while (h->part < 3 && h->state[h->part][h->state_at] == '\0') {
        h->part++;
        h->state_at = 0;
    }
    if (h->part == 3) {
        close_fd(&h->in);
        return;
    }
    sent = write(h->in, h->state[h->part] + h->state_at, strlen(h->state[h->part] + h->state_at));
    if (sent > 0)
        h->state_at += (size_t)sent;
    else if (errno != EAGAIN && errno != EINTR)
        close_fd(&h->in);
}

/* Reads what is there; a hook that prints without end never waits for us. */
static void drain(struct hook *h)
{
    char bytes[4096];
    ssize_t got;

    while ((got = read(h->out, bytes, sizeof(bytes))) > 0) {
        size_t room = OUTPUT_BYTES - output.length;
        size_t keep = (size_t)got < room ? (size_t)got : room;

        memcpy(output.bytes + output.length, bytes, keep);
        output.length += keep;
        if (h->deadline != 0 && now_ns() >= h->deadline)
            return;
    }
    if (got == 0)
        close_fd(&h->out);
}

static int milliseconds_left(const struct hook *h)
{
    uint64_t now = now_ns();

    if (h->deadline == 0)
        return -1;
    return now >= h->deadline ? 0 : (int)((h->deadline - now) / 1000000 + 1);
}

/* Its end, not that of its pipes: what it leaves running in the background may hold those for ever. */
static int await_hook(struct hook *h)
{
    for (;;) {
        struct pollfd fds[3] = {{h->ended, POLLIN, 0}, {h->out, POLLIN, 0}, {h->in, POLLOUT, 0}};

        if (poll(fds, 3, milliseconds_left(h)) < 0 && errno != EINTR)
            return fail("poll");
        if (h->out >= 0)
            drain(h);
        if (fds[0].revents != 0)
            return 0;
        if (h->deadline != 0 && now_ns() >= h->deadline)
            return fail_with("timeout", ETIMEDOUT);
        if (h->in >= 0 && fds[2].revents != 0)
            feed(h);
    }
}

static int end_hook(struct hook *h, int result)
{
    static struct text word;
    int status = 0, error = errno;

    if (h->pid > 0) {
        if (result < 0)
            kill(-h->pid, SIGKILL); /* and what it started */
        if (result < 0)
            kill(h->pid, SIGKILL);
        while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close_fd(&h->ended);
    close_fd(&h->in);
    close_fd(&h->out);
    errno = error;
    if (result < 0 || status == 0)
        return result;
    word.length = 0;
    text_add(&word, WIFSIGNALED(status) ? "signal " : "exit ");
    text_add_number(&word, (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    return fail_with(word.bytes, EIO);
}

int op_container_hook(struct launch *l, const struct operation *op)
{
    struct hook h = {.ended = -1, .in = -1, .out = -1, .state = {op->arg[4].text, "", op->arg[5].text}};
    struct text pid = {.length = 0};
    int result;

    text_add_number(&pid, (uint64_t)getpid());
    h.state[1] = pid.bytes;
    if (op->arg[3].number != 0)
        h.deadline = now_ns() + op->arg[3].number * 1000000;
    output.length = 0;
    memset(output.bytes, 0, sizeof(output.bytes));
    result = start_hook(&h, op);
    result = end_hook(&h, result < 0 ? result : await_hook(&h));
    if (result < 0)
        send_note(l, (uint32_t)(op - l->plan.operations), output.bytes);
    return result;
}
