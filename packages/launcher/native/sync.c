/*
 * The socket between launcher and child, and the conversation of step mode.
 *
 * Knows: who asks whom: a child asks its launcher, the launcher asks its starter.
 * Does not know: what the operations are about.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launch.h"

int sync_send(int socket, enum sync_type type, uint32_t value)
{
    struct sync_message message = {.type = type, .value = value};

    return send(socket, &message, sizeof(message), MSG_NOSIGNAL) == sizeof(message) ? 0 : fail("send");
}

union fd_space {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
};

int sync_send_fds(int socket, enum sync_type type, const int fds[2])
{
    struct sync_message message = {.type = type};
    struct iovec part = {.iov_base = &message, .iov_len = sizeof(message)};
    union fd_space space = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, 2 * sizeof(int));
    return sendmsg(socket, &header, MSG_NOSIGNAL) == sizeof(message) ? 0 : fail("sendmsg");
}

int sync_receive(int socket, struct sync_message *message, int fds[2])
{
    struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
    union fd_space space = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes)};
    struct cmsghdr *rights;
    ssize_t got;

    fds[0] = fds[1] = -1;
    do
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    /* A reset is an end too: the child was killed with something unread. */
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return 0;
    if (got != sizeof(*message))
        return fail("recvmsg");
    rights = CMSG_FIRSTHDR(&header);
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(2 * sizeof(int)))
        memcpy(fds, CMSG_DATA(rights), 2 * sizeof(int));
    return 1;
}

static int milliseconds_left(const struct launch *l)
{
    uint64_t now = now_ns();

    if (l->deadline == 0)
        return -1;
    return now >= l->deadline ? 0 : (int)((l->deadline - now) / 1000000 + 1);
}

/* The launcher's question to its starter: one letter on the control fd, or the end of the launch. */
static int ask_starter(struct launch *l, uint32_t index, enum record_kind why)
{
    struct pollfd control = {.fd = l->control, .events = POLLIN};
    char letter = 0;
    int ready;

    flush_records(l);
    send_question(l, index, why);
    do
        ready = poll(&control, 1, milliseconds_left(l));
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return 't';
    if (ready < 0 || read(l->control, &letter, 1) != 1)
        return 'a';
    return letter;
}

static int ask_launcher(const struct launch *l, uint32_t index, enum record_kind why)
{
    struct sync_message answer;
    int none[2];

    if (sync_send(l->sync, why == RECORD_HOOK ? SYNC_HOOK : SYNC_STOP, index) < 0 || sync_receive(l->sync, &answer, none) != 1)
        return 'a';
    return (int)answer.value;
}

int ask(struct launch *l, uint32_t index, enum record_kind why)
{
    return l->inside ? ask_launcher(l, index, why) : ask_starter(l, index, why);
}
