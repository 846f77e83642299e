/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "storage/storage_engine.h"
#include "storage/storage_text.h"

#include <assert.h>

struct identify_op {
    struct storage_op op;
    struct tenant_id tenant;
    const struct storage_identifier *identifiers;
    size_t n;
    struct bytes source;
    struct storage_identity *identities; /* in the op's arena */
    void (*done)(void *ctx, enum err err, const struct storage_identity *identities, size_t n);
    void *ctx;
};

static void finish(struct storage_op *op)
{
    struct identify_op *identify = (struct identify_op *)op;

    identify->done(identify->ctx, op->err, op->err == ERR_OK ? identify->identities : NULL, identify->n);
}

static struct idh idh_of(const struct storage *storage, struct tenant_id tenant,
                         const struct storage_identifier *identifier)
{
    return hash_identifier(storage->ident_key, tenant, (uint8_t)identifier->kind, identifier->value);
}

static enum err read_identity(struct bytes row, struct storage_identity *identity)
{
    struct storage_ident ident;
    enum err err = storage_row_ident_decode(row, &ident);

    if (err == ERR_OK) {
        *identity = (struct storage_identity){.how = STORAGE_FOUND,
                                              .part = ident.part,
                                              .customer = ident.customer,
                                              .consent_word = ident.word,
                                              .consent_until_ms = ident.until_ms,
                                              .is_bare = ident.is_bare};
    }
    return err;
}

/* P7: a text that a withdrawal took away comes back by a new grant only. */
static bool wants_text(const struct storage_identity *identity)
{
    return identity->is_bare && consent_word_get(identity->consent_word, PURPOSE_STORE) == CONSENT_GRANTED;
}

/* On the calling thread, from what is committed. */
static enum err look_up(struct identify_op *identify, bool *out_all_known)
{
    struct storage *storage = identify->op.storage;
    struct arena *arena = storage_op_arena(&identify->op);
    struct storage_key_room room;
    enum err err = ERR_OK;

    *out_all_known = true;
    for (size_t i = 0; i < identify->n && err == ERR_OK; i++) {
        uint8_t kind = (uint8_t)identify->identifiers[i].kind;
        struct idh idh = idh_of(storage, identify->tenant, &identify->identifiers[i]);
        struct bytes row;

        err = storage->driver->get(storage->at, NULL, STORAGE_IDENT,
                                   storage_key_ident(&room, identify->tenant, kind, &idh), arena, &row);
        if (err == ERR_ABSENT) {
            *out_all_known = false;
            identify->identities[i] = (struct storage_identity){0};
            err = ERR_OK;
        } else if (err == ERR_OK) {
            err = read_identity(row, &identify->identities[i]);
            *out_all_known = *out_all_known && !wants_text(&identify->identities[i]);
        }
    }
    return err;
}

/* Seals the identifier's text into its customer's row again. */
static enum err seal_anew(struct identify_op *identify, struct storage_group *group,
                          const struct storage_identifier *identifier, const struct idh *idh,
                          struct storage_identity *identity)
{
    struct storage *storage = identify->op.storage;
    struct storage_key key = {identify->tenant, identity->customer};
    struct storage_customer customer;
    enum err err = storage_customer_get(group, &key, &customer);

    if (err != ERR_OK || customer.is_erased) {
        return err == ERR_ABSENT ? ERR_OK : err;
    }
    for (size_t i = 0; i < customer.members_n; i++) {
        struct storage_member *member = &customer.members[i];

        if (member->kind == identifier->kind && memcmp(&member->idh, idh, sizeof(*idh)) == 0 && member->text.n == 0) {
            member->text = storage_text_seal(storage->text_key, identify->tenant, member->kind, idh, identifier->value,
                                             &group->arena);
        }
    }
    customer.revision++;
    identity->is_bare = false;
    storage_customer_put(group, key, &customer);
    return storage_customer_word(storage, group, key, &customer);
}

/* A part and a customer of one number, and the only place where the identifier's text is kept. */
static enum err create(struct identify_op *identify, struct storage_group *group,
                       const struct storage_identifier *identifier, const struct idh *idh,
                       struct storage_identity *identity)
{
    struct storage *storage = identify->op.storage;
    struct storage_customer customer = {.parts_n = 1, .members_n = 1};
    struct storage_part part = {.kind = (uint8_t)identifier->kind, .idh = *idh};
    struct storage_key key = {.tenant = identify->tenant};
    uint64_t c;
    enum err err = storage_fresh(storage, group, identify->tenant, &c);

    if (err != ERR_OK) {
        return err;
    }
    key.customer.v = part.customer.v = customer.parts[0].v = c;
    part.used_ms = storage_now_ms(storage);
    customer.members[0] = (struct storage_member){
        .part = {c},
        .kind = part.kind,
        .idh = *idh,
        .linked_ms = part.used_ms,
        .source = identify->source,
        .text = storage_text_seal(storage->text_key, identify->tenant, part.kind, idh, identifier->value,
                                  &group->arena),
    };
    storage_customer_put(group, key, &customer);
    storage_part_put(group, (struct storage_owner){identify->tenant, {c}}, &part);
    *identity = (struct storage_identity){.how = STORAGE_CREATED, .part = {c}, .customer = {c}};
    return storage_customer_word(storage, group, key, &customer);
}

static bool apply(struct storage_op *op, struct storage_group *group)
{
    struct identify_op *identify = (struct identify_op *)op;
    struct storage_key_room room;

    for (size_t i = 0; i < identify->n && op->err == ERR_OK; i++) {
        const struct storage_identifier *identifier = &identify->identifiers[i];
        struct idh idh = idh_of(op->storage, identify->tenant, identifier);
        struct bytes row;

        op->err = storage_group_get(
            group, STORAGE_IDENT, storage_key_ident(&room, identify->tenant, (uint8_t)identifier->kind, &idh),
            &row);
        if (op->err == ERR_ABSENT) {
            op->err = create(identify, group, identifier, &idh, &identify->identities[i]);
        } else if (op->err == ERR_OK) {
            op->err = read_identity(row, &identify->identities[i]);
            if (op->err == ERR_OK && wants_text(&identify->identities[i])) {
                op->err = seal_anew(identify, group, identifier, &idh, &identify->identities[i]);
            }
        }
    }
    return op->err == ERR_OK;
}

void storage_identify(
    struct storage *storage, struct loop *loop, struct tenant_id tenant,
    const struct storage_identifier *identifiers, size_t n, bool create_unknown, struct bytes source,
    void (*done)(void *ctx, enum err err, const struct storage_identity *identities, size_t n), void *ctx)
{
    struct identify_op *identify = storage_op_new(sizeof(*identify), storage, loop, finish);
    bool all_known;

    assert(tenant.v != 0);
    identify->tenant = tenant;
    identify->identifiers = identifiers;
    identify->n = n;
    identify->source = source;
    identify->done = done;
    identify->ctx = ctx;
    identify->identities = arena_array(storage_op_arena(&identify->op), n, sizeof(*identify->identities));
    if (identify->identities == NULL) {
        identify->op.err = ERR_NOMEM;
        storage_op_complete(&identify->op);
        return;
    }
    identify->op.err = look_up(identify, &all_known);
    if (identify->op.err != ERR_OK || all_known || !create_unknown) {
        storage_op_complete(&identify->op);
        return;
    }
    identify->op.apply = apply;
    identify->op.ops_n = n;
    identify->op.bytes_n = n * 512;
    storage_op_write(&identify->op);
}
