/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_wait.h"

struct wait { /* one call being waited for; where its results go */
    bool is_done;
    enum err err;
    struct arena *arena;
    void *out, *out_other;
    size_t *out_n;
};

static enum err wait_for(struct loop *loop, struct wait *wait)
{
    loop_run_until(loop, &wait->is_done);
    return wait->err;
}

static void finish(struct wait *wait, enum err err)
{
    if (err == ERR_OK && wait->arena != NULL && arena_overflowed(wait->arena)) {
        err = ERR_NOMEM;
    }
    wait->err = err;
    wait->is_done = true;
}

static void copy_out(void *out, const void *from, size_t n)
{
    if (out != NULL && from != NULL && n > 0) {
        memcpy(out, from, n);
    }
}

static void *array_copy(struct arena *arena, const void *from, size_t n, size_t each)
{
    void *to = arena_array(arena, n, each);

    if (to != NULL) {
        copy_out(to, from, n * each);
    }
    return to;
}

static void on_identify(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct wait *wait = ctx;

    copy_out(wait->out, identities, n * sizeof(*identities));
    finish(wait, err);
}

enum err storage_wait_identify(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                               const struct storage_identifier *identifiers, size_t n, bool create,
                               struct bytes source, struct storage_identity *out_identities)
{
    struct wait wait = {.out = out_identities};

    storage_identify(storage, loop, tenant, identifiers, n, create, source, on_identify, &wait);
    return wait_for(loop, &wait);
}

static void on_ingest(void *ctx, enum err err, const struct storage_ingested *results, size_t n)
{
    struct wait *wait = ctx;

    copy_out(wait->out, results, n * sizeof(*results));
    finish(wait, err);
}

enum err storage_wait_ingest(struct storage *storage, struct loop *loop, const struct storage_event *events,
                             size_t n, struct storage_ingested *out_results)
{
    struct wait wait = {.out = out_results};

    storage_ingest(storage, loop, events, n, on_ingest, &wait);
    return wait_for(loop, &wait);
}

static const struct sealed_part *copy_parts(struct arena *arena, const struct sealed_customer *from)
{
    struct sealed_part *parts = array_copy(arena, from->parts, from->parts_n, sizeof(*parts));

    for (size_t i = 0; parts != NULL && i < from->parts_n; i++) {
        struct sealed_event *tail = array_copy(arena, parts[i].tail, parts[i].tail_n, sizeof(*tail));

        for (size_t j = 0; tail != NULL && j < parts[i].tail_n; j++) {
            tail[j].body.hidden = arena_copy(arena, tail[j].body.hidden);
        }
        parts[i].tail = tail;
        parts[i].state.hidden = arena_copy(arena, parts[i].state.hidden);
    }
    return parts;
}

static void on_load(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct wait *wait = ctx;
    struct sealed_customer *out = wait->out;

    if (err == ERR_OK && n == 1) {
        struct sealed_identifier *identifiers =
            array_copy(wait->arena, customers->identifiers, customers->identifiers_n, sizeof(*identifiers));

        *out = *customers;
        for (size_t i = 0; identifiers != NULL && i < out->identifiers_n; i++) {
            identifiers[i].text.hidden = arena_copy(wait->arena, identifiers[i].text.hidden);
            identifiers[i].source.hidden = arena_copy(wait->arena, identifiers[i].source.hidden);
        }
        out->identifiers = identifiers;
        out->parts = copy_parts(wait->arena, customers);
        out->declared.hidden = arena_copy(wait->arena, customers->declared.hidden);
    }
    finish(wait, err);
}

enum err storage_wait_load(struct storage *storage, struct loop *loop, struct storage_key key,
                           struct arena *arena, struct sealed_customer *out_customer)
{
    struct wait wait = {.out = out_customer, .arena = arena};

    storage_load(storage, loop, &key, 1, 0, on_load, &wait);
    return wait_for(loop, &wait);
}

static void on_fold(void *ctx, enum err err, uint64_t events_n)
{
    struct wait *wait = ctx;

    copy_out(wait->out, &events_n, sizeof(events_n));
    finish(wait, err);
}

enum err storage_wait_fold(struct storage *storage, struct loop *loop, uint64_t *out_events_n)
{
    struct wait wait = {.out = out_events_n};

    storage_fold(storage, loop, 0, UINT16_MAX, true, on_fold, &wait);
    return wait_for(loop, &wait);
}

static void on_update(void *ctx, enum err err, const struct storage_updated *updated)
{
    struct wait *wait = ctx;
    struct storage_updated *out = wait->out;

    if (updated != NULL) {
        *out = *updated;
        out->declared = arena_copy(wait->arena, updated->declared);
    }
    finish(wait, err);
}

enum err storage_wait_update(struct storage *storage, struct loop *loop, struct storage_key key,
                             uint64_t revision, struct bytes change, const struct storage_event *event,
                             struct arena *arena, struct storage_updated *out_updated)
{
    struct wait wait = {.out = out_updated, .arena = arena};

    storage_update(storage, loop, key, revision, change, event, on_update, &wait);
    return wait_for(loop, &wait);
}

static void on_link(void *ctx, enum err err, struct storage_key survivor)
{
    struct wait *wait = ctx;

    copy_out(wait->out, &survivor, sizeof(survivor));
    finish(wait, err);
}

