/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_engine.h"

struct update_op {
    struct storage_op op;
    struct storage_key key;
    uint64_t revision;
    struct bytes change;
    const struct storage_event *event;
    struct storage_updated updated;
    bool has_updated;
    void (*done)(void *ctx, enum err err, const struct storage_updated *updated);
    void *ctx;
};

static void finish(struct storage_op *op)
{
    struct update_op *update = (struct update_op *)op;

    if (op->err != ERR_OK && op->err != ERR_CONFLICT) {
        update->has_updated = false;
    }
    update->done(update->ctx, op->err, update->has_updated ? &update->updated : NULL);
}

/* The group's memory ends with the commit, the answer's does not. */
static void answer(struct update_op *update, struct storage_key key, const struct storage_customer *customer)
{
    update->updated.key = key;
    update->updated.revision = customer->revision;
    update->updated.declared = arena_copy(storage_op_arena(&update->op), customer->declared);
    update->has_updated = true;
}

/* Who withdrew and now lets us store again is stored again. */
static enum err welcome(struct storage *storage, struct storage_key key,
                        const struct storage_customer *customer)
{
    int64_t until_ms;
    uint16_t word;
    enum err err;

    if (storage->gone.n == 0 || storage->options.rules.word == NULL) {
        return ERR_OK;
    }
    err = storage->options.rules.word(customer->declared, &word, &until_ms);
    if (err == ERR_OK && consent_word_get(word, PURPOSE_STORE) == CONSENT_GRANTED) {
        for (size_t i = 0; i < customer->parts_n; i++) {
            storage_gone_remove(&storage->gone, (struct storage_owner){key.tenant, customer->parts[i]});
        }
    }
    return err;
}

static enum err patch(struct update_op *update, struct storage_group *group)
{
    struct storage *storage = update->op.storage;
    struct storage_key key = update->key;
    struct storage_customer customer;
    enum storage_stored stored;
    struct part_id part;
    enum err err = storage_customer_get(group, &key, &customer);

    if (err != ERR_OK || customer.is_erased) {
        return err != ERR_OK ? err : ERR_ABSENT;
    }
    if (update->revision != UINT64_MAX && update->revision != customer.revision) {
        answer(update, key, &customer);
        return ERR_CONFLICT;
    }
    err = storage->options.rules.patch(customer.declared, update->change, customer.parts, customer.parts_n,
                                       &group->arena, &customer.declared);
    if (err == ERR_OK) {
        err = welcome(storage, key, &customer);
    }
    if (err == ERR_OK && update->event != NULL) {
        err = storage_event_put(storage, group, update->event, &stored, &part);
        err = err == ERR_NO_PASS ? ERR_OK
                                 : err; /* a withdrawal said twice: the statement holds, no event is kept */
    }
    if (err != ERR_OK) {
        return err;
    }
    customer.revision++;
    storage_customer_put(group, key, &customer);
    answer(update, key, &customer);
    return storage_customer_word(storage, group, key, &customer);
}

static bool apply(struct storage_op *op, struct storage_group *group)
{
    op->err = patch((struct update_op *)op, group);
    return op->err == ERR_OK;
}

void storage_update(struct storage *storage, struct loop *loop, struct storage_key key, uint64_t revision,
                    struct bytes change, const struct storage_event *event,
                    void (*done)(void *ctx, enum err err, const struct storage_updated *updated), void *ctx)
{
    struct update_op *update = storage_op_new(sizeof(*update), storage, loop, finish);

    update->key = key;
    update->revision = revision;
    update->change = change;
    update->event = event;
    update->done = done;
    update->ctx = ctx;
    update->op.apply = apply;
    update->op.bytes_n = change.n + 4096;
    storage_op_write(&update->op);
}
