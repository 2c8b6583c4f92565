/*
 * One record per operation: performed, timed, and told to the starter.
 *
 * Knows: the board shared with the child, and the records fd.
 * Does not know: what operations do; the table here only says which function is which.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"

typedef int (*operation_function)(struct launch *l, const struct operation *op);

static const operation_function FUNCTIONS[OPCODE_COUNT] = {
    [OP_OPEN_ROOT] = op_open_root,
    [OP_OPEN_SOURCE] = op_open_source,
    [OP_OPEN_NAMESPACE] = op_open_namespace,
    [OP_CLONE] = op_clone,
    [OP_IDMAP] = op_idmap,
    [OP_JOIN_CGROUP] = op_join_cgroup,
    [OP_OOM_SCORE] = op_oom_score,
    [OP_JOIN_NAMESPACE] = op_join_namespace,
    [OP_UNSHARE] = op_unshare,
    [OP_BECOME_ROOT] = op_become_root,
    [OP_SESSION_KEYRING] = op_session_keyring,
    [OP_NEW_SESSION] = op_new_session,
    [OP_ROOT_PROPAGATION] = op_root_propagation,
    [OP_BIND_ROOT] = op_bind_root,
    [OP_MOUNT] = op_mount,
    [OP_BIND] = op_bind,
    [OP_DEVICE] = op_device,
    [OP_BIND_DEVICE] = op_bind_device,
    [OP_SYMLINK] = op_symlink,
    [OP_CONSOLE] = op_console,
    [OP_MASK] = op_mask,
    [OP_READONLY_PATH] = op_readonly_path,
    [OP_PIVOT_ROOT] = op_pivot_root,
    [OP_CHROOT] = op_chroot,
    [OP_READONLY_ROOT] = op_readonly_root,
    [OP_HOSTNAME] = op_hostname,
    [OP_DOMAINNAME] = op_domainname,
    [OP_LOOPBACK_UP] = op_loopback_up,
    [OP_SYSCTL] = op_sysctl,
    [OP_RLIMIT] = op_rlimit,
    [OP_WORKDIR] = op_workdir,
    [OP_FIND_EXECUTABLE] = op_find_executable,
    [OP_UMASK] = op_umask,
    [OP_NO_NEW_PRIVILEGES] = op_no_new_privileges,
    [OP_BOUNDING_SET] = op_bounding_set,
    [OP_USER] = op_user,
    [OP_CAPABILITIES] = op_capabilities,
    [OP_SECCOMP] = op_seccomp,
    [OP_AWAIT_START] = op_await_start,
    [OP_EXEC] = op_exec,
    [OP_RUNTIME_HOOK] = op_runtime_hook,
    [OP_CONTAINER_HOOK] = op_container_hook,
    [OP_CONFIRM_START] = op_confirm_start,
    [OP_DEVICE_PROGRAM] = op_device_program,
    [OP_REMOUNT] = op_remount,
    [OP_TIME_NAMESPACE] = op_time_namespace,
    [OP_SCHEDULER] = op_scheduler,
    [OP_IO_PRIORITY] = op_io_priority,
    [OP_CPU_AFFINITY] = op_cpu_affinity,
    [OP_MEMORY_POLICY] = op_memory_policy,
    [OP_PERSONALITY] = op_personality,
    [OP_SECURITY_LABEL] = op_security_label,
    [OP_OPEN_LISTENER] = op_open_listener,
    [OP_SECCOMP_NOTIFY] = op_seccomp_notify,
    [OP_NET_DEVICE] = op_net_device,
    [OP_ENTER_USER_NAMESPACE] = op_enter_user_namespace,
};

static const char *last_failed = "";
static struct {
    uint64_t start_ns, end_ns; /* 0: nothing was */
} ahead;

int fail(const char *call)
{
    last_failed = call;
    return -1;
}

int fail_with(const char *call, int error)
{
    errno = error;
    return fail(call);
}

const char *failed_call(void)
{
    return last_failed;
}

/* What this process's clock is ahead of the starter's, in another time namespace. */
static uint64_t clock_ahead;

uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - clock_ahead;
}

void clock_moved(uint64_t before)
{
    clock_ahead += now_ns() - before;
}

void made_ahead(uint64_t start_ns, uint64_t end_ns)
{
    ahead.start_ns = start_ns;
    ahead.end_ns = end_ns;
}

void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void set_call(struct record *record, const char *call)
{
    strncpy(record->call, call, sizeof(record->call) - 1);
}

