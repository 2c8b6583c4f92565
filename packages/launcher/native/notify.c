/*
 * A system call filter that asks an agent: the filter's descriptor goes to a socket of the agent's.
 *
 * Whoever installs such a filter may be stopped by it at the very next call, before anybody could answer. So a thread is made
 * first, which the filter does not hold: it sends the descriptor, while the filtered one spins without any call.
 *
 * Knows: the message, one text with one descriptor (OCI: ContainerProcessState).
 * Does not know: which calls are the agent's to decide.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

enum { STACK_BYTES = 64 << 10, PENDING = -1, NO_FILTER = -2, MAX_PARTS = 9 };

struct delivery {
    int socket;
    struct iovec parts[MAX_PARTS];
    size_t count, length;
    _Atomic int listener; /* PENDING, NO_FILTER, or the descriptor */
    _Atomic int result;   /* PENDING, or the errno of the sending */
};

/* Before the child loses sight of the host. */
int op_open_listener(struct launch *l, const struct operation *op)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t slot = op->arg[0].number;
    const char *path = op->arg[1].text;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return fail_with("listener", ENAMETOOLONG);
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int error = errno;
        close(fd);
        return fail_with("connect", error);
    }
    return take_slot(l, slot, fd);
}

static int send_listener(const struct delivery *d, int listener)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } space = {.bytes = {0}};
    struct msghdr header = {
        .msg_iov = (struct iovec *)(uintptr_t)d->parts,
        .msg_iovlen = d->count,
        .msg_control = space.bytes,
        .msg_controllen = sizeof(space.bytes),
    };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    ssize_t sent;

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &listener, sizeof(int));
    sent = sendmsg(d->socket, &header, MSG_NOSIGNAL);
    return sent < 0 ? errno : (size_t)sent != d->length ? EMSGSIZE : 0;
}

/* The thread. It shares everything with the filtered one but the filter. */
static int deliver(void *argument)
{
    struct delivery *d = argument;
    const struct timespec moment = {.tv_nsec = 100000};
    int listener, result = ECANCELED;

    while ((listener = atomic_load(&d->listener)) == PENDING)
        nanosleep(&moment, NULL);
    if (listener >= 0) {
        result = send_listener(d, listener);
        close(listener);
    }
    close(d->socket);
    atomic_store(&d->result, result);
    syscall(SYS_exit, 0);
    return 0;
}

static int start_delivery(struct delivery *d)
{
    const int shared = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (stack == MAP_FAILED)
        return fail("mmap");
    return clone(deliver, stack + STACK_BYTES, shared, d) < 0 ? fail("clone") : 0;
}

static void add_part(struct delivery *d, const char *text)
{
    d->parts[d->count++] = (struct iovec){(void *)(uintptr_t)text, strlen(text)};
    d->length += strlen(text);
}

int op_seccomp_notify(struct launch *l, const struct operation *op)
{
    static struct delivery d;
    static struct text pid;
    uint64_t bytes = op->arg[0].number, slot = op->arg[2].number;
    struct sock_fprog program = {
        .len = (unsigned short)(bytes / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)(uintptr_t)op->arg[0].bytes,
    };
    long listener;
    int error, result;

    if (bytes == 0 || bytes % sizeof(struct sock_filter) != 0 || bytes / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return fail_with("seccomp", EINVAL);
    if (slot >= MAX_SLOTS || l->slots[slot] < 0)
        return fail_with("slot", EBADF);
    text_add_number(&pid, (uint64_t)atomic_load(&l->board->child));
    d.socket = l->slots[slot];
    for (uint64_t i = 0; i < op->arg[3].number && d.count + 2 <= MAX_PARTS; i++) {
        if (i > 0)
            add_part(&d, pid.bytes);
        add_part(&d, op->arg[3].texts[i]);
    }
    atomic_store(&d.listener, PENDING);
    atomic_store(&d.result, PENDING);
    l->slots[slot] = -1; /* the thread closes it */
    if (start_delivery(&d) < 0)
        return -1;
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->arg[1].number | SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    error = errno;
    atomic_store(&d.listener, listener < 0 ? NO_FILTER : (int)listener);
    /* Not one call until the agent has it. */
    while ((result = atomic_load(&d.result)) == PENDING)
        __asm__ volatile("" ::: "memory");
    if (listener < 0)
        return fail_with("seccomp", error);
    return result == 0 ? 0 : fail_with("listener", result);
}
