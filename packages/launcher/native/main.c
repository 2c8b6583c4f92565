/*
 * slipway-launcher: performs a plan in a fresh child, and may stay behind as its shim.
 *
 *   fd 0-2   the container's, or /dev/null with a shim
 *   fd 3     the plan, and nothing behind it; where $REHEARSAL says so, before it another one (rehearsal.c)
 *   fd 4     records out (a socket)
 *   fd 5     control in: letters of step mode; its end before the launch ends the child (a socket)
 *   fd 6…    descriptors to hand on, as many as the plan says
 *
 * With the words `guard-devices DIRECTORY` fd 3 is a device program for that cgroup instead, and nothing is launched.
 *
 * Knows: the descriptors it is started with, and the three ways to stay.
 * Does not know: JSON, policy, or the single operations.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "seal.h"
#include "text.h"

/* Too large for a stack, and the records must be shared with the child. */
static struct launch launch;

/* A plan's memory. */
struct input {
    uint8_t *bytes;
    size_t length;
    void *arena;
    size_t arena_length;
};

/* What a cradle rehearses: gone before there is a shim. */
static struct {
    struct plan *plan; /* NULL: nothing */
    struct input input;
} rehearsed;

static void *map(size_t length, int sharing)
{
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static int read_exactly(int fd, uint8_t *to, size_t length)
{
    while (length > 0) {
        ssize_t got = read(fd, to, length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_with("read plan", got == 0 ? EPROTO : errno);
        to += got;
        length -= (size_t)got;
    }
    return 0;
}

/* The second word of a plan is its length. */
static int read_plan(struct input *input)
{
    uint8_t start[8];
    uint32_t length;

    if (read_exactly(PLAN_FD, start, sizeof(start)) < 0)
        return -1;
    memcpy(&length, start + 4, sizeof(length));
    if (length < sizeof(start) || length > MAX_PLAN_BYTES)
        return fail_with("plan length", EPROTO);
    input->length = length;
    input->arena_length = 4 * (size_t)length + 4096;
    input->bytes = map(input->length, MAP_PRIVATE);
    input->arena = map(input->arena_length, MAP_PRIVATE);
    if (input->bytes == NULL || input->arena == NULL)
        return fail("mmap");
    memcpy(input->bytes, start, sizeof(start));
    return read_exactly(PLAN_FD, input->bytes + sizeof(start), length - sizeof(start));
}

/* Where the starter says so, a plan to rehearse comes first. */
static int read_rehearsal(void)
{
    uint32_t at;

    if (getenv("REHEARSAL") == NULL)
        return 0;
    close_range(FIRST_PRESERVED_FD, ~0u, 0);
    rehearsed.plan = map(sizeof(*rehearsed.plan), MAP_PRIVATE);
    if (rehearsed.plan == NULL)
        return fail("mmap");
    if (read_plan(&rehearsed.input) < 0)
        return -1;
    if (plan_decode(rehearsed.plan, rehearsed.input.bytes, rehearsed.input.length, rehearsed.input.arena, &at) < 0)
        return fail_with("rehearsal", EPROTO);
    rehearsal_of(rehearsed.plan);
    return 0;
}

static void release_rehearsal(void)
{
    rehearsal_end();
    if (rehearsed.plan == NULL)
        return;
    munmap(rehearsed.plan, sizeof(*rehearsed.plan));
    munmap(rehearsed.input.bytes, rehearsed.input.length);
    munmap(rehearsed.input.arena, rehearsed.input.arena_length);
}

/* A launch that failed leaves no file that it made. */
static int give_up(const struct launch *l)
{
    cradle_leave();
    if (l->fifo_made)
        unlink(l->plan.start_fifo);
    if (l->plan.mode == MODE_SHIM)
        shim_withdraw();
    return 1;
}

static void clear_descriptors(struct launch *l)
{
    l->input = l->root = l->null_tree = l->empty_tree = l->proc = l->fifo = l->answer = l->master = l->slave = l->sync = l->child_sync = l->cgroup = -1;
    memset(l->slots, 0xff, sizeof(l->slots));
    memset(l->stdio, 0xff, sizeof(l->stdio));
    memset(l->shim_stdio, 0xff, sizeof(l->shim_stdio));
}

/* Moves ours out of the way of the payload's, which go from 6… to 3…; drops whatever else was inherited. */
static int sort_descriptors(struct launch *l)
{
    int count = (int)l->plan.preserve_fds;

    if (rehearsed.plan != NULL && count > 0)
        return fail_with("preserved descriptors", EINVAL);
    /* From there on the others are what was rehearsed. */
    if (rehearsed.plan == NULL)
        close_range((unsigned)(FIRST_PRESERVED_FD + count), ~0u, 0);
    /* Kept open until the launch is over: the starter, who is told of its end, would wake on the processor that we need. */
    l->input = fcntl(PLAN_FD, F_DUPFD_CLOEXEC, FIRST_PRESERVED_FD + count);
    l->records = fcntl(RECORDS_FD, F_DUPFD_CLOEXEC, FIRST_PRESERVED_FD + count);
    l->control = fcntl(CONTROL_FD, F_DUPFD_CLOEXEC, FIRST_PRESERVED_FD + count);
    if (l->input < 0 || l->records < 0 || l->control < 0)
        return fail("fcntl");
    for (int i = 0; i < count; i++)
        if (dup2(FIRST_PRESERVED_FD + i, 3 + i) < 0)
            return fail("dup2");
    close_range((unsigned)(3 + count), (unsigned)(FIRST_PRESERVED_FD + count - 1), 0);
    return 0;
}

/* Signals reach the launcher through a descriptor; the child gets a clean mask before its exec. */
static void block_signals(struct launch *l)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&l->signals);
    sigaddset(&l->signals, SIGCHLD);
    if (l->plan.mode == MODE_FOREGROUND) {
        const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH, SIGALRM};
        for (unsigned i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
            sigaddset(&l->signals, forwarded[i]);
    }
    sigprocmask(SIG_BLOCK, &l->signals, NULL);
}

