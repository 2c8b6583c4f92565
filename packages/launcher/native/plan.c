/*
 * The bounded decoder of plans: little endian, length-prefixed, every length checked against what is left.
 *
 * Knows: the signature of each operation.
 * Does not know: files, processes; it touches memory only, so that a fuzzer can run it alone.
 *
 * Signature letters: s text · u 32-bit number · q 64-bit number · l texts · n numbers · m id maps · b bytes.
 */
#include "plan.h"

#include <string.h>

#define PLAN_MAGIC 0x31504c53u /* "SLP1" */

static const struct {
    const char *name, *signature;
    bool outside;
} OPCODES[OPCODE_COUNT] = {
    [OP_OPEN_ROOT] = {"openRoot", "s", true},
    [OP_OPEN_SOURCE] = {"openSource", "usu", true},       /* slot, host path, recursive */
    [OP_OPEN_NAMESPACE] = {"openNamespace", "uus", true}, /* slot, kind, host path */
    [OP_CLONE] = {"clone", "usn", true},                  /* CLONE_NEW…, v2 cgroup, slots to go through */
    [OP_IDMAP] = {"idmap", "mmu", true},                  /* uid, gid, deny setgroups */
    [OP_JOIN_CGROUP] = {"joinCgroup", "l", true},
    [OP_OOM_SCORE] = {"oomScore", "u", true},
    [OP_JOIN_NAMESPACE] = {"joinNamespace", "uu", false}, /* slot, kind */
    [OP_UNSHARE] = {"unshare", "u", false},
    [OP_BECOME_ROOT] = {"becomeRoot", "", false},
    [OP_SESSION_KEYRING] = {"sessionKeyring", "s", false},
    [OP_NEW_SESSION] = {"newSession", "", false},
    [OP_ROOT_PROPAGATION] = {"rootPropagation", "u", false},
    [OP_BIND_ROOT] = {"bindRoot", "s", false}, /* host path, or empty */
    [OP_MOUNT] = {"mount", "sssuuuuul", false}, /* destination, type, source, set, clear, copy up, propagation, strict, data */
    /* slot, destination, set, clear, set and clear of the whole tree, propagation, uid, gid, maps of the whole tree */
    [OP_BIND] = {"bind", "usuuuuummu", false},
    [OP_DEVICE] = {"device", "suuuuuu", false}, /* path, S_IF…, major, minor, mode, uid, gid */
    [OP_BIND_DEVICE] = {"bindDevice", "su", false},
    [OP_SYMLINK] = {"symlink", "ss", false}, /* path, target */
    [OP_CONSOLE] = {"console", "uu", false}, /* rows, columns */
    [OP_MASK] = {"mask", "s", false},
    [OP_READONLY_PATH] = {"readonlyPath", "s", false},
    [OP_PIVOT_ROOT] = {"pivotRoot", "", false},
    [OP_CHROOT] = {"chroot", "", false},
    [OP_READONLY_ROOT] = {"readonlyRoot", "", false},
    [OP_HOSTNAME] = {"hostname", "s", false},
    [OP_DOMAINNAME] = {"domainname", "s", false},
    [OP_LOOPBACK_UP] = {"loopbackUp", "", false},
    [OP_SYSCTL] = {"sysctl", "ss", false},    /* key with slashes, value */
    [OP_RLIMIT] = {"rlimit", "uqq", false},   /* resource, soft, hard */
    [OP_WORKDIR] = {"workdir", "su", false},  /* path, create */
    [OP_FIND_EXECUTABLE] = {"findExecutable", "ss", false}, /* name, PATH */
    [OP_UMASK] = {"umask", "u", false},
    [OP_NO_NEW_PRIVILEGES] = {"noNewPrivileges", "", false},
    [OP_BOUNDING_SET] = {"boundingSet", "n", false},
    [OP_USER] = {"user", "uun", false},           /* uid, gid, additional gids */
    [OP_CAPABILITIES] = {"capabilities", "qqqq", false}, /* masks: effective, permitted, inheritable, ambient */
    [OP_SECCOMP] = {"seccomp", "bu", false},      /* program, flags */
    [OP_AWAIT_START] = {"awaitStart", "", false},
    [OP_EXEC] = {"exec", "ll", false}, /* args, env */
    [OP_RUNTIME_HOOK] = {"runtimeHook", "", false},
    [OP_CONTAINER_HOOK] = {"containerHook", "slluss", false}, /* path, args, env, milliseconds, state before and after the pid */
    [OP_CONFIRM_START] = {"confirmStart", "", false},
    [OP_DEVICE_PROGRAM] = {"deviceProgram", "sb", true}, /* cgroup's directory, program */
    [OP_REMOUNT] = {"remount", "suuuul", false}, /* destination, set, clear, set and clear of the whole tree, data */
    [OP_TIME_NAMESPACE] = {"timeNamespace", "s", false}, /* lines of timens_offsets */
    [OP_SCHEDULER] = {"scheduler", "uuuqqqq", false},    /* policy, nice, priority, flags, runtime, deadline, period */
    [OP_IO_PRIORITY] = {"ioPriority", "u", false},
    [OP_CPU_AFFINITY] = {"cpuAffinity", "n", true},
    [OP_MEMORY_POLICY] = {"memoryPolicy", "un", false}, /* mode and flags, nodes */
    [OP_PERSONALITY] = {"personality", "u", false},
    [OP_SECURITY_LABEL] = {"securityLabel", "ss", false},   /* file below attr, what to write */
    [OP_OPEN_LISTENER] = {"openListener", "us", true},      /* slot, host path */
    [OP_SECCOMP_NOTIFY] = {"seccompNotify", "buul", false}, /* program, flags, slot, texts between which the pid goes */
    [OP_NET_DEVICE] = {"netDevice", "ssu", true},           /* name here, name there, slot or the child's own */
    [OP_ENTER_USER_NAMESPACE] = {"enterUserNamespace", "smmuss", true}, /* path or empty, uid, gid, deny setgroups, two helpers or empty */
};

