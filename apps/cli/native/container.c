/*
 * A container by its `verbs` file, and its state by the kernel's word.
 *
 *     slipway-verbs 1
 *     record INODE SIZE MTIME   of state.json, in nanoseconds: of another one, nothing here is believed
 *     boot ID
 *     process PID START-TIME
 *     node WORDS                verbs that are Node's here
 *     group DIRECTORY           as often as there are hierarchies
 *     (an empty line)  the document of `state` before its pid  (an empty line)  after its status
 *
 * Knows: that format, and that a pid names a process only together with its start time and the boot.
 * Does not know: what a verb does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "verbs.h"

static char text[MAX_FILE_BYTES];

ssize_t read_small(int dir, const char *path, char *to, size_t size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got, length = 0;

    if (fd < 0)
        return -1;
    while ((got = read(fd, to + length, size - 1 - (size_t)length)) > 0)
        length += got;
    close(fd);
    if (got < 0 || (size_t)length == size - 1)
        return -1;
    to[length] = '\0';
    return length;
}

/* Absolute and without dot segments, whatever the file says. */
static bool is_plain_path(const char *path)
{
    return *path == '/' && strstr(path, "/../") == NULL && (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

/* The record was neither replaced nor written to since; ours is but a copy. */
static bool is_of_record(const struct container *c, const char *stamp)
{
    char found[96];
    struct stat info;

    if (fstatat(c->dir, "state.json", &info, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    snprintf(found, sizeof(found), "%llu %lld %lld", (unsigned long long)info.st_ino, (long long)info.st_size,
             (long long)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec);
    return strcmp(found, stamp) == 0;
}

static bool read_line(struct container *c, char *line)
{
    if (strncmp(line, "record ", 7) == 0)
        return c->is_current = is_of_record(c, line + 7);
    if (strncmp(line, "boot ", 5) == 0)
        return snprintf(c->boot_id, sizeof(c->boot_id), "%s", line + 5) < (int)sizeof(c->boot_id);
    if (strncmp(line, "process ", 8) == 0)
        return sscanf(line + 8, "%d %23[0-9]", &c->pid, c->start_time) == 2 && c->pid > 1;
    if (strncmp(line, "node ", 5) == 0)
        c->left_to_node = line + 5;
    else if (strncmp(line, "group ", 6) == 0 && c->group_count < MAX_GROUPS && is_plain_path(line + 6))
        c->groups[c->group_count++] = line + 6;
    else
        return false;
    return true;
}

static bool parse(struct container *c)
{
    char *rest = text;
    char *line = strsep(&rest, "\n");

    if (strcmp(line, "slipway-verbs 1") != 0)
        return false;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
        if (!read_line(c, line))
            return false;
    if (rest == NULL || (c->head = rest, rest = strstr(rest, "\n\n")) == NULL)
        return false;
    *rest = '\0';
    c->tail = rest + 2;
    return c->is_current && c->pid > 1 && *c->boot_id != '\0' && c->left_to_node != NULL;
}

/* Field 22, after the name in parentheses, which may hold parentheses itself. */
static bool is_same(const struct container *c)
{
    char path[32], line[1024], start_time[24], state;
    const char *name_end;

    snprintf(path, sizeof(path), "/proc/%d/stat", c->pid);
    if (read_small(AT_FDCWD, path, line, sizeof(line)) < 0 || (name_end = strrchr(line, ')')) == NULL)
        return false;
    if (sscanf(name_end + 2, "%c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %23s", &state, start_time) != 2)
        return false;
    return state != 'Z' && state != 'X' && strcmp(start_time, c->start_time) == 0;
}

/* Opened before its start time is read: whoever has the pid then had it all along. */
static void find_process(struct container *c)
{
    char boot_id[64] = "";

    c->process = -1;
    if (read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) < 0)
        return;
    boot_id[strcspn(boot_id, "\n")] = '\0';
    if (strcmp(boot_id, c->boot_id) != 0)
        return;
    c->process = (int)syscall(SYS_pidfd_open, c->pid, 0);
    if (c->process < 0 || is_same(c))
        return;
    close(c->process);
    c->process = -1;
}

const char *freezer_of(const struct container *c, bool *v2)
{
    static char path[4200];

    for (int version = 1; version <= 2; version++)
        for (size_t i = 0; i < c->group_count; i++) {
            snprintf(path, sizeof(path), "%s/%s", c->groups[i], version == 1 ? "freezer.state" : "cgroup.freeze");
            *v2 = version == 2;
            if (access(path, F_OK) == 0)
                return path;
        }
    return NULL;
}

static bool find_status(struct container *c)
{
    struct stat info;
    char word[32];
    bool v2;
    const char *freezer;

    find_process(c);
    c->status = STOPPED;
    if (c->process < 0)
        return true;
    c->status = CREATED;
    if (fstatat(c->dir, "exec.fifo", &info, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    c->status = RUNNING;
    freezer = freezer_of(c, &v2);
    if (freezer == NULL)
        return true;
    if (read_small(AT_FDCWD, freezer, word, sizeof(word)) < 0)
        return false;
    if (v2 ? *word == '1' : strncmp(word, "THAWED", 6) != 0)
        c->status = PAUSED;
    return true;
}

bool open_container(const struct call *call, struct container *c)
{
    int root = open(call->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return false;
    c->dir = openat(root, call->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    close(root);
    return c->dir >= 0 && read_small(c->dir, "verbs", text, sizeof(text)) > 0 && parse(c) && find_status(c);
}
