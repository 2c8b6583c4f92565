/*
 * What the stages of a launch share: the state of one launch, and how a stage says what failed.
 *
 * Every stage function returns 0, or -1 with errno set after fail() has noted the name of the call.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <linux/limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "plan.h"

enum { PLAN_FD = 3, RECORDS_FD = 4, CONTROL_FD = 5, FIRST_PRESERVED_FD = 6 };

enum record_kind { RECORD_DONE = 1, RECORD_SKIPPED, RECORD_FAILED, RECORD_STOP, RECORD_LAUNCHED, RECORD_HOOK, RECORD_NOTE, RECORD_READY, RECORD_AHEAD };

/* What the starter reads from the records fd. Twin of ../src/records.ts. */
struct record {
    uint32_t kind, index;
    uint64_t start_ns, end_ns; /* CLOCK_MONOTONIC */
    int32_t error;             /* errno, 0 on success */
    int32_t pid;
    uint64_t start_time; /* RECORD_LAUNCHED: field 22 of /proc/PID/stat */
    union {
        char call[24]; /* NUL-terminated; empty on success */
        struct {
            uint64_t start_ns, end_ns;
        } ahead; /* RECORD_AHEAD, which is a RECORD_DONE: when most of it was done */
    };
};

/* Shared between launcher and child, so that even a child that is killed leaves word of how far it came. */
struct board {
    _Atomic uint32_t done; /* records complete, in plan order */
    _Atomic int32_t child;       /* as the launcher sees it */
    _Atomic bool executing;      /* the child is about to exec: from now on its socket's end means that it did, or failed and said so */
    _Atomic uint64_t root_mount; /* id of what bindRoot attached; 0: nothing */
    struct record records[MAX_OPERATIONS];
};

struct launch {
    struct plan plan;
    struct board *board;
    uint32_t flushed;     /* records already sent */
    uint32_t flush_limit; /* later ones are sent by the child itself; 0: all are ours */
    uint64_t deadline; /* CLOCK_MONOTONIC ns; 0: none */
    bool inside;       /* this process is the child */
    bool stepping;     /* stop before the next operation, whatever the breakpoints */
    bool waited;       /* awaitStart is behind us: nobody listens to the launch any more */
    bool cradled;      /* the child was born in its groups */
    bool in_cgroup;    /* ... in its v2 cgroup */
    int input, records, control, sync;
    int child_sync; /* the child's end, until it exists */
    int cgroup;     /* the v2 cgroup to be born in, during the clone */
    sigset_t signals; /* blocked in the launcher, read through a signalfd */
    pid_t child;

    int root;           /* O_PATH: the container's root directory */
    bool root_is_tree;  /* `root` is a detached mount, for bindRoot to attach */
    bool root_attached; /* ... and bindRoot has done it */
    bool root_at_path;  /* ... where a hook looks for it; a file system may still be mounted over it */
    int slots[MAX_SLOTS];
    int null_tree;  /* detached mount of a verified /dev/null, for masks */
    int empty_tree; /* an empty read-only tmpfs, for masks of directories */
    bool null_used, empty_used;
    int proc; /* the starter's /proc, verified */
    int fifo;
    bool fifo_made;
    int answer; /* the fifo's writing end, from awaitStart to confirmStart */
    int stdio[3];      /* the child's; -1: inherit */
    int shim_stdio[3]; /* the shim's ends */
    int master, slave; /* in the launcher: received from the child */
    char executable[PATH_MAX];
};

/* Notes the call that failed, keeps errno, returns -1. */
int fail(const char *call);
/* As fail(), with an errno of our own. */
int fail_with(const char *call, int error);
/* Call noted by the last fail(). */
const char *failed_call(void);

/* report.c */
uint64_t now_ns(void);
/* Times stay those of the starter after this process has entered another time namespace; `before`: the time right before it. */
void clock_moved(uint64_t before);
/* Notes when the work of the operation that is being performed was done in truth. */
void made_ahead(uint64_t start_ns, uint64_t end_ns);
int perform(struct launch *l, uint32_t index);
/* The operation itself, without a record. */
int carry_out(struct launch *l, const struct operation *op);
void flush_records(struct launch *l);
void send_record(const struct launch *l, const struct record *record);
void send_failure(const struct launch *l, uint32_t index);
/* The starter is to answer: at a stop, or at a hook that is its to run. */
void send_question(const struct launch *l, uint32_t index, enum record_kind kind);
/* A text in as many records as it takes, for the message of the failure that follows. */
void send_note(const struct launch *l, uint32_t index, const char *text);
void close_fd(int *fd);

/* clone.c */
int run_launch(struct launch *l);
void end_child(struct launch *l);

/* cradle.c */
struct clone_args;
/* Sets a cradle apart where the starter named groups for it; a record tells the starter when it stands in them. */
void cradle_prepare(struct launch *l);
/* Once the plan is there both must not work at a time: a cradle that is not ready leaves. */
void cradle_stand_by(void);
/* clone3 from the cradle: the child calls `born`. -1: there was no cradle, or it could not. Used up in any case. */
pid_t cradle_clone(struct clone_args *args, void (*born)(struct launch *l));
/* It is not needed, or not any more; leaving takes its time. */
void cradle_dismiss(void);
/* ... and is gone when this returns. */
void cradle_leave(void);