/* The process that waits on it may run as any user by then; the directory is what keeps others away. */
static int open_fifo(struct launch *l)
{
    struct text path = {.length = 0};

    if (l->plan.start_fifo == NULL)
        return 0;
    /* The starter is a program that cannot make one itself. */
    l->fifo_made = mkfifo(l->plan.start_fifo, 0600) == 0;
    if (!l->fifo_made && errno != EEXIST)
        return fail("mkfifo");
    l->fifo = open(l->plan.start_fifo, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (l->fifo < 0)
        return fail("open fifo");
    text_add(&path, "/proc/self/fd/");
    text_add_number(&path, (uint64_t)l->fifo);
    return chmod(path.bytes, 0622) < 0 ? fail("chmod fifo") : 0;
}

static int prepare(struct launch *l, uint32_t *at)
{
    struct input input;
    int more;

    *at = NO_OPERATION;
    l->board = map(sizeof(struct board), MAP_SHARED);
    if (l->board == NULL)
        return fail("mmap");
    if (read_rehearsal() < 0)
        return -1;
    cradle_prepare(l);
    if (read_plan(&input) < 0)
        return -1;
    cradle_stand_by();
    /* Not until the end is there: it comes with a further wake, if at all. */
    if (ioctl(PLAN_FD, FIONREAD, &more) < 0 || more != 0)
        return fail_with("plan end", EPROTO);
    if (plan_decode(&l->plan, input.bytes, input.length, input.arena, at) < 0)
        return fail_with("plan", EPROTO);
    *at = NO_OPERATION;
    if (sort_descriptors(l) < 0 || open_fifo(l) < 0)
        return -1;
    if (l->plan.timeout_ms != 0)
        l->deadline = now_ns() + (uint64_t)l->plan.timeout_ms * 1000000;
    block_signals(l);
    return l->plan.mode == MODE_SHIM ? shim_prepare(l) : 0;
}

/* The shim lives as long as its container: give back what only the launch needed. */
static void release_plan(struct launch *l)
{
    for (int i = 0; i < MAX_SLOTS; i++)
        close_fd(&l->slots[i]);
    close_fd(&l->root);
    close_fd(&l->null_tree);
    close_fd(&l->empty_tree);
    close_fd(&l->proc);
    close_fd(&l->fifo);
    close_fd(&l->sync);
    close_fd(&l->input);
    close_fd(&l->records);
    close_fd(&l->control);
    munmap(l->board, sizeof(struct board));
    cradle_leave();
    release_rehearsal();
}

/* Who looks with ps sees whose shim this is, also where we were started before anybody knew: as much as fits over the words we got. */
static void show_purpose(int argc, char **argv, const char *shim_dir)
{
    size_t room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
    char words[PATH_MAX + 16] = "slipway-shim";
    size_t length = strlen(words) + 1;

    strncpy(words + length, shim_dir, sizeof(words) - length - 1);
    length += strlen(words + length);
    memset(argv[0], 0, room);
    memcpy(argv[0], words, length < room ? length : room);
}

int main(int argc, char **argv, char **envp)
{
    struct launch *l = &launch;
    uint32_t at;

    prctl(PR_SET_DUMPABLE, 0);
    l->records = RECORDS_FD;
    l->control = CONTROL_FD;
    clear_descriptors(l);
    if (run_sealed(argv, envp) < 0) {
        fail("memfd");
        send_failure(l, NO_OPERATION);
        return 1;
    }
    prctl(PR_SET_NAME, "slipway-launch");
    if (argc == 3 && strcmp(argv[1], "guard-devices") == 0) {
        if (guard_devices_from(PLAN_FD, argv[2]) == 0)
            return 0;
        send_failure(l, NO_OPERATION);
        return 1;
    }
    if (prepare(l, &at) < 0) {
        send_failure(l, at);
        return give_up(l);
    }
    if (l->plan.mode == MODE_SHIM && argc > 0)
        show_purpose(argc, argv, l->plan.shim_dir);
    if (run_launch(l) < 0)
        return give_up(l);
    release_plan(l);
    if (l->plan.mode == MODE_SHIM)
        shim_run(l);
    if (l->plan.mode == MODE_FOREGROUND)
        foreground_run(l);
    return 0;
}
