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

int set_asked_attributes(int tree, const struct argument asked[4])
{
    if (set_attributes(tree, asked[2].number, asked[3].number, true) < 0)
        return -1;
    return set_attributes(tree, asked[0].number, asked[1].number, false);
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

int filesystem_of(const struct operation *op)
{
    /* Elsewhere than at the root something may have to be copied into it first. */
    uint64_t later = strcmp(op->arg[0].text, "/") == 0 ? 0 : MOUNT_ATTR_RDONLY;

    return new_filesystem(op->arg[1].text, op->arg[2].text, op->arg[8].texts, op->arg[3].number & ~later);
}

/* Only what the configuration itself puts at /proc/… may cover a part of procfs; a link in the image may not lead there. */
static int refuse_hidden_procfs(int target, const char *destination)
{
    if (!lies_in(destination, "/proc") && is_on(target, PROC_SUPER_MAGIC))
        return fail_with("procfs in the way", EPERM);
    return 0;
}

/*
 * Nor into the file system at /dev: device nodes would be made in somebody's directory then. What stands on a mount of its own below
 * it, as /dev/shm does, is as good a place as any.
 */
static int refuse_hidden_devices(const struct launch *l, int target, const char *destination)
{
    uint64_t in = mount_id(target);
    bool hidden;
    int dev;

    if (lies_in(destination, "/dev") || in == mount_id(l->root))
        return 0;
    dev = open_below(l->root, "/dev", 0);
    hidden = dev >= 0 && mount_id(dev) == in;
    if (dev >= 0)
        close(dev);
    return hidden ? fail_with("devices in the way", EPERM) : 0;
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
    if (refuse_hidden_procfs(target, destination) < 0 || refuse_hidden_devices(l, target, destination) < 0) {
        close(target);
        return -1;
    }
    return target;
}

#define IVERSION "iversion"

/* What fsconfig has no word for, or no room. */
bool needs_mount2(const struct operation *op)
{
    for (char *const *data = op->arg[8].texts; *data != NULL; data++)
        if (strlen(*data) > MAX_FSCONFIG_VALUE || strcmp(*data, IVERSION) == 0)
            return true;
    return false;
}

/* Joins the options for mount(2); those that are flags there are returned as such, -1 when there are too many. */
static long join_options(char *const *data, char *options, size_t size)
{
    size_t length = 0;
    long flags = 0;

    options[0] = '\0';
    for (; *data != NULL; data++) {
        size_t more = strlen(*data);
        if (strcmp(*data, IVERSION) == 0) {
            flags |= MS_I_VERSION;
            continue;
        }
        if (length + more + 2 > size)
            return fail_with("mount", E2BIG);
        if (length > 0)
            options[length++] = ',';
        memcpy(options + length, *data, more + 1);
        length += more;
    }
    return flags;
}

/* mount(2) on the descriptor of the target; then, on what is there now, what mount(2) has no flags for. */
static int mount_old_way(struct launch *l, const struct operation *op, int target, unsigned walk)
{
    static char options[16384];
    struct text path = {.length = 0};
    long flags = join_options(op->arg[8].texts, options, sizeof(options));
    unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC; /* until the attributes that are asked for are set */
    uint64_t unasked = ~op->arg[3].number & (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    int mounted, result = -1;

    if (flags < 0)
        return -1;
    text_add(&path, "/proc/self/fd/");
    text_add_number(&path, (uint64_t)target);
    if (mount(op->arg[2].text, path.bytes, op->arg[1].text, (unsigned long)flags | safe, options) < 0)
        return fail("mount");
    mounted = open_below(l->root, op->arg[0].text, walk);
    if (mounted < 0)
        return -1;
    if (!is_mount_root(mounted))
        fail_with("mount", EAGAIN); /* somebody exchanged the place */
    else if (set_attributes(mounted, op->arg[3].number, op->arg[4].number | unasked, false) == 0)
        result = set_propagation(mounted, op->arg[6].number);
    close(mounted);
    return result;
}

static int mount_new_way(const struct operation *op, int target)
{
    int mount = filesystem_of(op);
    int result = -1;

    if (mount < 0)
        return -1;
    if ((op->arg[5].number == 0 || copy_up(target, mount) == 0) &&
        set_attributes(mount, op->arg[3].number & MOUNT_ATTR_RDONLY, 0, false) == 0 && set_propagation(mount, op->arg[6].number) == 0)
        result = move_tree(mount, target);
    close(mount);
    return result;
}

/* A mount that stood on a stage, with all that is in it. What was made in there took the way to it to be free of links. */
static int move_from_stage(const struct launch *l, const struct operation *op, int tree)
{
    int target = open_target(l, op->arg[0].text, WALK_MAKE_DIRECTORY);
    int result = target < 0 ? -1 : move_tree(tree, target);

    close_fd(&target);
    if (result < 0)
        refuse_tree(l, op);
    else
        close(tree);
    return result;
}

int op_mount(struct launch *l, const struct operation *op)
{
    const char *destination = op->arg[0].text;
    unsigned walk = op->arg[7].number != 0 ? 0 : WALK_FOLLOW;
    int tree = tree_on_stage(l, op);
    int target, result;

    if (strcmp(destination, "/") == 0)
        return mount_root(l, op);
    if (tree >= 0 && move_from_stage(l, op, tree) == 0)
        return 0;
    target = open_target(l, destination, WALK_MAKE_DIRECTORY | walk);
    if (target < 0)
        return -1;
    if (!needs_mount2(op))
        result = mount_new_way(op, target);
    else if (op->arg[5].number != 0)
        result = fail_with("copy up", EINVAL);
    else
        result = mount_old_way(l, op, target, walk);
    close(target);
    return result;
}

/* Options of the file system itself, which whoever else has it mounted feels too. */
static int reconfigure(int target, char *const *data)
{
    int context = fspick(target, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
    int result = 0;

    if (context < 0)
        return fail("fspick");
    for (; result == 0 && *data != NULL; data++)
        if (configure(context, *data) < 0)
            result = fail("fsconfig");
    if (result == 0 && fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
        result = fail("fsconfig reconfigure");
    int error = errno;
    close(context);
    errno = error;
    return result;
}

int op_remount(struct launch *l, const struct operation *op)
{
    int target = open_below(l->root, op->arg[0].text, 0);
    int result = -1;

    if (target < 0)
        return -1;
    if (!is_mount_root(target))
        fail_with("no mount to change", EINVAL);
    else if (*op->arg[5].texts == NULL || reconfigure(target, op->arg[5].texts) == 0)
        result = set_asked_attributes(target, &op->arg[1]);
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
    if (set_asked_attributes(tree, &op->arg[2]) < 0)
        return -1;
    if (set_propagation(tree, op->arg[6].number) < 0)
        return -1;
    target = open_target(l, op->arg[1].text, WALK_FOLLOW | (is_directory(tree) ? WALK_MAKE_DIRECTORY : WALK_MAKE_FILE));
    if (target < 0)
        return -1;
    result = move_tree(tree, target);
    close(target);
    return result;
}
