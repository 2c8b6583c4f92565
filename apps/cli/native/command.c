/*
 * The command line, as far as engines write it: everything else is Node's to read.
 *
 * Knows: runc's global flags that change nothing of a verb that goes well.
 * Does not know: what is wrong with a line.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

/* `--name value` or `--name=value`: its value, and how many words that were. */
static const char *flag_value(char **words, const char *name, int *count)
{
    size_t length = strlen(name);

    if (strncmp(words[0], name, length) != 0)
        return NULL;
    *count = words[0][length] == '=' ? 1 : 2;
    if (words[0][length] == '=')
        return words[0] + length + 1;
    return words[0][length] == '\0' ? words[1] : NULL;
}

/* How many words the flag is that a line begins with; 0: none that we know. */
static int read_global(char **words, struct call *call)
{
    static const char *const unheeded[] = {"--log", "--criu", "--rootless"};
    const char *value;
    int count;

    if (strcmp(words[0], "--debug") == 0)
        return 1;
    if ((value = flag_value(words, "--root", &count)) != NULL && *value == '/') {
        call->root = value;
        return count;
    }
    if ((value = flag_value(words, "--log-format", &count)) != NULL && (strcmp(value, "json") == 0 || strcmp(value, "text") == 0))
        return count;
    for (size_t i = 0; i < sizeof(unheeded) / sizeof(*unheeded); i++)
        if (flag_value(words, unheeded[i], &count) != NULL)
            return count;
    return 0;
}

/* As src/container-id.ts of the runtime: one name, no path. */
static bool is_id(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";
    size_t length = strlen(text);

    return length >= 1 && length <= 128 && strchr("_+.-", *text) == NULL && strspn(text, allowed) == length;
}

static bool is_verb(const char *word)
{
    static const char *const verbs[] = {"start", "state", "kill", "delete", "pause", "resume"};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(word, verbs[i]) == 0)
            return true;
    return false;
}

/* Descriptors to hand on stand where ours would: those lines are Node's alone. */
char **find_birth(char **words)
{
    struct call call = {.root = NULL};
    char **begin = words;

    while (*words != NULL && **words == '-') {
        int count = read_global(words, &call);
        if (count == 0 || words + count - begin > MAX_WORDS / 2)
            return NULL;
        words += count;
    }
    if (*words == NULL || (strcmp(*words, "create") != 0 && strcmp(*words, "run") != 0 && strcmp(*words, "exec") != 0))
        return NULL;
    for (char **each = words + 1; *each != NULL; each++)
        if (strncmp(*each, "--preserve-fds", strlen("--preserve-fds")) == 0)
            return NULL;
    return words;
}

bool read_call(char **words, struct call *call)
{
    while (*words != NULL && **words == '-') {
        int count = read_global(words, call);
        if (count == 0)
            return false;
        words += count;
    }
    if (*words == NULL || !is_verb(*words))
        return false;
    call->verb = *words++;
    if (*words == NULL || !is_id(*words))
        return false;
    call->id = *words++;
    if (strcmp(call->verb, "kill") == 0 && *words != NULL)
        call->signal = *words++;
    return *words == NULL;
}

/* A number, or a name with or without SIG, in capitals. */
bool read_signal(const char *word, int *number)
{
    const char *name = word != NULL && strncmp(word, "SIG", 3) == 0 ? word + 3 : word;

    *number = SIGTERM;
    if (word == NULL)
        return true;
    if (*word >= '1' && *word <= '9' && strlen(word) <= 2 && strspn(word, "0123456789") == strlen(word)) {
        *number = atoi(word);
        return *number <= SIGRTMAX;
    }
    for (*number = 1; *number < 32; (*number)++) {
        const char *known = sigabbrev_np(*number);
        if (known != NULL && strcmp(known, name) == 0)
            return true;
    }
    return false;
}
