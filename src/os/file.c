/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct file_reader {
    int fd;
    enum packing packing;
    char *path;
    uint64_t size, read_bytes;
    char *packed; /* FILE_CHUNK_BYTES of the file */
    size_t packed_n, packed_at;
    bool is_over;    /* the file has no more */
    bool is_between; /* at the end of a gzip member or zstd frame */
    char *plain;
    z_stream gzip;
    ZSTD_DCtx *zstd;
};

/* The error of a failed system call on a path. */
static enum err fail(struct why *why, const char *path, const char *what)
{
    int error = errno;
    enum err err = error == ENOENT ? ERR_ABSENT
                   : error == ENOSPC || error == EDQUOT ? ERR_FULL
                   : error == ENOMEM                    ? ERR_NOMEM
                                                        : ERR_IO;
    const char *remedy = err == ERR_ABSENT ? "check the path"
                         : err == ERR_FULL ? "free space on that disk"
                         : error == EACCES || error == EPERM ? "check the permissions"
                                                             : "try again, and check the disk";

    return why_say(why, err, "file", "", "%.140s could not be %s: %s; %s", path, what, strerror(error), remedy);
}

/* ---- in: streamed ---- */

static ssize_t read_some(int fd, char *to, size_t n)
{
    ssize_t got;

    do {
        got = read(fd, to, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

static enum err fill(struct file_reader *r, struct why *why)
{
    ssize_t got = read_some(r->fd, r->packed, FILE_CHUNK_BYTES);

    if (got < 0) {
        return fail(why, r->path, "read");
    }
    r->packed_n = (size_t)got;
    r->packed_at = 0;
    r->read_bytes += (uint64_t)got;
    r->is_over = got == 0;
    return ERR_OK;
}

static enum err begin(struct file_reader *r, struct why *why)
{
    const unsigned char *p = (const unsigned char *)r->packed;
    struct stat stat;
    enum err err;

    if (fstat(r->fd, &stat) == 0 && S_ISDIR(stat.st_mode)) {
        return why_say(why, ERR_IO, "file", "", "%.140s is a directory; name a file", r->path);
    }
    r->size = fstat(r->fd, &stat) == 0 && S_ISREG(stat.st_mode) ? (uint64_t)stat.st_size : 0;
    (void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    err = fill(r, why);
    if (err != ERR_OK) {
        return err;
    }
    if (r->packed_n >= 2 && p[0] == 0x1f && p[1] == 0x8b) {
        r->packing = PACKING_GZIP;
        if (inflateInit2(&r->gzip, 15 + 16) != Z_OK) {
            return ERR_NOMEM;
        }
    } else if (r->packed_n >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd) {
        r->packing = PACKING_ZSTD;
        r->zstd = ZSTD_createDCtx();
        if (r->zstd == NULL ||
            ZSTD_isError(ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, FILE_ZSTD_WINDOW_LOG_MAX))) {
            return ERR_NOMEM;
        }
    }
    return ERR_OK;
}

enum err file_open(const char *path, struct file_reader **out_reader, struct why *why)
{
    struct file_reader *r = calloc(1, sizeof(*r));
    enum err err = ERR_NOMEM;

    if (r == NULL) {
        return ERR_NOMEM;
    }
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        err = fail(why, path, "opened");
        free(r);
        return err;
    }
    r->path = strdup(path);
    r->packed = malloc(FILE_CHUNK_BYTES);
    r->plain = malloc(FILE_CHUNK_BYTES);
    if (r->path != NULL && r->packed != NULL && r->plain != NULL) {
        err = begin(r, why);
    }
    if (err != ERR_OK) {
        file_close(r);
        return err;
    }
    *out_reader = r;
    return ERR_OK;
}

void file_close(struct file_reader *r)
{
    if (r == NULL) {
        return;
    }
    if (r->packing == PACKING_GZIP) {
        (void)inflateEnd(&r->gzip);
    }
    (void)ZSTD_freeDCtx(r->zstd);
    (void)close(r->fd);
    free(r->path);
    free(r->packed);
    free(r->plain);
    free(r);
}

static enum err damaged(const struct file_reader *r, struct why *why, const char *what)
{
    return why_say(why, ERR_CORRUPT, "file", "", "%.140s is %s; fetch the file again", r->path, what);
}

/* Inflates into plain; *out_n bytes came out. */
static enum err inflate_gzip(struct file_reader *r, size_t *out_n, struct why *why)
{
    int got;

    r->gzip.next_in = (unsigned char *)r->packed + r->packed_at;
    r->gzip.avail_in = (unsigned)(r->packed_n - r->packed_at);
    r->gzip.next_out = (unsigned char *)r->plain;
    r->gzip.avail_out = FILE_CHUNK_BYTES;
    if (r->is_between) {
        if (r->packed[r->packed_at] != 0x1f) { /* zeros behind the last member are padding: gzip does the same */
            r->packed_at = r->packed_n;
            *out_n = 0;
            return ERR_OK;
        }
        (void)inflateReset(&r->gzip);
    }
    got = inflate(&r->gzip, Z_NO_FLUSH);
    r->packed_at = r->packed_n - r->gzip.avail_in;
    r->is_between = got == Z_STREAM_END;
    *out_n = FILE_CHUNK_BYTES - r->gzip.avail_out;
    return got == Z_OK || got == Z_STREAM_END || got == Z_BUF_ERROR ? ERR_OK : damaged(r, why, "damaged gzip data");
}

static enum err inflate_zstd(struct file_reader *r, size_t *out_n, struct why *why)
{
    ZSTD_inBuffer in = {r->packed, r->packed_n, r->packed_at};
    ZSTD_outBuffer out = {r->plain, FILE_CHUNK_BYTES, 0};
    size_t got = ZSTD_decompressStream(r->zstd, &out, &in);

    r->packed_at = in.pos;
    r->is_between = got == 0;
    *out_n = out.pos;
    return ZSTD_isError(got) ? damaged(r, why, "damaged zstd data, or packed with a window over 128 MiB") : ERR_OK;
}

static enum err read_plain(struct file_reader *r, struct bytes *out_chunk, struct why *why)
{
    if (r->packed_at == r->packed_n && !r->is_over) {
        enum err err = fill(r, why);

        if (err != ERR_OK) {
            return err;
        }
    }
    *out_chunk = (struct bytes){r->packed + r->packed_at, r->packed_n - r->packed_at};
    r->packed_at = r->packed_n;
    return ERR_OK;
}

enum err file_read(struct file_reader *r, struct bytes *out_chunk, struct why *why)
{
    size_t n = 0;

    if (r->packing == PACKING_NONE) {
        return read_plain(r, out_chunk, why);
    }
    while (n == 0) {
        enum err err = ERR_OK;
        size_t at = r->packed_at;

        if (r->packed_at == r->packed_n && !r->is_over) {
            err = fill(r, why);
            at = r->packed_at;
        }
        if (err == ERR_OK && r->is_over && r->is_between) {
            break;
        }
        if (err == ERR_OK) {
            err = r->packing == PACKING_GZIP ? inflate_gzip(r, &n, why) : inflate_zstd(r, &n, why);
        }
        if (err != ERR_OK) {
            return err;
        }
        if (n == 0 && r->is_over && r->packed_at == at && !r->is_between) {
            return damaged(r, why, "cut short");
        }
    }
    *out_chunk = (struct bytes){r->plain, n};
    return ERR_OK;
}

double file_share(const struct file_reader *r)
{
    return r->size > 0 ? (double)r->read_bytes / (double)r->size : 0;
}

/* ---- in: whole ---- */

enum err file_whole(const char *path, size_t most_bytes, struct arena *arena, struct bytes *out_content, struct why *why)
{
    struct bytes map, copy;
    enum err err = file_map(path, &map, why);

    if (err != ERR_OK) {
        return err;
    }
    if (map.n > most_bytes) {
        err = why_say(why, ERR_TOOBIG, "file", "", "%.140s has %zu bytes and %zu are the most; is it the right file?", path,
                      map.n, most_bytes);
    } else {
        copy = arena_copy(arena, map);
        err = copy.p == NULL && map.n > 0 ? ERR_NOMEM : ERR_OK;
        if (err == ERR_OK) {
            *out_content = copy;
        }
    }
    file_unmap(map);
    return err;
}

enum err file_map(const char *path, struct bytes *out_content, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    enum err err = ERR_OK;
    void *at = NULL;

    if (fd < 0) {
        return fail(why, path, "opened");
    }
    if (fstat(fd, &stat) != 0) {
        err = fail(why, path, "read");
    } else if (!S_ISREG(stat.st_mode)) {
        err = why_say(why, ERR_IO, "file", "", "%.140s is no regular file; name one", path);
    } else if (stat.st_size > 0) {
        at = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at == MAP_FAILED) {
            err = fail(why, path, "mapped");
        }
    }
    if (err == ERR_OK) {
        *out_content = (struct bytes){at, (size_t)stat.st_size};
    }
    (void)close(fd);
    return err;
}

void file_unmap(struct bytes content)
{
    if (content.n > 0) {
        union {
            const char *in;
            void *out;
        } address = {content.p};

        (void)munmap(address.out, content.n);
    }
}

bool file_is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* ---- out ---- */

static bool write_all(int fd, struct bytes content)
{
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            content.p += n;
            content.n -= (size_t)n;
        }
    }
    return true;
}

