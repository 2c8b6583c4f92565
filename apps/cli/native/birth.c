/*
 * `create run exec`: what can be done beside Node, and what needs no Node any more.
 *
 * The launcher is started before Node and waits for its plan; Node finds its ends at fixed descriptors (src/runc/front.ts). Of `run`
 * and `exec` in the foreground Node makes the process and ends: we start it, wait, pass signals on and take away what is left.
 *
 *     we ──┬── launcher ── the container's process
 *          └── node
 *
 * Knows: processes, descriptors, and what Node says when it hands over.
 * Does not know: plans, documents, or whether a command line is right: then Node says so, and the launcher ends with its plan's end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verbs.h"

/* Ends of the plan, the records, the control socket: the launcher's are native/main.c's, ours are src/runc/front.ts's. */
enum { FIRST_FD = 3, PAIRS = 3, HAND_OVER_FD = FIRST_FD + PAIRS, MAX_HAND_OVER = 8192 };

static const int FORWARDED[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};

/* Above all descriptors that are to be filled. */
static int move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, HAND_OVER_FD + 1);

    close(fd);
    return moved;
}

static bool open_pairs(int theirs[PAIRS], int ours[PAIRS])
{
    int pair[2];

    for (int i = 0; i < PAIRS; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
            return false;
        theirs[i] = move_up(pair[0]);
        ours[i] = move_up(pair[1]);
    }
    return true;
}

static void take_ends(const int ends[PAIRS])
{
    for (int i = 0; i < PAIRS; i++)
        dup2(ends[i], FIRST_FD + i);
}

