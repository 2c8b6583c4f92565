/*
 * Stage "settings": names, kernel parameters, limits, working directory, and the look for the executable.
 *
 * Knows: one system call each, and how to be sure that a file is really procfs.
 * Does not know: which settings are namespaced or allowed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

int op_join_namespace(struct launch *l, const struct operation *op)
{
    uint64_t slot = op->arg[0].number;
    int kind = (int)op->arg[1].number;

    if (slot >= MAX_SLOTS || l->slots[slot] < 0)
        return fail_with("slot", EBADF);
    /* The launcher entered it before we were made. */
    if (kind == CLONE_NEWPID)
        return 0;
    if (setns(l->slots[slot], kind) < 0)
        return fail("setns");
    if (kind == CLONE_NEWNS) {
        close_fd(&l->root);
        l->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return l->root < 0 ? fail("open") : 0;
    }
    return 0;
}

int op_unshare(struct launch *l, const struct operation *op)
{
    (void)l;
    return unshare((int)op->arg[0].number) < 0 ? fail("unshare") : 0;
}

int op_session_keyring(struct launch *l, const struct operation *op)
{
    (void)l;
    /* A kernel without keyrings has none to share. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, op->arg[0].text) < 0 && errno != ENOSYS)
        return fail("keyctl");
    return 0;
}

int op_new_session(struct launch *l, const struct operation *op)
{
    (void)l;
    (void)op;
    return setsid() < 0 ? fail("setsid") : 0;
}

int op_hostname(struct launch *l, const struct operation *op)
{
    (void)l;
    return sethostname(op->arg[0].text, strlen(op->arg[0].text)) < 0 ? fail("sethostname") : 0;
}

int op_domainname(struct launch *l, const struct operation *op)
{
    (void)l;
    return setdomainname(op->arg[0].text, strlen(op->arg[0].text)) < 0 ? fail("setdomainname") : 0;
}

int op_loopback_up(struct launch *l, const struct operation *op)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    (void)l;
    (void)op;
    if (fd < 0)
        return fail("socket");
    result = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return result < 0 ? fail("SIOCSIFFLAGS") : 0;
}

/* A procfs that nobody else can have mounted over; where the kernel refuses one, the starter's own. */
static int open_proc(const struct launch *l)
{
    static char *const none[] = {NULL};
    int private = new_filesystem("proc", "", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

    return private >= 0 ? private : fcntl(l->proc, F_DUPFD_CLOEXEC, 0);
}

static int open_sysctl(int proc, const char *key)
{
    struct open_how how = {
        .flags = O_WRONLY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    struct open_how directory = how;
    int sys, fd;

    directory.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    sys = (int)syscall(SYS_openat2, proc, "sys", &directory, sizeof(directory));
    if (sys < 0)
        return fail("openat2");
    fd = (int)syscall(SYS_openat2, sys, key, &how, sizeof(how));
    if (fd < 0)
        fail("openat2");
    else if (!is_on(fd, PROC_SUPER_MAGIC)) {
        close_fd(&fd);
        fail_with("procfs", EPERM);
    }
    int error = errno;
    close(sys);
    errno = error;
    return fd;
}

int op_sysctl(struct launch *l, const struct operation *op)
{
    const char *value = op->arg[1].text;
    int proc = open_proc(l);
    int fd, result = 0;

    if (proc < 0)
        return fail("proc");
    fd = open_sysctl(proc, op->arg[0].text);
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

int op_rlimit(struct launch *l, const struct operation *op)
{
    struct rlimit limit = {.rlim_cur = op->arg[1].number, .rlim_max = op->arg[2].number};

    (void)l;
    return setrlimit((__rlimit_resource_t)op->arg[0].number, &limit) < 0 ? fail("setrlimit") : 0;
}

/* getcwd of a directory outside the root begins with "(unreachable)"; glibc would hide that. */
static int require_cwd_below_root(void)
{
    char cwd[PATH_MAX];

    if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
        return fail("getcwd");
    return cwd[0] == '/' ? 0 : fail_with("cwd outside the root", EPERM);
}

static int root_of(struct launch *l)
{
    if (l->root < 0)
        l->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return l->root;
}

int op_workdir(struct launch *l, const struct operation *op)
{
    unsigned walk = WALK_FOLLOW | (op->arg[1].number != 0 ? WALK_MAKE_DIRECTORY : 0);
    int directory = open_below(root_of(l), op->arg[0].text, walk);
    int result;

    if (directory < 0)
        return -1;
    result = fchdir(directory);
    close(directory);
    return result < 0 ? fail("fchdir") : require_cwd_below_root();
}

/* 0, or -1 with ENOENT, EACCES … */
static int try_executable(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EACCES;
        return -1;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

/* The first directory of `path` that has an executable `name`; a file there that is not executable is remembered. */
static int search_path(struct launch *l, const char *name, const char *path)
{
    int error = ENOENT;

    for (;;) {
        size_t length = strcspn(path, ":");

        if (length + strlen(name) + 3 <= sizeof(l->executable)) {
            memcpy(l->executable, path, length);
            /* An empty entry means the working directory, as in any shell. */
            strcpy(l->executable + length, length > 0 ? "/" : "./");
            strcat(l->executable, name);
            if (try_executable(l->executable) == 0)
                return 0;
            if (errno == EACCES)
                error = EACCES;
        }
        if (path[length] == '\0')
            break;
        path += length + 1;
    }
    l->executable[0] = '\0';
    return fail_with("executable", error);
}

int op_find_executable(struct launch *l, const struct operation *op)
{
    const char *name = op->arg[0].text;

    if (*name == '\0')
        return fail_with("executable", ENOENT);
    if (strchr(name, '/') == NULL)
        return search_path(l, name, op->arg[1].text);
    if (strlen(name) >= sizeof(l->executable))
        return fail_with("executable", ENAMETOOLONG);
    if (try_executable(name) < 0)
        return fail("executable");
    strcpy(l->executable, name);
    return 0;
}

int op_umask(struct launch *l, const struct operation *op)
{
    (void)l;
    umask((mode_t)op->arg[0].number);
    return 0;
}