struct reader {
    const uint8_t *at, *end;
    uint8_t *arena;
    bool bad;
};

const char *opcode_name(unsigned code)
{
    return code < OPCODE_COUNT ? OPCODES[code].name : NULL;
}

bool opcode_is_outside(unsigned code)
{
    return code < OPCODE_COUNT && OPCODES[code].outside;
}

static bool same_texts(const struct argument *one, const struct argument *other)
{
    for (uint64_t i = 0; i < one->number; i++)
        if (strcmp(one->texts[i], other->texts[i]) != 0)
            return false;
    return true;
}

static bool same_argument(char letter, const struct argument *one, const struct argument *other)
{
    if (letter == 's')
        return strcmp(one->text, other->text) == 0;
    if (one->number != other->number)
        return false;
    switch (letter) {
    case 'l':
        return same_texts(one, other);
    case 'n':
        return memcmp(one->bytes, other->bytes, one->number * sizeof(uint32_t)) == 0;
    case 'm':
        return memcmp(one->bytes, other->bytes, one->number * sizeof(struct id_mapping)) == 0;
    case 'b':
        return memcmp(one->bytes, other->bytes, one->number) == 0;
    default:
        return true;
    }
}

bool same_operation(const struct operation *one, const struct operation *other)
{
    const char *signature = OPCODES[one->code].signature;

    if (one->code != other->code)
        return false;
    for (size_t i = 0; signature[i] != '\0'; i++)
        if (!same_argument(signature[i], &one->arg[i], &other->arg[i]))
            return false;
    return true;
}

/* The next `size` bytes, or NULL once anything was wrong. */
static const uint8_t *take(struct reader *r, size_t size)
{
    const uint8_t *at = r->at;

    if (r->bad || (size_t)(r->end - r->at) < size) {
        r->bad = true;
        return NULL;
    }
    r->at += size;
    return at;
}

