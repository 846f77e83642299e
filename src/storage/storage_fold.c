/* SPDX-License-Identifier: Apache-2.0 */
/* Fold: tail rows of a part move to the log and into its state, in one batch, so exactly once.
 *
 * What the writer folds by itself is written without an fsync of its own: the log is written in order, so
 * after a crash a lost fold is lost whole and its tail is still there. */
#include "base/hash.h"
#include "storage/storage_engine.h"

#include <assert.h>

enum { PARTS_A_GROUP = 256 };

enum err storage_fold_pairs(const struct storage *storage, struct tenant_id tenant, struct bytes state,
                            const struct storage_pair *pairs, size_t n, struct arena *arena,
                            struct bytes *out_state)
{
    struct storage_fold_event *events;

    if (n == 0) {
        *out_state = state;
        return ERR_OK;
    }
    events = arena_array(arena, n, sizeof(*events));
    if (events == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        struct storage_body body;
        enum err err = storage_row_body_decode(pairs[i].value, &body);

        if (err != ERR_OK || pairs[i].key.n != STORAGE_KEY_EVENT_BYTES) {
            return err != ERR_OK ? err : ERR_CORRUPT;
        }
        memcpy(events[i].mid.b, pairs[i].key.p + STORAGE_KEY_EVENT_BYTES - sizeof(events[i].mid.b),
               sizeof(events[i].mid.b));
        events[i].body = body.body;
    }
    return storage->options.rules.fold(tenant, state, events, n, arena, out_state);
}

/* The state as of this fold's version: an older one is made anew from the log. */
static enum err present_state(struct storage *storage, struct storage_group *group,
                              struct storage_owner owner, const struct storage_part *part,
                              struct bytes *out_state)
{
    struct storage_key_room room;
    struct storage_pairs log;
    enum err err;

    if (part->revision == 0 || part->fold_version == storage->options.rules.fold_version) {
        *out_state = part->state;
        return ERR_OK;
    }
    err = storage_group_list(group, STORAGE_EV, storage_key_owner(&room, owner.tenant, owner.part.v), &log);
    return err != ERR_OK ? err
                         : storage_fold_pairs(storage, owner.tenant, (struct bytes){0}, log.at, log.n,
                                              &group->arena, out_state);
}

static void move_tail(struct storage_group *group, const struct storage_pairs *tail, bool is_kept)
{
    for (size_t i = 0; i < tail->n; i++) {
        storage_group_delete(group, STORAGE_TAIL, tail->at[i].key);
        if (is_kept) {
            storage_group_put(group, STORAGE_EV, tail->at[i].key, tail->at[i].value);
        }
    }
}

enum err storage_fold_part(struct storage *storage, struct storage_group *group, struct storage_owner owner,
                           size_t *out_events_n)
{
    struct storage_part part = {.customer = {owner.part.v}};
    struct storage_key_room room;
    struct storage_pairs tail;
    enum err err;

    err =
        storage_group_list(group, STORAGE_TAIL, storage_key_owner(&room, owner.tenant, owner.part.v), &tail);
    if (err == ERR_OK) {
        err = storage_part_get(group, owner, &part);
    }
    if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    *out_events_n = part.is_erased ? 0 : tail.n;
    if (part.is_erased) {
        move_tail(group, &tail, false); /* it was on its way while the customer was erased */
        return ERR_OK;
    }
    if (tail.n == 0 && (part.revision == 0 || part.fold_version == storage->options.rules.fold_version)) {
        return ERR_OK;
    }
    err = present_state(storage, group, owner, &part, &part.state);
    if (err == ERR_OK) {
        err = storage_fold_pairs(storage, owner.tenant, part.state, tail.at, tail.n, &group->arena,
                                 &part.state);
    }
    if (err != ERR_OK) {
        return err;
    }
    part.revision++;
    part.fold_version = storage->options.rules.fold_version;
    part.used_ms = storage_now_ms(storage);
    storage_part_put(group, owner, &part);
    move_tail(group, &tail, true);
    return ERR_OK;
}

/* Folds the parts in one commit. One that cannot be folded is left alone, and looked at
 * again when something new comes to it. */
static enum err fold_owners(struct storage *storage, const struct storage_owner *owners, size_t n,
                            bool is_synced, uint64_t *events_n)
{
    enum err err = ERR_OK, written;
    uint64_t moved_n = 0;

    for (size_t i = 0; i < n; i++) {
        size_t mark = storage_group_mark(&storage->group), part_n = 0;
        enum err one = storage_fold_part(storage, &storage->group, owners[i], &part_n);

        if (one != ERR_OK) {
            storage_group_rollback(&storage->group, mark);
            err = one;
            continue;
        }
        moved_n += part_n;
    }
    written = storage_commit(storage, is_synced);
    if (written != ERR_OK) {
        return written;
    }
    for (size_t i = 0; i < n; i++) {
        storage_due_remove(&storage->due, owners[i]);
    }
    *events_n += moved_n;
    return err;
}

void storage_fold_due(struct storage *storage, size_t most)
{
    struct storage_owner owners[STORAGE_FOLDS_IDLE];
    uint64_t events_n = 0;
    size_t n;

    assert(most <= STORAGE_FOLDS_IDLE);
    n = storage_due_find(&storage->due, storage_now_ms(storage), false, 0, HASH_BUCKETS, owners, most);
    if (n > 0 && fold_owners(storage, owners, n, false, &events_n) != ERR_OK) {
        /* No room to fold: trying again at once would spin. The tails stay as they are, and are found
         * again when something new comes to them or at the next open. */
        for (size_t i = 0; i < n; i++) {
            storage_due_remove(&storage->due, owners[i]);
        }
    }
}

/* ---- the call ---- */

struct fold_op {
    struct storage_op op;
    uint16_t from, to;
    bool all;
    uint64_t events_n;
    void (*done)(void *ctx, enum err err, uint64_t events_n);
    void *ctx;
};

static void finish(struct storage_op *op)
{
    struct fold_op *fold = (struct fold_op *)op;

    fold->done(fold->ctx, op->err, fold->events_n);
}

static void alone(struct storage_op *op)
{
    struct fold_op *fold = (struct fold_op *)op;
    struct storage_owner owners[PARTS_A_GROUP];
    size_t n;

    do {
        n = storage_due_find(&op->storage->due, storage_now_ms(op->storage), fold->all, fold->from, fold->to,
                             owners, PARTS_A_GROUP);
        if (n > 0) {
            op->err = fold_owners(op->storage, owners, n, true, &fold->events_n);
        }
    } while (n > 0 && op->err == ERR_OK);
}

void storage_fold(struct storage *storage, struct loop *loop, uint16_t bucket_from, uint16_t bucket_to,
                  bool all, void (*done)(void *ctx, enum err err, uint64_t events_n), void *ctx)
{
    struct fold_op *fold = storage_op_new(sizeof(*fold), storage, loop, finish);

    fold->from = bucket_from;
    fold->to = bucket_to;
    fold->all = all;
    fold->done = done;
    fold->ctx = ctx;
    fold->op.alone = alone;
    storage_op_write(&fold->op);
}
