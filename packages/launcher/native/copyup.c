/*
 * What the image has below a directory, copied into a new file system that is about to cover it.
 *
 * One name at a time below descriptors, and nothing is opened before it is known what it is: neither a link nor a fifo of the
 * image, nor a neighbour that exchanges names meanwhile, leads or holds us anywhere.
 *
 * Knows: kinds of files, their owners, modes, times and extended attributes.
 * Does not know: where the copy goes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "launch.h"

enum { MAX_DEPTH = 64, MAX_ATTRIBUTE = 4096, CHUNK = 1 << 20 };

static int copy_children(int from, int to, unsigned depth);

/* As far as the new file system has them. */
static void copy_attributes(int from, int to)
{
    static char names[MAX_ATTRIBUTE], value[MAX_ATTRIBUTE];
    ssize_t length = flistxattr(from, names, sizeof(names));

    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
        ssize_t size = fgetxattr(from, names + at, value, sizeof(value));
        if (size >= 0)
            fsetxattr(to, names + at, value, (size_t)size, 0);
    }
}

static int copy_data(int from, int to)
{
    ssize_t sent;

    do
        sent = sendfile(to, from, NULL, CHUNK);
    while (sent > 0);
    return sent < 0 ? fail("sendfile") : 0;
}

/* Owner before mode: a change of owner takes setuid bits away. */
static int finish(int from, int to, const struct stat *st)
{
    const struct timespec times[] = {st->st_atim, st->st_mtim};

    copy_attributes(from, to);
    if (fchown(to, st->st_uid, st->st_gid) < 0)
        return fail("fchown");
    if (fchmod(to, st->st_mode & 07777) < 0)
        return fail("fchmod");
    return futimens(to, times) < 0 ? fail("futimens") : 0;
}

static int copy_file(int from, int to, const char *name)
{
    int source = openat(from, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    int target = -1, result = -1;
    struct stat st;

    if (source < 0)
        return fail("openat");
    if (fstat(source, &st) < 0 || !S_ISREG(st.st_mode))
        fail_with("copy up", EAGAIN); /* somebody exchanged it */
    else if ((target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
        fail("openat");
    else if (copy_data(source, target) == 0)
        result = finish(source, target, &st);
    close_fd(&target);
    close(source);
    return result;
}

static int copy_directory(int from, int to, const char *name, unsigned depth)
{
    int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int target = -1, result = -1;
    struct stat st;

    if (source < 0)
        return fail("openat");
    if (depth >= MAX_DEPTH)
        fail_with("copy up", ELOOP);
    else if (fstat(source, &st) < 0 || mkdirat(to, name, 0700) < 0)
        fail("mkdirat");
    else if ((target = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        fail("openat");
    else if (copy_children(source, target, depth + 1) == 0)
        result = finish(source, target, &st);
    close_fd(&target);
    close(source);
    return result;
}

static int copy_link(int from, int to, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(from, name, target, sizeof(target) - 1);

    if (length < 0)
        return fail("readlinkat");
    target[length] = '\0';
    return symlinkat(target, to, name) < 0 ? fail("symlinkat") : 0;
}

static int copy_entry(int from, int to, const char *name, unsigned depth)
{
    struct stat st;

    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail("fstatat");
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, name);
    if (S_ISDIR(st.st_mode))
        return copy_directory(from, to, name, depth);
    if (S_ISLNK(st.st_mode)) {
        if (copy_link(from, to, name) < 0)
            return -1;
    } else if (mknodat(to, name, st.st_mode, st.st_rdev) < 0)
        return fail("mknodat");
    return fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? fail("fchownat") : 0;
}

static int copy_children(int from, int to, unsigned depth)
{
    int listing = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = listing < 0 ? NULL : fdopendir(listing);
    int result = 0;

    if (directory == NULL)
        return fail("fdopendir");
    for (struct dirent *entry; result == 0 && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = copy_entry(from, to, entry->d_name, depth);
    int error = errno;
    closedir(directory);
    errno = error;
    return result;
}

/* Copies what is below the directory `from` into the root directory of the mount `tree`, which takes its owner and mode, too. */
int copy_up(int from, int tree)
{
    int source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int target = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = -1;
    struct stat st;

    if (source < 0 || target < 0 || fstat(source, &st) < 0)
        fail("openat");
    else if (copy_children(source, target, 0) == 0)
        result = finish(source, target, &st);
    int error = errno;
    close_fd(&source);
    close_fd(&target);
    errno = error;
    return result;
}
