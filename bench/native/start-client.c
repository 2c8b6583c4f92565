/*
 * Creates a container and starts it, over the Docker API on a unix socket, and says when: a client that costs the engine under test
 * nothing that counts, as the floor costs itself nothing. It connects, rests, and then begins.
 *
 *   start-client SOCKET PAUSE_MS BODY
 *
 * Prints the container's id and three moments of CLOCK_MONOTONIC in nanoseconds: before the first request, after its answer, after the second's.
 *
 * Knows: two requests, and answers of a known length. Does not know: what is in BODY.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ID_LENGTH = 64 };

static char buffer[64 * 1024];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "the socket's path is too long: %s\n", path);
        exit(1);
    }
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die(path);
    return fd;
}

/* Whether `buffer` holds an answer to its end. */
static int is_whole(size_t length)
{
    const char *end = strstr(buffer, "\r\n\r\n");
    const char *field = strcasestr(buffer, "\r\ncontent-length:");

    if (end == NULL)
        return 0;
    if (field == NULL || field > end)
        return 1;
    return length >= (size_t)(end + 4 - buffer) + strtoul(field + strlen("\r\ncontent-length:"), NULL, 10);
}

/* Sends `request` and reads its answer into `buffer`; ends the program unless that begins with `status`. */
static void ask(int fd, const char *request, const char *status)
{
    size_t length = strlen(request);

    if (write(fd, request, length) != (ssize_t)length)
        die("write");
    for (length = 0; length == 0 || !is_whole(length);) {
        ssize_t got = read(fd, buffer + length, sizeof(buffer) - 1 - length);
        if (got <= 0)
            die("read");
        length += (size_t)got;
        buffer[length] = '\0';
    }
    if (strncmp(buffer, status, strlen(status)) != 0) {
        fprintf(stderr, "%s\n", buffer);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static char create[4096], start[256], id[ID_LENGTH + 1];
    uint64_t began, created, started;
    const char *found;
    int fd;

    if (argc != 4) {
        fprintf(stderr, "usage: start-client SOCKET PAUSE_MS BODY\n");
        return 2;
    }
    fd = connect_to(argv[1]);
    snprintf(create, sizeof(create),
             "POST /containers/create HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(argv[3]), argv[3]);
    usleep((useconds_t)atoi(argv[2]) * 1000);
    began = now_ns();
    ask(fd, create, "HTTP/1.1 201");
    created = now_ns();
    found = strstr(buffer, "\"Id\":\"");
    if (found == NULL || strlen(found) < strlen("\"Id\":\"") + ID_LENGTH) {
        fprintf(stderr, "no id: %s\n", buffer);
        return 1;
    }
    memcpy(id, found + strlen("\"Id\":\""), ID_LENGTH);
    snprintf(start, sizeof(start), "POST /containers/%s/start HTTP/1.1\r\nHost: e\r\nContent-Length: 0\r\n\r\n", id);
    ask(fd, start, "HTTP/1.1 204");
    started = now_ns();
    printf("%s %llu %llu %llu\n", id, (unsigned long long)began, (unsigned long long)created, (unsigned long long)started);
    return 0;
}
