/* SPDX-License-Identifier: Apache-2.0 */
/* Load: one view; the customer's row (joins followed), its parts, their tails. Nothing is written. */
#include "storage/storage_engine.h"
#include "storage/storage_text.h"

#include <assert.h>

static enum err get(struct storage *storage, void *view, enum storage_family family, struct tenant_id tenant,
                    uint64_t c, struct arena *arena, struct bytes *out_row)
{
    struct storage_key_room room;

    return storage->driver->get(storage->at, view, family, storage_key_owner(&room, tenant, c), arena,
                                out_row);
}

static enum err follow(struct storage *storage, void *view, struct storage_key *key, struct arena *arena,
                       struct storage_customer *customer)
{
    for (int hops = 0; hops < STORAGE_HOPS_MAX; hops++) {
        struct bytes row;
        enum err err = get(storage, view, STORAGE_CUST, key->tenant, key->customer.v, arena, &row);

        if (err == ERR_OK) {
            err = storage_row_customer_decode(row, customer);
        }
        if (err != ERR_OK || customer->joined_to.v == 0) {
            return err;
        }
        key->customer = customer->joined_to;
    }
    return ERR_CORRUPT;
}

static enum err load_identifiers(struct storage *storage, struct tenant_id tenant,
                                 const struct storage_customer *customer, struct arena *arena,
                                 struct sealed_customer *loaded)
{
    struct sealed_identifier *identifiers = arena_array(arena, customer->members_n, sizeof(*identifiers));

    if (identifiers == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < customer->members_n; i++) {
        const struct storage_member *member = &customer->members[i];
        enum err err;

        identifiers[i] = (struct sealed_identifier){.part = member->part,
                                                    .kind = member->kind,
                                                    .idh = member->idh,
                                                    .linked_ms = member->linked_ms,
                                                    .source = {member->source},
                                                    .strength = member->strength};
        err = storage_text_open(storage->text_key, tenant, member->kind, &member->idh, member->text, arena,
                                &identifiers[i].text.hidden);
        if (err != ERR_OK) {
            return err;
        }
    }
    loaded->identifiers = identifiers;
    loaded->identifiers_n = customer->members_n;
    return ERR_OK;
}

/* The newest of the tail by key as events; what is older is folded into the state in memory. */
static enum err load_tail(struct storage *storage, struct tenant_id tenant, const struct storage_pairs *tail,
                          struct bytes state, struct arena *arena, struct sealed_part *part)
{
    size_t older_n = tail->n > STORAGE_TAIL_MAX ? tail->n - STORAGE_TAIL_MAX : 0;
    struct sealed_event *events = arena_array(arena, tail->n - older_n, sizeof(*events));
    enum err err;

    if (events == NULL) {
        return ERR_NOMEM;
    }
    err = storage_fold_pairs(storage, tenant, state, tail->at, older_n, arena, &part->state.hidden);
    for (size_t i = older_n; i < tail->n && err == ERR_OK; i++) {
        struct bytes key = tail->at[i].key;
        struct storage_body body;

        err = key.n == STORAGE_KEY_EVENT_BYTES ? storage_row_body_decode(tail->at[i].value, &body)
                                               : ERR_CORRUPT;
        if (err == ERR_OK) {
            struct sealed_event *event = &events[i - older_n];

            memcpy(event->mid.b, key.p + key.n - sizeof(event->mid.b), sizeof(event->mid.b));
            event->body.hidden = body.body;
        }
    }
    part->tail = events;
    part->tail_n = tail->n - older_n;
    return err;
}

static enum err load_part(struct storage *storage, void *view, struct storage_owner owner,
                          struct arena *arena, struct sealed_part *out_part)
{
    struct storage_part part = {0};
    struct storage_key_room room;
    struct storage_pairs pairs;
    struct bytes row, prefix;
    enum err err = get(storage, view, STORAGE_PART, owner.tenant, owner.part.v, arena, &row);

