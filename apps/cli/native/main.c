/*
 * slipway-verbs: `start state kill delete pause resume` of the runc dialect without starting Node, where all goes well.
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

int main(int argc, char **argv)
{
    struct call call = {.root = "/run/slipway/runc"};

    if (argc < 4)
        return 125;
    if (read_call(argv + 4, &call) && perform(&call))
        return 0;
    execv(argv[1], argv + 1);
    perror("slipway: node");
    return 125;
}
