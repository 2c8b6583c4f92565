/*
 * The stage of a rehearsal: an empty directory in place of the container's root, on which a plan's mounts are performed, and
 * what is made in them. Each mount is moved to its place at its time, with all that is in it, if the plan that has come
 * wants exactly that.
 *
 * Knows: which operations need nothing but namespaces, and when two plans agree on what is in a mount.
 * Does not know: how an operation is performed; what a cradle is.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>

#include "launch.h"

enum { MAX_PARTS = 96 };

/* An operation that was performed. */
struct part {
    const struct operation *op; /* of the rehearsed plan */
    struct part *top;           /* the mount it was made in; of one that is in no other: itself */
    int tree;                   /* of a top: where it stands, O_PATH */
    bool usable;                /* of a top: the plan that has come wants it, with all that is in it */
    uint32_t index;             /* of the same operation in that plan */
    uint64_t start_ns, end_ns;
};

static struct {
    unsigned count;
    struct part parts[MAX_PARTS];
} stage;

/* The path of the container that an operation changes; NULL: none. */
static const char *path_of(const struct operation *op)
{
    switch (op->code) {
    case OP_MOUNT:
    case OP_REMOUNT:
    case OP_DEVICE:
    case OP_BIND_DEVICE:
    case OP_SYMLINK:
    case OP_MASK:
    case OP_READONLY_PATH:
        return op->arg[0].text;
    case OP_BIND:
        return op->arg[1].text;
    case OP_CONSOLE:
        return "/dev/console";
    default:
        return NULL;
    }
}

static struct part *top_of(const char *path)
{
    for (unsigned i = 0; i < stage.count; i++)
        if (stage.parts[i].top == &stage.parts[i] && lies_in(path, path_of(stage.parts[i].op)))
            return &stage.parts[i];
    return NULL;
}

/* What fails here is left to the birth, which then says why; so is what was made around it. */
static void perform_part(struct launch *l, const struct operation *op)
{
    struct part *part = &stage.parts[stage.count];
    struct part *top = top_of(path_of(op));

    if (top == NULL && op->code != OP_MOUNT)
        return;
    *part = (struct part){.op = op, .top = top != NULL ? top : part, .tree = -1, .index = NO_OPERATION, .start_ns = now_ns()};
    if (carry_out(l, op) < 0) {
        if (top != NULL)
            close_fd(&top->tree);
        return;
    }
    part->end_ns = now_ns();
    if (top == NULL)
        part->tree = open_below(l->root, path_of(op), 0);
    stage.count++;
}

/* Not what begins with a copy of what the image has there. */
static bool can_be_staged(const struct operation *op)
{
    return op->code == OP_DEVICE || op->code == OP_SYMLINK || (op->code == OP_MOUNT && strcmp(op->arg[0].text, "/") != 0 && op->arg[5].number == 0);
}

void stage_perform(struct launch *l, const struct plan *plan, int root)
{
    l->root = root;
    umask(0);
    for (uint32_t i = 0; i < plan->count && stage.count < MAX_PARTS; i++)
        if (can_be_staged(&plan->operations[i]))
            perform_part(l, &plan->operations[i]);
    l->root = -1;
}

/* The plan's operations in a mount, in their order, begin with those that were performed in it; nothing covers it meanwhile. */
static bool agrees(const struct plan *plan, struct part *top)
{
    const struct part *end = stage.parts + stage.count;
    struct part *part = top;

    for (uint32_t i = 0; i < plan->count && part < end; i++) {
        const struct operation *op = &plan->operations[i];
        const char *path = path_of(op);

        if (path == NULL || !(lies_in(path, path_of(top->op)) || (part != top && lies_in(path_of(top->op), path))))
            continue;
        if (!same_operation(op, part->op))
            return false;
        part->index = i;
        do
            part++;
        while (part < end && part->top != top);
    }
    return part == end;
}

void stage_compare(const struct plan *plan)
{
    for (unsigned i = 0; i < stage.count; i++) {
        struct part *part = &stage.parts[i];

        part->usable = part->top == part && part->tree >= 0 && agrees(plan, part);
    }
}

void stage_refuse(void)
{
    for (unsigned i = 0; i < stage.count; i++)
        stage.parts[i].usable = false;
}

static struct part *part_at(const struct launch *l, const struct operation *op)
{
    for (unsigned i = 0; i < stage.count; i++)
        if (stage.parts[i].index < l->plan.count && &l->plan.operations[stage.parts[i].index] == op)
            return &stage.parts[i];
    return NULL;
}

int tree_on_stage(const struct launch *l, const struct operation *op)
{
    const struct part *part = part_at(l, op);

    if (part == NULL || !part->usable)
        return -1;
    made_ahead(part->start_ns, part->end_ns);
    return part->tree;
}

void refuse_tree(const struct launch *l, const struct operation *op)
{
    part_at(l, op)->usable = false;
    made_ahead(0, 0);
}

bool was_rehearsed(const struct launch *l, const struct operation *op)
{
    const struct part *part = part_at(l, op);

    if (part == NULL || part->top == part || !part->top->usable)
        return false;
    made_ahead(part->start_ns, part->end_ns);
    return true;
}

void stage_end(void)
{
    for (unsigned i = 0; i < stage.count; i++)
        close_fd(&stage.parts[i].tree);
}
