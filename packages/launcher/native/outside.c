/*
 * Stages "prepare" and "identity": what the launcher does itself, with the starter's rights and view of the host.
 *
 * Knows: host paths, and the child's files below /proc.
 * Does not know: anything inside the container.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

bool plan_has(const struct plan *plan, uint8_t code)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->operations[i].code == code)
            return true;
    return false;
}

/* What the plan asks of the mount tree first; the root becomes a slave only when the tree does. */
static uint64_t first_propagation(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->operations[i].code == OP_ROOT_PROPAGATION)
            return plan->operations[i].arg[0].number;
    return 0;
}

int op_open_root(struct launch *l, const struct operation *op)
{
    int directory = open(op->arg[0].text, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return fail("open");
    l->root_is_tree = plan_has(&l->plan, OP_BIND_ROOT);
    if (!l->root_is_tree) {
        l->root = directory;
        return 0;
    }
    l->root = clone_tree(directory, true);
    close(directory);
    if (l->root < 0)
        return -1;
    /* A clone is a peer of the mount it was made from: without this, the container's mounts would appear on the host. */
    return set_propagation(l->root, MS_REC | (first_propagation(&l->plan) & MS_SLAVE ? MS_SLAVE : MS_PRIVATE));
}

/* True when the bind of this slot asks to stay connected with the host's mounts. */
static bool stays_connected(const struct plan *plan, uint64_t slot)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct operation *op = &plan->operations[i];
        if (op->code == OP_BIND && op->arg[0].number == slot)
            return (op->arg[6].number & (MS_SHARED | MS_SLAVE)) != 0;
    }
    return false;
}

int take_slot(struct launch *l, uint64_t slot, int fd)
{
    if (slot >= MAX_SLOTS || l->slots[slot] >= 0) {
        close(fd);
        return fail_with("slot", EINVAL);
    }
    l->slots[slot] = fd;
    return 0;
}

int op_open_source(struct launch *l, const struct operation *op)
{
    uint64_t slot = op->arg[0].number;
    int source = open(op->arg[1].text, O_PATH | O_CLOEXEC);
    int tree;

    if (source < 0)
        return fail("open");
    tree = clone_tree(source, op->arg[2].number != 0);
    close(source);
    if (tree < 0)
        return -1;
    if (take_slot(l, slot, tree) < 0)
        return -1;
    return stays_connected(&l->plan, slot) ? 0 : set_propagation(tree, MS_REC | MS_PRIVATE);
}

static bool goes_through(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->operations[i].code == OP_CLONE)
            return plan->operations[i].arg[2].number > 0;
    return false;
}

