/*
 * What an attacker's program would try, one thing a word; prints what came of it.
 *
 *     with-key COMMAND…    joins a session keyring of its own, puts a key there, becomes COMMAND (the host's side of an attack)
 *     find-key             looks for that key from its session keyring
 *     own-key              puts a key into its session keyring and looks for it
 *     inject               writes a byte into the input of its terminal, as if it had been typed
 *     orphans COUNT        leaves so many ended processes to whoever inherits them
 *     init | bad-init      says that it is there; reaps what it inherits, or does not
 *     run-at PID COMMAND…  becomes that pid (of a pid namespace where it is free), and then COMMAND
 *
 * Knows: system calls. Does not know: who is attacked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char KEY[] = "slipway-test-key";

static long search(const char *name)
{
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);
}

static long add(const char *name)
{
    return syscall(SYS_add_key, "user", name, "secret", 6, KEY_SPEC_SESSION_KEYRING);
}

static int say(long result)
{
    puts(result < 0 ? strerrorname_np(errno) : "done");
    return 0;
}

static int inject(void)
{
    int terminal = open("/dev/tty", O_RDWR);

    printf("%s ", terminal < 0 ? strerrorname_np(errno) : "terminal");
    return say(ioctl(0, TIOCSTI, "x"));
}

static int leave_orphans(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t parent = fork();
        if (parent == 0) {
            if (fork() == 0)
                usleep(1000);
            _exit(0);
        }
        waitpid(parent, NULL, 0);
    }
    return 0;
}

static _Noreturn void be_init(int reaps)
{
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (!reaps || wait(NULL) < 0)
            usleep(1000);
    }
}

static int run_at(int pid, char **command)
{
    FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
    pid_t child;

    if (last == NULL || fprintf(last, "%d", pid - 1) < 0 || fclose(last) != 0)
        return say(-1);
    child = fork();
    if (child == 0) {
        if (getpid() != pid)
            _exit(99);
        execvp(*command, command);
        _exit(98);
    }
    waitpid(child, &pid, 0);
    return WIFEXITED(pid) ? WEXITSTATUS(pid) : 128 + WTERMSIG(pid);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "with-key") == 0 && syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) > 0 && add(KEY) > 0)
        execvp(argv[2], argv + 2);
    if (strcmp(what, "find-key") == 0)
        return say(search(KEY));
    if (strcmp(what, "own-key") == 0)
        return say(add("of-its-own") < 0 ? -1 : search("of-its-own"));
    if (strcmp(what, "inject") == 0)
        return inject();
    if (strcmp(what, "orphans") == 0)
        return leave_orphans(atoi(argv[2]));
    if (strcmp(what, "init") == 0 || strcmp(what, "bad-init") == 0)
        be_init(*what == 'i');
    if (strcmp(what, "run-at") == 0)
        return run_at(atoi(argv[2]), argv + 3);
    return 2;
}
