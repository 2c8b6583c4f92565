/*
 * Throws mutated plans at the decoder, under address and undefined-behaviour sanitizers.
 *
 *   fuzz-plan SEED ROUNDS PLAN…     each PLAN a file with a valid plan
 *
 * Knows: how to damage bytes. Prints how many of the damaged plans were still accepted.
 * Does not know: what a plan does; nothing is performed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

enum { MAX_INPUT = 1 << 16 };

static struct plan plan;

static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static size_t load(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    size_t length = file != NULL ? fread(bytes, 1, MAX_INPUT, file) : 0;

    if (file == NULL || length < 8)
        exit(2);
    fclose(file);
    return length;
}

/* A flipped byte, an interesting number somewhere, or the end cut off; the length field mostly made right again. */
static size_t damage(uint8_t *bytes, size_t length, uint64_t *state)
{
    static const uint32_t numbers[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 4096, 2049};
    uint32_t times = 1 + next(state) % 4;
    uint32_t fixed;

    while (times-- > 0) {
        size_t at = next(state) % length;
        if (next(state) % 2)
            bytes[at] ^= (uint8_t)(1u << next(state) % 8);
        else if (at + 4 <= length)
            memcpy(bytes + at, &numbers[next(state) % 8], 4);
        if (next(state) % 16 == 0)
            length = 8 + next(state) % (length - 7);
    }
    fixed = (uint32_t)length;
    if (next(state) % 8)
        memcpy(bytes + 4, &fixed, 4);
    return length;
}

/* Touches every byte that the decoder promises, so that the sanitizer sees a wrong promise. */
static uint64_t touch(const struct plan *p)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct operation *op = &p->operations[i];
        if (op->code == OP_EXEC)
            for (char *const *arg = op->arg[0].texts; *arg != NULL; arg++)
                sum += strlen(*arg);
        if (op->code == OP_USER)
            for (uint64_t k = 0; k < op->arg[2].number; k++)
                sum += op->arg[2].numbers[k];
        if (op->code == OP_MOUNT)
            sum += strlen(op->arg[0].text) + strlen(op->arg[1].text);
    }
    return sum;
}

/* The input and the arena are of exactly the promised size, each round anew: one byte beyond is seen. */
static int try_plan(const uint8_t *from, size_t length)
{
    uint8_t *bytes = malloc(length);
    void *arena = calloc(1, 4 * length + 4096);
    uint32_t at;
    int accepted;

    if (bytes == NULL || arena == NULL)
        exit(2);
    memcpy(bytes, from, length);
    memset(&plan, 0, sizeof(plan));
    accepted = plan_decode(&plan, bytes, length, arena, &at) == 0;
    if (accepted && touch(&plan) == UINT64_MAX)
        accepted = 0;
    free(arena);
    free(bytes);
    return accepted;
}

int main(int argc, char **argv)
{
    static uint8_t original[MAX_INPUT], damaged[MAX_INPUT];
    uint64_t state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    long rounds = argc > 2 ? atol(argv[2]) : 1000, accepted = 0;

    for (int file = 3; file < argc; file++) {
        size_t length = load(argv[file], original);
        if (!try_plan(original, length))
            return 3;
        for (long i = 0; i < rounds; i++) {
            memcpy(damaged, original, length);
            accepted += try_plan(damaged, damage(damaged, length, &state));
        }
    }
    printf("%ld\n", accepted);
    return 0;
}
