/* SPDX-License-Identifier: Apache-2.0 */
/* Scans: log and tails of a bucket side by side, in key order. Tails are short (they are folded), so those
 * of one bucket are gathered first and merged into the walk over its log. */
#include "storage/storage_engine.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

enum { PARTS_A_COMMIT = 256 };
#define ARENA_BYTES ((size_t)1 << 16)
#define ARENA_BYTES_MAX ((size_t)1 << 30)

struct scan {
    struct storage_pairs tail; /* of this bucket */
    size_t tail_at;
    bool (*each)(void *ctx, const struct storage_scan_event *event);
    void *ctx;
    bool is_stopped;
    enum err err;
};

static enum err read_event(struct bytes key, struct bytes value, bool is_folded,
                           struct storage_scan_event *out_event)
{
    struct storage_body body;
    enum err err;

    if (!storage_key_event_parse(key, &out_event->tenant, &out_event->part, &out_event->day,
                                 &out_event->mid)) {
        return ERR_CORRUPT;
    }
    err = storage_row_body_decode(value, &body);
    out_event->body = body.body;
    out_event->is_folded = is_folded;
    return err;
}

static bool give(struct scan *scan, struct bytes key, struct bytes value, bool is_folded)
{
    struct storage_scan_event event;

    scan->err = read_event(key, value, is_folded, &event);
    scan->is_stopped = scan->err != ERR_OK || !scan->each(scan->ctx, &event);
    return !scan->is_stopped;
}

/* Gives the tail's events before `key`; empty: all that are left. */
static bool give_tail(struct scan *scan, struct bytes key)
{
    while (scan->tail_at < scan->tail.n) {
        const struct storage_pair *pair = &scan->tail.at[scan->tail_at];

        if (key.n > 0 && bytes_compare(pair->key, key) >= 0) {
            break;
        }
        scan->tail_at++;
        if (!give(scan, pair->key, pair->value, false)) {
            return false;
        }
    }
    return true;
}

static bool on_log(void *ctx, struct bytes key, struct bytes value)
{
    struct scan *scan = ctx;

    return give_tail(scan, key) && give(scan, key, value, true);
}

static enum err scan_bucket(struct storage *storage, void *view, struct tenant_id tenant, uint16_t bucket,
                            struct scan *scan, struct arena *arena)
{
    struct storage_key_room room, after;
    struct bytes prefix = storage_key_bucket(&room, bucket, tenant);
    enum err err;

    arena_reset(arena);
    scan->tail_at = 0;
    err = storage_pairs_walk(storage->driver, storage->at, view, STORAGE_TAIL, prefix, arena, &scan->tail);
    if (err == ERR_OK) {
        err = storage->driver->walk(storage->at, view, STORAGE_EV, prefix, storage_key_after(&after, prefix),
                                    on_log, scan);
    }
    if (err == ERR_OK && !scan->is_stopped) {
        give_tail(scan, (struct bytes){0});
    }
    return err != ERR_OK ? err : scan->err;
}

enum err storage_scan(struct storage *storage, struct tenant_id tenant, uint16_t bucket_from,
                      uint16_t bucket_to, bool (*each)(void *ctx, const struct storage_scan_event *event),
                      void *ctx)
{
    struct scan scan = {.each = each, .ctx = ctx};
    struct arena arena;
    enum err err = ERR_OK;
    void *view = storage->driver->view_open(storage->at);

    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    for (uint32_t bucket = bucket_from; bucket < bucket_to && bucket < HASH_BUCKETS; bucket++) {
        err = scan_bucket(storage, view, tenant, (uint16_t)bucket, &scan, &arena);
        if (err != ERR_OK || scan.is_stopped) {
            break;
        }
    }
    arena_close(&arena);
    storage->driver->view_close(storage->at, view);
    return err;
}

/* ---- some parts ---- */

struct parts_op {
    struct storage_op op;
    struct storage_scan_event *events;
    size_t n;
    void (*done)(void *ctx, enum err err, const struct storage_scan_event *events, size_t n);
    void *ctx;
};

static void parts_finish(struct storage_op *op)
{
    struct parts_op *parts = (struct parts_op *)op;

    parts->done(parts->ctx, op->err, op->err == ERR_OK ? parts->events : NULL,
                op->err == ERR_OK ? parts->n : 0);
}