/* rehearsal.c */
/* What a cradle is to go through; never performed to its end. */
void rehearsal_of(const struct plan *plan);
/* In the cradle, while nobody waits. What cannot be done is left to the birth. */
void rehearse(struct launch *l);
/* The plan has come: whether its child can be born in what was rehearsed; `*at` is the operation at fault on -1. */
int rehearsal_compare(struct launch *l, uint32_t *at);
bool rehearsal_suits(void);
/* In the cradle, before the clone: home again, or without the namespaces that it is in already. */
int rehearsal_settle(uint64_t *namespaces);
/* In the launcher, after the clone: the child was born in what was rehearsed, or not. */
void rehearsal_was_of_use(void);
void rehearsal_was_in_vain(struct launch *l);
/* In the child: the way home is not for it. */
void rehearsal_forget(void);
/* In the launcher: closes what is left of it. Not before the launch is over: the end of a mount takes its time. */
void rehearsal_end(void);
/* The container's own root, made by the launcher, or -1. */
int root_made_ahead(const struct operation *op);
/* Whether the loopback interface that we have is up already. */
bool loopback_was_raised(void);

/* stage.c */
/* In the cradle: what of the plan can be performed below `root`. */
void stage_perform(struct launch *l, const struct plan *plan, int root);
/* In the launcher: which of it the plan that has come can use; none, where its child is not born beside it; and the end. */
void stage_compare(const struct plan *plan);
void stage_refuse(void);
void stage_end(void);
/* In the child: the operation was performed, and has come to its place with the mount that it was made in. */
bool was_rehearsed(const struct launch *l, const struct operation *op);
/* A mount that stands there as this operation wants it, or -1; and where it cannot be used after all. */
int tree_on_stage(const struct launch *l, const struct operation *op);
void refuse_tree(const struct launch *l, const struct operation *op);

/* sync.c: the socket between launcher and child */
enum sync_type { SYNC_GO = 1, SYNC_STOP, SYNC_COMMAND, SYNC_TERMINAL, SYNC_WAITING, SYNC_FAILED, SYNC_HOOK, SYNC_TIME };
struct sync_message {
    uint32_t type, value;
};
int sync_send(int socket, enum sync_type type, uint32_t value);
int sync_send_fds(int socket, enum sync_type type, const int fds[2]);
/* 1: a message; 0: the other side is gone; -1. `fds` take what came along, or -1. */
int sync_receive(int socket, struct sync_message *message, int fds[2]);
/* What to do with the operation, a letter of "csxat" (continue, step, skip, abort, out of time). */
int ask(struct launch *l, uint32_t index, enum record_kind why);

/* paths.c: container paths, resolved by fd below a root */
enum walk { WALK_FOLLOW = 1, WALK_MAKE_DIRECTORY = 2, WALK_MAKE_FILE = 4 };
int open_below(int root, const char *path, unsigned walk);
int open_parent(int root, const char *path, bool create, const char **name);
bool lies_in(const char *path, const char *directory);
bool is_directory(int fd);
bool is_on(int fd, long magic);
bool is_device(int fd, unsigned major, unsigned minor);
uint64_t mount_id(int fd); /* 0: this kernel does not say */
bool is_mount_root(int fd);

/* mounts.c */
int move_tree(int tree, int target);
int clone_tree(int fd, bool recursive);
int set_attributes(int tree, uint64_t set, uint64_t clear, bool recursive);
int set_propagation(int tree, uint64_t propagation);
/* Four arguments of an operation: what to set and clear on the mount itself, then on it and all that is mounted below it. */
int set_asked_attributes(int tree, const struct argument asked[4]);
int new_filesystem(const char *type, const char *source, char *const *data, uint64_t attributes);
/* What a `mount` asks for, attached nowhere and not yet read-only. */
int filesystem_of(const struct operation *op);
/* A `mount` with options that fsconfig has no word for, or no room. */
bool needs_mount2(const struct operation *op);