    err = err == ERR_ABSENT ? ERR_OK : err == ERR_OK ? storage_row_part_decode(row, &part) : err;
    if (err != ERR_OK) {
        return err;
    }
    *out_part = (struct sealed_part){.part = owner.part, .revision = part.revision};
    prefix = storage_key_owner(&room, owner.tenant, owner.part.v);
    if (part.revision > 0 && part.fold_version != storage->options.rules.fold_version) {
        err = storage_pairs_walk(storage->driver, storage->at, view, STORAGE_EV, prefix, arena, &pairs);
        if (err == ERR_OK) {
            err = storage_fold_pairs(storage, owner.tenant, (struct bytes){0}, pairs.at, pairs.n, arena,
                                     &part.state);
        }
        if (err == ERR_OK && !storage->options.is_read_only &&
            storage_due_add(&storage->due, owner, STORAGE_FOLD_EVENTS, storage_now_ms(storage))) {
            storage_lane_wake(&storage->writer);
        }
    }
    if (err == ERR_OK) {
        err = storage_pairs_walk(storage->driver, storage->at, view, STORAGE_TAIL, prefix, arena, &pairs);
    }
    return err != ERR_OK ? err : load_tail(storage, owner.tenant, &pairs, part.state, arena, out_part);
}

enum err storage_load_one(struct storage *storage, void *view, struct storage_key key, struct arena *arena,
                          struct sealed_customer *out_customer)
{
    struct storage_customer customer = {0};
    struct sealed_customer loaded = {.tenant = key.tenant};
    struct sealed_part *parts;
    enum err err = follow(storage, view, &key, arena, &customer);

    if (err == ERR_ABSENT || (err == ERR_OK && customer.is_erased)) {
        *out_customer = loaded;
        return ERR_OK;
    }
    if (err != ERR_OK) {
        return err;
    }
    parts = arena_array(arena, customer.parts_n, sizeof(*parts));
    if (parts == NULL) {
        return ERR_NOMEM;
    }
    loaded.customer = key.customer;
    loaded.revision = customer.revision;
    loaded.declared.hidden = customer.declared;
    loaded.parts = parts;
    loaded.parts_n = customer.parts_n;
    err = load_identifiers(storage, key.tenant, &customer, arena, &loaded);
    for (size_t i = 0; i < customer.parts_n && err == ERR_OK; i++) {
        err =
            load_part(storage, view, (struct storage_owner){key.tenant, customer.parts[i]}, arena, &parts[i]);
    }
    if (err == ERR_OK) {
        *out_customer = loaded;
    }
    return err;
}

struct load_op {
    struct storage_op op;
    struct sealed_customer *customers; /* in the op's arena */
    size_t n;
    void (*done)(void *ctx, enum err err, const struct sealed_customer *customers, size_t n);
    void *ctx;
};

static void finish(struct storage_op *op)
{
    struct load_op *load = (struct load_op *)op;

    load->done(load->ctx, op->err, op->err == ERR_OK ? load->customers : NULL, load->n);
}

void storage_load(struct storage *storage, struct loop *loop, const struct storage_key *keys, size_t n,
                  int64_t deadline_ms,
                  void (*done)(void *ctx, enum err err, const struct sealed_customer *customers, size_t n),
                  void *ctx)
{
    struct load_op *load = storage_op_new(sizeof(*load), storage, loop, finish);
    struct arena *arena = storage_op_arena(&load->op);
    void *view = storage->driver->view_open(storage->at);

    load->n = n;
    load->done = done;
    load->ctx = ctx;
    load->customers = arena_array(arena, n, sizeof(*load->customers));
    load->op.err = load->customers == NULL ? ERR_NOMEM : ERR_OK;
    for (size_t i = 0; i < n && load->op.err == ERR_OK; i++) {
        if (deadline_ms != 0 && storage_now_ms(storage) > deadline_ms) {
            load->op.err = ERR_BUSY;
        } else {
            load->op.err = storage_load_one(storage, view, keys[i], arena, &load->customers[i]);
        }
    }
    storage->driver->view_close(storage->at, view);
    storage_op_complete(&load->op);
}