static uint64_t take_number(struct reader *r, size_t size)
{
    const uint8_t *at = take(r, size);
    uint64_t value = 0;

    if (at != NULL)
        memcpy(&value, at, size);
    return value;
}

/* Memory from the arena; a list's elements are never larger there than 4 times their bytes in the plan. */
static void *arena_take(struct reader *r, size_t size)
{
    void *memory = r->arena;

    r->arena += (size + 7) & ~(size_t)7;
    return memory;
}

static const char *take_text(struct reader *r)
{
    uint32_t length = (uint32_t)take_number(r, 4);
    const char *text = (const char *)take(r, (size_t)length + 1);

    if (text == NULL)
        return NULL;
    /* The terminator is part of the encoding, so that texts need no copy; one inside would cut the text short. */
    if (strnlen(text, (size_t)length + 1) != length)
        r->bad = true;
    return text;
}

/* Count of a list whose elements take at least `smallest` bytes each: never more than what is left can hold. */
static uint32_t take_count(struct reader *r, size_t smallest)
{
    uint32_t count = (uint32_t)take_number(r, 4);

    if (r->bad || count > (size_t)(r->end - r->at) / smallest) {
        r->bad = true;
        return 0;
    }
    return count;
}

static void take_texts(struct reader *r, struct argument *arg)
{
    uint32_t count = take_count(r, 5);
    char **texts = arena_take(r, ((size_t)count + 1) * sizeof(*texts));

    for (uint32_t i = 0; i < count; i++)
        texts[i] = (char *)(uintptr_t)take_text(r);
    arg->number = count;
    arg->texts = texts;
}

/* Copies `count` elements of `size` bytes to where they are aligned. */
static void take_array(struct reader *r, struct argument *arg, size_t size)
{
    uint32_t count = take_count(r, size);
    const uint8_t *from = take(r, count * size);
    void *to = arena_take(r, count * size);

    if (from != NULL)
        memcpy(to, from, count * size);
    arg->number = count;
    arg->bytes = to;
}

static void take_argument(struct reader *r, char letter, struct argument *arg)
{
    switch (letter) {
    case 's':
        arg->text = take_text(r);
        break;
    case 'u':
        arg->number = take_number(r, 4);
        break;
    case 'q':
        arg->number = take_number(r, 8);
        break;
    case 'l':
        take_texts(r, arg);
        break;
    case 'n':
        take_array(r, arg, 4);
        break;
    case 'm':
        take_array(r, arg, sizeof(struct id_mapping));
        break;
    default:
        take_array(r, arg, 1);
    }
}

static void take_operation(struct reader *r, struct operation *op)
{
    struct reader body = *r;
    uint32_t length;

    op->code = (uint8_t)take_number(r, 1);
    op->breakpoint = take_number(r, 1) != 0;
    length = (uint32_t)take_number(r, 4);
    body.at = take(r, length);
    if (r->bad || opcode_name(op->code) == NULL) {
        r->bad = true;
        return;
    }
    body.end = body.at + length;
    for (const char *letter = OPCODES[op->code].signature; *letter != '\0'; letter++)
        take_argument(&body, *letter, &op->arg[letter - OPCODES[op->code].signature]);
    r->arena = body.arena;
    r->bad = body.bad || body.at != body.end;
}

static const char *take_optional(struct reader *r)
{
    const char *text = take_text(r);

    return text != NULL && *text != '\0' ? text : NULL;
}

