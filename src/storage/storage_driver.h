/* SPDX-License-Identifier: Apache-2.0 */
/* storage_driver.h - what the embedded drivers move: ordered bytes in families, and files.
 *
 * Inner to the room. All logic (storage_ingest.c and its siblings) is written once over this table, so
 * the memory and the RocksDB driver cannot drift apart. A driver whose engine is a network away would
 * not use it: it would stand behind storage.h itself.
 *
 * Threads: get, walk and view from any; write from one at a time. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "storage/storage_key.h"

struct storage_change {
    struct bytes key, value;
    int32_t next; /* storage_group.c: the chain of its hash table */
    uint8_t family;
    bool is_delete;
};

struct storage_range {
    enum storage_family family;
    struct bytes from, to; /* to: exclusive, empty is the end */
};

struct storage_driver {
    const char *scheme; /* before the colon of a URL */
    bool is_on_disk;

    /* rest: the URL behind the colon. Errors: those of storage_open. */
    MUST_USE enum err (*open)(const char *rest, size_t cache_bytes, bool is_read_only, void **out_at,
                              struct why *why);
    void (*close)(void *at);
    /* An unchanging view of all families. */
    void *(*view_open)(void *at);
    void (*view_close)(void *at, void *view);
    /* view NULL: the newest. The value is copied into `arena`.
     * Errors: ERR_ABSENT; ERR_IO; ERR_CORRUPT; ERR_NOMEM. */
    MUST_USE enum err (*get)(void *at, void *view, enum storage_family family, struct bytes key,
                             struct arena *arena, struct bytes *out_value);
    /* Calls `each` in key order for keys in [from, to) until it gives false; key and value are loans. */
    MUST_USE enum err (*walk)(void *at, void *view, enum storage_family family, struct bytes from,
                              struct bytes to, bool (*each)(void *ctx, struct bytes key, struct bytes value),
                              void *ctx);
    /* Writes all or nothing, later changes of a key winning; is_synced: durable before it returns, else
     * at the latest with the next one that is.
     * Errors: ERR_FULL, nothing was kept; ERR_IO, outcome unknown. */
    MUST_USE enum err (*write)(void *at, const struct storage_change *changes, size_t n, bool is_synced);
    /* Moves all that is written out of the log files. */
    MUST_USE enum err (*flush)(void *at);
    /* Rewrites what the range touches, so that deleted bytes leave the files. */
    void (*compact)(void *at, struct storage_range range);
    uint64_t (*disk_bytes)(void *at);
    MUST_USE enum err (*checkpoint)(void *at, const char *directory);
    /* Files: durable before it returns; the same again is ERR_OK. get copies into `arena`, unverified. */
    MUST_USE enum err (*file_put)(void *at, const uint8_t hash[32], struct bytes data);
    MUST_USE enum err (*file_get)(void *at, const uint8_t hash[32], struct arena *arena,
                                  struct bytes *out_data);
};

extern const struct storage_driver storage_memory;
extern const struct storage_driver storage_rocksdb;
extern const struct storage_driver storage_fault;

/* Gives the driver of "scheme:rest" and its rest, or NULL. */
const struct storage_driver *storage_driver_of(const char *url, const char **out_rest);
