/*
 * The program runs from a sealed copy of itself in memory.
 *
 * A container can name the launcher's file through /proc/PID/exe of a process that is about to become its own. A sealed
 * memfd cannot be written by anybody, root included, so there is nothing to gain from that name (CVE-2019-5736).
 *
 * Knows: memfds and seals.
 * Does not know: what the program does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int create_memfd(void)
{
    int fd = memfd_create("slipway-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

    /* Kernels before 6.3 do not know MFD_EXEC and make every memfd executable. */
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("slipway-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

static int copy(int from, int to)
{
    struct stat st;
    off_t at = 0;

    if (fstat(from, &st) < 0)
        return -1;
    while (at < st.st_size)
        if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
            return -1;
    return fcntl(to, F_ADD_SEALS, ALL_SEALS);
}

int run_sealed(char **argv, char **envp)
{
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int sealed;

    if (self < 0)
        return -1;
    if (fcntl(self, F_GET_SEALS) == ALL_SEALS) {
        close(self);
        return 0;
    }
    sealed = create_memfd();
    if (sealed < 0 || copy(self, sealed) < 0)
        return -1;
    fexecve(sealed, argv, envp);
    return -1;
}
