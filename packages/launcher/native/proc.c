/*
 * Files of procfs, and how to be sure that they are: a container's own mounts may put anything at /proc.
 *
 * Knows: a procfs of our own that nobody else can have mounted over.
 * Does not know: which settings are namespaced or allowed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

int open_trusted_proc(void)
{
    int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && !is_on(fd, PROC_SUPER_MAGIC))
        close_fd(&fd);
    return fd;
}

/* A procfs that nobody else can have mounted over; where the kernel refuses one, the starter's own. */
static int open_proc(const struct launch *l)
{
    static char *const none[] = {NULL};
    int private = new_filesystem("proc", "", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

    return private >= 0 ? private : fcntl(l->proc, F_DUPFD_CLOEXEC, 0);
}

static int open_beneath(int proc, const char *directory, const char *path)
{
    struct open_how how = {
        .flags = O_WRONLY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    struct open_how below = how;
    int above, fd;

    below.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    above = (int)syscall(SYS_openat2, proc, directory, &below, sizeof(below));
    if (above < 0)
        return fail("openat2");
    fd = (int)syscall(SYS_openat2, above, path, &how, sizeof(how));
    if (fd < 0)
        fail("openat2");
    else if (!is_on(fd, PROC_SUPER_MAGIC)) {
        close_fd(&fd);
        fail_with("procfs", EPERM);
    }
    int error = errno;
    close(above);
    errno = error;
    return fd;
}

/* `directory` NULL: that of this process, by its number in that procfs. */
static int write_verified(const struct launch *l, const char *directory, const char *path, const char *value)
{
    char self[16] = "";
    int proc = open_proc(l);
    int fd, result = 0;

    if (proc < 0)
        return fail("proc");
    if (directory == NULL && readlinkat(proc, "self", self, sizeof(self) - 1) < 0)
        fd = fail("readlinkat");
    else
        fd = open_beneath(proc, directory != NULL ? directory : self, path);
    if (fd < 0)
        result = -1;
    else if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
        result = fail("write");
    int error = errno;
    close_fd(&fd);
    close(proc);
    errno = error;
    return result;
}

int op_sysctl(struct launch *l, const struct operation *op)
{
    return write_verified(l, "sys", op->arg[0].text, op->arg[1].text);
}

/* Takes effect at the next execve, which is the process's own. */
int op_security_label(struct launch *l, const struct operation *op)
{
    struct text path = {.length = 0};

    text_add(&path, "attr/");
    text_add(&path, op->arg[0].text);
    return write_verified(l, NULL, path.bytes, op->arg[1].text);
}

/* In the launcher: the child's own files are not its to open where it may not be looked at. */
int write_time_offsets(const struct launch *l, uint32_t index)
{
    const struct operation *op = &l->plan.operations[index];
    struct text path = {.length = 0}, lines = {.length = 0};

    if (index >= l->plan.count || op->code != OP_TIME_NAMESPACE)
        return fail_with("child", EPROTO);
    text_add(&path, "/proc/");
    text_add_number(&path, (uint64_t)l->child);
    text_add(&path, "/timens_offsets");
    text_add(&lines, op->arg[0].text);
    return write_file(path.bytes, &lines) < 0 ? fail("timens_offsets") : 0;
}

/* Offsets can be set only while nobody is inside; then this very process enters, not only its children. */
int op_time_namespace(struct launch *l, const struct operation *op)
{
    struct sync_message answer;
    int fd, result, none[2];
    uint64_t before;

    if (unshare(CLONE_NEWTIME) < 0)
        return fail("unshare");
    if (*op->arg[0].text != '\0') {
        if (sync_send(l->sync, SYNC_TIME, (uint32_t)(op - l->plan.operations)) < 0 || sync_receive(l->sync, &answer, none) != 1)
            return fail_with("launcher", EPIPE);
        if (answer.value != 0)
            return fail_with("timens_offsets", (int)answer.value);
    }
    fd = openat(l->proc, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("open");
    before = now_ns();
    result = setns(fd, CLONE_NEWTIME);
    close(fd);
    if (result < 0)
        return fail("setns");
    clock_moved(before);
    return 0;
}
