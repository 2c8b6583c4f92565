/*
 * The rehearsal: what a cradle does of a container's birth before anybody has asked for the container.
 *
 * Namespaces, the kernel's own file systems and what lies in them need nothing of the container they are for, and are the larger
 * part of what a birth takes. So a cradle goes through a plan like the one to come (the last one that was born here), as far as
 * that goes: it enters new namespaces of the kinds that the plan's clone makes, lets go of the host's mounts, and performs
 * what it can on a stage (stage.c). When the plan has come and asks for just these namespaces, its child is born there. Where
 * it asks for others, or needs the host's files from inside, the cradle returns home first, and all is as if nothing had
 * been rehearsed.
 *
 * Knows: namespaces, the way there and the way home; which plans can do without the host's files.
 * Does not know: the operations that are performed on the stage; the groups a cradle stands in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"

static struct {
    const struct plan *plan; /* NULL: there is none */
    bool entered;            /* the cradle has left home */
    bool complete;           /* ... and is where a child may be born */
    bool loopback;           /* its loopback interface is up */
    bool suits;              /* the plan that has come asks for that */
    int launcher, root;      /* where to return to */
    uint64_t start_ns, end_ns;
} rehearsal = {.launcher = -1, .root = -1};

/* Made by the launcher for a child in what was rehearsed. */
static struct {
    const struct operation *op;
    int mount;
    uint64_t start_ns, end_ns;
} root_made = {.mount = -1};

void rehearsal_of(const struct plan *plan)
{
    rehearsal.plan = plan;
}

static bool at_root(const struct operation *op)
{
    return op->code == OP_MOUNT && strcmp(op->arg[0].text, "/") == 0;
}

/* Made from nothing but options and namespaces: no path of the host is looked up. */
static bool is_of_the_kernel(const struct operation *op)
{
    static const char *const types[] = {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"};

    for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(op->arg[1].text, types[i]) == 0)
            return !needs_mount2(op);
    return false;
}

/* Of one operation: nothing that joins what others have made, looks at the host's files from inside, or is looked at. */
static bool keeps_to_itself(const struct operation *op)
{
    const uint64_t kinds = CLONE_NEWUSER | CLONE_NEWNS;

    if (op->breakpoint)
        return false;
    switch (op->code) {
    case OP_OPEN_NAMESPACE:
    case OP_JOIN_NAMESPACE:
    case OP_ENTER_USER_NAMESPACE:
    case OP_RUNTIME_HOOK:
    case OP_CONTAINER_HOOK:
    case OP_CHROOT:
        return false;
    case OP_CLONE:
        return op->arg[2].number == 0 && (op->arg[0].number & kinds) == CLONE_NEWNS;
    case OP_BIND_ROOT:
        return *op->arg[0].text == '\0';
    case OP_MOUNT:
        return at_root(op) || is_of_the_kernel(op);
    default:
        return true;
    }
}

static bool can_be_rehearsed(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (!keeps_to_itself(&plan->operations[i]))
            return false;
    return plan_has(plan, OP_PIVOT_ROOT);
}

/* All CLONE_NEW… of the operations with this opcode. */
static uint64_t namespaces_of(const struct plan *plan, uint8_t code)
{
    uint64_t kinds = 0;

    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->operations[i].code == code)
            kinds |= plan->operations[i].arg[0].number;
    return kinds;
}

static bool same_namespaces(const struct plan *plan, const struct plan *other)
{
    return namespaces_of(plan, OP_CLONE) == namespaces_of(other, OP_CLONE) && namespaces_of(plan, OP_UNSHARE) == namespaces_of(other, OP_UNSHARE) &&
           plan_has(plan, OP_LOOPBACK_UP) == plan_has(other, OP_LOOPBACK_UP);
}

/* The pid namespace is left to the clone: nobody but its first process may be in it. */
static uint64_t to_enter(void)
{
    return (namespaces_of(rehearsal.plan, OP_CLONE) | namespaces_of(rehearsal.plan, OP_UNSHARE)) & ~(uint64_t)CLONE_NEWPID;
}

