/*
 * slipway-verbs: `start state kill delete pause resume` of the runc dialect without starting Node, where all goes well; and what of
 * `create run exec` can be done beside Node and after it (birth.c).
 *
 *     slipway-verbs NODE SCRIPT runc [arguments…]
 *
 * Says nothing but the document of `state`, and refuses nothing: whatever is unusual (other verbs and flags, hooks, a state that
 * does not allow the verb, any failure) becomes `NODE SCRIPT runc …`, which does it, or says why not.
 *
 * Knows: which verbs there are.
 * Does not know: rules, errors or documents; src/runc has them and writes down what is needed here (src/runc/verbs-file.ts).
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

static bool left_to_node(const struct container *c, const char *verb)
{
    size_t length = strlen(verb);

    for (const char *at = c->left_to_node; (at = strstr(at, verb)) != NULL; at += length)
        if ((at == c->left_to_node || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static bool perform(const struct call *call)
{
    static struct container c;

    if (!open_container(call, &c) || left_to_node(&c, call->verb))
        return false;
    if (strcmp(call->verb, "start") == 0)
        return do_start(&c);
    if (strcmp(call->verb, "kill") == 0)
        return do_kill(&c, call->signal);
    if (strcmp(call->verb, "state") == 0)
        return do_state(&c);
    if (strcmp(call->verb, "pause") == 0)
        return do_pause(&c);
    if (strcmp(call->verb, "resume") == 0)
        return do_resume(&c);
    return do_delete(&c, call);
}

/* A program of the checkout that `script` is in. */
static bool find_program(const char *script, const char *program, char *path, size_t size)
{
    const char *end = strstr(script, "/apps/cli/src/");
    int length = end == NULL ? -1 : snprintf(path, size, "%.*s%s", (int)(end - script), script, program);

    return length > 0 && (size_t)length < size;
}

int main(int argc, char **argv)
{
    struct call call = {.root = "/run/slipway/runc"};
    char launcher[4200], births[4200];
    struct attended attended = {.node = argv + 1, .births = births};

    if (argc < 4)
        return 125;
    if (read_call(argv + 4, &call) && perform(&call))
        return 0;
    unsetenv("SLIPWAY_FRONT");
    attended.verb = find_birth(argv + 4);
    if (attended.verb != NULL && find_program(argv[2], "/packages/launcher/build/slipway-launcher", launcher, sizeof(launcher)) &&
        find_program(argv[2], "/apps/cli/native/build/slipway-births", births, sizeof(births)))
        give_birth(&attended, launcher);
    become_node(argv + 1);
    return 125;
}
