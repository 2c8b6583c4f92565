/*
 * What the shim leaves behind: pid.json and exit.json.
 *
 * Knows: how a record survives a crash (write, fsync, rename, fsync the directory), and where cgroups count OOM kills.
 * Does not know: streams or clients.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"
#include "text.h"

int write_record(int dir, const char *name, const struct text *record, bool durable)
{
    int fd = openat(dir, ".record", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int result, error;

    if (fd < 0)
        return -1;
    errno = ENOSPC; /* what a short write means */
    result = write(fd, record->bytes, record->length) == (ssize_t)record->length && (!durable || fsync(fd) == 0) ? 0 : -1;
    error = errno;
    close(fd);
    errno = error;
    if (result == 0)
        result = renameat(dir, ".record", dir, name);
    return result == 0 && durable ? fsync(dir) : result;
}

/* The number after "oom_kill " in v1's memory.oom_control and v2's memory.events alike. */
static uint64_t oom_kills(int fd)
{
    char content[512];
    ssize_t length = pread(fd, content, sizeof(content) - 1, 0);
    const char *at;

    if (length <= 0)
        return 0;
    content[length] = '\0';
    at = strstr(content, "oom_kill ");
    return at != NULL ? strtoull(at + 9, NULL, 10) : 0;
}

static int open_in(const char *directory, size_t length, const char *name)
{
    char path[PATH_MAX];

    if (length + strlen(name) >= sizeof(path))
        return -1;
    memcpy(path, directory, length);
    strcpy(path + length, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void oom_watch(struct shim *s, const char *directory, size_t length)
{
    int at = 0, fd = open_in(directory, length, "/memory.events");

    if (fd < 0)
        fd = open_in(directory, length, "/memory.oom_control");
    while (at < MAX_OOM_FILES && s->oom_files[at] >= 0)
        at++;
    if (at == MAX_OOM_FILES || fd < 0) {
        close_fd(&fd);
        return;
    }
    s->oom_files[at] = fd;
    s->oom_kills_before[at] = oom_kills(fd);
}

/* Finds the files that count OOM kills in the groups that the process was born in or has joined. */
void oom_watch_groups(struct shim *s, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct operation *op = &plan->operations[i];

        if (op->code == OP_CLONE && *op->arg[1].text != '\0')
            oom_watch(s, op->arg[1].text, strlen(op->arg[1].text));
        if (op->code != OP_JOIN_CGROUP)
            continue;
        for (char *const *file = op->arg[0].texts; *file != NULL; file++) {
            const char *slash = strrchr(*file, '/');
            oom_watch(s, *file, slash != NULL ? (size_t)(slash - *file) : 0);
        }
    }
}

static bool oom_killed(const struct shim *s)
{
    for (int i = 0; i < MAX_OOM_FILES; i++)
        if (s->oom_files[i] >= 0 && oom_kills(s->oom_files[i]) > s->oom_kills_before[i])
            return true;
    return false;
}

const struct text *record_of_exit(const struct shim *s)
{
    static struct text record;
    unsigned signal = WIFSIGNALED(s->status) ? (unsigned)WTERMSIG(s->status) : 0;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    text_add(&record, "{\"pid\":");
    text_add_number(&record, (uint64_t)s->pid);
    text_add(&record, ",\"exitCode\":");
    text_add_number(&record, signal != 0 ? 128 + signal : (unsigned)WEXITSTATUS(s->status));
    text_add(&record, ",\"signal\":");
    text_add_number(&record, signal);
    text_add(&record, ",\"oomKilled\":");
    text_add(&record, oom_killed(s) ? "true" : "false");
    text_add(&record, ",\"exitedAtMs\":");
    text_add_number(&record, s->exited_ns / 1000000);
    text_add(&record, ".");
    text_add_padded(&record, s->exited_ns % 1000000, 6);
    text_add(&record, ",\"exitedAt\":\"");
    text_add_time(&record, &now);
    text_add(&record, "\"}\n");
    return &record;
}