static void take_header(struct reader *r, struct plan *plan, size_t length)
{
    uint8_t flags;
    uint8_t mode;

    if (take_number(r, 4) != PLAN_MAGIC || take_number(r, 4) != length)
        r->bad = true;
    mode = (uint8_t)take_number(r, 1);
    flags = (uint8_t)take_number(r, 1);
    plan->mode = mode;
    plan->terminal = flags & 1;
    plan->open_stdin = flags & 2;
    plan->stdin_once = flags & 4;
    plan->cradle = flags & 8;
    plan->preserve_fds = (uint32_t)take_number(r, 4);
    plan->timeout_ms = (uint32_t)take_number(r, 4);
    plan->log_max_bytes = take_number(r, 8);
    plan->shim_dir = take_optional(r);
    plan->log_path = take_optional(r);
    plan->console_socket = take_optional(r);
    plan->start_fifo = take_optional(r);
    plan->count = (uint32_t)take_number(r, 4);
    if (mode > MODE_FOREGROUND || plan->preserve_fds > 1024 || plan->count == 0 || plan->count > MAX_OPERATIONS)
        r->bad = true;
    if (mode == MODE_SHIM && plan->shim_dir == NULL)
        r->bad = true;
}

static bool changes_mounts(unsigned code)
{
    return (code >= OP_ROOT_PROPAGATION && code <= OP_BIND_DEVICE && code != OP_DEVICE) ||
           code == OP_MASK || code == OP_READONLY_PATH || code == OP_REMOUNT || code == OP_PIVOT_ROOT || code == OP_READONLY_ROOT;
}

static bool comes_before_clone(unsigned code)
{
    return code < OP_CLONE || code == OP_OPEN_LISTENER || code == OP_ENTER_USER_NAMESPACE;
}

#define NEW_MOUNT_NAMESPACE 0x00020000u /* CLONE_NEWNS */

static bool goes_through_mounts(const struct plan *plan, const struct operation *clone)
{
    for (const struct operation *op = plan->operations; op < clone; op++)
        for (uint64_t i = 0; op->code == OP_OPEN_NAMESPACE && i < clone->arg[2].number; i++)
            if (op->arg[1].number == NEW_MOUNT_NAMESPACE && op->arg[0].number == clone->arg[2].numbers[i])
                return true;
    return false;
}

/*
 * The order that the launcher relies on: outside operations first with exactly one clone, exec last and once, and
 * nothing that mounts unless the child has a mount namespace of its own: it would happen to the host.
 */
static bool in_order(const struct plan *plan, uint32_t *at)
{
    bool inside = false, cloned = false, own_mounts = false;

    for (uint32_t i = 0; i < plan->count; i++) {
        const struct operation *op = &plan->operations[i];
        bool outside = OPCODES[op->code].outside;

        *at = i;
        if (outside && inside)
            return false;
        if (op->code == OP_CLONE ? cloned : comes_before_clone(op->code) == cloned)
            return false;
        if ((op->code == OP_EXEC) != (i == plan->count - 1))
            return false;
        if (op->code == OP_CLONE || op->code == OP_UNSHARE)
            own_mounts |= (op->arg[0].number & NEW_MOUNT_NAMESPACE) != 0;
        if (op->code == OP_CLONE)
            own_mounts |= goes_through_mounts(plan, op);
        if (op->code == OP_JOIN_NAMESPACE)
            own_mounts |= op->arg[1].number == NEW_MOUNT_NAMESPACE;
        if (changes_mounts(op->code) && !own_mounts)
            return false;
        cloned |= op->code == OP_CLONE;
        inside = !outside;
    }
    return true;
}

int plan_decode(struct plan *plan, const uint8_t *bytes, size_t length, void *arena, uint32_t *at)
{
    struct reader r = {.at = bytes, .end = bytes + length, .arena = arena};

    *at = NO_OPERATION;
    take_header(&r, plan, length);
    for (uint32_t i = 0; !r.bad && i < plan->count; i++) {
        *at = i;
        take_operation(&r, &plan->operations[i]);
    }
    if (r.bad)
        return -1;
    if (r.at != r.end) {
        *at = NO_OPERATION;
        return -1;
    }
    return in_order(plan, at) ? 0 : -1;
}
