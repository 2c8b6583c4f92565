/*
 * What the parts of slipway-births share.
 */
#ifndef SLIPWAY_QUICK_H
#define SLIPWAY_QUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <quickjs.h>

#define CALL(name) static JSValue name(JSContext *js, JSValueConst this, int count, JSValueConst *words)

/* A word as a number; -1: it is none. */
int int_of(JSContext *js, JSValueConst word);

/* `result`, or the negative errno where it is below 0. */
JSValue result_of(JSContext *js, ssize_t result);

/* The bytes of a Uint8Array, `words` being it, an offset and a length; NULL: that is outside of it, which has been thrown. */
uint8_t *bytes_of(JSContext *js, JSValueConst *words, size_t *length);

/* files.c and text.c: their part of `system`. */
void add_files(JSContext *js, JSValue system);
void add_text(JSContext *js, JSValue system);

/* system.c: the calls that JavaScript can make, as the global object `system` (src/runc/quick/system.ts). */
void add_system(JSContext *js, char **args);

/* What `system.end` was told: an exit code; -1: nothing. */
int exit_code_of(void);

#endif
