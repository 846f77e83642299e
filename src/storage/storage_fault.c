/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_fault.h"

#include "storage/storage_driver.h"
#include "storage/storage_engine.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct fault {
    const struct storage_driver *driver;
    void *at;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct storage_fault_plan plan; /* these under lock */
    uint64_t since_plan_n, writes_n;
};

static enum err fault_open(const char *rest, size_t cache_bytes, bool is_read_only, void **out_at,
                           struct why *why)
{
    struct fault *fault = calloc(1, sizeof(*fault));
    enum err err;

    if (fault == NULL) {
        return ERR_NOMEM;
    }
    fault->driver = storage_driver_of(rest[0] == '\0' ? "memory:" : rest, &rest);
    if (fault->driver == NULL || fault->driver == &storage_fault) {
        free(fault);
        return why_say(why, ERR_UNSUPPORTED, "bad_storage", "",
                       "Write `fault:`, `fault:memory:` or `fault:rocksdb:DIR`.");
    }
    err = fault->driver->open(rest, cache_bytes, is_read_only, &fault->at, why);
    if (err != ERR_OK) {
        free(fault);
        return err;
    }
    pthread_mutex_init(&fault->lock, NULL);
    pthread_cond_init(&fault->changed, NULL);
    *out_at = fault;
    return ERR_OK;
}

static void fault_close(void *at)
{
    struct fault *fault = at;

    fault->driver->close(fault->at);
    pthread_cond_destroy(&fault->changed);
    pthread_mutex_destroy(&fault->lock);
    free(fault);
}

static void *fault_view_open(void *at)
{
    struct fault *fault = at;

    return fault->driver->view_open(fault->at);
}

static void fault_view_close(void *at, void *view)
{
    struct fault *fault = at;

    fault->driver->view_close(fault->at, view);
}

static enum err fault_get(void *at, void *view, enum storage_family family, struct bytes key,
                          struct arena *arena, struct bytes *out_value)
{
    struct fault *fault = at;

    return fault->driver->get(fault->at, view, family, key, arena, out_value);
}

static enum err fault_walk(void *at, void *view, enum storage_family family, struct bytes from,
                           struct bytes to, bool (*each)(void *ctx, struct bytes key, struct bytes value),
                           void *ctx)
{
    struct fault *fault = at;

    return fault->driver->walk(fault->at, view, family, from, to, each, ctx);
}

static enum err fault_write(void *at, const struct storage_change *changes, size_t n, bool is_synced)
{
    struct fault *fault = at;
    enum err err = ERR_OK, kept;
    bool is_kept;

    pthread_mutex_lock(&fault->lock);
    fault->writes_n++;
    fault->since_plan_n++;
    while (fault->plan.is_holding && fault->since_plan_n >= fault->plan.write_n) {
        pthread_cond_wait(&fault->changed, &fault->lock);
    }
    if (!fault->plan.is_holding && fault->plan.write_n != 0 &&
        (fault->since_plan_n == fault->plan.write_n ||
         (fault->plan.is_for_ever && fault->since_plan_n > fault->plan.write_n))) {
        err = fault->plan.err;
    }
    is_kept = fault->plan.is_kept;
    pthread_mutex_unlock(&fault->lock);
    if (err == ERR_OK || is_kept) {
        kept = fault->driver->write(fault->at, changes, n, is_synced);
        err = err == ERR_OK ? kept : err;
    }
    return err;
}

static enum err fault_flush(void *at)
{
    struct fault *fault = at;

    return fault->driver->flush(fault->at);
}

static void fault_compact(void *at, struct storage_range range)
{
    struct fault *fault = at;

    fault->driver->compact(fault->at, range);
}

static uint64_t fault_disk_bytes(void *at)
{
    struct fault *fault = at;

    return fault->driver->disk_bytes(fault->at);
}

static enum err fault_checkpoint(void *at, const char *directory)
{
    struct fault *fault = at;

    return fault->driver->checkpoint(fault->at, directory);
}

static enum err fault_file_put(void *at, const uint8_t hash[32], struct bytes data)
{
    struct fault *fault = at;

    return fault->driver->file_put(fault->at, hash, data);
}

static enum err fault_file_get(void *at, const uint8_t hash[32], struct arena *arena, struct bytes *out_data)
{
    struct fault *fault = at;
    enum err err = fault->driver->file_get(fault->at, hash, arena, out_data);
    struct bytes turned;

    if (err != ERR_OK || out_data->n == 0) {
        return err;
    }
    pthread_mutex_lock(&fault->lock);
    if (fault->plan.is_corrupting) {
        char *p = arena_take(arena, out_data->n);

        assert(p != NULL);
        memcpy(p, out_data->p, out_data->n);
        p[out_data->n / 2] ^= 1;
        turned = (struct bytes){p, out_data->n};
        *out_data = turned;
    }
    pthread_mutex_unlock(&fault->lock);
    return ERR_OK;
}

static struct fault *fault_of(struct storage *storage)
{
    assert(storage->driver == &storage_fault);
    return storage->at;
}

void storage_fault_set(struct storage *storage, const struct storage_fault_plan *plan)
{
    struct fault *fault = fault_of(storage);

    pthread_mutex_lock(&fault->lock);
    fault->plan = *plan;
    fault->since_plan_n = 0;
    pthread_cond_broadcast(&fault->changed);
    pthread_mutex_unlock(&fault->lock);
}

uint64_t storage_fault_writes(struct storage *storage)
{
    struct fault *fault = fault_of(storage);
    uint64_t n;

    pthread_mutex_lock(&fault->lock);
    n = fault->writes_n;
    pthread_mutex_unlock(&fault->lock);
    return n;
}

const struct storage_driver storage_fault = {
    .scheme = "fault",
    .open = fault_open,
    .close = fault_close,
    .view_open = fault_view_open,
    .view_close = fault_view_close,
    .get = fault_get,
    .walk = fault_walk,
    .write = fault_write,
    .flush = fault_flush,
    .compact = fault_compact,
    .disk_bytes = fault_disk_bytes,
    .checkpoint = fault_checkpoint,
    .file_put = fault_file_put,
    .file_get = fault_file_get,
};
