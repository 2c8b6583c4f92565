/*
 * System calls for JavaScript: the global object `system`, as src/runc/quick/system.ts declares it.
 *
 *     a call that fails returns a negative errno; nothing throws but for lack of memory or a wrong type
 *
 * Knows: what a process is told of itself, and what it does without files.
 * Does not know: files (files.c), or bytes as text (text.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "quick.h"

/* In Node's words. */
#if defined(__aarch64__)
#define ARCH "arm64"
#elif defined(__x86_64__)
#define ARCH "x64"
#else
#define ARCH "unknown"
#endif

static int exit_code = -1;

int exit_code_of(void)
{
    return exit_code;
}

int int_of(JSContext *js, JSValueConst word)
{
    int32_t number = -1;

    JS_ToInt32(js, &number, word);
    return number;
}

JSValue result_of(JSContext *js, ssize_t result)
{
    return JS_NewInt32(js, result < 0 ? -errno : (int)result);
}

CALL(js_kill)
{
    (void)this, (void)count;
    return result_of(js, kill(int_of(js, words[0]), int_of(js, words[1])));
}

CALL(js_sleep)
{
    double ms = 0;
    struct timespec time;

    (void)this, (void)count;
    JS_ToFloat64(js, &ms, words[0]);
    time.tv_sec = (time_t)(ms / 1000);
    time.tv_nsec = (long)((ms - (double)time.tv_sec * 1000) * 1e6);
    nanosleep(&time, NULL);
    return JS_UNDEFINED;
}

CALL(js_now)
{
    struct timespec now;

    (void)this, (void)count, (void)words;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return JS_NewFloat64(js, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
}

CALL(js_cwd)
{
    char path[PATH_MAX];

    (void)this, (void)count, (void)words;
    return getcwd(path, sizeof(path)) == NULL ? result_of(js, -1) : JS_NewString(js, path);
}

CALL(js_strerror)
{
    (void)this, (void)count;
    return JS_NewString(js, strerror(int_of(js, words[0])));
}

CALL(js_end)
{
    (void)this, (void)count;
    exit_code = int_of(js, words[0]);
    return JS_UNDEFINED;
}

CALL(js_leave)
{
    const char *reason = getenv("SLIPWAY_BIRTHS_DEBUG") == NULL ? NULL : JS_ToCString(js, words[0]);

    (void)this, (void)count;
    if (reason != NULL)
        fprintf(stderr, "slipway-births: %s\n", reason);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry CALLS[] = {
    JS_CFUNC_DEF("kill", 2, js_kill),
    JS_CFUNC_DEF("sleep", 1, js_sleep),
    JS_CFUNC_DEF("now", 0, js_now),
    JS_CFUNC_DEF("cwd", 0, js_cwd),
    JS_CFUNC_DEF("strerror", 1, js_strerror),
    JS_CFUNC_DEF("end", 1, js_end),
    JS_CFUNC_DEF("leave", 1, js_leave),
};

void add_system(JSContext *js, char **args)
{
    JSValue global = JS_GetGlobalObject(js), system = JS_NewObject(js), list = JS_NewArray(js);

    JS_SetPropertyFunctionList(js, system, CALLS, sizeof(CALLS) / sizeof(*CALLS));
    add_files(js, system);
    add_text(js, system);
    for (uint32_t i = 0; args[i] != NULL; i++)
        JS_SetPropertyUint32(js, list, i, JS_NewString(js, args[i]));
    JS_SetPropertyStr(js, system, "args", list);
    JS_SetPropertyStr(js, system, "arch", JS_NewString(js, ARCH));
    JS_SetPropertyStr(js, system, "pid", JS_NewInt32(js, getpid()));
    JS_SetPropertyStr(js, system, "uid", JS_NewUint32(js, geteuid()));
    JS_SetPropertyStr(js, system, "gid", JS_NewUint32(js, getegid()));
    JS_SetPropertyStr(js, global, "system", system);
    JS_FreeValue(js, global);
}
