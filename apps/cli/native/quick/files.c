/*
 * Files for JavaScript: their part of `system`.
 *
 * Knows: one call each, on whole strings and on byte arrays.
 * Does not know: what any of them is for, or how a failure is told (src/runc/quick/node-fs.ts).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quick.h"

/* Paths that have a zero byte in them were meant for no file. */
static const char *path_of(JSContext *js, JSValueConst word)
{
    size_t length;
    const char *path = JS_ToCStringLen(js, &length, word);

    if (path != NULL && strlen(path) == length)
        return path;
    if (path != NULL) {
        JS_FreeCString(js, path);
        JS_ThrowTypeError(js, "a path with a zero byte");
    }
    return NULL;
}

/* open(path, flags, mode) */
CALL(js_open)
{
    const char *path = path_of(js, words[0]);
    int fd;

    (void)this, (void)count;
    if (path == NULL)
        return JS_EXCEPTION;
    fd = open(path, int_of(js, words[1]) | O_CLOEXEC, int_of(js, words[2]));
    JS_FreeCString(js, path);
    return result_of(js, fd);
}

CALL(js_close)
{
    (void)this, (void)count;
    return result_of(js, close(int_of(js, words[0])));
}

/* read(fd, bytes, offset, length) */
CALL(js_read)
{
    size_t length;
    uint8_t *bytes = bytes_of(js, words + 1, &length);

    (void)this, (void)count;
    return bytes == NULL ? JS_EXCEPTION : result_of(js, read(int_of(js, words[0]), bytes, length));
}

/* write(fd, bytes, offset, length) */
CALL(js_write)
{
    size_t length;
    uint8_t *bytes = bytes_of(js, words + 1, &length);

    (void)this, (void)count;
    return bytes == NULL ? JS_EXCEPTION : result_of(js, write(int_of(js, words[0]), bytes, length));
}

enum change { MKDIR, CHMOD, ACCESS, RMDIR, UNLINK };

/* change(path, number) */
static JSValue change(JSContext *js, JSValueConst this, int count, JSValueConst *words, int which)
{
    const char *path = path_of(js, words[0]);
    int result = -1, number = count > 1 ? int_of(js, words[1]) : 0;

    (void)this;
    if (path == NULL)
        return JS_EXCEPTION;
    switch ((enum change)which) {
    case MKDIR:
        result = mkdir(path, (mode_t)number);
        break;
    case CHMOD:
        result = chmod(path, (mode_t)number);
        break;
    case ACCESS:
        result = access(path, number);
        break;
    case RMDIR:
        result = rmdir(path);
        break;
    case UNLINK:
        result = unlink(path);
        break;
    }
    JS_FreeCString(js, path);
    return result_of(js, result);
}

CALL(js_rename)
{
    const char *from = path_of(js, words[0]), *to = from == NULL ? NULL : path_of(js, words[1]);
    int result = to == NULL ? -1 : rename(from, to);

    (void)this, (void)count;
    if (from != NULL)
        JS_FreeCString(js, from);
    if (to == NULL)
        return JS_EXCEPTION;
    JS_FreeCString(js, to);
    return result_of(js, result);
}

CALL(js_chown)
{
    const char *path = path_of(js, words[0]);
    uint32_t uid = 0, gid = 0;
    int result;

    (void)this, (void)count;
    if (path == NULL)
        return JS_EXCEPTION;
    JS_ToUint32(js, &uid, words[1]);
    JS_ToUint32(js, &gid, words[2]);
    result = chown(path, uid, gid);
    JS_FreeCString(js, path);
    return result_of(js, result);
}

