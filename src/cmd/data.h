/* SPDX-License-Identifier: Apache-2.0 */
/* data.h - a data directory opened by a command: lock, secret, storage with the standard rules, a loop. */
#pragma once

#include "os/data_dir.h"
#include "os/loop.h"
#include "storage/storage.h"

struct data { /* all zero: closed */
    struct data_dir *dir;
    struct storage *storage;
    struct loop *loop; /* the command's own, for storage_wait_ */
};

struct data_options {
    size_t cache_bytes;         /* 0: storage's default */
    int64_t (*now_ms)(void *ctx); /* NULL: the wall clock */
    void *now_ctx;
};

/* Opens PATH (made when absent) with `rocksdb:PATH/db`. Errors: ERR_BUSY, another process has it, and why says which:
 * a command that can speaks to that server over PATH/socket instead; what storage_open gives. */
MUST_USE enum err data_open(const char *path, const struct data_options *options, struct data *out_data, struct why *why);
/* NULL-safe members, in reverse order. */
void data_close(struct data *data);
/* The wall clock in ms since 1970. ctx is ignored. */
int64_t data_now_ms(void *ctx);
