/*
 * Stage "root": the container's directory becomes the root directory, and parts of it are hidden or made read-only.
 *
 * Knows: pivot_root and masks.
 * Does not know: which paths deserve a mask.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

int op_root_propagation(struct launch *l, const struct operation *op)
{
    (void)l;
    return mount(NULL, "/", NULL, (unsigned long)op->arg[0].number, NULL) < 0 ? fail("mount") : 0;
}

static int attach_root(const struct launch *l, int tree, const char *host_path)
{
    int target, result;

    /* With "/" shared, the attachment would propagate and cover the root directory of the host. */
    if (plan_has(&l->plan, OP_ROOT_PROPAGATION) && mount(NULL, "/", NULL, MS_PRIVATE, NULL) < 0)
        return fail("mount");
    if (*host_path == '\0')
        return move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ? fail("move_mount") : 0;
    target = open(host_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target < 0)
        return fail("open");
    result = move_tree(tree, target);
    close(target);
    return result;
}

/*
 * A failed launch: a mount namespace that the child had joined lives on, so what was attached there is taken away again. In a
 * process of its own, because nobody comes back from there by the same path.
 */
void detach_joined_root(const struct launch *l)
{
    const struct operation *join = NULL, *attach = NULL;
    pid_t pid;

    for (uint32_t i = 0; i < l->plan.count; i++) {
        const struct operation *op = &l->plan.operations[i];
        if (op->code == OP_OPEN_NAMESPACE && op->arg[1].number == CLONE_NEWNS)
            join = op;
        if (op->code == OP_BIND_ROOT)
            attach = op;
    }
    if (join == NULL || attach == NULL || atomic_load(&l->board->root_mount) == 0)
        return;
    pid = fork();
    if (pid == 0) {
        int fd = setns(l->slots[join->arg[0].number], CLONE_NEWNS) < 0 ? -1 : open(attach->arg[0].text, O_PATH | O_CLOEXEC);
        if (fd >= 0 && mount_id(fd) == atomic_load(&l->board->root_mount))
            umount2(attach->arg[0].text, MNT_DETACH);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/*
 * Attaches the root's own mount over "/" of the new mount namespace. Names still resolve from the old root below it, so
 * nothing changes for us; but our descriptor now stands for a mount of this namespace, and no host path was looked up.
 * Where hooks will look for it at its path, it goes there instead: in this namespace, so the host's own tree is not touched.
 */
int op_bind_root(struct launch *l, const struct operation *op)
{
    if (!l->root_is_tree || l->root_attached)
        return fail_with("openRoot", EINVAL);
    if (attach_root(l, l->root, op->arg[0].text) < 0)
        return -1;
    atomic_store(&l->board->root_mount, mount_id(l->root));
    l->root_attached = true;
    l->root_at_path = op->arg[0].text[0] != '\0';
    return 0;
}

/*
 * A file system made for this container alone becomes its root, attached as a bound one is: the host never sees the mount,
 * and it goes with the last process.
 */
int mount_root(struct launch *l, const struct operation *op)
{
    int tree = root_made_ahead(op);

    if (l->root_attached && !l->root_at_path)
        return fail_with("destination", EINVAL);
    if (tree < 0)
        tree = filesystem_of(op);
    if (tree < 0)
        return -1;
    /* Over a directory that bindRoot has put where hooks look for it; else over "/". */
    if ((l->root_attached ? move_tree(tree, l->root) : attach_root(l, tree, "")) < 0) {
        close(tree);
        return -1;
    }
    close(l->root);
    l->root = tree;
    l->root_attached = true;
    l->root_at_path = false;
    return 0;
}

int pivot_into(int root)
{
    int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (old < 0)
        return fail("open");
    if (fchdir(root) < 0)
        return fail("fchdir");
    /* With the same directory twice the old root ends up on top of the new one; see NOTES in pivot_root(2). */
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return fail("pivot_root");
    if (fchdir(old) < 0)
        return fail("fchdir");
    close(old);
    /* The unmount below must not travel to the host. */
    if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return fail("mount");
    if (umount2(".", MNT_DETACH) < 0)
        return fail("umount2");
    return chdir("/") < 0 ? fail("chdir") : 0;
}

int op_pivot_root(struct launch *l, const struct operation *op)
{
    (void)op;
    return pivot_into(l->root);
}

int op_chroot(struct launch *l, const struct operation *op)
{
    (void)op;
    if (fchdir(l->root) < 0)
        return fail("fchdir");
    if (chroot(".") < 0)
        return fail("chroot");
    return chdir("/") < 0 ? fail("chdir") : 0;
}

int op_readonly_root(struct launch *l, const struct operation *op)
{
    (void)op;
    return set_attributes(l->root, MOUNT_ATTR_RDONLY, 0, false);
}

/* The first mask takes the prepared mount, later ones a copy of it: by then it is in our namespace and can be copied. */
static int cover(int tree, bool *used, int target)
{
    int copy, result;

    if (!*used) {
        *used = true;
        return move_tree(tree, target);
    }
    copy = clone_tree(tree, false);
    if (copy < 0)
        return -1;
    result = move_tree(copy, target);
    close(copy);
    return result;
}

int new_empty_directory(void)
{
    static char *const options[] = {"nr_inodes=1", "mode=555", NULL};

    return new_filesystem("tmpfs", "tmpfs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int cover_directory(struct launch *l, int target)
{
    if (l->empty_tree < 0)
        l->empty_tree = new_empty_directory();
    return l->empty_tree < 0 ? -1 : cover(l->empty_tree, &l->empty_used, target);
}

/* A path that is not there needs no hiding. */
static int open_if_there(const struct launch *l, const char *path)
{
    int target = open_below(l->root, path, 0);

    if (target < 0 && (errno == ENOENT || errno == ENOTDIR))
        errno = 0;
    return target;
}

int op_mask(struct launch *l, const struct operation *op)
{
    int target = open_if_there(l, op->arg[0].text);
    int result;

    if (target < 0)
        return errno == 0 ? 0 : -1;
    if (is_directory(target))
        result = cover_directory(l, target);
    else if (!is_device(l->null_tree, 1, 3))
        result = fail_with("null device", ENODEV);
    else
        result = cover(l->null_tree, &l->null_used, target);
    close(target);
    return result;
}

int op_readonly_path(struct launch *l, const struct operation *op)
{
    int target = open_if_there(l, op->arg[0].text);
    int tree, result = -1;

    if (target < 0)
        return errno == 0 ? 0 : -1;
    /* What is a mount already becomes read-only in place: the same once more on top would only lengthen the table. */
    if (is_mount_root(target)) {
        result = set_attributes(target, MOUNT_ATTR_RDONLY, 0, true);
        close(target);
        return result;
    }
    tree = clone_tree(target, true);
    if (tree >= 0 && set_attributes(tree, MOUNT_ATTR_RDONLY, 0, true) == 0)
        result = move_tree(tree, target);
    if (tree >= 0)
        close(tree);
    close(target);
    return result;
}
