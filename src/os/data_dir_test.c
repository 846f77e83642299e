/* SPDX-License-Identifier: Apache-2.0 */
#include "os/data_dir.h"

#include "base/hash.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64], dir_path[96], file_path[160];

static const char *fresh(void)
{
    snprintf(root, sizeof(root), "/tmp/falun-data-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    snprintf(dir_path, sizeof(dir_path), "%s/data", root);
    return dir_path;
}

static const char *inside(const char *name)
{
    data_dir_join(dir_path, name, file_path, sizeof(file_path));
    return file_path;
}

static void sweep(void)
{
    static const char *const names[] = {"db", "models", "spool"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK_INT(rmdir(inside(names[i])), 0);
    }
    (void)unlink(inside("secret"));
    (void)unlink(inside("lock"));
    CHECK_INT(rmdir(dir_path), 0); /* nothing else was made */
    CHECK_INT(rmdir(root), 0);
}

static void check_private(const char *path, unsigned mode)
{
    struct stat at;

    CHECK_INT(stat(path, &at), 0);
    CHECK_INT(at.st_mode & 0777, mode);
}

TEST(data_dir_is_made_for_its_owner_alone_and_keeps_its_secret)
{
    struct data_dir *dir;
    uint8_t secret[32];

    hash_start();
    CHECK_OK(data_dir_open(fresh(), &dir, NULL));
    memcpy(secret, data_dir_secret(dir), 32);
    check_private(dir_path, 0700);
    check_private(inside("secret"), 0600);
    data_dir_close(dir);
    CHECK_OK(data_dir_open(dir_path, &dir, NULL));
    CHECK_SAME_BYTES(data_dir_secret(dir), secret, 32);
    data_dir_close(dir);
    sweep();
}

TEST(data_dir_has_one_owner_whose_pid_is_named)
{
    struct data_dir *dir, *other = NULL;
    struct why why = {0};
    char pid[32];

    hash_start();
    CHECK_OK(data_dir_open(fresh(), &dir, NULL));
    CHECK_INT(data_dir_open(dir_path, &other, &why), ERR_BUSY);
    CHECK(other == NULL);
    snprintf(pid, sizeof(pid), "process %ld;", (long)getpid());
    CHECK(strstr(why.says, pid) != NULL);
    data_dir_close(dir);
    CHECK_OK(data_dir_open(dir_path, &other, &why));
    data_dir_close(other);
    sweep();
}

/* A lock that outlived its owner would keep a server from starting after a power cut. */
TEST(data_dir_is_free_again_when_its_owner_died)
{
    struct data_dir *dir;
    pid_t child;
    int status;

    hash_start();
    fresh();
    child = fork();
    if (child == 0) {
        _exit(data_dir_open(dir_path, &dir, NULL) == ERR_OK ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
    CHECK_OK(data_dir_open(dir_path, &dir, NULL));
    data_dir_close(dir);
    sweep();
}

/* A new secret in place of a damaged one would orphan every identifier: refused, and said how to mend. */
TEST(data_dir_refuses_a_damaged_secret)
{
    struct data_dir *dir = NULL;
    struct why why = {0};

    hash_start();
    CHECK_OK(data_dir_open(fresh(), &dir, NULL));
    data_dir_close(dir);
    dir = NULL;
    CHECK_INT(truncate(inside("secret"), 31), 0);
    CHECK_INT(data_dir_open(dir_path, &dir, &why), ERR_CORRUPT);
    CHECK(dir == NULL && strstr(why.says, "backup") != NULL);
    sweep();
}

/* P7: a view left by a killed trainer holds also those who have withdrawn since. */
TEST(data_dir_clears_what_the_dead_left_in_spool)
{
    struct data_dir *dir;
    FILE *left;

    hash_start();
    CHECK_OK(data_dir_open(fresh(), &dir, NULL));
    data_dir_close(dir);
    CHECK_INT(mkdir(inside("spool/checkpoint-1"), 0700), 0);
    left = fopen(inside("spool/checkpoint-1/000001.sst"), "w");
    CHECK(left != NULL && fclose(left) == 0);
    CHECK_OK(data_dir_open(dir_path, &dir, NULL));
    CHECK(access(inside("spool/checkpoint-1"), F_OK) != 0);
    CHECK_INT(access(inside("spool"), F_OK), 0);
    data_dir_close(dir);
    sweep();
}
