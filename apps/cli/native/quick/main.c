/*
 * slipway-births: `create run exec` of the runc dialect by the same TypeScript as under Node, in an engine that starts in a
 * millisecond instead of twenty: QuickJS.
 *
 *     slipway-births NODE SCRIPT runc [arguments…]     makes the process; or becomes `NODE SCRIPT runc …`, as if it had not been there
 *     slipway-births --compile JAVASCRIPT BYTECODE     for scripts/bundle-commands.mjs
 *
 * Only what goes well is done here. Whatever does not has been undone when we become Node, which then does all of it from the beginning,
 * or says why not.
 *
 * Knows: bytecode beside the other bundles, and whether it still says what the sources say.
 * Does not know: a document, a plan, or a rule; those are in src/runc/quick and behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quick.h"

enum { FIRST_FD = 3, LAST_FD = 6, MAX_FILE_BYTES = 16 * 1024 * 1024 };

/* A whole file, and a zero byte after it; NULL: it cannot be read, or has more. */
static char *read_file(const char *path, size_t *length)
{
    struct stat info;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size < MAX_FILE_BYTES && (text = malloc((size_t)info.st_size + 1)) != NULL) {
        *length = (size_t)info.st_size;
        text[*length] = '\0';
        if (read(fd, text, *length) != info.st_size) {
            free(text);
            text = NULL;
        }
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* `MTIME-IN-NANOSECONDS SIZE PATH` a line; paths begin at `root`. */
static bool is_current(const char *root, const char *list)
{
    char path[PATH_MAX];

    for (const char *line = list; *line != '\0';) {
        struct stat info;
        char *end;
        long long mtime = strtoll(line, &end, 10), size = strtoll(end, &end, 10);
        const char *name = end + 1, *stop = strchr(name, '\n');

        if (stop == NULL || snprintf(path, sizeof(path), "%s/%.*s", root, (int)(stop - name), name) >= (int)sizeof(path))
            return false;
        if (stat(path, &info) < 0 || info.st_size != size || info.st_mtim.tv_sec * 1000000000LL + info.st_mtim.tv_nsec != mtime)
            return false;
        line = stop + 1;
    }
    return *list != '\0';
}

static JSContext *open_engine(void)
{
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *js = runtime == NULL ? NULL : JS_NewContext(runtime);

    /* What is made in these few milliseconds may stay until we end. */
    if (js != NULL)
        JS_SetGCThreshold(runtime, SIZE_MAX);
    return js;
}

static void tell_exception(JSContext *js)
{
    JSValue error = JS_GetException(js);
    JSValue stack = JS_GetPropertyStr(js, error, "stack");
    const char *message = JS_ToCString(js, error), *where = JS_ToCString(js, stack);

    fprintf(stderr, "slipway-births: %s\n%s", message == NULL ? "?" : message, where == NULL ? "" : where);
}

static int compile(const char *from, const char *to)
{
    size_t length;
    char *text = read_file(from, &length);
    JSContext *js = open_engine();
    JSValue code;
    uint8_t *bytes;
    FILE *file;

    if (text == NULL || js == NULL)
        return perror(from), 1;
    code = JS_Eval(js, text, length, "births", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(code))
        return tell_exception(js), 1;
    bytes = JS_WriteObject(js, &length, code, JS_WRITE_OBJ_BYTECODE);
    file = bytes == NULL ? NULL : fopen(to, "wb");
    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        return perror(to), 1;
    return 0;
}

static bool run(const char *path, char **args)
{
    size_t length;
    char *bytes = read_file(path, &length);
    JSContext *js = bytes == NULL ? NULL : open_engine(), *job;
    JSValue code;
    int more;

    if (js == NULL)
        return false;
    add_system(js, args);
    code = JS_ReadObject(js, (uint8_t *)bytes, length, JS_READ_OBJ_BYTECODE);
    if (JS_IsException(code) || JS_ResolveModule(js, code) < 0 || JS_IsException(JS_EvalFunction(js, code))) {
        if (getenv("SLIPWAY_BIRTHS_DEBUG") != NULL)
            tell_exception(js);
        return false;
    }
    while ((more = JS_ExecutePendingJob(JS_GetRuntime(js), &job)) > 0)
        ;
    return more == 0 && exit_code_of() >= 0;
}

/* The bundle of the checkout that `script` is in, if there is one that may be used. */
static bool find_bytecode(const char *script, char path[PATH_MAX])
{
    static const char below[] = "/apps/cli/src/";
    const char *end = strstr(script, below);
    char root[PATH_MAX], *list;
    size_t length;
    bool current;

    if (end == NULL || snprintf(root, sizeof(root), "%.*s", (int)(end - script), script) >= (int)sizeof(root))
        return false;
    if (snprintf(path, PATH_MAX, "%s/apps/cli/build/births.inputs", root) >= PATH_MAX || (list = read_file(path, &length)) == NULL)
        return false;
    current = is_current(root, list);
    free(list);
    return current && snprintf(path, PATH_MAX, "%s/apps/cli/build/births.qbc", root) < PATH_MAX;
}

/* With the launcher that waits, if it still does: the plan's end is closed once one has been sent, and what we open closes with us. */
static void become_node(char **words)
{
    if (fcntl(FIRST_FD, F_GETFD) != 0) {
        unsetenv("SLIPWAY_FRONT");
        for (int fd = FIRST_FD; fd <= LAST_FD; fd++)
            close(fd);
    }
    execv(words[0], words);
    perror("slipway: node");
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];

    if (argc == 4 && strcmp(argv[1], "--compile") == 0)
        return compile(argv[2], argv[3]);
    if (argc < 4)
        return 125;
    if (find_bytecode(argv[2], path) && run(path, argv + 2))
        _exit(exit_code_of());
    become_node(argv + 1);
    return 125;
}
