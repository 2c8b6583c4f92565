/*
 * Staying without a shim: signals go through to the process, its exit code becomes ours; and handing a terminal over.
 *
 * Knows: the convention of --console-socket (one message, the pty's master as its descriptor).
 * Does not know: the plan.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

int send_to_console_socket(const char *path, int master)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct iovec part = {.iov_base = (char[]){"/dev/ptmx"}, .iov_len = sizeof("/dev/ptmx") - 1};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } space = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return fail_with("console socket", ENAMETOOLONG);
    strcpy(address.sun_path, path);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &master, sizeof(int));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || sendmsg(fd, &header, MSG_NOSIGNAL) < 0) {
        int error = errno;
        close_fd(&fd);
        return fail_with("console socket", error);
    }
    close(fd);
    return 0;
}

/* Never returns: ends with the process's code, 128+n for signal n. */
_Noreturn void foreground_run(const struct launch *l)
{
    int status, number;

    for (;;) {
        if (sigwait(&l->signals, &number) != 0)
            continue;
        if (number != SIGCHLD) {
            kill(l->child, number);
            continue;
        }
        if (waitpid(l->child, &status, WNOHANG) == l->child && (WIFEXITED(status) || WIFSIGNALED(status)))
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}
