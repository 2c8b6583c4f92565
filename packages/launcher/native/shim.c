/*
 * The shim: parent of a container's process for as long as it lives.
 *
 * Knows: one poll loop over the process, its streams and its clients; when to end.
 * Does not know: containers, or who starts and attaches.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"
#include "text.h"

#define MS 1000000ull

/* After the exit: how long a grandchild that holds the pipe may be silent, and how long it may go on at all. */
static const uint64_t SILENT_GRACE_NS = 100 * MS, TOTAL_GRACE_NS = 2000 * MS, FAREWELL_NS = 10000 * MS;

static struct shim shim;

static int listen_in(struct shim *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct text path = {.length = 0};
    mode_t mask = umask(0177);
    int bound;

    /* By descriptor: a socket's path has 108 bytes at most, a directory's 4096. */
    text_add(&path, "/proc/self/fd/");
    text_add_number(&path, (uint64_t)s->dir);
    text_add(&path, "/shim.sock");
    for (size_t i = 0; i <= path.length; i++)
        address.sun_path[i] = path.bytes[i];
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bound = s->listener < 0 ? -1 : bind(s->listener, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (bound < 0 || listen(s->listener, MAX_CLIENTS) < 0)
        return fail("shim.sock");
    return 0;
}

static int make_pipe(int *theirs, int *ours, bool to_them)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail("pipe2");
    *theirs = ends[to_them ? 0 : 1];
    *ours = ends[to_them ? 1 : 0];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? fail("fcntl") : 0;
}

static int make_streams(struct launch *l)
{
    if (l->plan.terminal)
        return 0; /* op_console brings a pty; until then /dev/null, as we were started */
    if (l->plan.open_stdin && make_pipe(&l->stdio[0], &l->shim_stdio[0], true) < 0)
        return -1;
    if (make_pipe(&l->stdio[1], &l->shim_stdio[1], false) < 0)
        return -1;
    return make_pipe(&l->stdio[2], &l->shim_stdio[2], false);
}

