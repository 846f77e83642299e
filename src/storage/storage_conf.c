/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration rows. `conf_rev` says which id changed at which revision, and each id is in it once, at its
 * newest: a poll reads it from `since` on and cannot skip a change, because the counter moves in the same
 * commit as the row. A deletion is a row without bytes. */
#include "base/hash.h"
#include "storage/storage_engine.h"

#include <assert.h>

/* ---- put ---- */

struct put_op {
    struct storage_op op;
    struct tenant_id tenant;
    uint8_t table;
    const struct storage_put *puts;
    size_t n;
    uint64_t *revisions; /* behind the struct */
    void (*done)(void *ctx, enum err err, const uint64_t *revisions, size_t n);
    void *ctx;
};

static void put_finish(struct storage_op *op)
{
    struct put_op *put = (struct put_op *)op;

    put->done(put->ctx, op->err, op->err == ERR_OK ? put->revisions : NULL, put->n);
}

static bool may_put(const struct storage_put *put, uint64_t revision, struct bytes row)
{
    if (put->if_revision == STORAGE_ANY_REVISION) {
        return true;
    }
    return put->if_revision == UINT64_MAX ? row.n == 0 : row.n > 0 && put->if_revision == revision;
}

/* Gives the new revision, 0 where the condition failed. */
static enum err put_one(struct put_op *op, struct storage_group *group, const struct storage_put *put,
                        uint64_t *out_revision)
{
    struct storage_key_room room;
    uint64_t old = 0, counter = 0;
    struct bytes value, row = {0};
    enum err err;

    err = storage_group_get(group, STORAGE_CONF, storage_key_conf(&room, op->tenant, op->table, put->id),
                            &value);
    if (err == ERR_OK) {
        err = storage_row_conf_decode(value, &old, &row);
    }
    if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    *out_revision = 0;
    if (!may_put(put, old, row)) {
        return ERR_OK;
    }
    err =
        storage_group_get(group, STORAGE_DEFAULT, storage_key_counter(&room, op->tenant, op->table), &value);
    if (err == ERR_OK) {
        err = storage_row_number_decode(value, &counter);
    }
    if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    counter++;
    storage_group_put(group, STORAGE_DEFAULT, storage_key_counter(&room, op->tenant, op->table),
                      storage_row_number(counter, &group->arena));
    if (old != 0) {
        storage_group_delete(group, STORAGE_CONF_REV,
                             storage_key_conf_rev(&room, op->tenant, op->table, old));
    }
    storage_group_put(group, STORAGE_CONF_REV, storage_key_conf_rev(&room, op->tenant, op->table, counter),
                      arena_copy(&group->arena, put->id));
    storage_group_put(group, STORAGE_CONF, storage_key_conf(&room, op->tenant, op->table, put->id),
                      storage_row_conf(counter, put->row, &group->arena));
    *out_revision = counter;
    return ERR_OK;
}

static bool put_apply(struct storage_op *op, struct storage_group *group)
{
    struct put_op *put = (struct put_op *)op;

    for (size_t i = 0; i < put->n && op->err == ERR_OK; i++) {
        op->err = put_one(put, group, &put->puts[i], &put->revisions[i]);
    }
    return op->err == ERR_OK;
}

void storage_put(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                 enum storage_table table, const struct storage_put *puts, size_t n,
                 void (*done)(void *ctx, enum err err, const uint64_t *revisions, size_t n), void *ctx)
{
    struct put_op *put = storage_op_new(sizeof(*put) + n * sizeof(uint64_t), storage, loop, put_finish);

    assert(table > 0 && table < STORAGE_TABLES_);
    put->tenant = tenant;
    put->table = (uint8_t)table;
    put->puts = puts;
    put->n = n;
    put->revisions = (uint64_t *)(put + 1);
    put->done = done;
    put->ctx = ctx;
    put->op.apply = put_apply;
    put->op.ops_n = n;
    for (size_t i = 0; i < n; i++) {
        put->op.bytes_n += puts[i].row.n + puts[i].id.n + 128;
        if (puts[i].id.n > STORAGE_KEY_ID_BYTES_MAX) {
            put->op.err = ERR_TOOBIG;
        }
    }
    if (put->op.err != ERR_OK) {
        storage_op_complete(&put->op);
        return;
    }
    storage_op_write(&put->op);
}

/* ---- changes ---- */

struct changes_op {
    struct storage_op op;
    struct tenant_id tenant;
    uint8_t table;
    size_t most;
    void *view;
    struct storage_pairs ids;
    struct storage_row *rows;
    size_t n;
    void (*done)(void *ctx, enum err err, const struct storage_row *rows, size_t n);
    void *ctx;
};

static void changes_finish(struct storage_op *op)
{
    struct changes_op *changes = (struct changes_op *)op;

    changes->done(changes->ctx, op->err, op->err == ERR_OK ? changes->rows : NULL,
                  op->err == ERR_OK ? changes->n : 0);
}

