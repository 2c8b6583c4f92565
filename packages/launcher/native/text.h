/*
 * Short texts built without stdio, which would be the larger part of the program and of a shim's memory.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What does not fit is left out; `length` never passes sizeof(bytes) - 1, and bytes[length] is NUL. */
struct text {
    size_t length;
    char bytes[512];
};

void text_add(struct text *t, const char *addition);
void text_add_number(struct text *t, uint64_t number);
/* With leading zeros up to `width` digits. */
void text_add_padded(struct text *t, uint64_t number, unsigned width);
/* RFC 3339 with nanoseconds, UTC. */
void text_add_time(struct text *t, const struct timespec *time);

/* Writes a small file that exists, e.g. below /proc. 0 or -1 with errno. */
int write_file(const char *path, const struct text *content);

#endif
