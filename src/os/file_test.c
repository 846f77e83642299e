/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PLAIN_BYTES = 700000 };

static char folder[64], path[128];
static char plain[PLAIN_BYTES], packed[PLAIN_BYTES * 2], got[PLAIN_BYTES * 2 + 1];
static struct arena arena;

static void begin(void)
{
    struct rng rng = {3};

    strcpy(folder, "/tmp/falun-file-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/x", folder);
    for (size_t i = 0; i < PLAIN_BYTES; i++) {
        plain[i] = (char)('a' + rng_below(&rng, 3));
    }
    arena_open(&arena, 1 << 20, 8 << 20);
}

static void end(void)
{
    (void)unlink(path);
    CHECK_INT(rmdir(folder), 0); /* nothing is left aside */
    arena_close(&arena);
}

/* Reads the file whole through file_read; gives the error, *out_n bytes are in got. */
static enum err read_all(size_t *out_n, struct why *why)
{
    struct file_reader *reader;
    struct bytes chunk;
    enum err err = file_open(path, &reader, why);

    *out_n = 0;
    if (err != ERR_OK) {
        return err;
    }
    do {
        err = file_read(reader, &chunk, why);
        if (err == ERR_OK && *out_n + chunk.n < sizeof(got)) {
            memcpy(got + *out_n, chunk.p, chunk.n);
            *out_n += chunk.n;
        }
    } while (err == ERR_OK && chunk.n > 0);
    if (err == ERR_OK) {
        CHECK_NEAR(file_share(reader), *out_n > 0 ? 1.0 : file_share(reader));
    }
    file_close(reader);
    return err;
}

static size_t gzip(void)
{
    z_stream z = {0};

    CHECK_INT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)plain;
    z.avail_in = PLAIN_BYTES;
    z.next_out = (unsigned char *)packed;
    z.avail_out = sizeof(packed) / 2;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    CHECK_INT(deflateEnd(&z), Z_OK);
    return z.total_out;
}

static void write_and_check(size_t n, size_t wanted_n)
{
    struct why why = {0};
    size_t got_n;

    CHECK_OK(file_write(path, (struct bytes){packed, n}, 0600, &why));
    CHECK_OK(read_all(&got_n, &why));
    CHECK_INT(got_n, wanted_n);
    for (size_t i = 0; i < wanted_n; i += PLAIN_BYTES) {
        CHECK_SAME_BYTES(got + i, plain, PLAIN_BYTES);
    }
}

TEST(file_read_inflates_by_content)
{
    size_t n;

    begin();
    memcpy(packed, plain, PLAIN_BYTES);
    write_and_check(PLAIN_BYTES, PLAIN_BYTES);
    write_and_check(0, 0);
    n = gzip();
    write_and_check(n, PLAIN_BYTES);
    memcpy(packed + n, packed, n); /* two members, as `cat a.gz b.gz` makes them */
    write_and_check(2 * n, 2 * PLAIN_BYTES);
    n = ZSTD_compress(packed, sizeof(packed) / 2, plain, PLAIN_BYTES, 3);
    write_and_check(n, PLAIN_BYTES);
    memcpy(packed + n, packed, n);
    write_and_check(2 * n, 2 * PLAIN_BYTES);
    end();
}

TEST(file_read_tells_what_is_cut_short_or_damaged)
{
    struct why why = {0};
    size_t n, got_n;

    begin();
    for (int kind = 0; kind < 2; kind++) {
        n = kind == 0 ? gzip() : ZSTD_compress(packed, sizeof(packed), plain, PLAIN_BYTES, 3);
        CHECK_OK(file_write(path, (struct bytes){packed, n - 3}, 0600, &why));
        CHECK_INT(read_all(&got_n, &why), ERR_CORRUPT);
        CHECK(strstr(why.says, "cut short") != NULL);
        memset(packed + n / 2, 0x55, 64);
        CHECK_OK(file_write(path, (struct bytes){packed, n}, 0600, &why));
        CHECK_INT(read_all(&got_n, &why), ERR_CORRUPT);
    }
    end();
}

TEST(file_write_replaces_whole_or_not_at_all)
{
    struct why why = {0};
    struct bytes content;
    struct stat stat_of;
    char beyond[160];

    begin();
    CHECK_OK(file_write(path, BYTES_LIT("one"), 0600, &why));
    CHECK_OK(file_write(path, BYTES_LIT("two"), 0640, &why));
    CHECK_OK(file_whole(path, 100, &arena, &content, &why));
    CHECK_TEXT(content, "two");
    CHECK_INT(stat(path, &stat_of), 0);
    CHECK_INT(stat_of.st_mode & 0777, 0640);
    CHECK_INT(file_whole(path, 2, &arena, &content, &why), ERR_TOOBIG);
    snprintf(beyond, sizeof(beyond), "%s/none/x", folder);
    CHECK_INT(file_write(beyond, BYTES_LIT("x"), 0600, &why), ERR_ABSENT);
    CHECK_INT(file_whole(beyond, 2, &arena, &content, &why), ERR_ABSENT);
    CHECK(strstr(why.says, "check the path") != NULL);
    end();
}
