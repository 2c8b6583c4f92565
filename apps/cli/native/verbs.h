/*
 * What the parts of slipway-verbs share: a call, and what a container's `verbs` file says.
 */
#ifndef SLIPWAY_VERBS_H
#define SLIPWAY_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MAX_GROUPS = 32, MAX_FILE_BYTES = 256 * 1024 };

/* One command line, as far as it is ours. */
struct call {
    const char *root, *verb, *id;
    const char *signal; /* `kill` only; NULL: none was named */
};

enum status { STOPPED, CREATED, RUNNING, PAUSED };

/* The file's texts, each ended by a zero byte; written by src/runc/verbs-file.ts. */
struct container {
    int dir; /* its state directory */
    bool is_current; /* written with the very record that stands there */
    char boot_id[64];
    pid_t pid;
    char start_time[24];
    const char *groups[MAX_GROUPS];
    size_t group_count;
    const char *left_to_node; /* words of verbs, separated by blanks */
    const char *head, *tail;  /* the state document before and after pid and status */
    int process;              /* pidfd; -1: it has ended */
    enum status status;
};

/* command.c */
bool read_call(char **words, struct call *call);
bool read_signal(const char *word, int *signal);

/* container.c */
bool open_container(const struct call *call, struct container *c);
/* Reads at most `size` - 1 bytes of a file and ends them with a zero. -1: it cannot be read, or has more. */
ssize_t read_small(int dir, const char *path, char *to, size_t size);
/* The v1 or v2 file that stops the container's groups; NULL: there is none. */
const char *freezer_of(const struct container *c, bool *v2);

/* life.c: true when the verb is done; false when nothing was done, or only what Node may do once more. */
bool do_start(struct container *c);
bool do_kill(struct container *c, const char *word);
bool do_state(struct container *c);
bool do_pause(struct container *c);
bool do_resume(struct container *c);
bool do_delete(struct container *c, const struct call *call);

#endif
