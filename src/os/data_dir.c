/* SPDX-License-Identifier: Apache-2.0 */
#include "os/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

enum { PATH_BYTES = 1024, SECRET_BYTES = 32 };

struct data_dir {
    char path[PATH_BYTES];
    int lock;
    uint8_t secret[SECRET_BYTES];
};

void data_dir_join(const char *path, const char *name, char *out_path, size_t room)
{
    snprintf(out_path, room, "%s/%s", path, name);
}

static enum err io(struct why *why, const char *path, const char *what)
{
    return why_say(why, errno == ENOSPC ? ERR_FULL : ERR_IO, "io", "--data", "%s: %s: %s", path, what, strerror(errno));
}

static enum err make_dirs(const char *path, struct why *why)
{
    static const char *const names[] = {"", "db", "models", "spool"};
    char full[PATH_BYTES + 16];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        data_dir_join(path, names[i], full, sizeof(full));
        if (mkdir(full, 0700) != 0 && errno != EEXIST) {
            return io(why, full, "cannot be made");
        }
    }
    return ERR_OK;
}

static enum err take_lock(struct data_dir *dir, struct why *why)
{
    char full[PATH_BYTES + 16], pid[32] = "";
    int n;

    data_dir_join(dir->path, "lock", full, sizeof(full));
    dir->lock = open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock < 0) {
        return io(why, full, "cannot be opened");
    }
    if (flock(dir->lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t got = pread(dir->lock, pid, sizeof(pid) - 1, 0);

        pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
        return why_say(why, ERR_BUSY, "data_in_use", "--data",
                       "%s is in use by process %s; stop it, or give another --data directory", dir->path, pid[0] ? pid : "?");
    }
    n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(dir->lock, 0) != 0 || pwrite(dir->lock, pid, (size_t)n, 0) != n) {
        return io(why, full, "cannot be written");
    }
    return ERR_OK;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    return at->level > 0 ? remove(path) : 0;
}

/* P7: what a killed trainer left in spool/ is a view of all customers, also of those who have withdrawn since. */
static enum err clear_spool(const struct data_dir *dir, struct why *why)
{
    char full[PATH_BYTES + 16];

    data_dir_join(dir->path, "spool", full, sizeof(full));
    return nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? ERR_OK : io(why, full, "cannot be cleared");
}

/* Written aside, synced and renamed: a secret is there whole or not at all. */
static enum err make_secret(struct data_dir *dir, const char *full, struct why *why)
{
    char aside[PATH_BYTES + 32];
    int fd, folder;

    randombytes_buf(dir->secret, sizeof(dir->secret));
    data_dir_join(dir->path, "secret.new", aside, sizeof(aside));
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return io(why, aside, "cannot be made");
    }
    if (write(fd, dir->secret, sizeof(dir->secret)) != (ssize_t)sizeof(dir->secret) || fsync(fd) != 0) {
        close(fd);
        return io(why, aside, "cannot be written");
    }
    close(fd);
    if (rename(aside, full) != 0) {
        return io(why, full, "cannot be put in place");
    }
    folder = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        (void)fsync(folder);
        close(folder);
    }
    return ERR_OK;
}

static enum err take_secret(struct data_dir *dir, struct why *why)
{
    char full[PATH_BYTES + 16];
    uint8_t read_bytes[SECRET_BYTES + 1];
    ssize_t n;
    int fd;

    data_dir_join(dir->path, "secret", full, sizeof(full));
    fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? make_secret(dir, full, why) : io(why, full, "cannot be opened");
    }
    n = read(fd, read_bytes, sizeof(read_bytes));
    close(fd);
    if (n != SECRET_BYTES) {
        return why_say(why, ERR_CORRUPT, "bad_secret", "--data", "%s must hold 32 bytes; restore it from the backup", full);
    }
    memcpy(dir->secret, read_bytes, SECRET_BYTES);
    return ERR_OK;
}

enum err data_dir_open(const char *path, struct data_dir **out_dir, struct why *why)
{
    struct data_dir *dir;
    enum err err;

    if (strlen(path) >= PATH_BYTES || path[0] == '\0') {
        return why_say(why, ERR_INVALID, "bad_path", "--data", "a data directory has a path of 1 to %d bytes", PATH_BYTES - 1);
    }
    dir = calloc(1, sizeof(*dir));
    if (dir == NULL) {
        return ERR_NOMEM;
    }
    dir->lock = -1;
    memcpy(dir->path, path, strlen(path) + 1);
    err = make_dirs(path, why);
    err = err == ERR_OK ? take_lock(dir, why) : err;
    err = err == ERR_OK ? clear_spool(dir, why) : err;
    err = err == ERR_OK ? take_secret(dir, why) : err;
    if (err != ERR_OK) {
        data_dir_close(dir);
        return err;
    }
    *out_dir = dir;
    return ERR_OK;
}

void data_dir_close(struct data_dir *dir)
{
    if (dir == NULL) {
        return;
    }
    if (dir->lock >= 0) {
        close(dir->lock);
    }
    sodium_memzero(dir->secret, sizeof(dir->secret));
    free(dir);
}

const char *data_dir_path(const struct data_dir *dir)
{
    return dir->path;
}

const uint8_t *data_dir_secret(const struct data_dir *dir)
{
    return dir->secret;
}
