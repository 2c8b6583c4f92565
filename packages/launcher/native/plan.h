/*
 * A plan as the launcher holds it: operations with decoded arguments.
 *
 * Knows: the bounds of a plan, and the order of opcodes (twin of ../src/encode.ts).
 * Does not know: what an operation does.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_OPERATIONS = 2048, MAX_SLOTS = 512, MAX_ARGUMENTS = 10 };
#define MAX_PLAN_BYTES (8u << 20)
#define NO_OPERATION UINT32_MAX

enum opcode {
    OP_OPEN_ROOT = 1,
    OP_OPEN_SOURCE,
    OP_OPEN_NAMESPACE,
    OP_CLONE,
    OP_IDMAP,
    OP_JOIN_CGROUP,
    OP_OOM_SCORE,
    OP_JOIN_NAMESPACE,
    OP_UNSHARE,
    OP_BECOME_ROOT,
    OP_SESSION_KEYRING,
    OP_NEW_SESSION,
    OP_ROOT_PROPAGATION,
    OP_BIND_ROOT,
    OP_MOUNT,
    OP_BIND,
    OP_DEVICE,
    OP_BIND_DEVICE,
    OP_SYMLINK,
    OP_CONSOLE,
    OP_MASK,
    OP_READONLY_PATH,
    OP_PIVOT_ROOT,
    OP_CHROOT,
    OP_READONLY_ROOT,
    OP_HOSTNAME,
    OP_DOMAINNAME,
    OP_LOOPBACK_UP,
    OP_SYSCTL,
    OP_RLIMIT,
    OP_WORKDIR,
    OP_FIND_EXECUTABLE,
    OP_UMASK,
    OP_NO_NEW_PRIVILEGES,
    OP_BOUNDING_SET,
    OP_USER,
    OP_CAPABILITIES,
    OP_SECCOMP,
    OP_AWAIT_START,
    OP_EXEC,
    OP_RUNTIME_HOOK,
    OP_CONTAINER_HOOK,
    OP_CONFIRM_START,
    OP_DEVICE_PROGRAM,
    OP_REMOUNT,
    OP_TIME_NAMESPACE,
    OP_SCHEDULER,
    OP_IO_PRIORITY,
    OP_CPU_AFFINITY,
    OP_MEMORY_POLICY,
    OP_PERSONALITY,
    OP_SECURITY_LABEL,
    OP_OPEN_LISTENER,
    OP_SECCOMP_NOTIFY,
    OP_NET_DEVICE,
    OP_ENTER_USER_NAMESPACE,
    OPCODE_COUNT,
};

/* One line of an id map, as /proc/PID/uid_map wants it. */
struct id_mapping {
    uint32_t inside, outside, size;
};

/* A decoded argument; which member holds depends on the letter of the operation's signature. */
struct argument {
    uint64_t number; /* u, q, and the element count of lists */
    union {
        const char *text;               /* s: without NUL inside, NUL at the end */
        char *const *texts;             /* l: NULL at the end */
        const uint32_t *numbers;        /* n */
        const struct id_mapping *idmap; /* m */
        const void *bytes;              /* b: 8-byte aligned */
    };
};

struct operation {
    uint8_t code;
    bool breakpoint;
    struct argument arg[MAX_ARGUMENTS];
};

enum mode { MODE_SHIM, MODE_DETACHED, MODE_FOREGROUND };

/* Strings that are absent are NULL. */
struct plan {
    enum mode mode;
    bool terminal, open_stdin, stdin_once;
    bool cradle; /* the groups that the starter named before are those of this plan */
    uint32_t preserve_fds;
    uint32_t timeout_ms; /* 0: none */
    uint64_t log_max_bytes;
    const char *shim_dir, *log_path, *console_socket, *start_fifo;
    uint32_t count;
    struct operation operations[MAX_OPERATIONS];
};

/* Name and argument letters of an opcode; NULL when there is no such opcode. */
const char *opcode_name(unsigned code);

/* True for operations that the launcher does itself, before the child runs. */
bool opcode_is_outside(unsigned code);

/* True when both do the same: code and arguments, whatever asked for them. */
bool same_operation(const struct operation *one, const struct operation *other);

/*
 * Decodes and checks a whole plan before any of it is performed. `arena` (8-byte aligned, at least
 * 4 * length + 4096 bytes, zeroed) takes the lists; texts point into `bytes`.
 * Returns 0, or -1 with the index of the operation at fault in `*at` (NO_OPERATION: the header).
 */
int plan_decode(struct plan *plan, const uint8_t *bytes, size_t length, void *arena, uint32_t *at);

#endif
