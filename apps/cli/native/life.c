/*
 * The verbs, each from the state that allows it.
 *
 * Knows: what is done where all goes well, in the order of packages/runtime (create-runtime.ts, end.ts).
 * Does not know: what to say when it does not; then Node does it again.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "verbs.h"

/* How long a dying process may keep a group, or running ones take to stand still, before Node looks after it. */
enum { PATIENCE_TURNS = 100 };

static void wait_a_turn(void)
{
    const struct timespec millisecond = {.tv_nsec = 1000000};

    nanosleep(&millisecond, NULL);
}

/* The process blocked on the fifo answers "0" once somebody reads; startContainer hooks, which may answer otherwise, are Node's. */
bool do_start(struct container *c)
{
    struct pollfd fds[2] = {{.events = POLLIN}, {.fd = c->process, .events = POLLIN}};
    char answer = 0;

    if (c->status != CREATED)
        return false;
    fds[0].fd = openat(c->dir, "exec.fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fds[0].fd < 0)
        return false;
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    /* Also where it ended right after it was let go. */
    if (read(fds[0].fd, &answer, 1) != 1 || answer != '0')
        return false;
    close(fds[0].fd);
    unlinkat(c->dir, "exec.fifo", 0);
    return true;
}

bool do_kill(struct container *c, const char *word)
{
    int number;

    if (c->status == STOPPED || c->status == PAUSED || !read_signal(word, &number))
        return false;
    return syscall(SYS_pidfd_send_signal, c->process, number, NULL, 0) == 0;
}

bool do_state(struct container *c)
{
    static const char *const words[] = {"stopped", "created", "running", "paused"};

    printf("%s\n  \"pid\": %d,\n  \"status\": \"%s\",\n%s", c->head, c->status == STOPPED ? 0 : c->pid, words[c->status], c->tail);
    return fflush(stdout) == 0;
}

static bool write_word(const char *path, const char *word)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    bool written = fd >= 0 && write(fd, word, strlen(word)) == (ssize_t)strlen(word);

    if (fd >= 0)
        close(fd);
    return written;
}

/* v2 tells in another file whether all stand still; there Node waits. */
bool do_pause(struct container *c)
{
    char word[32];
    bool v2;
    const char *freezer = freezer_of(c, &v2);

    if (c->status != RUNNING || freezer == NULL || v2)
        return false;
    for (int turn = 0; turn < PATIENCE_TURNS; turn++) {
        if (!write_word(freezer, "FROZEN") || read_small(AT_FDCWD, freezer, word, sizeof(word)) < 0)
            break;
        if (strncmp(word, "FROZEN", 6) == 0)
            return true;
        wait_a_turn();
    }
    write_word(freezer, "THAWED");
    return false;
}

bool do_resume(struct container *c)
{
    bool v2;
    const char *freezer = freezer_of(c, &v2);

    return c->status == PAUSED && freezer != NULL && write_word(freezer, v2 ? "0" : "THAWED");
}

/* Nothing in the directory but what we know how to take away. */
static bool is_usual(int dir)
{
    DIR *entries = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry;
    bool usual = entries != NULL;

    while (usual && (entry = readdir(entries)) != NULL)
        usual = *entry->d_name == '.' ? strspn(entry->d_name, ".") == strlen(entry->d_name)
                                      : strcmp(entry->d_name, "state.json") == 0 || strcmp(entry->d_name, "verbs") == 0;
    if (entries != NULL)
        closedir(entries);
    return usual;
}

static bool remove_group(const char *path)
{
    for (int turn = 0; turn < PATIENCE_TURNS; turn++) {
        if (rmdir(path) == 0 || errno == ENOENT)
            return true;
        if (errno != EBUSY || access(path, F_OK) < 0)
            return false;
        wait_a_turn();
    }
    return false;
}

/* The state goes last, and state.json last of it: whoever comes to an end in between leaves a container to be deleted. */
bool do_delete(struct container *c, const struct call *call)
{
    int root;
    bool removed;

    if (c->status != STOPPED || !is_usual(c->dir))
        return false;
    for (size_t i = 0; i < c->group_count; i++)
        if (!remove_group(c->groups[i]))
            return false;
    if (unlinkat(c->dir, "verbs", 0) < 0 || unlinkat(c->dir, "state.json", 0) < 0)
        return false;
    root = open(call->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    removed = root >= 0 && unlinkat(root, call->id, AT_REMOVEDIR) == 0;
    return removed;
}