#ifdef SLIPWAY_FAILPOINTS
/* FAILPOINT=<op>:<error|kill|hang> in the environment; only in the build that the tests use. */
static int failpoint(const char *name)
{
    const char *point = getenv("FAILPOINT");
    size_t length = strlen(name);

    if (point == NULL || strncmp(point, name, length) != 0 || point[length] != ':')
        return 0;
    /* Not SIGKILL to ourselves: the first process of a pid namespace would not notice. */
    if (strcmp(point + length + 1, "kill") == 0)
        __builtin_trap();
    while (strcmp(point + length + 1, "hang") == 0)
        pause();
    return fail_with("failpoint", EIO);
}
#else
static int failpoint(const char *name)
{
    (void)name;
    return 0;
}
#endif

#ifdef SLIPWAY_WITHOUT_STOPS
/* For bench/step-mode.ts: what a launch takes that could not stop at all. */
static int permitted(struct launch *l, const struct operation *op, uint32_t index)
{
    (void)l, (void)op, (void)index;
    return 1;
}
#else
/* Step mode. 1: go ahead; 0: leave it out; -1: end the launch. */
static int permitted(struct launch *l, const struct operation *op, uint32_t index)
{
    int answer;

    if (l->waited || (!op->breakpoint && !l->stepping))
        return 1;
    answer = ask(l, index, RECORD_STOP);
    l->stepping = answer == 's';
    if (answer == 'c' || answer == 's')
        return 1;
    /* Without these two there is nothing to go on with. */
    if (answer == 'x' && op->code != OP_CLONE && op->code != OP_EXEC)
        return 0;
    return answer == 't' ? fail_with("timeout", ETIMEDOUT) : fail_with("abort", ECANCELED);
}
#endif

int carry_out(struct launch *l, const struct operation *op)
{
    return FUNCTIONS[op->code](l, op);
}

/* Performs one operation and completes its record. The child of `clone` never returns from here. */
int perform(struct launch *l, uint32_t index)
{
    const struct operation *op = &l->plan.operations[index];
    struct record *record = &l->board->records[index];
    int result;

    result = permitted(l, op, index);
    record->index = index;
    record->start_ns = now_ns();
    record->kind = result == 0 ? RECORD_SKIPPED : RECORD_DONE;
    made_ahead(0, 0);
    if (result == 1) {
        result = failpoint(opcode_name(op->code));
        if (result == 0)
            result = was_rehearsed(l, op) ? 0 : carry_out(l, op);
    }
    record->end_ns = now_ns();
    if (result < 0) {
        record->error = errno;
        record->kind = RECORD_FAILED;
        set_call(record, last_failed);
        return -1;
    }
    if (ahead.end_ns != 0) {
        record->kind = RECORD_AHEAD;
        record->ahead.start_ns = ahead.start_ns;
        record->ahead.end_ns = ahead.end_ns;
    }
    atomic_store(&l->board->done, index + 1);
    return 0;
}

void send_record(const struct launch *l, const struct record *record)
{
    /* A starter that has gone away is no reason to end a container. */
    if (l->records >= 0)
        send(l->records, record, sizeof(*record), MSG_NOSIGNAL);
}

/* Sends the records of operations that have ended since the last time. */
void flush_records(struct launch *l)
{
    uint32_t done = atomic_load(&l->board->done);

    if (l->flush_limit != 0 && done > l->flush_limit)
        done = l->flush_limit;
    if (done > l->plan.count || done <= l->flushed)
        return;
    if (l->records >= 0)
        send(l->records, &l->board->records[l->flushed], (done - l->flushed) * sizeof(struct record), MSG_NOSIGNAL);
    l->flushed = done;
}

/* The last record of a launch that failed: of the operation, or of none when `index` is NO_OPERATION. */
void send_failure(const struct launch *l, uint32_t index)
{
    struct record record = {.kind = RECORD_FAILED, .index = index, .error = errno};

    if (index < l->plan.count && l->board->records[index].kind == RECORD_FAILED)
        record = l->board->records[index];
    else
        set_call(&record, last_failed);
    send_record(l, &record);
}

void send_note(const struct launch *l, uint32_t index, const char *text)
{
    /* Everything behind the index is text. */
    const size_t piece = sizeof(struct record) - offsetof(struct record, start_ns);

    for (size_t left = strlen(text); left > 0;) {
        struct record record = {.kind = RECORD_NOTE, .index = index};
        size_t length = left < piece ? left : piece;

        memcpy((char *)&record + offsetof(struct record, start_ns), text, length);
        send_record(l, &record);
        text += length;
        left -= length;
    }
}

void send_question(const struct launch *l, uint32_t index, enum record_kind kind)
{
    struct record record = {.kind = kind, .index = index, .pid = l->child};

    record.start_ns = record.end_ns = now_ns();
    send_record(l, &record);
}
