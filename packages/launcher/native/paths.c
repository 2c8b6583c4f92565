/*
 * Container paths: resolved by file descriptor below a root, so that nothing an image or a racing container does with
 * its links leads out of it.
 *
 * Knows: openat2 and how missing components are made.
 * Does not know: what is mounted on the result.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "launch.h"

enum { MAX_LINKS = 40, MAX_RETRIES = 64 };

/* A path being resolved: `done` is below the root and free of links, `rest` is still to be walked. */
struct progress {
    char done[PATH_MAX];
    char rest[PATH_MAX];
    unsigned links;
};

static int openat2_retrying(int at, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_PATH | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
    int fd = -1;

    /* EAGAIN: something was renamed or mounted while the kernel walked over "..". */
    for (int i = 0; i < MAX_RETRIES; i++) {
        fd = (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd;
}

/* `path` relative to the root; "." for the root itself. */
static const char *relative(const char *path)
{
    while (*path == '/')
        path++;
    return *path != '\0' ? path : ".";
}

static int open_linkless(int root, const char *path, uint64_t flags)
{
    return openat2_retrying(root, relative(path), flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Cuts the first component off `rest`; false when there is none. */
static bool next_component(struct progress *p, char component[NAME_MAX + 1])
{
    char *start = p->rest + strspn(p->rest, "/");
    size_t length = strcspn(start, "/");

    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(component, start, length);
    component[length] = '\0';
    memmove(p->rest, start + length, strlen(start + length) + 1);
    return true;
}

static int append(struct progress *p, const char *component)
{
    size_t length = strlen(p->done), more = strlen(component);

    if (length + 1 + more >= sizeof(p->done))
        return fail_with("path", ENAMETOOLONG);
    p->done[length] = '/';
    memcpy(p->done + length + 1, component, more + 1);
    return 0;
}

/* Puts a link's target before what is left of the path; an absolute one starts at the root again. */
static int follow(struct progress *p, int link)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);
    size_t rest = strlen(p->rest);

    if (length <= 0)
        return fail("readlinkat");
    if (++p->links > MAX_LINKS || (size_t)length + rest + 1 >= sizeof(p->rest))
        return fail_with("readlinkat", ELOOP);
    memmove(p->rest + length, p->rest, rest + 1);
    memcpy(p->rest, target, (size_t)length);
    if (target[0] == '/')
        p->done[0] = '\0';
    return 0;
}

static int make(int parent, const char *name, bool file)
{
    int made = file ? mknodat(parent, name, S_IFREG | 0644, 0) : mkdirat(parent, name, 0755);

    /* Somebody else made it in between: the next step opens it, without following anything. */
    return made < 0 && errno != EEXIST ? fail(file ? "mknodat" : "mkdirat") : 0;
}

static bool is_link(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* One component: descends into it, follows it, or makes it. */
static int step(struct progress *p, int parent, const char *component, unsigned walk)
{
    bool last = relative(p->rest)[0] == '.' && relative(p->rest)[1] == '\0';
    int fd = openat2_retrying(parent, component, O_NOFOLLOW, RESOLVE_BENEATH);
    int result;

    if (fd < 0) {
        if (errno != ENOENT || (walk & (WALK_MAKE_DIRECTORY | WALK_MAKE_FILE)) == 0)
            return fail("openat2");
        if (make(parent, component, last && (walk & WALK_MAKE_FILE)) < 0)
            return -1;
        return append(p, component);
    }
    if (!is_link(fd))
        result = append(p, component);
    else
        result = walk & WALK_FOLLOW ? follow(p, fd) : fail_with("openat2", ELOOP);
    close(fd);
    return result;
}

static int walk_components(int root, struct progress *p, unsigned walk)
{
    char component[NAME_MAX + 1];

    while (next_component(p, component)) {
        int parent, result;

        if (strcmp(component, ".") == 0)
            continue;
        if (strcmp(component, "..") == 0) {
            char *slash = strrchr(p->done, '/');
            if (slash != NULL)
                *slash = '\0';
            continue;
        }
        parent = open_linkless(root, p->done, O_DIRECTORY);
        if (parent < 0)
            return fail("openat2");
        result = step(p, parent, component, walk);
        close(parent);
        if (result < 0)
            return -1;
    }
    return p->rest[strspn(p->rest, "/")] == '\0' ? 0 : fail_with("path", ENAMETOOLONG);
}

/*
 * What is missing is most often the last component alone, in a directory that is reached without any link: made there, by
 * descriptor. -1 where it is not that simple, and nothing is lost by then.
 */
static int make_last(int root, const char *path, unsigned walk)
{
    const char *name;
    int parent = open_parent(root, path, false, &name);
    int fd = -1;

    if (parent < 0)
        return -1;
    if (make(parent, name, (walk & WALK_MAKE_FILE) != 0) == 0)
        fd = open_linkless(parent, name, 0);
    close(parent);
    return fd;
}

/*
 * An O_PATH descriptor of `path` below `root`. Without WALK_FOLLOW any symbolic link on the way is ELOOP; with it, links
 * are followed as if `root` were "/". Missing components are made where asked for, the last one as a file or a directory.
 */
int open_below(int root, const char *path, unsigned walk)
{
    struct progress p = {.links = 0};
    int fd;

    if (walk & WALK_FOLLOW)
        fd = openat2_retrying(root, path, 0, RESOLVE_IN_ROOT);
    else
        fd = open_linkless(root, path, 0);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT || (walk & (WALK_MAKE_DIRECTORY | WALK_MAKE_FILE)) == 0)
        return fail("openat2");
    fd = make_last(root, path, walk);
    if (fd >= 0)
        return fd;
    if (strlen(path) >= sizeof(p.rest))
        return fail_with("path", ENAMETOOLONG);
    strcpy(p.rest, path);
    if (walk_components(root, &p, walk) < 0)
        return -1;
    fd = open_linkless(root, p.done, 0);
    return fd >= 0 ? fd : fail("openat2");
}

/* The directory that holds `path`, reached without any link; `*name` is the last component. */
int open_parent(int root, const char *path, bool create, const char **name)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash[1] == '\0' || strcmp(slash, "/..") == 0 || strcmp(slash, "/.") == 0)
        return fail_with("path", EINVAL);
    if ((size_t)(slash - path) >= sizeof(parent))
        return fail_with("path", ENAMETOOLONG);
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    *name = slash + 1;
    return open_below(root, parent[0] != '\0' ? parent : "/", create ? WALK_MAKE_DIRECTORY : 0);
}

/* By the words alone. */
bool lies_in(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

bool is_directory(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

bool is_on(int fd, long magic)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == magic;
}

bool is_device(int fd, unsigned major, unsigned minor)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

uint64_t mount_id(int fd)
{
    struct statx st;

    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 && (st.stx_mask & STATX_MNT_ID) ? st.stx_mnt_id : 0;
}

bool is_mount_root(int fd)
{
    struct statx st;

    return statx(fd, "", AT_EMPTY_PATH, 0, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}
