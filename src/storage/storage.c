/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage.h"

#include "base/hash.h"
#include "storage/storage_engine.h"

#include <assert.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)4096)
#define ARENA_BYTES_MAX ((size_t)1 << 30) /* one answer: 10,000 long customers */

void *storage_must(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

int64_t storage_now_ms(const struct storage *storage)
{
    return storage->options.now_ms(storage->options.now_ctx);
}

/* ---- operations ---- */

void *storage_op_new(size_t bytes, struct storage *storage, struct loop *loop,
                     void (*finish)(struct storage_op *op))
{
    struct storage_op *op = storage_must(calloc(1, bytes));

    op->storage = storage;
    op->loop = loop;
    op->finish = finish;
    op->ops_n = 1;
    return op;
}

struct arena *storage_op_arena(struct storage_op *op)
{
    if (!op->has_arena) {
        arena_open(&op->arena, ARENA_BYTES, ARENA_BYTES_MAX);
        op->has_arena = true;
    }
    return &op->arena;
}

/* Touches nothing of the storage: it may be closed by now. */
static void on_complete(struct loop_task *task)
{
    struct storage_op *op = (struct storage_op *)task;

    op->finish(op);
    if (op->has_arena) {
        arena_close(&op->arena);
    }
    free(op);
}

void storage_op_complete(struct storage_op *op)
{
    op->task.run = on_complete;
    if (op->loop == NULL) {
        on_complete(&op->task);
        return;
    }
    loop_post(op->loop, &op->task);
}

static void op_add(struct storage_lane *lane, struct storage_op *op)
{
    if (!storage_lane_add(lane, op)) {
        op->err = ERR_BUSY;
        storage_op_complete(op);
    }
}

void storage_op_write(struct storage_op *op)
{
    if (op->storage->options.is_read_only) {
        op->err = ERR_UNSUPPORTED;
        storage_op_complete(op);
        return;
    }
    op_add(&op->storage->writer, op);
}

void storage_op_chore(struct storage_op *op)
{
    storage_lane_start(&op->storage->chores, storage_chores_run);
    op_add(&op->storage->chores, op);
}

/* What was put into a tail makes its part due, whichever operation put it. */
static void note_tails(struct storage *storage)
{
    const struct storage_group *group = &storage->group;
    int64_t now_ms = group->family_n[STORAGE_TAIL] > 0 ? storage_now_ms(storage) : 0;

    for (size_t i = 0; group->family_n[STORAGE_TAIL] > 0 && i < group->changes_n; i++) {
        const struct storage_change *change = &group->changes[i];
        struct storage_owner owner;
        struct mid mid;
        uint32_t day;

        if (change->family == STORAGE_TAIL && !change->is_delete &&
            storage_key_event_parse(change->key, &owner.tenant, &owner.part, &day, &mid)) {
            storage_due_add(&storage->due, owner, 1, now_ms);
        }
    }
}

enum err storage_commit(struct storage *storage, bool is_synced)
{
    enum err err = ERR_OK;

    if (storage->group.changes_n > 0) {
        err = atomic_load(&storage->is_failing) ? ERR_IO : storage_group_write(&storage->group, is_synced);
        atomic_fetch_add(&storage->commits_n, 1);
    } else if (arena_overflowed(&storage->group.arena)) {
        err = ERR_NOMEM;
    }
    if (err == ERR_OK) {
        note_tails(storage);
    } else if (err != ERR_FULL && err != ERR_NOMEM) {
        /* What the log holds is unknown: nothing more is acknowledged until it has been read again. */
        atomic_store(&storage->is_failing, true);
        err = ERR_IO;
    }
    storage_group_forget(&storage->group);
    return err;
}

/* ---- open and close ---- */

static enum err check_number(struct storage *storage, const char *name, const uint8_t *want, size_t n,
                             bool *out_same)
{
    struct bytes value;
    enum err err = storage_group_get(&storage->group, STORAGE_DEFAULT, bytes_of(name), &value);

    *out_same = true;
    if (err == ERR_ABSENT && !storage->options.is_read_only) {
        storage_group_put(&storage->group, STORAGE_DEFAULT, bytes_of(name),
                          arena_copy(&storage->group.arena, (struct bytes){(const char *)want, n}));
        return ERR_OK;
    }
    if (err == ERR_OK) {
        *out_same = value.n == n && memcmp(value.p, want, n) == 0;
    }
    return err;
}

/* The schema's number, and a hash by which a wrong secret is told: with another one every identifier would
 * silently become a new customer. */
static enum err check_schema(struct storage *storage, struct why *why)
{
    uint8_t schema[4], check_key[32], check[16];
    bool is_same;
    enum err err;

    put_be32(schema, STORAGE_SCHEMA);
    err = check_number(storage, "schema", schema, sizeof(schema), &is_same);
    if (err != ERR_OK || !is_same) {
        return why_say(
            why, err != ERR_OK ? err : ERR_UNSUPPORTED, "newer_storage", "",
            "The storage has another schema than %d; open it with the version of falun that wrote it.",
            (int)STORAGE_SCHEMA);
    }
    if (storage->options.is_read_only) {
        return ERR_OK;
    }
    hash_derive(storage->options.secret, 3, "storchek", check_key);
    hash_mac(check_key, BYTES_LIT("falun"), check);
    err = check_number(storage, "secret", check, sizeof(check), &is_same);
    if (err == ERR_OK && !is_same) {
        return why_say(
            why, ERR_INVALID, "wrong_secret", "",
            "The secret is not the one this storage was made with; put the saved secret file back.");
    }
    return err != ERR_OK ? err : storage_commit(storage, true);
}

struct rebuild {
    struct storage_due *due;
    struct storage_owner owner;
    uint32_t events_n;
    int64_t now_ms;
};

static void rebuild_flush(struct rebuild *rebuild)
{
    if (rebuild->events_n > 0) {
        storage_due_add(rebuild->due, rebuild->owner, rebuild->events_n, rebuild->now_ms);
    }
    rebuild->events_n = 0;
}

static bool on_tail(void *ctx, struct bytes key, struct bytes value)
{
    struct rebuild *rebuild = ctx;
    struct storage_owner owner;
    struct mid mid;
    uint32_t day;

    (void)value;
    if (!storage_key_event_parse(key, &owner.tenant, &owner.part, &day, &mid)) {
        return true;
    }
    if (owner.part.v != rebuild->owner.part.v || owner.tenant.v != rebuild->owner.tenant.v) {
        rebuild_flush(rebuild);
        rebuild->owner = owner;
    }
    rebuild->events_n++;
    return true;
}

static enum err rebuild_due(struct storage *storage)
{
    struct rebuild rebuild = {.due = &storage->due, .now_ms = storage_now_ms(storage)};
    enum err err;

    err = storage->driver->walk(storage->at, NULL, STORAGE_TAIL, (struct bytes){0}, (struct bytes){0},
                                on_tail, &rebuild);
    rebuild_flush(&rebuild);
    return err;
}

static void storage_free(struct storage *storage)
{
    storage_group_close(&storage->group);
    storage_due_close(&storage->due);
    free(storage->gone.at);
    storage->driver->close(storage->at);
    free(storage);
}

enum err storage_open(const char *url, const struct storage_options *options, struct storage **out_storage,
                      struct why *why)
{
    const char *rest;
    const struct storage_driver *driver = storage_driver_of(url, &rest);
    struct storage *storage;
    void *at;
    enum err err;

    assert(options->now_ms != NULL && (options->is_read_only || options->chance != NULL));
    if (driver == NULL) {
        return why_say(why, ERR_UNSUPPORTED, "bad_storage", "",
                       "A storage is named `rocksdb:DIR` or `memory:`.");
    }
    err = driver->open(rest, options->cache_bytes, options->is_read_only, &at, why);
    if (err != ERR_OK) {
        return err;
    }
    storage = storage_must(calloc(1, sizeof(*storage)));
    storage->driver = driver;
    storage->at = at;
    storage->options = *options;
    hash_derive(options->secret, 1, "ident   ", storage->ident_key);
    hash_derive(options->secret, 2, "seal    ", storage->text_key);
    storage_group_open(&storage->group, driver, at);
    storage_due_open(&storage->due);
    err = check_schema(storage, why);
    if (err == ERR_OK && !options->is_read_only) {
        err = storage_erase_resume(storage);
        if (err == ERR_OK) {
            err = rebuild_due(storage);
        }
        if (err != ERR_OK) {
            (void)why_say(why, err, "storage_failed", "",
                          "The storage cannot be read (%s); look at the disk.", err_name(err));
        }
    }
    if (err != ERR_OK) {
        storage_free(storage);
        return err;
    }
    storage_lane_open(&storage->writer, storage);
    storage_lane_open(&storage->chores, storage);
    if (!options->is_read_only) {
        storage_lane_start(&storage->writer, storage_writer_run);
        storage_erase_sweep(storage);
    }
    *out_storage = storage;
    return ERR_OK;
}

void storage_close(struct storage *storage)
{
    if (storage == NULL) {
        return;
    }
    storage_lane_close(&storage->writer); /* may still give chores, */
    storage_lane_close(&storage->chores); /* and these may offer writes */
    storage_lane_free(&storage->writer);
    storage_lane_free(&storage->chores);
    storage_free(storage);
}

/* ---- small answers ---- */

void storage_stat(struct storage *storage, struct storage_stat *out_stat)
{
    pthread_mutex_lock(&storage->writer.lock);
    out_stat->queue_n = storage->writer.ops_n;
    pthread_mutex_unlock(&storage->writer.lock);
    out_stat->events_n = atomic_load(&storage->events_n);
    out_stat->duplicates_n = atomic_load(&storage->duplicates_n);
    out_stat->commits_n = atomic_load(&storage->commits_n);
    out_stat->tail_parts_n = storage_due_count(&storage->due);
    out_stat->disk_bytes = storage->driver->disk_bytes(storage->at);
    out_stat->is_failing = atomic_load(&storage->is_failing);
}

enum err storage_checkpoint(struct storage *storage, const char *directory)
{
    return storage->driver->checkpoint(storage->at, directory);
}

struct lease_op {
    struct storage_op op;
    void (*done)(void *ctx, enum err err, uint64_t number);
    void *ctx;
};

static void lease_finish(struct storage_op *op)
{
    struct lease_op *lease = (struct lease_op *)op;

    lease->done(lease->ctx, ERR_OK, 1);
}

/* Here and in storage_seal: one process holds the storage, so there is nobody to take turns with. */
void storage_lease(struct storage *storage, struct loop *loop, struct bytes name, int64_t ttl_ms,
                   void (*done)(void *ctx, enum err err, uint64_t number), void *ctx)
{
    struct lease_op *lease = storage_op_new(sizeof(*lease), storage, loop, lease_finish);

    (void)name;
    (void)ttl_ms;
    lease->done = done;
    lease->ctx = ctx;
    storage_op_complete(&lease->op);
}

struct seal_op {
    struct storage_op op;
    void (*done)(void *ctx, enum err err);
    void *ctx;
};

static void seal_finish(struct storage_op *op)
{
    struct seal_op *seal = (struct seal_op *)op;

    seal->done(seal->ctx, ERR_OK);
}

void storage_seal(struct storage *storage, struct loop *loop, uint32_t day,
                  void (*done)(void *ctx, enum err err), void *ctx)
{
    struct seal_op *seal = storage_op_new(sizeof(*seal), storage, loop, seal_finish);

    (void)day;
    seal->done = done;
    seal->ctx = ctx;
    storage_op_complete(&seal->op);
}
