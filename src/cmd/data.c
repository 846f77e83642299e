/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/data.h"

#include "cmd/rules.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

enum { URL_BYTES = 1200 };

int64_t data_now_ms(void *ctx)
{
    struct timespec now;

    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t chance(void *ctx)
{
    uint64_t v;

    (void)ctx;
    randombytes_buf(&v, sizeof(v));
    return v;
}

enum err data_open(const char *path, const struct data_options *options, struct data *out_data, struct why *why)
{
    struct storage_options storage = {.rules = rules_standard(),
                                      .cache_bytes = options->cache_bytes,
                                      .now_ms = options->now_ms ? options->now_ms : data_now_ms,
                                      .now_ctx = options->now_ctx,
                                      .chance = chance};
    struct data data = {0};
    char url[URL_BYTES];
    enum err err = data_dir_open(path, &data.dir, why);

    if (err != ERR_OK) {
        return err;
    }
    memcpy(storage.secret, data_dir_secret(data.dir), sizeof(storage.secret));
    snprintf(url, sizeof(url), "rocksdb:%s/db", path);
    err = storage_open(url, &storage, &data.storage, why);
    sodium_memzero(storage.secret, sizeof(storage.secret));
    err = err == ERR_OK ? loop_open(&data.loop) : err;
    if (err != ERR_OK) {
        data_close(&data);
        return err;
    }
    *out_data = data;
    return ERR_OK;
}

void data_close(struct data *data)
{
    storage_close(data->storage);
    loop_close(data->loop);
    data_dir_close(data->dir);
    *data = (struct data){0};
}
