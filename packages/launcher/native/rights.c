/*
 * Stage "rights": user, capabilities, no_new_privs, seccomp.
 *
 * Knows: the order in which the kernel lets one give each of them up is the plan's; each function does one.
 * Does not know: names of capabilities or users.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

enum { LAST_POSSIBLE_CAPABILITY = 63 };

/* Raw calls: glibc's would try to tell other threads. */
static int set_ids(uid_t uid, gid_t gid)
{
    if (syscall(SYS_setresgid, gid, gid, gid) < 0)
        return fail("setresgid");
    return syscall(SYS_setresuid, uid, uid, uid) < 0 ? fail("setresuid") : 0;
}

static int set_groups(const struct argument *gids)
{
    if (syscall(SYS_setgroups, gids->number, gids->numbers) == 0)
        return 0;
    /* Denied in this user namespace for good: then there are none to be dropped that would mean anything. */
    return errno == EPERM && gids->number == 0 ? 0 : fail("setgroups");
}

int op_become_root(struct launch *l, const struct operation *op)
{
    struct argument none = {.number = 0};

    (void)l;
    (void)op;
    return set_groups(&none) < 0 ? -1 : set_ids(0, 0);
}

/* The process shall be able to reopen /dev/stdout: its streams become its user's, except a shared null device. */
static void give_streams(uid_t uid)
{
    struct stat st;

    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &st) == 0 && st.st_uid != uid && !is_device(fd, 1, 3))
            /* Not ours to give away, or read-only: the process can still use the descriptor. */
            if (fchown(fd, uid, (gid_t)-1) < 0)
                continue;
}

int op_user(struct launch *l, const struct operation *op)
{
    uid_t uid = (uid_t)op->arg[0].number;

    (void)l;
    give_streams(uid);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return fail("PR_SET_KEEPCAPS");
    if (set_groups(&op->arg[2]) < 0 || set_ids(uid, (gid_t)op->arg[1].number) < 0)
        return -1;
    return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? fail("PR_SET_KEEPCAPS") : 0;
}

int op_no_new_privileges(struct launch *l, const struct operation *op)
{
    (void)l;
    (void)op;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? fail("PR_SET_NO_NEW_PRIVS") : 0;
}

int op_bounding_set(struct launch *l, const struct operation *op)
{
    uint64_t keep = 0;

    (void)l;
    for (uint64_t i = 0; i < op->arg[0].number; i++)
        if (op->arg[0].numbers[i] <= LAST_POSSIBLE_CAPABILITY)
            keep |= 1ull << op->arg[0].numbers[i];
    for (unsigned long number = 0; number <= LAST_POSSIBLE_CAPABILITY; number++) {
        int present = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
        /* Negative: beyond the last capability this kernel knows. */
        if (present < 0)
            break;
        if (present == 1 && !(keep & 1ull << number) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
            return fail("PR_CAPBSET_DROP");
    }
    return 0;
}

static int raise_ambient(uint64_t ambient)
{
    /* A kernel without ambient capabilities has nothing to clear. */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return fail("PR_CAP_AMBIENT");
    for (unsigned long number = 0; number <= LAST_POSSIBLE_CAPABILITY; number++)
        if ((ambient & 1ull << number) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) < 0)
            return fail("PR_CAP_AMBIENT");
    return 0;
}

int op_capabilities(struct launch *l, const struct operation *op)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    (void)l;
    for (unsigned half = 0; half < 2; half++) {
        data[half].effective = (uint32_t)(op->arg[0].number >> (32 * half));
        data[half].permitted = (uint32_t)(op->arg[1].number >> (32 * half));
        data[half].inheritable = (uint32_t)(op->arg[2].number >> (32 * half));
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return fail("capset");
    return raise_ambient(op->arg[3].number);
}

int op_seccomp(struct launch *l, const struct operation *op)
{
    uint64_t bytes = op->arg[0].number;
    struct sock_fprog program = {
        .len = (unsigned short)(bytes / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)(uintptr_t)op->arg[0].bytes,
    };

    (void)l;
    if (bytes == 0 || bytes % sizeof(struct sock_filter) != 0 || bytes / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return fail_with("seccomp", EINVAL);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->arg[1].number, &program) < 0 ? fail("seccomp") : 0;
}
