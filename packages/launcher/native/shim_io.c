/*
 * The shim's ends of the process's streams.
 *
 * Knows: pipes and pty masters, both non-blocking.
 * Does not know: frames (shim_clients.c) or log lines (shim_log.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"

/* A terminal is one descriptor for both directions. */
static void end_output(struct shim *s, unsigned stream)
{
    if (s->terminal) {
        s->input = -1;
        s->input_length = 0;
    }
    close_fd(&s->output[stream]);
}

/* Takes one piece of output to the log and the clients; false when there is none for now, or none ever again. */
bool read_output(struct shim *s, unsigned stream)
{
    static uint8_t bytes[CHUNK];
    ssize_t got = s->output[stream] < 0 ? 0 : read(s->output[stream], bytes, sizeof(bytes));

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    /* EIO: the last holder of the terminal's other side has closed it. */
    if (got <= 0) {
        end_output(s, stream);
        return false;
    }
    s->last_output_ns = now_ns();
    log_write(stream, bytes, (size_t)got);
    clients_broadcast(s, stream == 0 ? FRAME_STDOUT : FRAME_STDERR, bytes, (size_t)got);
    return true;
}

/* Writes pending input; what a closed stdin does not take is dropped. */
void write_input(struct shim *s)
{
    ssize_t written = s->input < 0 || s->input_length == 0 ? 0 : write(s->input, s->input_bytes, s->input_length);

    if (written < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (written < 0 || s->input < 0) {
        s->input_length = 0;
        if (!s->terminal)
            close_fd(&s->input);
        return;
    }
    s->input_length -= (size_t)written;
    memmove(s->input_bytes, s->input_bytes + written, s->input_length);
    if (s->input_length == 0 && s->close_input && !s->terminal)
        close_fd(&s->input);
}
