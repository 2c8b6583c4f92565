/*
 * What the parts of the shim share: the process it parents, its streams, its clients.
 *
 *   stdout ┐                     ┌ log (shim_log.c)
 *   stderr ├─▶ shim_io.c ────────┤
 *   or pty ┘                     └ clients (shim_clients.c) ◀─▶ shim.sock
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "text.h"

enum { CHUNK = 16384, MAX_CLIENTS = 32, MAX_OOM_FILES = 4 };

/* Twin of ../src/shim-frames.ts: type u8, length u32, payload. */
enum frame_type {
    FRAME_ATTACH = 1,
    FRAME_STDIN,
    FRAME_RESIZE,
    FRAME_CLOSE_STDIN,
    FRAME_REOPEN_LOG,
    FRAME_ATTACHED = 17,
    FRAME_STDOUT,
    FRAME_STDERR,
    FRAME_EXIT,
};

enum { FRAME_HEADER = 5, CLIENT_BUFFER = CHUNK + 2 * FRAME_HEADER + 512 };

struct client {
    int fd; /* -1: free */
    bool wants_output, sent_input;
    uint8_t header[FRAME_HEADER]; /* of the frame coming in */
    size_t header_length;
    uint32_t payload_left;
    uint8_t payload[8]; /* of short frames */
    size_t payload_length;
    uint64_t full_since; /* CLOCK_MONOTONIC ns; 0: it keeps up */
    size_t pending;      /* bytes of `out` it has not taken */
    uint8_t *out;        /* CLIENT_BUFFER bytes, apart from here so that an idle shim does not touch them */
};

struct shim {
    int dir, listener, signals;
    const char *log_path;
    uint64_t log_max_bytes;
    bool terminal, stdin_once;
    int input;     /* pipe or pty master; -1: none or closed */
    int output[2]; /* stdout (or pty master), stderr */
    int slave;     /* held while the process lives, so that a terminal nobody has open is not an end */
    bool close_input; /* once what is pending has been written */
    size_t input_length;
    uint8_t input_bytes[CHUNK];

    pid_t pid;
    bool exited;
    int status; /* of waitpid */
    uint64_t exited_ns, last_output_ns;
    int oom_files[MAX_OOM_FILES];
    uint64_t oom_kills_before[MAX_OOM_FILES];

    struct client clients[MAX_CLIENTS];
};

/* shim_log.c */
int log_open(const char *path, uint64_t max_bytes);
void log_reopen(void);
/* `stream` is 0 for stdout, 1 for stderr. */
void log_write(unsigned stream, const uint8_t *bytes, size_t length);
void log_end(void);
void log_forget(void);

/* shim_clients.c */
void clients_accept(struct shim *s);
void client_read(struct shim *s, struct client *c);
void client_flush(struct shim *s, struct client *c);
void client_send(struct shim *s, struct client *c, enum frame_type type, const void *payload, size_t length);
void clients_broadcast(struct shim *s, enum frame_type type, const void *payload, size_t length);
/* True while some client has not taken what it was sent. Drops those that had ten seconds. */
bool clients_full(struct shim *s);
bool client_wants_reading(const struct shim *s, const struct client *c);

/* shim_io.c */
bool read_output(struct shim *s, unsigned stream);
void write_input(struct shim *s);

/* shim_exit.c */
void oom_watch_groups(struct shim *s, const struct plan *plan);
/* The content of exit.json, valid until the end. To be called once. */
const struct text *record_of_exit(const struct shim *s);
/* A file that is there whole or not at all; `durable`: it survives a crash of the host once this returns 0. */
int write_record(int dir, const char *name, const struct text *record, bool durable);

#endif
