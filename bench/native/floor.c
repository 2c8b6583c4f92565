/*
 * The floor: the least a program must do to give a process a container's namespaces and mounts.
 *
 * Knows: the same six namespaces, mounts, device nodes, hidden paths and pivot_root that a default container of the engine gets;
 * no checks, no cgroup unless one is named, no seccomp, no confinement, no bookkeeping. Prints nanoseconds from before the clone to the
 * execve, one line a round. Each round begins from rest, PAUSE milliseconds after whatever was before: so does a daemon that is asked.
 *
 *     floor ROUNDS PAUSE LOWER WORKDIR [CGROUP.PROCS …]
 *
 * LOWER as in overlay's lowerdir; WORKDIR on a file system that can hold an upper directory; the process joins the groups of the files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (256 * 1024)
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static const char *lower, *work;
static char **procs_files;

static void die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void must_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
    if (mount(source, target, type, flags, data) < 0)
        die(target);
}

static void make_devices(void)
{
    static const struct { const char *path; unsigned minor, major; } nodes[] = {
        {"dev/null", 3, 1}, {"dev/zero", 5, 1}, {"dev/full", 7, 1}, {"dev/random", 8, 1}, {"dev/urandom", 9, 1}, {"dev/tty", 0, 5},
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
            die(nodes[i].path);
}

/* One mount for each hierarchy below a tmpfs, or v2's alone. */
static void mount_cgroups(void)
{
    const unsigned long locked = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
    char line[512], path[640];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool v1 = false;

    if (file == NULL)
        die("/proc/self/cgroup");
    while (fgets(line, sizeof line, file) != NULL) {
        char *controllers = strchr(line, ':') + 1;
        *strchr(controllers, ':') = '\0';
        if (!v1 && *controllers != '\0')
            must_mount("tmpfs", "sys/fs/cgroup", "tmpfs", locked & ~MS_RDONLY, "mode=755");
        v1 = v1 || *controllers != '\0';
        if (!v1) {
            must_mount("cgroup2", "sys/fs/cgroup", "cgroup2", locked, NULL);
            continue;
        }
        const char *name = *controllers == '\0' ? "unified" : controllers;
        snprintf(path, sizeof path, "sys/fs/cgroup/%s", strncmp(name, "name=", 5) == 0 ? name + 5 : name);
        mkdir(path, 0755);
        must_mount("cgroup", path, *controllers == '\0' ? "cgroup2" : "cgroup", locked, *controllers == '\0' ? NULL : controllers);
    }
    fclose(file);
}

/* The three files that an engine writes for a container. */
static void bind_files(void)
{
    static const char *const names[] = {"resolv.conf", "hostname", "hosts"};
    char source[4096], target[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(source, sizeof source, "%s/%s", work, names[i]);
        snprintf(target, sizeof target, "etc/%s", names[i]);
        close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        must_mount(source, target, NULL, MS_BIND, NULL);
    }
}

static void hide_paths(void)
{
    static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
    static const char *const masked[] = {
        "proc/acpi", "proc/asound", "proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/scsi",
        "proc/timer_list", "proc/timer_stats", "sys/devices/virtual/powercap", "sys/firmware",
    };
    struct stat st;

    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++) {
        if (stat(readonly[i], &st) < 0)
            continue;
        must_mount(readonly[i], readonly[i], NULL, MS_BIND, NULL);
        must_mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    }
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        if (stat(masked[i], &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            must_mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0");
        else
            must_mount("/dev/null", masked[i], NULL, MS_BIND, NULL);
    }
}

static void make_mounts(void)
{
    char options[4096], root[4096];

    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, work, work);
    snprintf(root, sizeof root, "%s/root", work);
    must_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    must_mount("overlay", root, "overlay", 0, options);
    if (chdir(root) < 0)
        die("chdir");
    must_mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    must_mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    mkdir("dev/pts", 0755);
    mkdir("dev/shm", 0755);
    mkdir("dev/mqueue", 0755);
    must_mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    must_mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k");
    must_mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    must_mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
    mount_cgroups();
    bind_files();
    make_devices();
    hide_paths();
}

static void join_cgroups(void)
{
    for (char **file = procs_files; *file != NULL; file++) {
        int fd = open(*file, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
            die(*file);
        close(fd);
    }
}

static int child(void *argument)
{
    (void)argument;
    join_cgroups();
    make_mounts();
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        die("pivot_root");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        die("leave the old root");
    if (sethostname("floor", 5) < 0)
        die("sethostname");
    char *const args[] = {"/bin/true", NULL}, *const env[] = {NULL};
    execve(args[0], args, env);
    die("execve");
    return 1;
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void make_directory(const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", work, name);
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        die(path);
}

static void make_file(const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", work, name);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

/* A close-on-exec pipe tells the moment of the execve: its last writer goes away there. */
static void one_round(char *stack, int pause_ms)
{
    int fds[2], status;
    char byte;

    make_directory("upper");
    make_directory("work");
    make_directory("root");
    make_file("resolv.conf");
    make_file("hostname");
    make_file("hosts");
    if (pipe2(fds, O_CLOEXEC) < 0)
        die("pipe2");
    usleep((useconds_t)pause_ms * 1000);
    uint64_t start = now();
    pid_t pid = clone(child, stack + STACK_BYTES, NAMESPACES | SIGCHLD, NULL);
    if (pid < 0)
        die("clone");
    close(fds[1]);
    while (read(fds[0], &byte, 1) > 0)
        ;
    printf("%llu\n", (unsigned long long)(now() - start));
    close(fds[0]);
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        _exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: floor ROUNDS PAUSE LOWER WORKDIR [CGROUP.PROCS ...]\n");
        return 2;
    }
    char *stack = malloc(STACK_BYTES);
    lower = argv[3];
    work = argv[4];
    procs_files = argv + 5;
    for (int round = 0; round < atoi(argv[1]); round++)
        one_round(stack, atoi(argv[2]));
    return 0;
}
