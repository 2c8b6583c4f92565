/*
 * For a child in a user namespace of its own, or one that it joins: its sources reach it with their flags locked.
 *
 * A mount that is handed over by descriptor can be remounted by whoever is root in the namespace that takes it: "read-only"
 * would last until somebody says otherwise. The kernel locks the flags of mounts (and those of the host's own nosuid, nodev …)
 * only when a mount namespace is copied for a new user namespace. So the launcher enters a mount namespace in between, puts
 * the trees there over its /dev, which nobody needs by then, lets the clone copy them, and returns. (Not over "/": the kernel
 * makes no user namespace for a process whose root directory is covered. Not over /proc or /sys: a covered one may not be
 * mounted anew.) A hook of the container's namespaces is the one who needs /dev: for it, the usual devices are put there too.
 *
 * Knows: where sources wait between launcher and child.
 * Does not know: where the sources go in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

#define STAGING "/dev"

static struct {
    int namespace, root; /* where to return to; -1: nothing is staged */
} home = {-1, -1};

bool needs_staging(const struct plan *plan)
{
    const uint64_t both = CLONE_NEWUSER | CLONE_NEWNS;

    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->operations[i].code == OP_CLONE)
            return (plan->operations[i].arg[0].number & both) == both ||
                   (plan->operations[i].arg[2].number > 0 && (plan->operations[i].arg[0].number & CLONE_NEWNS) != 0);
    return false;
}

/* Mounts `tree` on a new entry of the staging directory, of its own kind. */
static int put(int staging, const char *name, int tree)
{
    int made = is_directory(tree) ? mkdirat(staging, name, 0755) : mknodat(staging, name, S_IFREG | 0644, 0);
    int target = made < 0 ? -1 : openat(staging, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    int result;

    if (target < 0)
        return fail("staging");
    result = move_tree(tree, target);
    close(target);
    return result;
}

/* Calls `visit` for the root and for each bind source. */
static int for_each_tree(struct launch *l, int staging, int (*visit)(int staging, const char *name, int *tree))
{
    if (l->root_is_tree && visit(staging, "root", &l->root) < 0)
        return -1;
    for (uint32_t i = 0; i < l->plan.count; i++) {
        const struct operation *op = &l->plan.operations[i];
        struct text name = {.length = 0};

        if (op->code != OP_OPEN_SOURCE || l->slots[op->arg[0].number] < 0)
            continue;
        text_add_number(&name, op->arg[0].number);
        if (visit(staging, name.bytes, &l->slots[op->arg[0].number]) < 0)
            return -1;
    }
    return 0;
}

static int visit_put(int staging, const char *name, int *tree)
{
    return put(staging, name, *tree);
}

/* Devices without which hardly any program of the host works. Copied before the staging covers them. */
static const char *const DEVICES[] = {"null", "zero", "full", "random", "urandom", "tty"};
enum { DEVICE_COUNT = sizeof(DEVICES) / sizeof(*DEVICES) };

static int copy_devices(int trees[DEVICE_COUNT])
{
    int directory = open(STAGING, O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (int i = 0; i < DEVICE_COUNT; i++) {
        int device = openat(directory, DEVICES[i], O_PATH | O_CLOEXEC);

        trees[i] = device < 0 ? -1 : clone_tree(device, false);
        close_fd(&device);
    }
    close_fd(&directory);
    return trees[0] < 0 ? fail("staging") : 0;
}

static int put_devices(int staging, int trees[DEVICE_COUNT])
{
    int result = 0;

    for (int i = 0; i < DEVICE_COUNT; i++) {
        if (result == 0 && trees[i] >= 0)
            result = put(staging, DEVICES[i], trees[i]);
        close_fd(&trees[i]);
    }
    return result;
}

static int enter_between(void)
{
    home.namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    home.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (home.namespace < 0 || home.root < 0)
        return fail("open");
    if (unshare(CLONE_NEWNS) < 0)
        return fail("unshare");
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? fail("mount") : 0;
}

/* In the launcher, before the clone. */
int stage_trees(struct launch *l)
{
    static char *const options[] = {"mode=755", NULL};
    bool hooks = plan_has(&l->plan, OP_CONTAINER_HOOK);
    int devices[DEVICE_COUNT];
    int staging, result = -1;

    if (enter_between() < 0 || (hooks && copy_devices(devices) < 0))
        return -1;
    staging = new_filesystem("tmpfs", "staging", options, 0);
    if (staging < 0)
        return -1;
    if (move_mount(staging, "", AT_FDCWD, STAGING, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        fail("move_mount");
    else
        result = for_each_tree(l, staging, visit_put);
    if (hooks && result == 0)
        result = put_devices(staging, devices);
    close(staging);
    return result;
}

/* In the launcher, after the clone: back to the starter's mounts, so that a shim holds no others. */
int leave_staging(void)
{
    int result = 0;

    if (home.namespace >= 0 && (setns(home.namespace, CLONE_NEWNS) < 0 || fchdir(home.root) < 0 || chroot(".") < 0))
        result = fail("setns");
    close_fd(&home.namespace);
    close_fd(&home.root);
    return result;
}

/* Exchanges a descriptor of the launcher's namespace for a detached copy of the same mount in ours, flags locked. */
static int visit_take(int staging, const char *name, int *tree)
{
    int staged = openat(staging, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);

    if (staged < 0)
        return fail("staging");
    close(*tree);
    *tree = clone_tree(staged, true);
    close(staged);
    return *tree < 0 ? -1 : 0;
}

/* In the child, before its first operation. */
int take_staged_trees(struct launch *l)
{
    int staging, result;

    close_fd(&home.namespace);
    close_fd(&home.root);
    staging = open(STAGING, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (staging < 0)
        return fail("staging");
    result = for_each_tree(l, staging, visit_take);
    close(staging);
    return result;
}