static bool on_change(void *ctx, struct bytes key, struct bytes value)
{
    struct changes_op *changes = ctx;

    return storage_pairs_add(&changes->ids, storage_op_arena(&changes->op), key, value) &&
           changes->ids.n < changes->most;
}

static enum err read_rows(struct changes_op *changes)
{
    struct storage *storage = changes->op.storage;
    struct arena *arena = storage_op_arena(&changes->op);
    struct storage_key_room room;
    enum err err = ERR_OK;

    changes->rows = arena_array(arena, changes->ids.n, sizeof(*changes->rows));
    if (changes->rows == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < changes->ids.n && err == ERR_OK; i++) {
        struct storage_row *row = &changes->rows[i];
        struct bytes value;

        row->id = changes->ids.at[i].value;
        err = storage->driver->get(storage->at, changes->view, STORAGE_CONF,
                                   storage_key_conf(&room, changes->tenant, changes->table, row->id), arena,
                                   &value);
        if (err == ERR_OK) {
            err = storage_row_conf_decode(value, &row->revision, &row->row);
        }
    }
    changes->n = changes->ids.n;
    return err == ERR_ABSENT ? ERR_CORRUPT : err; /* one batch wrote both */
}

void storage_changes(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                     enum storage_table table, uint64_t since, size_t most,
                     void (*done)(void *ctx, enum err err, const struct storage_row *rows, size_t n),
                     void *ctx)
{
    struct changes_op *changes = storage_op_new(sizeof(*changes), storage, loop, changes_finish);
    struct storage_key_room from, after;
    struct bytes prefix, to;

    assert(table > 0 && table < STORAGE_TABLES_);
    changes->tenant = tenant;
    changes->table = (uint8_t)table;
    changes->most = most;
    changes->done = done;
    changes->ctx = ctx;
    if (since < UINT64_MAX && most > 0) {
        prefix = storage_key_conf(&from, tenant, changes->table, (struct bytes){0});
        to = storage_key_after(&after, prefix);
        changes->view = storage->driver->view_open(storage->at);
        changes->op.err = storage->driver->walk(
            storage->at, changes->view, STORAGE_CONF_REV,
            storage_key_conf_rev(&from, tenant, changes->table, since + 1), to, on_change, changes);
        if (changes->op.err == ERR_OK) {
            changes->op.err = read_rows(changes);
        }
        storage->driver->view_close(storage->at, changes->view);
    }
    storage_op_complete(&changes->op);
}

/* ---- files ---- */

struct file_op {
    struct storage_op op;
    uint8_t hash[32];
    struct bytes data;
    void (*put_done)(void *ctx, enum err err, const uint8_t hash[32]);
    void (*get_done)(void *ctx, enum err err, struct bytes data);
    void *ctx;
};

static void file_put_finish(struct storage_op *op)
{
    struct file_op *file = (struct file_op *)op;

    file->put_done(file->ctx, op->err, file->hash);
}

static void file_put_alone(struct storage_op *op)
{
    struct file_op *file = (struct file_op *)op;

    hash_256(NULL, file->data, file->hash);
    op->err = op->storage->options.is_read_only
                  ? ERR_UNSUPPORTED
                  : op->storage->driver->file_put(op->storage->at, file->hash, file->data);
}

void storage_file_put(struct storage *storage, struct loop *loop, struct bytes data,
                      void (*done)(void *ctx, enum err err, const uint8_t hash[32]), void *ctx)
{
    struct file_op *file = storage_op_new(sizeof(*file), storage, loop, file_put_finish);

    file->data = data;
    file->put_done = done;
    file->ctx = ctx;
    file->op.alone = file_put_alone;
    file->op.bytes_n = data.n;
    storage_op_chore(&file->op);
}

static void file_get_finish(struct storage_op *op)
{
    struct file_op *file = (struct file_op *)op;

    file->get_done(file->ctx, op->err, op->err == ERR_OK ? file->data : (struct bytes){0});
}

static void file_get_alone(struct storage_op *op)
{
    struct file_op *file = (struct file_op *)op;
    uint8_t hash[32];

    op->err = op->storage->driver->file_get(op->storage->at, file->hash, storage_op_arena(op), &file->data);
    if (op->err == ERR_OK) {
        hash_256(NULL, file->data, hash);
        op->err = hash_same(hash, file->hash, sizeof(hash)) ? ERR_OK : ERR_CORRUPT;
    }
}

void storage_file_get(struct storage *storage, struct loop *loop, const uint8_t hash[32],
                      void (*done)(void *ctx, enum err err, struct bytes data), void *ctx)
{
    struct file_op *file = storage_op_new(sizeof(*file), storage, loop, file_get_finish);

    memcpy(file->hash, hash, sizeof(file->hash));
    file->get_done = done;
    file->ctx = ctx;
    file->op.alone = file_get_alone;
    storage_op_chore(&file->op);
}