static void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static pid_t start_launcher(const char *path, const int ends[PAIRS])
{
    static char *const words[] = {"slipway-launcher", NULL}, *const environment[] = {NULL};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    take_ends(ends);
    unblock_signals();
    /* Nothing of our environment or directory reaches a process that runs as root beside untrusted files. */
    if (chdir("/") == 0)
        execve(path, words, environment);
    _exit(127);
}

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* NODE SCRIPT runc, the flags before the verb, then `words`; its exit code. */
static int run_node(const struct attended *a, const char *const words[])
{
    char *line[MAX_WORDS + 8];
    size_t count = 0;
    pid_t pid;
    int status;

    for (char **each = a->node; each < a->verb && count < MAX_WORDS; each++)
        line[count++] = *each;
    for (size_t i = 0; words[i] != NULL; i++)
        line[count++] = (char *)words[i];
    line[count] = NULL;
    pid = fork();
    if (pid == 0) {
        unblock_signals();
        unsetenv("SLIPWAY_FRONT");
        become_node(line);
        _exit(125);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 125;
    return exit_code(status);
}

/* A terminal sends these to its whole foreground group, the launcher among them. */
static bool comes_from_terminal(int number)
{
    return (number == SIGINT || number == SIGQUIT || number == SIGWINCH) && isatty(STDIN_FILENO);
}

/* Longer than Node takes to hand the launcher its plan, in turns that are shorter than the kernel's memory. */
enum { READY_TURNS = 30 };
static const struct timespec READY_TURN = {.tv_nsec = 4000000};

/* Its exit code, 128+n for signal n. */
static int wait_for(pid_t pid, const sigset_t *signals)
{
    int number, status;

    for (;;) {
        if (waitpid(pid, &status, WNOHANG) == pid && (WIFEXITED(status) || WIFSIGNALED(status)))
            return exit_code(status);
        if (sigwait(signals, &number) == 0 && number != SIGCHLD && !comes_from_terminal(number))
            kill(pid, number);
    }
}

/* As wait_for; meanwhile the kernel is kept ready for the launcher's child. */
static int wait_for_node(pid_t node, const sigset_t *signals)
{
    int group = open_own_group();

    for (int turn = 0; group >= 0 && turn < READY_TURNS; turn++) {
        int number, status;

        ready_moves(group);
        if (waitpid(node, &status, WNOHANG) == node)
            return close(group), exit_code(status);
        number = sigtimedwait(signals, NULL, &READY_TURN);
        if (number > 0 && number != SIGCHLD && !comes_from_terminal(number))
            kill(node, number);
    }
    if (group >= 0)
        close(group);
    return wait_for(node, signals);
}

/* `run` once its container is created. */
static int live(const struct attended *a, const struct call *call, pid_t launcher, bool keep)
{
    static struct container c;
    int code;

    if (!open_container(call, &c) || !do_start(&c)) {
        code = run_node(a, (const char *const[]){"start", call->id, NULL});
        if (code != 0) {
            run_node(a, (const char *const[]){"delete", "--force", call->id, NULL});
            return code;
        }
    }
    code = wait_for(launcher, &a->signals);
    if (keep)
        return code;
    close(c.dir);
    memset(&c, 0, sizeof(c));
    if (!open_container(call, &c) || !do_delete(&c, call)) {
        int failed = run_node(a, (const char *const[]){"delete", "--force", call->id, NULL});
        return failed != 0 ? failed : code;
    }
    return code;
}

/* TASK, ROOT and ID, each ended by a zero byte; nothing where Node has done all there was to do. */
static bool read_hand_over(int fd, char *to, const char **task, struct call *call)
{
    ssize_t length = read(fd, to, MAX_HAND_OVER - 1);
    const char *end;

    if (length <= 0)
        return false;
    to[length] = '\0';
    end = to + length;
    *task = to;
    call->root = to + strlen(to) + 1;
    if (call->root >= end)
        return false;
    call->id = call->root + strlen(call->root) + 1;
    return call->id < end;
}

static int attend(struct attended *a, pid_t launcher, pid_t node, int hand_over)
{
    static char text[MAX_HAND_OVER];
    struct call call = {.root = NULL};
    const char *task;
    int code = wait_for_node(node, &a->signals);

    if (code != 0 || !read_hand_over(hand_over, text, &task, &call))
        return code;
    if (strcmp(task, "exec") == 0)
        return wait_for(launcher, &a->signals);
    return live(a, &call, launcher, strcmp(task, "run-and-keep") == 0);
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    for (size_t i = 0; i < sizeof(FORWARDED) / sizeof(*FORWARDED); i++)
        sigaddset(signals, FORWARDED[i]);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

/* In the child that becomes it; it ends with us. */
static _Noreturn void start_node(const struct attended *a, const int ends[PAIRS], int hand_over, pid_t parent)
{
    unblock_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(125);
    take_ends(ends);
    dup2(hand_over, HAND_OVER_FD);
    setenv("SLIPWAY_FRONT", "1", 1);
    /* It does the same as Node, starts sooner, and becomes Node for what it cannot do; its words are ours. */
    execv(a->births, a->node - 1);
    become_node(a->node);
    _exit(125);
}

/* Returns only where nothing was begun. */
void give_birth(struct attended *a, const char *launcher_path)
{
    int theirs[PAIRS], ours[PAIRS], hand_over[2];
    pid_t launcher, node, self = getpid();

    if (access(launcher_path, X_OK) < 0 || !open_pairs(theirs, ours) || pipe2(hand_over, O_CLOEXEC) < 0)
        return;
    launcher = start_launcher(launcher_path, theirs);
    for (int i = 0; i < PAIRS; i++)
        close(theirs[i]);
    if (launcher < 0)
        return;
    hand_over[0] = move_up(hand_over[0]);
    hand_over[1] = move_up(hand_over[1]);
    block_signals(&a->signals);
    node = fork();
    if (node == 0)
        start_node(a, ours, hand_over[1], self);
    for (int i = 0; i < PAIRS; i++)
        close(ours[i]);
    close(hand_over[1]);
    exit(node < 0 ? 125 : attend(a, launcher, node, hand_over[0]));
}