/* Everything that can fail, before there is a container. */
int shim_prepare(struct launch *l)
{
    struct shim *s = &shim;

    for (int i = 0; i < MAX_CLIENTS; i++)
        s->clients[i].fd = -1;
    for (int i = 0; i < MAX_OOM_FILES; i++)
        s->oom_files[i] = -1;
    s->log_path = l->plan.log_path;
    s->dir = open(l->plan.shim_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        return fail("open shim directory");
    if (listen_in(s) < 0)
        return -1;
    if (log_open(l->plan.log_path, l->plan.log_max_bytes) < 0)
        return fail("open log");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return fail("PR_SET_CHILD_SUBREAPER");
    s->signals = signalfd(-1, &l->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals < 0 ? fail("signalfd") : make_streams(l);
}

/* pid.json, and the memory cgroup's count of OOM kills as it is before the process runs. */
void shim_announce(const struct launch *l, uint64_t start_time)
{
    struct text record = {.length = 0};

    oom_watch_groups(&shim, &l->plan);
    text_add(&record, "{\"pid\":");
    text_add_number(&record, (uint64_t)l->child);
    text_add(&record, ",\"shimPid\":");
    text_add_number(&record, (uint64_t)getpid());
    text_add(&record, ",\"startTime\":\"");
    text_add_number(&record, start_time);
    text_add(&record, "\"}\n");
    write_record(shim.dir, "pid.json", &record, false);
}

void shim_forget(struct launch *l)
{
    close_fd(&shim.dir);
    close_fd(&shim.listener);
    close_fd(&shim.signals);
    for (int i = 0; i < 3; i++)
        close_fd(&l->shim_stdio[i]);
    log_forget();
}

void shim_withdraw(void)
{
    if (shim.listener > 0)
        unlinkat(shim.dir, "shim.sock", 0);
}

/* Ends only with its container: what ends a daemon's process group must not end us. */
static void ignore_signals(void)
{
    const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    for (unsigned i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        sigaction(ignored[i], &ignore, NULL);
}

static void take_over(struct shim *s, const struct launch *l)
{
    s->pid = l->child;
    s->terminal = l->plan.terminal;
    s->stdin_once = l->plan.stdin_once;
    s->slave = l->slave;
    s->input = s->terminal ? l->master : l->shim_stdio[0];
    s->output[0] = s->terminal ? l->master : l->shim_stdio[1];
    s->output[1] = s->terminal ? -1 : l->shim_stdio[2];
    if (s->terminal && s->output[0] >= 0)
        fcntl(s->output[0], F_SETFL, O_RDWR | O_NONBLOCK);
}

static void reap(struct shim *s)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    while (read(s->signals, &info, sizeof(info)) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != s->pid)
            continue;
        s->exited = true;
        s->status = status;
        s->exited_ns = s->last_output_ns = now_ns();
        /* Now that nobody lives to open it again, the terminal may come to its end. */
        close_fd(&s->slave);
    }
}

/* Waits for anything to do, at most `timeout_ms`. Fills `fds` as laid out below; returns the number used. */
static void wait_for_work(struct shim *s, struct pollfd *fds, int timeout_ms)
{
    bool reading = !clients_full(s);

    fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    for (int i = 0; i < 2; i++)
        fds[2 + i] = (struct pollfd){.fd = reading ? s->output[i] : -1, .events = POLLIN};
    fds[4] = (struct pollfd){.fd = s->input_length > 0 ? s->input : -1, .events = POLLOUT};
    for (int i = 0; i < MAX_CLIENTS; i++) {
        const struct client *c = &s->clients[i];
        short events = (short)((client_wants_reading(s, c) ? POLLIN : 0) | (c->pending > 0 ? POLLOUT : 0));
        fds[5 + i] = (struct pollfd){.fd = c->fd, .events = events};
    }
    poll(fds, 5 + MAX_CLIENTS, reading ? timeout_ms : 1000);
}

/* One round. Clients come before output, so that whoever attached before a byte was written gets that byte. */
static void serve(struct shim *s, int timeout_ms)
{
    struct pollfd fds[5 + MAX_CLIENTS];

    wait_for_work(s, fds, timeout_ms);
    if (fds[0].revents)
        reap(s);
    if (fds[1].revents)
        clients_accept(s);
    for (int i = 0; i < MAX_CLIENTS; i++) {
        struct client *c = &s->clients[i];
        if (c->fd == fds[5 + i].fd && c->fd >= 0 && (fds[5 + i].revents & POLLOUT))
            client_flush(s, c);
        if (c->fd == fds[5 + i].fd && c->fd >= 0 && (fds[5 + i].revents & (POLLIN | POLLHUP | POLLERR)))
            client_read(s, c);
    }
    if (fds[4].revents)
        write_input(s);
    for (unsigned i = 0; i < 2; i++)
        if (fds[2 + i].revents && !clients_full(s))
            read_output(s, i);
}

static bool drained(struct shim *s)
{
    uint64_t now = now_ns();

    if (s->output[0] < 0 && s->output[1] < 0)
        return true;
    /* A full client holds us up for ten seconds at most; that time is not the grandchildren's. */
    if (clients_full(s))
        return false;
    return now - s->last_output_ns > SILENT_GRACE_NS || now - s->exited_ns > TOTAL_GRACE_NS;
}

/* What lies in the pipes already, without waiting, so that whoever sees exit.json finds the log complete. */
static void drain_now(struct shim *s)
{
    for (unsigned i = 0; i < 2; i++)
        for (int rounds = 0; rounds < 64 && !clients_full(s) && read_output(s, i); rounds++)
            ;
}

/* A full disk may have room again later, and nobody else knows the exit code. */
static void keep_record(struct shim *s, const struct text *record)
{
    while (write_record(s->dir, "exit.json", record, true) < 0 && (errno == ENOSPC || errno == EDQUOT))
        serve(s, 1000);
}

static void say_goodbye(struct shim *s, const struct text *record)
{
    uint64_t until = now_ns() + FAREWELL_NS;

    unlinkat(s->dir, "shim.sock", 0);
    clients_accept(s);
    clients_broadcast(s, FRAME_EXIT, record->bytes, record->length);
    while (clients_full(s) && now_ns() < until)
        serve(s, 100);
}

_Noreturn void shim_run(struct launch *l)
{
    struct shim *s = &shim;
    const struct text *record;

    prctl(PR_SET_NAME, "slipway-shim");
    ignore_signals();
    take_over(s, l);
    while (!s->exited)
        serve(s, -1);
    drain_now(s);
    record = record_of_exit(s);
    keep_record(s, record);
    while (!drained(s))
        serve(s, 20);
    log_end();
    say_goodbye(s, record);
    _exit(0);
}
