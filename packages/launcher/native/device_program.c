/*
 * The program that the kernel asks about devices, attached to a cgroup of the second version.
 *
 * A cgroup may hold several: each is asked, and one that denies is enough. Ours is known by its name, and is exchanged in one step,
 * so that there is no moment at which a container could do what neither the old nor the new rules allow.
 *
 * Knows: bpf(2), as far as it is needed for that.
 * Does not know: the rules; the program was compiled by packages/cgroups.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

#define PROGRAM_NAME "slipway_devices"

/* Several instructions a rule, eight bytes each. */
enum { MAX_ATTACHED = 64, INSTRUCTION_BYTES = 8, MAX_PROGRAM_BYTES = 1 << 20 };

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int load_program(const void *instructions, uint64_t length)
{
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = (uintptr_t)instructions,
        .insn_cnt = (uint32_t)(length / INSTRUCTION_BYTES),
        .license = (uintptr_t) "Apache-2.0",
        .prog_name = PROGRAM_NAME,
        .expected_attach_type = BPF_CGROUP_DEVICE,
    };
    int program = bpf(BPF_PROG_LOAD, &load);

    return program >= 0 ? program : fail("bpf PROG_LOAD");
}

static bool is_ours(int program)
{
    struct bpf_prog_info info = {.id = 0};
    union bpf_attr ask = {.info = {.bpf_fd = (uint32_t)program, .info_len = sizeof(info), .info = (uintptr_t)&info}};

    return bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) == 0 && strncmp(info.name, PROGRAM_NAME, sizeof(info.name)) == 0;
}

/* A descriptor of the program that we attached to this group before; -1 with errno 0 when there is none. */
static int find_ours(int group)
{
    uint32_t ids[MAX_ATTACHED];
    union bpf_attr query = {.query = {
                                .target_fd = (uint32_t)group,
                                .attach_type = BPF_CGROUP_DEVICE,
                                .prog_ids = (uintptr_t)ids,
                                .prog_cnt = MAX_ATTACHED,
                            }};

    if (bpf(BPF_PROG_QUERY, &query) < 0)
        return fail("bpf PROG_QUERY");
    for (uint32_t i = 0; i < query.query.prog_cnt; i++) {
        union bpf_attr open_by_id = {.prog_id = ids[i]};
        int program = bpf(BPF_PROG_GET_FD_BY_ID, &open_by_id);

        if (program >= 0 && is_ours(program))
            return program;
        close_fd(&program);
    }
    errno = 0;
    return -1;
}

static int attach_program(int group, int program)
{
    int old = find_ours(group);
    union bpf_attr attach = {
        .target_fd = (uint32_t)group,
        .attach_bpf_fd = (uint32_t)program,
        .attach_type = BPF_CGROUP_DEVICE,
        .attach_flags = BPF_F_ALLOW_MULTI,
    };
    int result;

    if (old < 0 && errno != 0)
        return -1;
    if (old >= 0) {
        attach.attach_flags |= BPF_F_REPLACE;
        attach.replace_bpf_fd = (uint32_t)old;
    }
    result = bpf(BPF_PROG_ATTACH, &attach) < 0 ? fail("bpf PROG_ATTACH") : 0;
    close_fd(&old);
    return result;
}

static int open_group(const char *path)
{
    int group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (group < 0)
        return fail("open");
    if (!is_on(group, CGROUP2_SUPER_MAGIC)) {
        close(group);
        return fail_with("cgroup2", ENODEV);
    }
    return group;
}

/* Makes `program` the device program of the cgroup at `path`, in place of one that we attached before. */
static int guard_devices(const char *path, const void *instructions, uint64_t length)
{
    int group, program, result = -1;

    if (length == 0 || length % INSTRUCTION_BYTES != 0 || length > MAX_PROGRAM_BYTES)
        return fail_with("device program", E2BIG);
    group = open_group(path);
    if (group < 0)
        return -1;
    program = load_program(instructions, length);
    if (program >= 0)
        result = attach_program(group, program);
    close_fd(&program);
    close_fd(&group);
    return result;
}

int op_device_program(struct launch *l, const struct operation *op)
{
    (void)l;
    return guard_devices(op->arg[0].text, op->arg[1].bytes, op->arg[1].number);
}

/* The program's other role, for a container that runs already: the device program comes in where a plan would. */
int guard_devices_from(int fd, const char *path)
{
    static _Alignas(8) uint8_t instructions[MAX_PROGRAM_BYTES + 1];
    size_t length = 0;

    for (;;) {
        ssize_t got = read(fd, instructions + length, sizeof(instructions) - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail("read");
        if (got == 0)
            return guard_devices(path, instructions, length);
        length += (size_t)got;
        if (length == sizeof(instructions))
            return fail_with("device program", E2BIG);
    }
}
