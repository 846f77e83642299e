/* SPDX-License-Identifier: Apache-2.0 */
/* Ingest: one look-up in `seen`, two puts, no read of customer or part.
 *
 * A receipt is known for good by (source, id): its row says which version is in force. A changed body
 * appends, in one batch and across parts, what takes the version in force back and the new version:
 *     version 0        mid, the receipt's own         version n     hash_mid(mid, n be32)
 *     taking back n    hash_mid(mid, n be32 'c')
 * so A -> B -> A is three versions, and every one of these events commutes with every other. */
#include "base/hash.h"
#include "storage/storage_engine.h"

#include <assert.h>

struct ingest_op {
    struct storage_op op;
    const struct storage_event *events;
    size_t n;
    struct storage_ingested *results; /* behind the struct */
    void (*done)(void *ctx, enum err err, const struct storage_ingested *results, size_t n);
    void *ctx;
};

static void put_row(struct storage_group *group, enum storage_family family,
                    const struct storage_event *event, struct part_id part, const struct mid *mid,
                    const struct storage_body *body)
{
    struct storage_key_room room;

    storage_group_put(group, family, storage_key_event(&room, event->tenant, part, event->day, mid),
                      storage_row_body(body, &group->arena));
}

/* ERR_OK when a copy was seen before, ERR_ABSENT when it is new. */
static enum err look_seen(struct storage_group *group, const struct storage_event *event,
                          struct part_id *out_part)
{
    struct storage_key_room room;
    struct bytes row;
    enum err err;

    err = storage_group_get(group, STORAGE_SEEN, storage_key_mid(&room, event->tenant, &event->mid), &row);
    return err != ERR_OK ? err : storage_row_seen_decode(row, out_part);
}

static enum err put_anonymous(struct storage_group *group, const struct storage_event *event,
                              enum storage_stored *out_stored, struct part_id *out_part)
{
    struct storage_key_room room;
    struct bytes row;
    enum err err;

    /* The same message was kept under an identity before: whoever sends it again without one adds nothing. */
    *out_stored = STORAGE_DUPLICATE;
    err = look_seen(group, event, out_part);
    if (err != ERR_ABSENT) {
        return err;
    }
    *out_part = storage_key_anonymous(&event->mid);
    err = storage_group_get(
        group, STORAGE_EV, storage_key_event(&room, event->tenant, *out_part, event->day, &event->mid), &row);
    if (err != ERR_ABSENT) {
        *out_stored = STORAGE_DUPLICATE;
        return err;
    }
    put_row(group, STORAGE_EV, event, *out_part, &event->mid, &(struct storage_body){.body = event->body});
    *out_stored = STORAGE_STORED;
    return ERR_OK;
}

static void put_seen(struct storage_group *group, const struct storage_event *event)
{
    struct storage_key_room room;

    storage_group_put(group, STORAGE_SEEN, storage_key_mid(&room, event->tenant, &event->mid),
                      storage_row_seen(event->part, event->day, &group->arena));
}

static struct mid version_mid(const struct mid *mid, uint32_t version, bool is_cancel)
{
    uint8_t b[5];

    if (version == 0 && !is_cancel) {
        return *mid;
    }
    put_be32(b, version);
    b[4] = 'c';
    return hash_mid((struct bytes){(const char *)mid->b, sizeof(mid->b)},
                    (struct bytes){(const char *)b, is_cancel ? 5u : 4u});
}

/* Appends what takes the version in force back, on its own part and day; nothing when its event is gone. */
static enum err put_cancel(struct storage *storage, struct storage_group *group,
                           const struct storage_event *event, const struct storage_receipt *receipt)
{
    static const enum storage_family families[] = {STORAGE_TAIL, STORAGE_EV};
    struct storage_event old = {.tenant = event->tenant, .part = receipt->part, .day = receipt->day};
    struct mid of = version_mid(&event->mid, receipt->version, false);
    struct mid cancel = version_mid(&event->mid, receipt->version, true);
    struct storage_body body, made = {.has_base = true, .base = event->mid};
    struct storage_key_room room;
    struct bytes row;
    enum err err = ERR_ABSENT;

    for (size_t i = 0; i < 2 && err == ERR_ABSENT; i++) {
        err = storage_group_get(group, families[i],
                                storage_key_event(&room, old.tenant, old.part, old.day, &of), &row);
    }
    if (err != ERR_OK) {
        return err == ERR_ABSENT ? ERR_OK : err;
    }
    err = storage_row_body_decode(row, &body);
    if (err == ERR_OK) {
        err = storage->options.rules.retract(body.body, of, &group->arena, &made.body);
    }
    if (err == ERR_OK) {
        put_row(group, STORAGE_TAIL, &old, old.part, &cancel, &made);
    }
    return err;
}

static enum err put_receipt(struct storage *storage, struct storage_group *group,
                            const struct storage_event *event, enum storage_stored *out_stored,
                            struct part_id *out_part)
{
    struct storage_receipt receipt = {.part = event->part, .day = event->day}, old;
    struct storage_body body = {.body = event->body};
    struct storage_key_room room;
    struct mid mid;
    struct bytes row;
    enum err err;

