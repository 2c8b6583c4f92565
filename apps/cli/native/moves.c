/*
 * Keeping the kernel ready to move processes between groups, as packages/cgroups/src/ready-moves.ts says and does, from before Node has
 * started until the launcher has its plan: a grace period of some ten milliseconds passes beside everything else.
 *
 * Knows: a group that we are in, by the kernel's own list of its processes: writing 0 there moves nobody.
 * Does not know: who is going to be moved, or where.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

enum { MAX_LIST = 128 * 1024 };

static bool lists_us(int fd)
{
    static char list[MAX_LIST + 1];
    char us[24];
    ssize_t got, length = 0;

    list[length++] = '\n';
    while (length < MAX_LIST && (got = read(fd, list + length, (size_t)(MAX_LIST - length))) > 0)
        length += got;
    list[length] = '\0';
    snprintf(us, sizeof(us), "\n%d\n", getpid());
    return strstr(list, us) != NULL;
}

static int open_group(const char *hierarchy, const char *group)
{
    char path[4200];
    int fd;

    if (snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/cgroup.procs", hierarchy, group) >= (int)sizeof(path))
        return -1;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || lists_us(fd))
        return fd;
    close(fd);
    return -1;
}

/* Lines are `number:controllers:group`; none of the second version's. */
int open_own_group(void)
{
    static char memberships[MAX_FILE_BYTES];
    char *rest = memberships, *line;
    int fd = -1;

    if (read_small(AT_FDCWD, "/proc/self/cgroup", memberships, sizeof(memberships)) < 0)
        return -1;
    while (fd < 0 && (line = strsep(&rest, "\n")) != NULL) {
        char *controllers = strchr(line, ':'), *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (group == NULL)
            continue;
        *group++ = '\0';
        controllers++;
        if (strncmp(controllers, "name=", 5) == 0)
            controllers += 5;
        fd = open_group(*controllers == '\0' ? "unified" : controllers, group);
        if (fd < 0 && *controllers == '\0')
            fd = open_group("", group);
    }
    return fd;
}

/* Whatever becomes of it: without it a move is slower and nothing else. */
void ready_moves(int group)
{
    if (group >= 0 && pwrite(group, "0", 1, 0) < 0)
        return;
}