enum err storage_wait_link(struct storage *storage, struct loop *loop, struct storage_key a,
                           struct storage_key b, struct part_id part_a, struct part_id part_b,
                           struct storage_link_reason reason, struct storage_key *out_survivor)
{
    struct wait wait = {.out = out_survivor};

    storage_link(storage, loop, a, b, part_a, part_b, reason, on_link, &wait);
    return wait_for(loop, &wait);
}

static void on_cut(void *ctx, enum err err, struct storage_key kept, struct storage_key cut)
{
    struct wait *wait = ctx;

    copy_out(wait->out, &kept, sizeof(kept));
    copy_out(wait->out_other, &cut, sizeof(cut));
    finish(wait, err);
}

enum err storage_wait_cut(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                          struct part_id part, struct storage_key *out_kept, struct storage_key *out_cut)
{
    struct wait wait = {.out = out_kept, .out_other = out_cut};

    storage_cut(storage, loop, tenant, part, on_cut, &wait);
    return wait_for(loop, &wait);
}

static void on_erase(void *ctx, enum err err, const struct storage_erased *erased)
{
    struct wait *wait = ctx;

    copy_out(wait->out, erased, sizeof(*erased));
    finish(wait, err);
}

enum err storage_wait_erase(struct storage *storage, struct loop *loop, struct storage_key key,
                            enum storage_erase_scope scope, struct storage_erased *out_erased)
{
    struct wait wait = {.out = out_erased};

    storage_erase(storage, loop, key, scope, on_erase, &wait);
    return wait_for(loop, &wait);
}

static void on_scan(void *ctx, enum err err, const struct storage_scan_event *events, size_t n)
{
    struct wait *wait = ctx;

    if (err == ERR_OK) {
        struct storage_scan_event *copy = array_copy(wait->arena, events, n, sizeof(*events));

        for (size_t i = 0; copy != NULL && i < n; i++) {
            copy[i].body = arena_copy(wait->arena, copy[i].body);
        }
        copy_out(wait->out, &copy, sizeof(copy));
        *wait->out_n = n;
    }
    finish(wait, err);
}

enum err storage_wait_scan_parts(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                                 const struct part_id *parts, size_t n, size_t most, struct arena *arena,
                                 const struct storage_scan_event **out_events, size_t *out_n)
{
    struct wait wait = {.out = out_events, .out_n = out_n, .arena = arena};

    storage_scan_parts(storage, loop, tenant, parts, n, most, on_scan, &wait);
    return wait_for(loop, &wait);
}

static void on_put(void *ctx, enum err err, const uint64_t *revisions, size_t n)
{
    struct wait *wait = ctx;

    copy_out(wait->out, revisions, n * sizeof(*revisions));
    finish(wait, err);
}

enum err storage_wait_put(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                          enum storage_table table, const struct storage_put *puts, size_t n,
                          uint64_t *out_revisions)
{
    struct wait wait = {.out = out_revisions};

    storage_put(storage, loop, tenant, table, puts, n, on_put, &wait);
    return wait_for(loop, &wait);
}

static void on_changes(void *ctx, enum err err, const struct storage_row *rows, size_t n)
{
    struct wait *wait = ctx;

    if (err == ERR_OK) {
        struct storage_row *copy = array_copy(wait->arena, rows, n, sizeof(*rows));

        for (size_t i = 0; copy != NULL && i < n; i++) {
            copy[i].id = arena_copy(wait->arena, copy[i].id);
            copy[i].row = arena_copy(wait->arena, copy[i].row);
        }
        copy_out(wait->out, &copy, sizeof(copy));
        *wait->out_n = n;
    }
    finish(wait, err);
}

enum err storage_wait_changes(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                              enum storage_table table, uint64_t since, size_t most, struct arena *arena,
                              const struct storage_row **out_rows, size_t *out_n)
{
    struct wait wait = {.out = out_rows, .out_n = out_n, .arena = arena};

    storage_changes(storage, loop, tenant, table, since, most, on_changes, &wait);
    return wait_for(loop, &wait);
}

static void on_file_put(void *ctx, enum err err, const uint8_t hash[32])
{
    struct wait *wait = ctx;

    copy_out(wait->out, hash, 32);
    finish(wait, err);
}

enum err storage_wait_file_put(struct storage *storage, struct loop *loop, struct bytes data,
                               uint8_t out_hash[32])
{
    struct wait wait = {.out = out_hash};

    storage_file_put(storage, loop, data, on_file_put, &wait);
    return wait_for(loop, &wait);
}

static void on_file_get(void *ctx, enum err err, struct bytes data)
{
    struct wait *wait = ctx;

    if (err == ERR_OK) {
        data = arena_copy(wait->arena, data);
        copy_out(wait->out, &data, sizeof(data));
    }
    finish(wait, err);
}

enum err storage_wait_file_get(struct storage *storage, struct loop *loop, const uint8_t hash[32],
                               struct arena *arena, struct bytes *out_data)
{
    struct wait wait = {.out = out_data, .arena = arena};

    storage_file_get(storage, loop, hash, on_file_get, &wait);
    return wait_for(loop, &wait);
}