int op_open_namespace(struct launch *l, const struct operation *op)
{
    int kind = (int)op->arg[1].number;
    int fd = open(op->arg[2].text, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail("open");
    if (take_slot(l, op->arg[0].number, fd) < 0)
        return -1;
    /* Only children enter a pid namespace, so the one to be made must find us there already; or a process in between. */
    if (kind == CLONE_NEWPID && !goes_through(&l->plan) && setns(fd, CLONE_NEWPID) < 0)
        return fail("setns");
    return 0;
}

static int write_child_file(pid_t pid, const char *name, const struct text *content)
{
    struct text path = {.length = 0};

    text_add(&path, "/proc/");
    text_add_number(&path, (uint64_t)pid);
    text_add(&path, name);
    return write_file(path.bytes, content);
}

static int write_id_map(pid_t pid, const char *name, const struct argument *map)
{
    struct text lines = {.length = 0};

    if (map->number == 0)
        return 0;
    for (uint64_t i = 0; i < map->number; i++) {
        text_add_number(&lines, map->idmap[i].inside);
        text_add(&lines, " ");
        text_add_number(&lines, map->idmap[i].outside);
        text_add(&lines, " ");
        text_add_number(&lines, map->idmap[i].size);
        text_add(&lines, "\n");
    }
    /* Cut off at the buffer's end, a map would still be a valid one, and a wrong one. */
    if (lines.length == sizeof(lines.bytes) - 1)
        return fail_with("id map", E2BIG);
    return write_child_file(pid, name, &lines) < 0 ? fail(name + 1) : 0;
}

static int write_id_maps(pid_t pid, const struct argument *uid, const struct argument *gid)
{
    return write_id_map(pid, "/uid_map", uid) < 0 || write_id_map(pid, "/gid_map", gid) < 0 ? -1 : 0;
}

int write_maps(pid_t pid, bool deny_setgroups, const struct argument *uid, const struct argument *gid)
{
    struct text deny = {.length = 0};

    text_add(&deny, "deny");
    if (deny_setgroups && write_child_file(pid, "/setgroups", &deny) < 0)
        return fail("setgroups");
    return write_id_maps(pid, uid, gid);
}

int op_idmap(struct launch *l, const struct operation *op)
{
    return write_maps(l->child, op->arg[2].number != 0, &op->arg[0], &op->arg[1]);
}

int op_join_cgroup(struct launch *l, const struct operation *op)
{
    struct text pid = {.length = 0};

    if (l->cradled)
        return 0;
    text_add_number(&pid, (uint64_t)l->child);
    for (char *const *file = op->arg[0].texts; *file != NULL; file++)
        if (write_file(*file, &pid) < 0)
            return fail("cgroup.procs");
    return 0;
}

int join_late(const struct launch *l, const char *directory)
{
    char path[PATH_MAX + 16];
    struct text pid = {.length = 0};

    strncpy(path, directory, PATH_MAX - 1);
    path[PATH_MAX - 1] = '\0';
    strcat(path, "/cgroup.procs");
    text_add_number(&pid, (uint64_t)l->child);
    return write_file(path, &pid) < 0 ? fail("cgroup.procs") : 0;
}

int op_oom_score(struct launch *l, const struct operation *op)
{
    int32_t value = (int32_t)(uint32_t)op->arg[0].number;
    struct text score = {.length = 0};

    text_add(&score, value < 0 ? "-" : "");
    text_add_number(&score, (uint64_t)(value < 0 ? -(int64_t)value : value));
    return write_child_file(l->child, "/oom_score_adj", &score) < 0 ? fail("oom_score_adj") : 0;
}

/* Field 22 of /proc/PID/stat. The name in field 2 may hold anything, so fields count from the last ')'. */
uint64_t start_time_of(pid_t pid)
{
    struct text path = {.length = 0};
    char stat[1024];
    const char *at;
    ssize_t length;
    int fd;

    text_add(&path, "/proc/");
    text_add_number(&path, (uint64_t)pid);
    text_add(&path, "/stat");
    fd = open(path.bytes, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    length = read(fd, stat, sizeof(stat) - 1);
    close(fd);
    stat[length > 0 ? length : 0] = '\0';
    at = strrchr(stat, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

/* Masks hide files under the starter's own null device: what the image has at /dev/null does not matter. */
int make_null_tree(struct launch *l)
{
    int null = open("/dev/null", O_PATH | O_CLOEXEC);

    if (null < 0)
        return fail("open /dev/null");
    if (!is_device(null, 1, 3)) {
        close(null);
        return fail_with("null device", ENODEV);
    }
    l->null_tree = clone_tree(null, false);
    close(null);
    if (l->null_tree < 0 || set_propagation(l->null_tree, MS_PRIVATE) < 0)
        return -1;
    return set_attributes(l->null_tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, false);
}

int prepare_masks(struct launch *l)
{
    return l->null_tree >= 0 || !plan_has(&l->plan, OP_MASK) ? 0 : make_null_tree(l);
}

/* A user namespace is its maps and nothing else here: the process that held it open is gone before this returns. */
static int make_user_namespace(const struct argument *uid, const struct argument *gid)
{
    struct text path = {.length = 0};
    int fd = -1;
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

    if (pid < 0)
        return fail("clone");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    if (write_id_maps(pid, uid, gid) == 0) {
        text_add(&path, "/proc/");
        text_add_number(&path, (uint64_t)pid);
        text_add(&path, "/ns/user");
        fd = open(path.bytes, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            fail("open");
    }
    int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    errno = error;
    return fd;
}

static int shift_ids(struct launch *l, const struct operation *op)
{
    uint64_t slot = op->arg[0].number;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP};
    int namespace, result;

    if (op->arg[7].number == 0 && op->arg[8].number == 0)
        return 0;
    if (slot >= MAX_SLOTS || l->slots[slot] < 0)
        return fail_with("slot", EBADF);
    namespace = make_user_namespace(&op->arg[7], &op->arg[8]);
    if (namespace < 0)
        return -1;
    attributes.userns_fd = (uint64_t)namespace;
    result = mount_setattr(l->slots[slot], "", AT_EMPTY_PATH | (op->arg[9].number != 0 ? AT_RECURSIVE : 0), &attributes, sizeof(attributes));
    close(namespace);
    return result < 0 ? fail("mount_setattr") : 0;
}

static int prepare_source(struct launch *l, const struct operation *op, bool staged)
{
    uint64_t slot = op->arg[0].number;

    if (shift_ids(l, op) < 0)
        return -1;
    /* Locked by the staging, so they must hold before it. */
    if (staged && slot < MAX_SLOTS && l->slots[slot] >= 0)
        return set_asked_attributes(l->slots[slot], &op->arg[2]);
    return 0;
}

/*
 * Attaches id maps to bind sources while they are detached, which is the only time the kernel allows it, and here, because
 * it asks for rights over the file system that a child in a user namespace of its own does not have.
 */
int prepare_sources(struct launch *l, uint32_t *at)
{
    bool staged = needs_staging(&l->plan);

    for (uint32_t i = 0; i < l->plan.count; i++) {
        const struct operation *op = &l->plan.operations[i];

        if (op->code != OP_BIND || prepare_source(l, op, staged) == 0)
            continue;
        *at = i;
        return -1;
    }
    return 0;
}
