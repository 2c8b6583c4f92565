/*
 * The log, in CRI's format: `2024-05-06T07:08:09.123456789Z stdout F a line`.
 *
 * A line longer than 16 KiB is written in pieces tagged P; so is a last line without a newline, so that a reader can tell
 * "hi" from "hi\n".
 *
 * Knows: lines, and one rotation.
 * Does not know: who writes and who reads.
 * Spec: Kubernetes' CRI logging design (kubelet's pkg/kubelet/kuberuntime/logs).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"
#include "text.h"

enum { MAX_LINE = 16384 };

static struct {
    char path[PATH_MAX]; /* "" when no log is kept */
    int fd;
    uint64_t size, max;
    struct {
        uint8_t bytes[MAX_LINE];
        size_t length;
    } line[2];
    size_t batch_length;
    uint8_t batch[2 * MAX_LINE];
} log_file = {.fd = -1};

static int open_file(void)
{
    struct stat st;
    int fd = open(log_file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

    if (fd < 0)
        return -1;
    close_fd(&log_file.fd);
    log_file.fd = fd;
    log_file.size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    return 0;
}

int log_open(const char *path, uint64_t max_bytes)
{
    if (path == NULL)
        return 0;
    if (strlen(path) >= sizeof(log_file.path) - 2) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(log_file.path, path);
    log_file.max = max_bytes;
    return open_file();
}

void log_reopen(void)
{
    if (log_file.path[0] != '\0')
        open_file();
}

static void rotate(void)
{
    char old[PATH_MAX];

    strcpy(old, log_file.path);
    strcat(old, ".1");
    if (rename(log_file.path, old) == 0)
        open_file();
}

/* A full disk loses log lines, not the container. */
static void flush_batch(void)
{
    size_t at = 0;

    if (log_file.max != 0 && log_file.size > 0 && log_file.size + log_file.batch_length > log_file.max)
        rotate();
    while (at < log_file.batch_length) {
        ssize_t written = write(log_file.fd, log_file.batch + at, log_file.batch_length - at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        at += (size_t)written;
    }
    log_file.size += at;
    log_file.batch_length = 0;
}

static void add(const void *bytes, size_t length)
{
    memcpy(log_file.batch + log_file.batch_length, bytes, length);
    log_file.batch_length += length;
}

static void end_line(unsigned stream, const struct text *time, bool full)
{
    const char *middle[2][2] = {{" stdout P ", " stdout F "}, {" stderr P ", " stderr F "}};
    size_t length = log_file.line[stream].length;

    if (log_file.batch_length + time->length + 10 + length + 1 > sizeof(log_file.batch))
        flush_batch();
    add(time->bytes, time->length);
    add(middle[stream][full], 10);
    add(log_file.line[stream].bytes, length);
    add("\n", 1);
    log_file.line[stream].length = 0;
}

static void stamp(struct text *time)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    text_add_time(time, &now);
}

void log_write(unsigned stream, const uint8_t *bytes, size_t length)
{
    struct text time = {.length = 0};

    if (log_file.fd < 0)
        return;
    stamp(&time);
    while (length > 0) {
        const uint8_t *newline = memchr(bytes, '\n', length);
        size_t room = MAX_LINE - log_file.line[stream].length;
        size_t take = newline != NULL ? (size_t)(newline - bytes) : length;
        bool whole = newline != NULL && take <= room;

        if (take > room)
            take = room;
        memcpy(log_file.line[stream].bytes + log_file.line[stream].length, bytes, take);
        log_file.line[stream].length += take;
        if (whole)
            end_line(stream, &time, true);
        else if (log_file.line[stream].length == MAX_LINE)
            end_line(stream, &time, false);
        bytes += take + whole;
        length -= take + whole;
    }
    flush_batch();
}

void log_forget(void)
{
    close_fd(&log_file.fd);
}

void log_end(void)
{
    struct text time = {.length = 0};

    if (log_file.fd < 0)
        return;
    stamp(&time);
    for (unsigned stream = 0; stream < 2; stream++)
        if (log_file.line[stream].length > 0)
            end_line(stream, &time, false);
    flush_batch();
}
