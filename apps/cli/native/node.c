/*
 * Becoming Node.
 *
 * Knows: that a failure to is the one thing that we tell ourselves.
 * Does not know: what Node will do.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "verbs.h"

void become_node(char **words)
{
    execv(words[0], words);
    perror("slipway: node");
}
