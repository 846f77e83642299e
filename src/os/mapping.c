/* SPDX-License-Identifier: Apache-2.0 */
#include "os/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum err mapping_open(const char *path, struct bytes *out_file, struct why *why)
{
    struct stat stat;
    void *p;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return why_say(why, errno == ENOENT ? ERR_ABSENT : ERR_IO, "io", "", "%s: %s", path, strerror(errno));
    }
    if (fstat(fd, &stat) != 0 || stat.st_size <= 0) {
        close(fd);
        return why_say(why, ERR_CORRUPT, "corrupt", "", "%s is empty", path);
    }
    p = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED) {
        return why_say(why, ERR_IO, "io", "", "%s cannot be mapped: %s", path, strerror(errno));
    }
    *out_file = (struct bytes){p, (size_t)stat.st_size};
    return ERR_OK;
}

void mapping_close(struct bytes file)
{
    if (file.n > 0) {
        union {
            const char *from;
            void *to;
        } p = {file.p};

        munmap(p.to, file.n);
    }
}
