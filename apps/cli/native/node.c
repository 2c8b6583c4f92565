/*
 * Becoming Node, with the dialect's snapshot where there is one that still says what the sources say.
 *
 * Knows: when that is (scripts/bundle-commands.mjs writes the list).
 * Does not know: what a snapshot holds.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

void become_node(char **words)
{
    execv(words[0], words);
    perror("slipway: node");
}
