/*
 * Stage "rights": how the kernel schedules and places the process, and which machine it pretends to be.
 *
 * Knows: one system call each; the numbers are the plan's.
 * Does not know: which of them the kernel grants whom; a refusal is the operation's failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

enum { MAX_BITS = 1024, WHO_PROCESS = 1 };

/* A set of small numbers as the kernel takes it. -1 when one does not fit. */
static int fill_mask(unsigned long mask[MAX_BITS / 64], const struct argument *numbers)
{
    for (uint64_t i = 0; i < numbers->number; i++) {
        if (numbers->numbers[i] >= MAX_BITS)
            return fail_with("mask", ERANGE);
        mask[numbers->numbers[i] / 64] |= 1ul << numbers->numbers[i] % 64;
    }
    return 0;
}

/* As sched_setattr(2) has it; the C library has none. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

int op_scheduler(struct launch *l, const struct operation *op)
{
    struct scheduling attr = {
        .size = sizeof(attr),
        .policy = (uint32_t)op->arg[0].number,
        .nice = (int32_t)(uint32_t)op->arg[1].number,
        .priority = (uint32_t)op->arg[2].number,
        .flags = op->arg[3].number,
        .runtime = op->arg[4].number,
        .deadline = op->arg[5].number,
        .period = op->arg[6].number,
    };

    (void)l;
    return syscall(SYS_sched_setattr, 0, &attr, 0) < 0 ? fail("sched_setattr") : 0;
}

int op_io_priority(struct launch *l, const struct operation *op)
{
    (void)l;
    return syscall(SYS_ioprio_set, WHO_PROCESS, 0, (int)op->arg[0].number) < 0 ? fail("ioprio_set") : 0;
}

/* From outside, on the child: once before it changes its cgroup, once after. */
int op_cpu_affinity(struct launch *l, const struct operation *op)
{
    unsigned long mask[MAX_BITS / 64] = {0};

    if (fill_mask(mask, &op->arg[0]) < 0)
        return -1;
    return syscall(SYS_sched_setaffinity, l->child, sizeof(mask), mask) < 0 ? fail("sched_setaffinity") : 0;
}

int op_memory_policy(struct launch *l, const struct operation *op)
{
    unsigned long nodes[MAX_BITS / 64] = {0};

    (void)l;
    if (fill_mask(nodes, &op->arg[1]) < 0)
        return -1;
    return syscall(SYS_set_mempolicy, (int)op->arg[0].number, nodes, (unsigned long)MAX_BITS) < 0 ? fail("set_mempolicy") : 0;
}

int op_personality(struct launch *l, const struct operation *op)
{
    (void)l;
    return personality((unsigned long)op->arg[0].number) < 0 ? fail("personality") : 0;
}
