/*
 * libseccomp's opinion: a profile's rules in, the program that libseccomp makes of them out.
 *
 *     default ACTION
 *     arch TOKEN                                              as often as there are modes beside this machine's own
 *     rule ACTION NAME COUNT [INDEX OPERATOR VALUE VALUE-TWO]…    numbers; the operator as libseccomp counts them
 *
 * Added as runc adds them: a rule with the default action is left out, a name that nobody knows too. Declares what it calls, so
 * that the library is enough and its header is not needed.
 *
 * Knows: libseccomp's calls. Does not know: documents.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scmp_arg_cmp {
    unsigned arg;
    int op;
    uint64_t a, b;
};

void *seccomp_init(uint32_t action);
int seccomp_arch_add(void *ctx, uint32_t arch);
int seccomp_syscall_resolve_name(const char *name);
int seccomp_rule_add_array(void *ctx, uint32_t action, int call, unsigned count, const struct scmp_arg_cmp *args);
int seccomp_export_bpf(void *ctx, int fd);

static void die(const char *what, int error)
{
    fprintf(stderr, "libseccomp: %s: %s\n", what, strerror(-error));
    exit(1);
}

static void add_rule(void *ctx, uint32_t standard)
{
    struct scmp_arg_cmp args[6];
    char name[64];
    uint32_t action;
    unsigned count;
    int call, error;

    if (scanf("%" SCNu32 " %63s %u", &action, name, &count) != 3 || count > 6)
        exit(2);
    for (unsigned i = 0; i < count; i++)
        if (scanf("%u %d %" SCNu64 " %" SCNu64, &args[i].arg, &args[i].op, &args[i].a, &args[i].b) != 4)
            exit(2);
    call = seccomp_syscall_resolve_name(name);
    if (call == -1 || action == standard)
        return;
    error = seccomp_rule_add_array(ctx, action, call, count, args);
    if (error != 0)
        die(name, error);
}

int main(void)
{
    char word[16];
    uint32_t standard = 0, arch;
    void *ctx = NULL;
    int error;

    while (scanf("%15s", word) == 1) {
        if (strcmp(word, "default") == 0 && scanf("%" SCNu32, &standard) == 1)
            ctx = seccomp_init(standard);
        else if (strcmp(word, "arch") == 0 && scanf("%" SCNu32, &arch) == 1)
            seccomp_arch_add(ctx, arch);
        else if (strcmp(word, "rule") == 0)
            add_rule(ctx, standard);
        if (ctx == NULL)
            exit(2);
    }
    error = seccomp_export_bpf(ctx, 1);
    if (error != 0)
        die("export", error);
    return 0;
}
