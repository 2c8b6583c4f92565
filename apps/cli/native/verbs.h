/*
 * What the parts of slipway-verbs share: a call, and what a container's `verbs` file says.
 */
#ifndef SLIPWAY_VERBS_H
#define SLIPWAY_VERBS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MAX_GROUPS = 32, MAX_FILE_BYTES = 256 * 1024, MAX_WORDS = 64 };

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

/* A command that makes a process. */
struct attended {
    char **node; /* NODE SCRIPT runc, and the whole line; behind our own name */
    const char *births; /* path of the program that stands in for it (quick/main.c), whether or not it has been built */
    char **verb; /* its word in there */
    sigset_t signals;
};

/* command.c */
/* The verb of a line that makes a process, where the flags before it are ours to repeat; NULL: it is no such line. */
char **find_birth(char **words);
bool read_call(char **words, struct call *call);
bool read_signal(const char *word, int *signal);

/* node.c: returns only on failure, which it has told. */
void become_node(char **words);

/* birth.c: returns only where nothing was begun. */
void give_birth(struct attended *a, const char *launcher);

/* moves.c */
/* cgroup.procs of a group that holds this process; -1: there is none that we may write to. */
int open_own_group(void);
void ready_moves(int group);

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