static int compare_days(const void *a, const void *b)
{
    const struct storage_scan_event *one = a, *other = b;

    return one->day != other->day ? (one->day < other->day ? -1 : 1) : mid_compare(&one->mid, &other->mid);
}

static enum err read_parts(struct parts_op *op, void *view, struct tenant_id tenant,
                           const struct part_id *parts, size_t n)
{
    static const enum storage_family families[] = {STORAGE_EV, STORAGE_TAIL};
    struct storage *storage = op->op.storage;
    struct arena *arena = storage_op_arena(&op->op);
    struct storage_pairs *rows = arena_array(arena, n * 2, sizeof(*rows));
    struct storage_key_room room;
    size_t all_n = 0;
    enum err err = rows == NULL ? ERR_NOMEM : ERR_OK;

    for (size_t i = 0; i < n * 2 && err == ERR_OK; i++) {
        err = storage_pairs_walk(storage->driver, storage->at, view, families[i % 2],
                                 storage_key_owner(&room, tenant, parts[i / 2].v), arena, &rows[i]);
        all_n += rows[i].n;
    }
    if (err != ERR_OK) {
        return err;
    }
    op->events = arena_array(arena, all_n, sizeof(*op->events));
    for (size_t i = 0; op->events != NULL && i < n * 2; i++) {
        for (size_t j = 0; j < rows[i].n && err == ERR_OK; j++) {
            err = read_event(rows[i].at[j].key, rows[i].at[j].value, i % 2 == 0, &op->events[op->n++]);
        }
    }
    return op->events == NULL ? ERR_NOMEM : err;
}

void storage_scan_parts(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                        const struct part_id *parts, size_t n, size_t most,
                        void (*done)(void *ctx, enum err err, const struct storage_scan_event *events,
                                     size_t n),
                        void *ctx)
{
    struct parts_op *op = storage_op_new(sizeof(*op), storage, loop, parts_finish);
    void *view = storage->driver->view_open(storage->at);

    op->done = done;
    op->ctx = ctx;
    op->op.err = read_parts(op, view, tenant, parts, n);
    storage->driver->view_close(storage->at, view);
    if (op->op.err == ERR_OK && op->n > 0) {
        qsort(op->events, op->n, sizeof(*op->events), compare_days);
        op->n = op->n < most ? op->n : most;
    }
    storage_op_complete(&op->op);
}

/* ---- all customers ---- */

struct customers {
    struct storage *storage;
    void *view;
    struct arena arena;
    bool (*each)(void *ctx, const struct sealed_customer *customer);
    void *ctx;
    bool is_stopped;
    enum err err;
};

static bool on_customer(void *ctx, struct bytes key, struct bytes value)
{
    struct customers *customers = ctx;
    struct sealed_customer loaded;
    struct storage_customer row;
    struct storage_key name;

    customers->err = storage_row_customer_decode(value, &row);
    if (customers->err == ERR_OK && !storage_key_owner_parse(key, &name.tenant, &name.customer.v)) {
        customers->err = ERR_CORRUPT;
    }
    if (customers->err == ERR_OK && (row.is_erased || row.joined_to.v != 0)) {
        return true;
    }
    arena_reset(&customers->arena);
    if (customers->err == ERR_OK) {
        customers->err =
            storage_load_one(customers->storage, customers->view, name, &customers->arena, &loaded);
    }
    customers->is_stopped = customers->err != ERR_OK || !customers->each(customers->ctx, &loaded);
    return !customers->is_stopped;
}

enum err storage_scan_customers(struct storage *storage, struct tenant_id tenant,
                                bool (*each)(void *ctx, const struct sealed_customer *customer), void *ctx)
{
    struct customers customers = {.storage = storage, .each = each, .ctx = ctx};
    enum err err = ERR_OK;

    customers.view = storage->driver->view_open(storage->at);
    arena_open(&customers.arena, ARENA_BYTES, ARENA_BYTES_MAX);
    for (uint16_t bucket = 0; bucket < HASH_BUCKETS && err == ERR_OK && !customers.is_stopped; bucket++) {
        struct storage_key_room room, after;
        struct bytes prefix = storage_key_bucket(&room, bucket, tenant);

        err = storage->driver->walk(storage->at, customers.view, STORAGE_CUST, prefix,
                                    storage_key_after(&after, prefix), on_customer, &customers);
        err = err != ERR_OK ? err : customers.err;
    }
    arena_close(&customers.arena);
    storage->driver->view_close(storage->at, customers.view);
    return err;
}