/* The directory of a path, in room of the path's size + 2. */
static void directory_of(const char *path, char *to)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        memcpy(to, ".", 2);
    } else if (slash == path) {
        memcpy(to, "/", 2);
    } else {
        memcpy(to, path, (size_t)(slash - path));
        to[slash - path] = '\0';
    }
}

enum err file_write(const char *path, struct bytes content, unsigned mode, struct why *why)
{
    size_t n = strlen(path);
    char *aside = malloc(n + 16), *directory = malloc(n + 2);
    enum err err = ERR_OK;
    int fd = -1;

    if (aside == NULL || directory == NULL) {
        free(aside);
        free(directory);
        return ERR_NOMEM;
    }
    memcpy(aside, path, n);
    memcpy(aside + n, ".aside-XXXXXX", 14);
    directory_of(path, directory);
    fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0) {
        err = fail(why, path, "made");
    } else {
        bool is_written = write_all(fd, content) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;

        if (!is_written) {
            err = fail(why, path, "written");
        }
        (void)close(fd);
        if (is_written && rename(aside, path) != 0) {
            err = fail(why, path, "put in place");
        }
        if (err != ERR_OK) {
            (void)unlink(aside);
        } else {
            err = file_sync_directory(directory, why);
        }
    }
    free(aside);
    free(directory);
    return err;
}

enum err file_sync_directory(const char *path, struct why *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err err = ERR_OK;

    if (fd < 0 || fsync(fd) != 0) {
        err = fail(why, path, "synced");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

enum err file_make_directory(const char *path, unsigned mode, struct why *why)
{
    size_t n = strlen(path);
    char *part = strdup(path);
    enum err err = ERR_OK;

    if (part == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 1; i <= n && err == ERR_OK; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        part[i] = '\0';
        if (mkdir(part, (mode_t)mode) != 0 && errno != EEXIST) {
            err = fail(why, path, "made");
        }
        part[i] = path[i];
    }
    free(part);
    return err;
}
