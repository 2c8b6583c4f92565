/*
 * Stage "settings": namespaces joined from inside, names, limits, working directory, and the look for the executable.
 *
 * Knows: one system call each.
 * Does not know: kernel parameters and other files of procfs (proc.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

/* The root of a joined mount namespace is the container's, unless the plan brings or names another. */
int adopt_root(struct launch *l)
{
    if (plan_has(&l->plan, OP_CHROOT) || plan_has(&l->plan, OP_BIND_ROOT))
        return 0;
    close_fd(&l->root);
    l->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return l->root < 0 ? fail("open") : 0;
}

int op_join_namespace(struct launch *l, const struct operation *op)
{
    uint64_t slot = op->arg[0].number;
    int kind = (int)op->arg[1].number;
    uint64_t before;

    if (slot >= MAX_SLOTS || l->slots[slot] < 0)
        return fail_with("slot", EBADF);
    /* The launcher entered it before we were made. */
    if (kind == CLONE_NEWPID)
        return 0;
    before = now_ns();
    if (setns(l->slots[slot], kind) < 0)
        return fail("setns");
    if (kind == CLONE_NEWTIME)
        clock_moved(before);
    return kind == CLONE_NEWNS ? adopt_root(l) : 0;
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

int raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    if (fd < 0)
        return fail("socket");
    result = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return result < 0 ? fail("SIOCSIFFLAGS") : 0;
}

int op_loopback_up(struct launch *l, const struct operation *op)
{
    (void)l;
    (void)op;
    return loopback_was_raised() ? 0 : raise_loopback();
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