/* ---- replay ---- */

struct replay_op {
    struct storage_op op;
    struct tenant_id tenant;
    uint64_t parts_n, differing_n;
    pthread_mutex_t *lock;
    pthread_cond_t *done;
    bool *is_done;
    enum err *out_err;
    uint64_t *out_parts_n, *out_differing_n;
};

static void replay_finish(struct storage_op *op)
{
    struct replay_op *replay = (struct replay_op *)op;

    pthread_mutex_lock(replay->lock);
    *replay->out_err = op->err;
    if (op->err == ERR_OK) {
        *replay->out_parts_n = replay->parts_n;
        *replay->out_differing_n = replay->differing_n;
    }
    *replay->is_done = true;
    pthread_cond_signal(replay->done);
    pthread_mutex_unlock(replay->lock);
}

/* A part's state from nothing, from its log alone: its tail is not in it yet. */
static enum err replay_part(struct replay_op *replay, struct storage_owner owner)
{
    struct storage *storage = replay->op.storage;
    struct storage_group *group = &storage->group;
    struct storage_part part;
    struct storage_key_room room;
    struct storage_pairs log;
    struct bytes state;
    enum err err = storage_part_get(group, owner, &part);

    if (err != ERR_OK || part.is_erased) {
        return err;
    }
    err = storage_group_list(group, STORAGE_EV, storage_key_owner(&room, owner.tenant, owner.part.v), &log);
    if (err == ERR_OK) {
        err = storage_fold_pairs(storage, owner.tenant, (struct bytes){0}, log.at, log.n, &group->arena,
                                 &state);
    }
    if (err != ERR_OK) {
        return err;
    }
    replay->parts_n++;
    replay->differing_n += !bytes_equal(state, part.state);
    part.state = state;
    part.fold_version = storage->options.rules.fold_version;
    part.revision++;
    storage_part_put(group, owner, &part);
    return ERR_OK;
}

static enum err replay_bucket(struct replay_op *replay, uint16_t bucket, struct arena *arena)
{
    struct storage *storage = replay->op.storage;
    struct storage_key_room room;
    struct storage_pairs parts;
    enum err err;

    arena_reset(arena);
    err = storage_pairs_walk(storage->driver, storage->at, NULL, STORAGE_PART,
                             storage_key_bucket(&room, bucket, replay->tenant), arena, &parts);
    for (size_t i = 0; i < parts.n && err == ERR_OK; i++) {
        struct storage_owner owner;

        err = storage_key_owner_parse(parts.at[i].key, &owner.tenant, &owner.part.v) ? ERR_OK : ERR_CORRUPT;
        if (err == ERR_OK) {
            err = replay_part(replay, owner);
        }
        if (err == ERR_OK && (i + 1) % PARTS_A_COMMIT == 0) {
            err = storage_commit(storage, false);
        }
    }
    return err != ERR_OK ? err : storage_commit(storage, false);
}

static void replay_alone(struct storage_op *op)
{
    struct replay_op *replay = (struct replay_op *)op;
    struct arena arena;

    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    for (uint16_t bucket = 0; bucket < HASH_BUCKETS && op->err == ERR_OK; bucket++) {
        op->err = replay_bucket(replay, bucket, &arena);
    }
    storage_group_forget(&op->storage->group);
    arena_close(&arena);
}

enum err storage_replay(struct storage *storage, struct tenant_id tenant, uint64_t *out_parts_n,
                        uint64_t *out_differing_n)
{
    struct replay_op *replay = storage_op_new(sizeof(*replay), storage, NULL, replay_finish);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t done = PTHREAD_COND_INITIALIZER;
    enum err err = ERR_OK;
    bool is_done = false;

    replay->tenant = tenant;
    replay->lock = &lock;
    replay->done = &done;
    replay->is_done = &is_done;
    replay->out_err = &err;
    replay->out_parts_n = out_parts_n;
    replay->out_differing_n = out_differing_n;
    replay->op.alone = replay_alone;
    storage_op_write(&replay->op);
    pthread_mutex_lock(&lock);
    while (!is_done) {
        pthread_cond_wait(&done, &lock);
    }
    pthread_mutex_unlock(&lock);
    return err;
}