/* A directory for a root that nothing of the host is in: what the host unmounts from now on must not live on in here. */
static int take_the_stage(void)
{
    static char *const options[] = {"mode=755", NULL};
    int stage = new_filesystem("tmpfs", "rehearsal", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

    if (stage < 0)
        return -1;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        move_mount(stage, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0 && pivot_into(stage) == 0)
        return stage;
    close(stage);
    return -1;
}

void rehearse(struct launch *l)
{
    int stage;

    if (rehearsal.plan == NULL || !can_be_rehearsed(rehearsal.plan))
        return;
    rehearsal.launcher = pidfd_open(getppid(), 0);
    rehearsal.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rehearsal.launcher < 0 || rehearsal.root < 0)
        return;
    rehearsal.start_ns = now_ns();
    if (unshare((int)to_enter()) < 0)
        return;
    rehearsal.entered = true;
    rehearsal.loopback = (to_enter() & CLONE_NEWNET) != 0 && plan_has(rehearsal.plan, OP_LOOPBACK_UP) && raise_loopback() == 0;
    rehearsal.end_ns = now_ns();
    /* While the host's files are in sight: most plans need one each. */
    l->proc = open_trusted_proc();
    l->empty_tree = new_empty_directory();
    if (make_null_tree(l) < 0)
        close_fd(&l->null_tree);
    stage = take_the_stage();
    if (stage < 0)
        return;
    stage_perform(l, rehearsal.plan, stage);
    close(stage);
    rehearsal.complete = true;
}

/* The container's own file system looks for its layers by paths of the host, which the child will not see. */
static int make_root(const struct plan *plan, uint32_t *at)
{
    for (uint32_t i = 0; i < plan->count && root_made.op == NULL; i++) {
        const struct operation *op = &plan->operations[i];

        if (!at_root(op))
            continue;
        root_made.op = op;
        root_made.start_ns = now_ns();
        root_made.mount = filesystem_of(op);
        root_made.end_ns = now_ns();
        if (root_made.mount < 0) {
            *at = i;
            return -1;
        }
    }
    return 0;
}

int rehearsal_compare(struct launch *l, uint32_t *at)
{
    rehearsal.suits = rehearsal.complete && can_be_rehearsed(&l->plan) && same_namespaces(&l->plan, rehearsal.plan);
    if (!rehearsal.suits) {
        close_fd(&l->proc);
        return 0;
    }
    stage_compare(&l->plan);
    return make_root(&l->plan, at);
}

bool rehearsal_suits(void)
{
    return rehearsal.suits;
}

void rehearsal_was_of_use(void)
{
    if (rehearsal.suits)
        made_ahead(rehearsal.start_ns, rehearsal.end_ns);
}

void rehearsal_was_in_vain(struct launch *l)
{
    rehearsal.suits = false;
    stage_refuse();
    close_fd(&l->proc);
}

int rehearsal_settle(uint64_t *namespaces)
{
    if (!rehearsal.entered)
        return 0;
    if (rehearsal.suits) {
        *namespaces &= ~to_enter();
        return 0;
    }
    if (setns(rehearsal.launcher, (int)to_enter()) < 0 || fchdir(rehearsal.root) < 0 || chroot(".") < 0)
        return fail("setns");
    return 0;
}

int root_made_ahead(const struct operation *op)
{
    if (op != root_made.op)
        return -1;
    made_ahead(root_made.start_ns, root_made.end_ns);
    return root_made.mount;
}

bool loopback_was_raised(void)
{
    if (!rehearsal.suits || !rehearsal.loopback)
        return false;
    made_ahead(rehearsal.start_ns, rehearsal.end_ns);
    return true;
}

void rehearsal_forget(void)
{
    close_fd(&rehearsal.launcher);
    close_fd(&rehearsal.root);
}

void rehearsal_end(void)
{
    rehearsal_forget();
    close_fd(&root_made.mount);
    stage_end();
}
