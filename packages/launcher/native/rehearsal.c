/*
 * The rehearsal: what a cradle makes for a container before anybody has asked for it.
 *
 * Namespaces and the kernel's own file systems need nothing of the container they are for, and are the larger part of what a
 * birth takes. So a cradle goes through a plan like the one to come (the last one that was born here), as far as that goes: it
 * enters new namespaces of the kinds that the plan's clone makes, lets go of the host's mounts in there, and makes the file
 * systems, attached nowhere. When the plan has come and asks for just these namespaces, its child is born in them, and each
 * `mount` takes a file system that is what it asks for. Where it asks for other namespaces, or needs the host's files from
 * inside, the cradle returns home first, and all is as if nothing had been rehearsed.
 *
 * Knows: which part of a plan needs nothing but its namespaces.
 * Does not know: the groups a cradle stands in; where anything is attached.
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

enum { MAX_MADE = 32 };

struct made {
    const struct operation *op; /* what asked for it: rehearsed, or of the plan itself */
    int mount;
    bool taken;
    uint64_t start_ns, end_ns;
};

static struct {
    const struct plan *plan; /* NULL: there is none */
    bool entered;            /* the cradle has left home */
    bool complete;           /* ... and is where a child may be born */
    bool loopback;           /* its loopback interface is up */
    bool suits;              /* the plan that has come asks for that */
    int launcher, root;      /* where to return to */
    uint64_t start_ns, end_ns;
    unsigned count;
    struct made made[MAX_MADE];
} rehearsal = {.launcher = -1, .root = -1};

void rehearsal_of(const struct plan *plan)
{
    rehearsal.plan = plan;
}

static bool at_root(const struct operation *op)
{
    return strcmp(op->arg[0].text, "/") == 0;
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

/* Of one plan's operation: nothing that joins what others have made, looks at the host's files from inside, or is looked at. */
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

/* An empty directory for a root: what the host unmounts from now on must not live on in here. */
static int let_go_of_host(void)
{
    int root = new_empty_directory();
    int result = -1;

    if (root < 0)
        return -1;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0)
        result = pivot_into(root);
    close(root);
    return result;
}

static void add_made(const struct operation *op, int mount, uint64_t start_ns)
{
    if (mount >= 0)
        rehearsal.made[rehearsal.count++] = (struct made){.op = op, .mount = mount, .start_ns = start_ns, .end_ns = now_ns()};
}

/* One that cannot be made is made at its time, and then says why not. */
static void make_filesystems(void)
{
    for (uint32_t i = 0; i < rehearsal.plan->count && rehearsal.count < MAX_MADE; i++) {
        const struct operation *op = &rehearsal.plan->operations[i];
        uint64_t start_ns = now_ns();

        if (op->code == OP_MOUNT && !at_root(op))
            add_made(op, filesystem_of(op), start_ns);
    }
}

void rehearse(struct launch *l)
{
    if (rehearsal.plan == NULL || !can_be_rehearsed(rehearsal.plan))
        return;
    rehearsal.launcher = pidfd_open(getppid(), 0);
    rehearsal.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    l->proc = open_trusted_proc();
    if (rehearsal.launcher < 0 || rehearsal.root < 0)
        return;
    rehearsal.start_ns = now_ns();
    if (unshare((int)to_enter()) < 0)
        return;
    rehearsal.entered = true;
    rehearsal.loopback = (to_enter() & CLONE_NEWNET) != 0 && plan_has(rehearsal.plan, OP_LOOPBACK_UP) && raise_loopback() == 0;
    rehearsal.end_ns = now_ns();
    make_filesystems();
    /* Of these, most plans need one each. */
    l->empty_tree = new_empty_directory();
    if (make_null_tree(l) < 0)
        close_fd(&l->null_tree);
    rehearsal.complete = let_go_of_host() == 0;
}

/* The container's own file system looks for its layers by paths of the host, which are the launcher's to see. */
static int make_root(const struct plan *plan, uint32_t *at)
{
    for (uint32_t i = 0; i < plan->count && rehearsal.count < MAX_MADE; i++) {
        const struct operation *op = &plan->operations[i];
        uint64_t start_ns = now_ns();
        int root;

        if (op->code != OP_MOUNT || !at_root(op))
            continue;
        root = filesystem_of(op);
        if (root < 0) {
            *at = i;
            return -1;
        }
        add_made(op, root, start_ns);
    }
    return 0;
}

/* What was made belongs to namespaces that the child will not be in; the root does not. */
static void withhold_made(struct launch *l)
{
    for (unsigned i = 0; i < rehearsal.count; i++)
        rehearsal.made[i].taken = !at_root(rehearsal.made[i].op);
    close_fd(&l->proc);
}

int rehearsal_compare(struct launch *l, uint32_t *at)
{
    rehearsal.suits = rehearsal.complete && can_be_rehearsed(&l->plan) && same_namespaces(&l->plan, rehearsal.plan);
    if (rehearsal.suits)
        return make_root(&l->plan, at);
    withhold_made(l);
    return 0;
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
    withhold_made(l);
}

static bool same_texts(char *const *texts, char *const *others)
{
    while (*texts != NULL && *others != NULL && strcmp(*texts, *others) == 0)
        texts++, others++;
    return *texts == NULL && *others == NULL;
}

static bool same_filesystem(const struct operation *op, const struct operation *other)
{
    return at_root(op) == at_root(other) && op->arg[3].number == other->arg[3].number && strcmp(op->arg[1].text, other->arg[1].text) == 0 &&
           strcmp(op->arg[2].text, other->arg[2].text) == 0 && same_texts(op->arg[8].texts, other->arg[8].texts);
}

int take_filesystem(const struct operation *op)
{
    for (unsigned i = 0; i < rehearsal.count; i++) {
        struct made *made = &rehearsal.made[i];

        if (made->taken || !same_filesystem(made->op, op))
            continue;
        made->taken = true;
        made_ahead(made->start_ns, made->end_ns);
        return made->mount;
    }
    return filesystem_of(op);
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
    for (unsigned i = 0; i < rehearsal.count; i++)
        close_fd(&rehearsal.made[i].mount);
}