static int64_t nanoseconds(struct timespec at)
{
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

/* [mode, dev, ino, size, mtimeNs, ctimeNs, uid, gid], all bigint */
static JSValue describe(JSContext *js, const struct stat *info)
{
    const int64_t numbers[] = {
        info->st_mode, (int64_t)info->st_dev,       (int64_t)info->st_ino,      info->st_size,
        nanoseconds(info->st_mtim), nanoseconds(info->st_ctim), info->st_uid, info->st_gid,
    };
    JSValue list = JS_NewArray(js);

    for (uint32_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        JS_SetPropertyUint32(js, list, i, JS_NewBigInt64(js, numbers[i]));
    return list;
}

/* stat(path, followsLinks) */
CALL(js_stat)
{
    const char *path = path_of(js, words[0]);
    struct stat info;
    int result;

    (void)this, (void)count;
    if (path == NULL)
        return JS_EXCEPTION;
    result = fstatat(AT_FDCWD, path, &info, JS_ToBool(js, words[1]) ? 0 : AT_SYMLINK_NOFOLLOW);
    JS_FreeCString(js, path);
    return result < 0 ? result_of(js, result) : describe(js, &info);
}

CALL(js_fstat)
{
    struct stat info;
    int result = fstat(int_of(js, words[0]), &info);

    (void)this, (void)count;
    return result < 0 ? result_of(js, result) : describe(js, &info);
}

CALL(js_readlink)
{
    const char *path = path_of(js, words[0]);
    char target[PATH_MAX];
    ssize_t length;

    (void)this, (void)count;
    if (path == NULL)
        return JS_EXCEPTION;
    length = readlink(path, target, sizeof(target));
    JS_FreeCString(js, path);
    return length < 0 ? result_of(js, length) : JS_NewStringLen(js, target, (size_t)length);
}

CALL(js_realpath)
{
    const char *path = path_of(js, words[0]);
    char found[PATH_MAX], *result;

    (void)this, (void)count;
    if (path == NULL)
        return JS_EXCEPTION;
    result = realpath(path, found);
    JS_FreeCString(js, path);
    return result == NULL ? result_of(js, -1) : JS_NewString(js, found);
}

/* Two elements a name: the name, and whether it is a directory. */
CALL(js_readdir)
{
    const char *path = path_of(js, words[0]);
    const struct dirent *each;
    uint32_t length = 0;
    JSValue list;
    DIR *dir;

    (void)this, (void)count;
    if (path == NULL)
        return JS_EXCEPTION;
    dir = opendir(path);
    JS_FreeCString(js, path);
    if (dir == NULL)
        return result_of(js, -1);
    list = JS_NewArray(js);
    while ((each = readdir(dir)) != NULL) {
        if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0)
            continue;
        JS_SetPropertyUint32(js, list, length++, JS_NewString(js, each->d_name));
        JS_SetPropertyUint32(js, list, length++, JS_NewBool(js, each->d_type == DT_DIR));
    }
    closedir(dir);
    return list;
}

static const JSCFunctionListEntry CALLS[] = {
    JS_CFUNC_DEF("open", 3, js_open),
    JS_CFUNC_DEF("close", 1, js_close),
    JS_CFUNC_DEF("read", 4, js_read),
    JS_CFUNC_DEF("write", 4, js_write),
    JS_CFUNC_MAGIC_DEF("mkdir", 2, change, MKDIR),
    JS_CFUNC_MAGIC_DEF("chmod", 2, change, CHMOD),
    JS_CFUNC_MAGIC_DEF("access", 2, change, ACCESS),
    JS_CFUNC_MAGIC_DEF("rmdir", 1, change, RMDIR),
    JS_CFUNC_MAGIC_DEF("unlink", 1, change, UNLINK),
    JS_CFUNC_DEF("rename", 2, js_rename),
    JS_CFUNC_DEF("chown", 3, js_chown),
    JS_CFUNC_DEF("stat", 2, js_stat),
    JS_CFUNC_DEF("fstat", 1, js_fstat),
    JS_CFUNC_DEF("readlink", 1, js_readlink),
    JS_CFUNC_DEF("realpath", 1, js_realpath),
    JS_CFUNC_DEF("readdir", 1, js_readdir),
};

void add_files(JSContext *js, JSValue system)
{
    JS_SetPropertyFunctionList(js, system, CALLS, sizeof(CALLS) / sizeof(*CALLS));
}
