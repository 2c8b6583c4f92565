/*
 * Stage "mounts": file systems and binds, moved by descriptor to places below the container's root.
 *
 * Knows: the kernel's mount API (open_tree, fsopen, mount_setattr, move_mount).
 * Does not know: which mounts a container should have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

/* Longest value that fsconfig takes; overlay's lowerdir may be longer, and then only mount(2) helps. */
enum { MAX_FSCONFIG_VALUE = 255 };

int clone_tree(int fd, bool recursive)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    int tree = open_tree(fd, "", flags);

    return tree >= 0 ? tree : fail("open_tree");
}

int move_tree(int tree, int target)
{
    return move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? fail("move_mount") : 0;
}

int set_attributes(int tree, uint64_t set, uint64_t clear, bool recursive)
{
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear};

    if (set == 0 && clear == 0)
        return 0;
    return mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, sizeof(attributes)) < 0
               ? fail("mount_setattr")
               : 0;
}

/* `propagation` is MS_PRIVATE, MS_SLAVE …, with MS_REC for the whole tree; 0 leaves it alone. */
int set_propagation(int tree, uint64_t propagation)
{
    struct mount_attr attributes = {.propagation = propagation & ~(uint64_t)MS_REC};

    if (propagation == 0)
        return 0;
    return mount_setattr(tree, "", AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0), &attributes, sizeof(attributes)) < 0
               ? fail("mount_setattr")
               : 0;
}

/* `key=value` or a bare flag. */
static int configure(int context, const char *option)
{
    size_t length = strcspn(option, "=");
    char key[64];

    if (option[length] == '\0')
        return fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0);
    if (length >= sizeof(key))
        return fail_with("fsconfig", EINVAL);
    memcpy(key, option, length);
    key[length] = '\0';
    return fsconfig(context, FSCONFIG_SET_STRING, key, option + length + 1, 0);
}

static int configure_all(int context, const char *source, char *const *data)
{
    if (*source != '\0' && fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0) < 0)
        return fail("fsconfig source");
    for (; *data != NULL; data++)
        if (configure(context, *data) < 0)
            return fail("fsconfig");
    return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? fail("fsconfig create") : 0;
}

/* A detached mount of a new (or, for the kernel's own, the existing) file system. */
int new_filesystem(const char *type, const char *source, char *const *data, uint64_t attributes)
{
    int context = fsopen(type, FSOPEN_CLOEXEC);
    int mount = -1, error;

    if (context < 0)
        return fail("fsopen");
    if (configure_all(context, source, data) == 0) {
        mount = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes);
        if (mount < 0)
            fail("fsmount");
    }
    error = errno;
    close(context);
    errno = error;
    return mount;
}

/* Only what the configuration itself puts at /proc/… may cover a part of procfs; a link in the image may not lead there. */
static int refuse_hidden_procfs(int target, const char *destination)
{
    bool meant = strncmp(destination, "/proc", 5) == 0 && (destination[5] == '/' || destination[5] == '\0');

    if (!meant && is_on(target, PROC_SUPER_MAGIC))
        return fail_with("procfs in the way", EPERM);
    return 0;
}

/* Where to mount: made when missing, never the root itself (the new mount would hide it from our descriptor). */
static int open_target(const struct launch *l, const char *destination, unsigned walk)
{
    int target;

    if (destination[strspn(destination, "/")] == '\0')
        return fail_with("destination", EINVAL);
    target = open_below(l->root, destination, walk);
    if (target < 0)
        return -1;
    if (refuse_hidden_procfs(target, destination) < 0) {
        close(target);
        return -1;
    }
    return target;
}

static bool too_long_for_fsconfig(char *const *data)
{
    for (; *data != NULL; data++)
        if (strlen(*data) > MAX_FSCONFIG_VALUE)
            return true;
    return false;
}

static unsigned long old_flags(uint64_t attributes)
{
    return (attributes & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0) | (attributes & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0) |
           (attributes & MOUNT_ATTR_NODEV ? MS_NODEV : 0) | (attributes & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0);
}

/* mount(2) on the descriptor of the target, for options that fsconfig does not take. */
static int mount_old_way(const struct operation *op, int target)
{
    static char options[16384];
    struct text path = {.length = 0};
    size_t length = 0;

    for (char *const *option = op->arg[8].texts; *option != NULL; option++) {
        size_t more = strlen(*option);
        if (length + more + 2 > sizeof(options))
            return fail_with("mount", E2BIG);
        if (length > 0)
            options[length++] = ',';
        memcpy(options + length, *option, more + 1);
        length += more;
    }
    text_add(&path, "/proc/self/fd/");
    text_add_number(&path, (uint64_t)target);
    return mount(op->arg[2].text, path.bytes, op->arg[1].text, old_flags(op->arg[3].number), options) < 0 ? fail("mount") : 0;
}

static int mount_new_way(const struct operation *op, int target)
{
    int mount = new_filesystem(op->arg[1].text, op->arg[2].text, op->arg[8].texts, op->arg[3].number);
    int result;

    if (mount < 0)
        return -1;
    result = set_propagation(mount, op->arg[6].number) < 0 ? -1 : move_tree(mount, target);
    close(mount);
    return result;
}

int op_mount(struct launch *l, const struct operation *op)
{
    const char *destination = op->arg[0].text;
    bool linkless = op->arg[7].number != 0;
    int target, result;

    if (strcmp(destination, "/") == 0)
        return mount_root(l, op);
    target = open_target(l, destination, WALK_MAKE_DIRECTORY | (linkless ? 0 : WALK_FOLLOW));
    if (target < 0)
        return -1;
    result = too_long_for_fsconfig(op->arg[8].texts) ? mount_old_way(op, target) : mount_new_way(op, target);
    close(target);
    return result;
}

int op_bind(struct launch *l, const struct operation *op)
{
    uint64_t slot = op->arg[0].number;
    int tree = slot < MAX_SLOTS ? l->slots[slot] : -1;
    int target, result;

    if (tree < 0)
        return fail_with("slot", EBADF);
    /* Before it is moved: no moment at which a read-only bind can be written to. */
    if (set_attributes(tree, op->arg[2].number, op->arg[3].number, op->arg[4].number != 0) < 0)
        return -1;
    if (set_propagation(tree, op->arg[5].number) < 0)
        return -1;
    target = open_target(l, op->arg[1].text, WALK_FOLLOW | (is_directory(tree) ? WALK_MAKE_DIRECTORY : WALK_MAKE_FILE));
    if (target < 0)
        return -1;
    result = move_tree(tree, target);
    close(target);
    return result;
}