/* One function per operation, in the file of its stage. */
int op_open_root(struct launch *l, const struct operation *op);
int op_open_source(struct launch *l, const struct operation *op);
int op_open_namespace(struct launch *l, const struct operation *op);
int op_clone(struct launch *l, const struct operation *op);
int op_idmap(struct launch *l, const struct operation *op);
int op_join_cgroup(struct launch *l, const struct operation *op);
int op_oom_score(struct launch *l, const struct operation *op);
int op_join_namespace(struct launch *l, const struct operation *op);
int op_unshare(struct launch *l, const struct operation *op);
int op_become_root(struct launch *l, const struct operation *op);
int op_session_keyring(struct launch *l, const struct operation *op);
int op_new_session(struct launch *l, const struct operation *op);
int op_root_propagation(struct launch *l, const struct operation *op);
int op_bind_root(struct launch *l, const struct operation *op);
int op_mount(struct launch *l, const struct operation *op);
int mount_root(struct launch *l, const struct operation *op);
int op_bind(struct launch *l, const struct operation *op);
int op_device(struct launch *l, const struct operation *op);
int op_bind_device(struct launch *l, const struct operation *op);
int op_symlink(struct launch *l, const struct operation *op);
int op_console(struct launch *l, const struct operation *op);
int op_mask(struct launch *l, const struct operation *op);
int op_readonly_path(struct launch *l, const struct operation *op);
int op_pivot_root(struct launch *l, const struct operation *op);
int op_chroot(struct launch *l, const struct operation *op);
int op_readonly_root(struct launch *l, const struct operation *op);
int op_hostname(struct launch *l, const struct operation *op);
int op_domainname(struct launch *l, const struct operation *op);
int op_loopback_up(struct launch *l, const struct operation *op);
int op_sysctl(struct launch *l, const struct operation *op);
int op_rlimit(struct launch *l, const struct operation *op);
int op_workdir(struct launch *l, const struct operation *op);
int op_find_executable(struct launch *l, const struct operation *op);
int op_umask(struct launch *l, const struct operation *op);
int op_no_new_privileges(struct launch *l, const struct operation *op);
int op_bounding_set(struct launch *l, const struct operation *op);
int op_user(struct launch *l, const struct operation *op);
int op_capabilities(struct launch *l, const struct operation *op);
int op_seccomp(struct launch *l, const struct operation *op);
int op_await_start(struct launch *l, const struct operation *op);
int op_exec(struct launch *l, const struct operation *op);
int op_runtime_hook(struct launch *l, const struct operation *op);
int op_container_hook(struct launch *l, const struct operation *op);
int op_confirm_start(struct launch *l, const struct operation *op);
int op_time_namespace(struct launch *l, const struct operation *op);
int op_scheduler(struct launch *l, const struct operation *op);
int op_io_priority(struct launch *l, const struct operation *op);
int op_cpu_affinity(struct launch *l, const struct operation *op);
int op_memory_policy(struct launch *l, const struct operation *op);
int op_personality(struct launch *l, const struct operation *op);
int op_security_label(struct launch *l, const struct operation *op);
int op_open_listener(struct launch *l, const struct operation *op);
int op_seccomp_notify(struct launch *l, const struct operation *op);
int op_net_device(struct launch *l, const struct operation *op);
int op_enter_user_namespace(struct launch *l, const struct operation *op);

/* exec.c */
void reset_signals(void);
/* Tells whoever opened the fifo which of the hooks after awaitStart failed, how, and what it printed: a line, a line, the rest. */
void answer_failure(const struct launch *l, uint32_t index);

/* root.c */
/* A file system in which nothing is and nothing can be, attached nowhere. */
int new_empty_directory(void);
/* `root`, a mount point of ours, becomes "/"; what was there before is let go. */
int pivot_into(int root);
void detach_joined_root(const struct launch *l);

/* settings.c */
/* In the network namespace that we are in. */
int raise_loopback(void);
int adopt_root(struct launch *l);

/* hook.c: what the last hook printed */
const char *hook_output(void);
int op_device_program(struct launch *l, const struct operation *op);
int op_remount(struct launch *l, const struct operation *op);

/* proc.c */
/* The starter's own /proc, opened before the container's mounts can cover it. -1: there is none. */
int open_trusted_proc(void);

/* copyup.c */
int copy_up(int from, int tree);

/* device_program.c */
int guard_devices_from(int fd, const char *path);

/* outside.c */
uint64_t start_time_of(pid_t pid);
bool plan_has(const struct plan *plan, uint8_t code);
/* Into a v2 cgroup by its directory, where clone3 did not do it. */
int join_late(const struct launch *l, const char *directory);
int take_slot(struct launch *l, uint64_t slot, int fd);
/* Setgroups and both maps of a process's new user namespace. */
int write_maps(pid_t pid, bool deny_setgroups, const struct argument *uid, const struct argument *gid);
int write_time_offsets(const struct launch *l, uint32_t index);

/* netdev.c */
void keep_devices(void);
void return_devices(void);
int prepare_masks(struct launch *l);
int make_null_tree(struct launch *l);
int prepare_sources(struct launch *l, uint32_t *at);

/* staging.c */
bool needs_staging(const struct plan *plan);
int stage_trees(struct launch *l);
int leave_staging(void);
int take_staged_trees(struct launch *l);

/* shim.c */
int shim_prepare(struct launch *l);
void shim_announce(const struct launch *l, uint64_t start_time);
void shim_withdraw(void);
/* In the child: closes what is the shim's, before anything of the container could look at it. */
void shim_forget(struct launch *l);
_Noreturn void shim_run(struct launch *l);

/* foreground.c */
int send_to_console_socket(const char *path, int master);
_Noreturn void foreground_run(const struct launch *l);

#endif
