/*
 * Stage "devices": device nodes, /dev links and the console.
 *
 * Knows: that nothing here may be reached through a symbolic link, because images own /dev until something covers it.
 * Does not know: which devices a container gets.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "launch.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

enum { FIRST_SLAVE_MAJOR = 136, LAST_SLAVE_MAJOR = 143 };

/* A node that the image brought is good enough only if it is the very device. */
static int accept_existing(int parent, const char *name, mode_t type, dev_t device)
{
    struct stat st;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail("fstatat");
    if ((st.st_mode & S_IFMT) != type || (type != S_IFIFO && st.st_rdev != device))
        return fail_with("mknodat", EEXIST);
    return 0;
}

static int make_node(int parent, const char *name, const struct operation *op)
{
    mode_t type = (mode_t)op->arg[1].number;
    dev_t device = makedev((unsigned)op->arg[2].number, (unsigned)op->arg[3].number);

    if (mknodat(parent, name, type | (mode_t)op->arg[4].number, device) < 0) {
        if (errno != EEXIST)
            return fail("mknodat");
        return accept_existing(parent, name, type, device);
    }
    if (fchownat(parent, name, (uid_t)op->arg[5].number, (gid_t)op->arg[6].number, AT_SYMLINK_NOFOLLOW) < 0)
        return fail("fchownat");
    return 0;
}

int op_device(struct launch *l, const struct operation *op)
{
    const char *name;
    int parent = open_parent(l->root, op->arg[0].text, true, &name);
    int result;

    if (parent < 0)
        return -1;
    result = make_node(parent, name, op);
    close(parent);
    return result;
}

int op_bind_device(struct launch *l, const struct operation *op)
{
    uint64_t slot = op->arg[1].number;
    int target, result;

    if (slot >= MAX_SLOTS || l->slots[slot] < 0)
        return fail_with("slot", EBADF);
    target = open_below(l->root, op->arg[0].text, WALK_MAKE_FILE);
    if (target < 0)
        return -1;
    result = move_tree(l->slots[slot], target);
    close(target);
    return result;
}

int op_symlink(struct launch *l, const struct operation *op)
{
    const char *name;
    int parent = open_parent(l->root, op->arg[0].text, true, &name);
    int result;

    if (parent < 0)
        return -1;
    result = symlinkat(op->arg[1].text, parent, name);
    close(parent);
    /* What the image has there stays: it is inside, and it is the image's own. */
    return result < 0 && errno != EEXIST ? fail("symlinkat") : 0;
}

/* The master of a new pty of the container's own devpts; whatever /dev/ptmx of the image is, is not looked at. */
static int open_master(const struct launch *l)
{
    int pts = open_below(l->root, "/dev/pts", 0);
    int master;

    if (pts < 0)
        return -1;
    if (!is_on(pts, DEVPTS_SUPER_MAGIC)) {
        close(pts);
        return fail_with("devpts", ENODEV);
    }
    master = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
    close(pts);
    if (master < 0)
        return fail("open ptmx");
    if (!is_device(master, 5, 2)) {
        close(master);
        return fail_with("ptmx", ENODEV);
    }
    return master;
}

static int open_slave(int master)
{
    int unlock = 0;
    int slave;
    struct stat st;

    if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
        return fail("TIOCSPTLCK");
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return fail("TIOCGPTPEER");
    if (fstat(slave, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) < FIRST_SLAVE_MAJOR || major(st.st_rdev) > LAST_SLAVE_MAJOR) {
        close(slave);
        return fail_with("pty slave", ENODEV);
    }
    return slave;
}

/* /dev/console is the very slave we hold, bound by descriptor; in a namespace that is not new it is left alone. */
static int bind_console(const struct launch *l, int slave)
{
    int target, tree, result;

    if (!l->root_attached)
        return 0;
    target = open_below(l->root, "/dev/console", WALK_MAKE_FILE);
    if (target < 0)
        return -1;
    tree = clone_tree(slave, false);
    result = tree < 0 ? -1 : move_tree(tree, target);
    if (tree >= 0)
        close(tree);
    close(target);
    return result;
}

static int take_terminal(int slave, const struct operation *op)
{
    struct winsize size = {.ws_row = (unsigned short)op->arg[0].number, .ws_col = (unsigned short)op->arg[1].number};

    if (size.ws_row != 0 && size.ws_col != 0 && ioctl(slave, TIOCSWINSZ, &size) < 0)
        return fail("TIOCSWINSZ");
    /* EPERM: newSession came before us, and we lead a session already. */
    if (setsid() < 0 && errno != EPERM)
        return fail("setsid");
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return fail("TIOCSCTTY");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(slave, fd) < 0)
            return fail("dup2");
    return 0;
}

int op_console(struct launch *l, const struct operation *op)
{
    int pair[2];
    int result = -1;

    pair[0] = open_master(l);
    if (pair[0] < 0)
        return -1;
    pair[1] = open_slave(pair[0]);
    if (pair[1] >= 0 && bind_console(l, pair[1]) == 0 && take_terminal(pair[1], op) == 0)
        result = sync_send_fds(l->sync, SYNC_TERMINAL, pair);
    if (pair[1] >= 0)
        close(pair[1]);
    close(pair[0]);
    return result;
}
