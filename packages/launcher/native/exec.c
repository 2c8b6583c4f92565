/*
 * Stage "start": waiting to be started, and becoming the container's process.
 *
 * Knows: the exec fifo's protocol (runc's: the starter opens it for reading and takes one byte, "0"; ours adds "1" and a reason).
 * Does not know: who the starter is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* From here on nobody owns us but the container: the launcher may go. */
static void leave_launcher(void)
{
    prctl(PR_SET_PDEATHSIG, 0);
}

int op_await_start(struct launch *l, const struct operation *op)
{
    struct text path = {.length = 0};
    int fd;

    if (l->fifo < 0 || l->proc < 0)
        return fail_with("fifo", EBADF);
    /* The launcher tells the starter about the records up to here; later ones are for us to send. */
    l->flushed = atomic_load(&l->board->done);
    leave_launcher();
    if (sync_send(l->sync, SYNC_WAITING, l->flushed) < 0)
        return -1;
    l->waited = true;
    close_fd(&l->sync);
    /* Opened for writing, a fifo blocks until a reader comes. Its descriptor is only a name (O_PATH) so far. */
    text_add(&path, "self/fd/");
    text_add_number(&path, (uint64_t)l->fifo);
    do
        fd = openat(l->proc, path.bytes, O_WRONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return fail("open fifo");
    l->answer = fd;
    /* Where hooks come first, the starter hears from us when they have ended. */
    return plan_has(&l->plan, OP_CONFIRM_START) ? 0 : op_confirm_start(l, op);
}

int op_confirm_start(struct launch *l, const struct operation *op)
{
    (void)op;
    if (write(l->answer, "0", 1) != 1)
        return fail("write fifo");
    close_fd(&l->answer);
    return 0;
}

void answer_failure(const struct launch *l, uint32_t index)
{
    static char answer[4096] = "1"; /* PIPE_BUF: written in one piece */
    struct text number = {.length = 0};
    uint64_t hooks = 0;

    if (l->answer < 0)
        return;
    for (uint32_t i = index; i-- > 0 && l->plan.operations[i].code != OP_AWAIT_START;)
        hooks += l->plan.operations[i].code == OP_CONTAINER_HOOK;
    text_add_number(&number, hooks);
    strcat(answer, number.bytes);
    strcat(answer, "\n");
    strncat(answer, failed_call(), 64);
    strcat(answer, "\n");
    strncat(answer, hook_output(), sizeof(answer) - strlen(answer) - 1);
    if (write(l->answer, answer, strlen(answer)) < 0)
        return; /* the starter has gone away */
}

/* Dispositions and mask as a fresh process expects them: ignored signals would survive the exec. */
void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* After the start nobody waits for a report: the reason goes where the container's own errors go. */
static _Noreturn void die_alone(const char *path, int error)
{
    struct text message = {.length = 0};

    text_add(&message, "slipway: exec ");
    text_add(&message, path);
    text_add(&message, ": ");
    text_add(&message, strerrordesc_np(error) != NULL ? strerrordesc_np(error) : "unknown error");
    text_add(&message, "\n");
    if (write(STDERR_FILENO, message.bytes, message.length) < 0)
        errno = error;
    _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int op_exec(struct launch *l, const struct operation *op)
{
    const char *path = l->executable[0] != '\0' ? l->executable : op->arg[0].texts[0];
    int error;

    if (path == NULL)
        return fail_with("execve", EINVAL);
    if (l->waited) {
        flush_records(l);
    } else {
        leave_launcher();
        /* The launcher hears of the exec by the end of our socket, and knows by this that it was one. */
        atomic_store(&l->board->executing, true);
    }
    reset_signals();
    execve(path, op->arg[0].texts, op->arg[1].texts);
    error = errno;
    if (l->waited) {
        struct record record = {.kind = RECORD_FAILED, .index = l->plan.count - 1, .error = error, .call = "execve"};
        record.start_ns = record.end_ns = now_ns();
        send_record(l, &record);
        die_alone(path, error);
    }
    errno = error;
    return fail("execve");
}
