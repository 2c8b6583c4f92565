/*
 * The shim's clients: frames in, frames out, and what happens to one that does not keep up.
 *
 * Knows: framing, and that nobody may stop the container for longer than ten seconds.
 * Does not know: where input goes and output comes from.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"

static const uint64_t PATIENCE_NS = 10ull * 1000000000;

static uint8_t buffers[MAX_CLIENTS][CLIENT_BUFFER];

static void drop(struct shim *s, struct client *c)
{
    close_fd(&c->fd);
    if (s->stdin_once && c->sent_input) {
        s->close_input = true;
        write_input(s);
    }
    c->pending = 0;
    c->full_since = 0;
}

static struct client *free_client(struct shim *s)
{
    for (int i = 0; i < MAX_CLIENTS; i++)
        if (s->clients[i].fd < 0)
            return &s->clients[i];
    return NULL;
}

void clients_accept(struct shim *s)
{
    int fd;

    while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct client *c = free_client(s);
        if (c == NULL) {
            close(fd);
            continue;
        }
        c->fd = fd;
        c->out = buffers[c - s->clients];
        c->wants_output = c->sent_input = false;
        c->header_length = c->payload_left = 0;
        c->pending = 0;
        c->full_since = 0;
    }
}

/* Sends what the socket takes; the rest stays in `out`, which holds one full frame and the short ones around it. */
void client_flush(struct shim *s, struct client *c)
{
    ssize_t sent = send(c->fd, c->out, c->pending, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        drop(s, c);
        return;
    }
    if (sent > 0) {
        c->pending -= (size_t)sent;
        memmove(c->out, c->out + sent, c->pending);
    }
    if (c->pending == 0)
        c->full_since = 0;
    else if (c->full_since == 0)
        c->full_since = now_ns();
}

void client_send(struct shim *s, struct client *c, enum frame_type type, const void *payload, size_t length)
{
    uint32_t size = (uint32_t)length;

    /* Output is only read while nobody is full, so only a client that floods us with requests gets here. */
    if (c->pending + FRAME_HEADER + length > (size_t)CLIENT_BUFFER) {
        drop(s, c);
        return;
    }
    c->out[c->pending] = (uint8_t)type;
    memcpy(c->out + c->pending + 1, &size, sizeof(size));
    if (length > 0)
        memcpy(c->out + c->pending + FRAME_HEADER, payload, length);
    c->pending += FRAME_HEADER + length;
    client_flush(s, c);
}

void clients_broadcast(struct shim *s, enum frame_type type, const void *payload, size_t length)
{
    for (int i = 0; i < MAX_CLIENTS; i++) {
        struct client *c = &s->clients[i];
        if (c->fd >= 0 && (type == FRAME_EXIT || c->wants_output))
            client_send(s, c, type, payload, length);
    }
}

bool clients_full(struct shim *s)
{
    uint64_t now = now_ns();
    bool full = false;

    for (int i = 0; i < MAX_CLIENTS; i++) {
        struct client *c = &s->clients[i];
        if (c->fd < 0 || c->full_since == 0)
            continue;
        if (now - c->full_since > PATIENCE_NS)
            drop(s, c);
        else
            full = true;
    }
    return full;
}

static void resize(const struct shim *s, const struct client *c)
{
    uint16_t rows, columns;

    memcpy(&rows, c->payload, 2);
    memcpy(&columns, c->payload + 2, 2);
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    if (s->terminal && s->input >= 0)
        ioctl(s->input, TIOCSWINSZ, &size);
}

static void handle_frame(struct shim *s, struct client *c)
{
    switch (c->header[0]) {
    case FRAME_ATTACH:
        c->wants_output = c->payload_length > 0 && (c->payload[0] & 1);
        client_send(s, c, FRAME_ATTACHED, NULL, 0);
        break;
    case FRAME_RESIZE:
        if (c->payload_length == 4)
            resize(s, c);
        break;
    case FRAME_CLOSE_STDIN:
        s->close_input = true;
        if (s->input_length == 0)
            write_input(s);
        break;
    case FRAME_REOPEN_LOG:
        log_reopen();
        break;
    default: /* from a later version of the client: nothing we could do about it */
        break;
    }
}

/* Input waits in its client's socket while earlier input has not been taken. */
bool client_wants_reading(const struct shim *s, const struct client *c)
{
    bool in_input = c->header_length == FRAME_HEADER && c->header[0] == FRAME_STDIN;

    return !in_input || s->input_length == 0;
}

/* What recv may fill next: the header, a short payload, or the input buffer. */
static void *place_for(struct shim *s, struct client *c, size_t *size)
{
    if (c->header_length < FRAME_HEADER) {
        *size = FRAME_HEADER - c->header_length;
        return c->header + c->header_length;
    }
    if (c->header[0] == FRAME_STDIN) {
        *size = c->payload_left < CHUNK ? c->payload_left : CHUNK;
        return s->input_bytes;
    }
    *size = c->payload_left;
    return c->payload + c->payload_length;
}

/* A header is complete. False: the client is not talking our language. */
static bool begin_frame(struct client *c)
{
    memcpy(&c->payload_left, c->header + 1, sizeof(c->payload_left));
    c->payload_length = 0;
    return c->header[0] == FRAME_STDIN || c->payload_left <= sizeof(c->payload);
}

static void took_payload(struct shim *s, struct client *c, size_t got)
{
    c->payload_left -= (uint32_t)got;
    if (c->header[0] == FRAME_STDIN) {
        c->sent_input = true;
        s->input_length = got;
        write_input(s);
    } else {
        c->payload_length += got;
    }
}

/* One step; false when there is nothing more to read for now. */
static bool read_some(struct shim *s, struct client *c)
{
    size_t size;
    void *place;
    ssize_t got;
    bool in_header = c->header_length < FRAME_HEADER;

    if (!client_wants_reading(s, c))
        return false;
    place = place_for(s, c, &size);
    got = recv(c->fd, place, size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        drop(s, c);
        return false;
    }
    if (!in_header) {
        took_payload(s, c, (size_t)got);
    } else {
        c->header_length += (size_t)got;
        if (c->header_length == FRAME_HEADER && !begin_frame(c)) {
            drop(s, c);
            return false;
        }
    }
    if (c->header_length == FRAME_HEADER && c->payload_left == 0) {
        handle_frame(s, c);
        c->header_length = 0;
    }
    return c->fd >= 0;
}

/* Some frames of a client; never all of an endless stream, so that the others get their turn. */
void client_read(struct shim *s, struct client *c)
{
    for (int steps = 0; steps < 16 && read_some(s, c); steps++)
        ;
}