    storage_row_receipt_hash(event->body, receipt.hash);
    err = storage_group_get(group, STORAGE_RECEIPT, storage_key_mid(&room, event->tenant, &event->mid), &row);
    if (err == ERR_OK) {
        err = storage_row_receipt_decode(row, &old);
        if (err != ERR_OK) {
            return err;
        }
        *out_stored = STORAGE_REPLACED;
        if (memcmp(old.hash, receipt.hash, sizeof(old.hash)) == 0) {
            *out_stored = STORAGE_DUPLICATE;
            *out_part = old.part;
            return ERR_OK;
        }
        receipt.version = old.version + 1;
        err = put_cancel(storage, group, event, &old);
    } else if (err == ERR_ABSENT) {
        *out_stored = STORAGE_DUPLICATE;
        err = look_seen(group, event, out_part); /* an ordinary event of the same source and id */
        if (err != ERR_ABSENT) {
            return err;
        }
        *out_stored = STORAGE_STORED;
        put_seen(group, event);
        err = ERR_OK;
    }
    if (err != ERR_OK) {
        return err;
    }
    *out_part = event->part;
    mid = version_mid(&event->mid, receipt.version, false);
    body.has_base = receipt.version > 0;
    body.base = event->mid;
    put_row(group, STORAGE_TAIL, event, event->part, &mid, &body);
    storage_group_put(group, STORAGE_RECEIPT, storage_key_mid(&room, event->tenant, &event->mid),
                      storage_row_receipt(&receipt, &group->arena));
    return ERR_OK;
}

enum err storage_event_put(struct storage *storage, struct storage_group *group,
                           const struct storage_event *event, enum storage_stored *out_stored,
                           struct part_id *out_part)
{
    enum err err;

    assert(event->tenant.v != 0 && (event->is_anonymous || event->part.v != 0));
    if (event->body.n > EVENT_BODY_BYTES_MAX) {
        return ERR_TOOBIG;
    }
    if (event->is_anonymous) {
        return put_anonymous(group, event, out_stored, out_part);
    }
    if (storage_gone_has(&storage->gone, (struct storage_owner){event->tenant, event->part})) {
        return ERR_NO_PASS;
    }
    if (event->is_receipt) {
        return put_receipt(storage, group, event, out_stored, out_part);
    }
    *out_stored = STORAGE_DUPLICATE;
    err = look_seen(group, event, out_part);
    if (err != ERR_ABSENT) {
        return err;
    }
    put_seen(group, event);
    put_row(group, STORAGE_TAIL, event, event->part, &event->mid,
            &(struct storage_body){.body = event->body});
    *out_stored = STORAGE_STORED;
    *out_part = event->part;
    return ERR_OK;
}

static void finish(struct storage_op *op)
{
    struct ingest_op *ingest = (struct ingest_op *)op;

    for (size_t i = 0; op->err != ERR_OK && i < ingest->n; i++) {
        ingest->results[i] = (struct storage_ingested){.err = op->err};
    }
    ingest->done(ingest->ctx, op->err, ingest->results, ingest->n);
}

static bool apply(struct storage_op *op, struct storage_group *group)
{
    struct ingest_op *ingest = (struct ingest_op *)op;

    for (size_t i = 0; i < ingest->n; i++) {
        struct storage_ingested *result = &ingest->results[i];

        result->err =
            storage_event_put(op->storage, group, &ingest->events[i], &result->stored, &result->part);
        if (result->err != ERR_OK) {
            *result = (struct storage_ingested){.err = result->err};
        }
    }
    return true;
}

static void after(struct storage_op *op)
{
    struct ingest_op *ingest = (struct ingest_op *)op;
    uint64_t stored_n = 0, duplicates_n = 0;

    for (size_t i = 0; i < ingest->n; i++) {
        if (ingest->results[i].err == ERR_OK) {
            *(ingest->results[i].stored == STORAGE_DUPLICATE ? &duplicates_n : &stored_n) += 1;
        }
    }
    atomic_fetch_add(&op->storage->events_n, stored_n);
    atomic_fetch_add(&op->storage->duplicates_n, duplicates_n);
}

void storage_ingest(struct storage *storage, struct loop *loop, const struct storage_event *events, size_t n,
                    void (*done)(void *ctx, enum err err, const struct storage_ingested *results, size_t n),
                    void *ctx)
{
    struct ingest_op *ingest =
        storage_op_new(sizeof(*ingest) + n * sizeof(*ingest->results), storage, loop, finish);

    ingest->events = events;
    ingest->n = n;
    ingest->results = (struct storage_ingested *)(ingest + 1);
    ingest->done = done;
    ingest->ctx = ctx;
    ingest->op.apply = apply;
    ingest->op.after = after;
    ingest->op.ops_n = n;
    for (size_t i = 0; i < n; i++) {
        ingest->op.bytes_n += events[i].body.n + 128;
    }
    storage_op_write(&ingest->op);
}
