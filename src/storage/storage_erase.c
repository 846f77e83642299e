/* SPDX-License-Identifier: Apache-2.0 */
/* Erase: a journal row first, then part by part, the customer's row last. Until then the row still lists
 * what is to go, so a crash anywhere is completed at the next open by doing all of it again.
 *
 * After the last commit all families are flushed, which empties the log files, and the customer's ranges are
 * compacted in the chores lane, which rewrites the tables; a `sweep` row, of the last commit, stands until that is
 * done, so that a crash before it leaves no bytes behind: the next open compacts what the rows name. `seen` and `receipt` rows (hashes, a day, random
 * numbers) are deleted too; as their keys are spread over the whole family, their old bytes leave with its
 * ordinary compactions. */
#include "base/pack.h"
#include "storage/storage_engine.h"

#include <assert.h>
#include <stdlib.h>

enum { EVENTS_A_COMMIT = 4096, RANGES_MAX = STORAGE_PARTS_MAX * 5 + 1 };

struct ranges {
    struct storage_key of; /* with the revision the name of the sweep row */
    uint64_t revision;
    size_t n;
    struct {
        enum storage_family family;
        struct storage_key_room key;
        size_t key_n;
    } at[RANGES_MAX];
};

struct erase_op {
    struct storage_op op;
    struct storage_key key;
    enum storage_erase_scope scope;
    struct storage_erased erased;
    void (*done)(void *ctx, enum err err, const struct storage_erased *erased);
    void *ctx;
};

struct sweep_op {
    struct storage_op op;
    struct ranges ranges;
};

struct swept_op { /* the row of a sweep that is done goes */
    struct storage_op op;
    struct storage_key of;
    uint64_t revision;
};

static void ranges_add(struct ranges *ranges, enum storage_family family, struct bytes key)
{
    assert(ranges->n < RANGES_MAX);
    ranges->at[ranges->n].family = family;
    memcpy(ranges->at[ranges->n].key.b, key.p, key.n);
    ranges->at[ranges->n++].key_n = key.n;
}

static void ranges_compact(struct storage *storage, const struct ranges *ranges)
{
    for (size_t i = 0; i < ranges->n; i++) {
        struct storage_range range = {.family = ranges->at[i].family};
        struct storage_key_room after;

        range.from = (struct bytes){(const char *)ranges->at[i].key.b, ranges->at[i].key_n};
        range.to = storage_key_after(&after, range.from);
        storage->driver->compact(storage->at, range);
    }
}

/* ---- what is on its way ---- */

static size_t gone_find(const struct storage_gone *gone, struct storage_owner owner)
{
    size_t from = 0, to = gone->n;

    while (from < to) {
        size_t at = from + (to - from) / 2;
        const struct storage_owner *one = &gone->at[at];

        if (one->part.v < owner.part.v || (one->part.v == owner.part.v && one->tenant.v < owner.tenant.v)) {
            from = at + 1;
        } else {
            to = at;
        }
    }
    return from;
}

static bool gone_is_at(const struct storage_gone *gone, size_t at, struct storage_owner owner)
{
    return at < gone->n && gone->at[at].part.v == owner.part.v && gone->at[at].tenant.v == owner.tenant.v;
}

bool storage_gone_has(const struct storage_gone *gone, struct storage_owner owner)
{
    return gone->n > 0 && gone_is_at(gone, gone_find(gone, owner), owner);
}

void storage_gone_add(struct storage_gone *gone, struct storage_owner owner)
{
    size_t at = gone_find(gone, owner);

    if (gone_is_at(gone, at, owner)) {
        return;
    }
    if (gone->n == gone->room) {
        gone->room = gone->room == 0 ? 64 : gone->room * 2;
        gone->at = storage_must(realloc(gone->at, gone->room * sizeof(*gone->at)));
    }
    memmove(gone->at + at + 1, gone->at + at, (gone->n - at) * sizeof(*gone->at));
    gone->at[at] = owner;
    gone->n++;
}

void storage_gone_remove(struct storage_gone *gone, struct storage_owner owner)
{
    size_t at = gone_find(gone, owner);

    if (gone_is_at(gone, at, owner)) {
        gone->n--;
        memmove(gone->at + at, gone->at + at + 1, (gone->n - at) * sizeof(*gone->at));
    }
}

/* ---- events ---- */

/* Deletes the row of a message when it still speaks of this part: a receipt may have moved on to another. */
static enum err delete_message(struct storage_group *group, struct storage_owner owner, const struct mid *mid)
{
    struct storage_receipt receipt;
    struct storage_key_room room;
    struct bytes key = storage_key_mid(&room, owner.tenant, mid), row;
    struct part_id part;
    enum err err = storage_group_get(group, STORAGE_SEEN, key, &row);

    err = err == ERR_OK ? storage_row_seen_decode(row, &part) : err;
    if (err == ERR_OK && part.v == owner.part.v) {
        storage_group_delete(group, STORAGE_SEEN, key);
    }
    if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    err = storage_group_get(group, STORAGE_RECEIPT, key, &row);
    err = err == ERR_OK ? storage_row_receipt_decode(row, &receipt) : err;
    if (err == ERR_OK && receipt.part.v == owner.part.v) {
        storage_group_delete(group, STORAGE_RECEIPT, key);
    }
    return err == ERR_ABSENT ? ERR_OK : err;
}

static enum err delete_event(struct storage_group *group, enum storage_family family,
                             struct storage_owner owner, const struct storage_pair *pair)
{
    struct storage_body body;
    struct mid mid;
    enum err err = storage_row_body_decode(pair->value, &body);

    storage_group_delete(group, family, pair->key);
    if (err != ERR_OK || pair->key.n != STORAGE_KEY_EVENT_BYTES) {
        return ERR_OK; /* damaged or newer: it goes all the same */
    }
    memcpy(mid.b, pair->key.p + pair->key.n - sizeof(mid.b), sizeof(mid.b));
    return delete_message(group, owner, body.has_base ? &body.base : &mid);
}

static enum err erase_events(struct storage *storage, struct storage_owner owner, uint64_t *events_n)
{
    static const enum storage_family families[] = {STORAGE_TAIL, STORAGE_EV};
    struct storage_key_room room;
    struct bytes prefix = storage_key_owner(&room, owner.tenant, owner.part.v);
    struct arena arena;
    enum err err = ERR_OK;

    arena_open(&arena, 1 << 16, (size_t)1 << 30);
    for (size_t f = 0; f < 2 && err == ERR_OK; f++) {
        struct storage_pairs rows;

        arena_reset(&arena);
        err = storage_pairs_walk(storage->driver, storage->at, NULL, families[f], prefix, &arena, &rows);
        for (size_t i = 0; i < rows.n && err == ERR_OK; i++) {
            err = delete_event(&storage->group, families[f], owner, &rows.at[i]);
            if (err == ERR_OK && (i + 1) % EVENTS_A_COMMIT == 0) {
                err = storage_commit(storage, false);
            }
        }
        *events_n += err == ERR_OK ? rows.n : 0;
    }
    arena_close(&arena);
    if (err == ERR_OK) {
        storage_due_remove(&storage->due, owner);
        err = storage_commit(storage, false);
    }
    storage_group_forget(&storage->group);
    return err;
}

/* ---- rows ---- */

static enum err erase_cuts(struct storage_group *group, struct storage_owner owner)
{
    struct storage_key_room room;
    struct storage_pairs cuts;
    enum err err;

    err = storage_group_list(group, STORAGE_DEFAULT,
                             storage_key_cut(&room, owner.tenant, owner.part, (struct part_id){0}), &cuts);
    for (size_t i = 0; i < cuts.n && err == ERR_OK; i++) {
        struct part_id other = {get_be64((const uint8_t *)cuts.at[i].key.p + cuts.at[i].key.n - 8)};

        storage_group_delete(group, STORAGE_DEFAULT, cuts.at[i].key);
        storage_group_delete(group, STORAGE_DEFAULT, storage_key_cut(&room, owner.tenant, other, owner.part));
    }
    return err;
}

static enum err erase_part(struct storage_group *group, struct storage_owner owner,
                           enum storage_erase_scope scope)
{
    struct storage_part row = {0};
    enum err err = storage_part_get(group, owner, &row);

    if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    if (scope == STORAGE_ERASE_ALL) {
        row = (struct storage_part){.revision = row.revision, .is_erased = true};
        err = erase_cuts(group, owner);
    } else {
        row.state = (struct bytes){0};
        err = ERR_OK;
    }
    row.revision++;
    storage_part_put(group, owner, &row);
    return err;
}

/* Value: the parts, u64 each. */
static void put_sweep(struct storage_group *group, struct storage_key key, uint64_t revision,
                      const struct storage_customer *customer)
{
    size_t bytes = 8 * (size_t)(customer->parts_n > 0 ? customer->parts_n : 1);
    struct pack parts = pack_into(storage_must(arena_take(&group->arena, bytes)), bytes);
    struct storage_key_room room;

    for (size_t i = 0; i < customer->parts_n; i++) {
        pack_u64(&parts, customer->parts[i].v);
    }
    storage_group_put(group, STORAGE_DEFAULT, storage_key_sweep(&room, key.tenant, key.customer, revision),
                      pack_bytes(&parts));
}

/* The last commit: what the customer's row lists is gone, then the row itself. */
static enum err erase_rows(struct storage *storage, struct storage_key key, struct storage_customer *customer,
                           enum storage_erase_scope scope)
{
    struct storage_group *group = &storage->group;
    struct storage_key_room room;
    enum err err = ERR_OK;

    for (size_t i = 0; i < customer->parts_n && err == ERR_OK; i++) {
        err = erase_part(group, (struct storage_owner){key.tenant, customer->parts[i]}, scope);
    }
    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = 0; i < customer->members_n; i++) {
        struct storage_member *member = &customer->members[i];

        member->text = (struct bytes){0};
        if (scope == STORAGE_ERASE_ALL) {
            storage_group_delete(group, STORAGE_IDENT,
                                 storage_key_ident(&room, key.tenant, member->kind, &member->idh));
        }
    }
    if (storage->driver->is_on_disk && customer->parts_n > 0) {
        put_sweep(group, key, customer->revision + 1, customer);
    }
    if (scope == STORAGE_ERASE_ALL) {
        uint64_t revision = customer->revision;

        memset(customer, 0, sizeof(*customer));
        customer->revision = revision;
        customer->is_erased = true;
    }
    customer->revision++;
    if (scope == STORAGE_ERASE_WITHDRAWN) {
        err = storage_customer_word(storage, group, key, customer); /* the identifiers' rows say that the texts are gone */
        if (err != ERR_OK) {
            return err;
        }
    }
    storage_customer_put(group, key, customer);
    storage_group_delete(group, STORAGE_DEFAULT, storage_key_erase(&room, key.tenant, key.customer));
    return storage_commit(storage, true);
}

static void note_parts(struct storage_key key, uint64_t revision, const struct part_id *parts, size_t n,
                       struct ranges *ranges)
{
    static const enum storage_family families[] = {STORAGE_CUST, STORAGE_PART, STORAGE_TAIL, STORAGE_EV};
    struct storage_key_room room;

    ranges->of = key;
    ranges->revision = revision;
    ranges_add(ranges, STORAGE_CUST, storage_key_owner(&room, key.tenant, key.customer.v));
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < 4; f++) {
            ranges_add(ranges, families[f], storage_key_owner(&room, key.tenant, parts[i].v));
        }
    }
}

static void note_ranges(struct storage_key key, const struct storage_customer *customer, struct ranges *ranges)
{
    struct storage_key_room room;

    note_parts(key, customer->revision + 1, customer->parts, customer->parts_n, ranges);
    for (size_t i = 0; i < customer->members_n; i++) {
        const struct storage_member *member = &customer->members[i];

        ranges_add(ranges, STORAGE_IDENT, storage_key_ident(&room, key.tenant, member->kind, &member->idh));
    }
}

/* A grant that is newer than the withdrawal stands: erasing under it would lose what may be kept, and the parts would be
 * closed to what is still let in. */
static enum err is_granted(const struct storage *storage, struct bytes declared, bool *out_is)
{
    int64_t until_ms;
    uint16_t word;
    enum err err;

    *out_is = false;
    if (storage->options.rules.word == NULL) {
        return ERR_OK;
    }
    err = storage->options.rules.word(declared, &word, &until_ms);
    *out_is = err == ERR_OK && consent_word_get(word, PURPOSE_STORE) == CONSENT_GRANTED;
    return err;
}

static enum err erase(struct storage *storage, struct storage_key key, enum storage_erase_scope scope,
                      struct storage_erased *erased, struct ranges *ranges)
{
    struct storage_group *group = &storage->group;
    struct arena arena; /* the row outlives several commits */
    struct storage_customer customer;
    struct storage_key_room room;
    struct bytes row;
    bool is_kept = false;
    enum err err = storage_customer_get(group, &key, &customer);

    if (err == ERR_OK && scope == STORAGE_ERASE_WITHDRAWN) {
        err = is_granted(storage, customer.declared, &is_kept);
    }
    if (err != ERR_OK || customer.is_erased || is_kept) {
        storage_group_forget(group);
        return err == ERR_ABSENT ? ERR_OK : err;
    }
    arena_open(&arena, 1 << 14, 1 << 24);
    row = storage_row_customer(&customer, &arena);
    storage_group_put(group, STORAGE_DEFAULT, storage_key_erase(&room, key.tenant, key.customer),
                      storage_row_number(scope, &group->arena));
    err = storage_commit(storage, true);
    if (err == ERR_OK) {
        err = row.p != NULL ? storage_row_customer_decode(row, &customer) : ERR_NOMEM;
    }
    if (err == ERR_OK) {
        note_ranges(key, &customer, ranges);
        erased->parts_n = customer.parts_n;
        memcpy(erased->parts, customer.parts, customer.parts_n * sizeof(*erased->parts));
        erased->identifiers_n = customer.members_n;
        erased->declared_n = scope == STORAGE_ERASE_ALL && customer.declared.n > 0;
    }
    for (size_t i = 0; i < customer.parts_n && err == ERR_OK; i++) {
        struct storage_owner owner = {key.tenant, customer.parts[i]};

        storage_gone_add(&storage->gone, owner);
        err = erase_events(storage, owner, &erased->events_n);
    }
    if (err == ERR_OK) {
        err = erase_rows(storage, key, &customer, scope);
    }
    storage_group_forget(group);
    arena_close(&arena);
    return err == ERR_OK ? storage->driver->flush(storage->at) : err;
}

/* ---- the call ---- */

static void sweep_finish(struct storage_op *op)
{
    (void)op;
}

static bool swept_apply(struct storage_op *op, struct storage_group *group)
{
    struct swept_op *swept = (struct swept_op *)op;
    struct storage_key_room room;

    storage_group_delete(group, STORAGE_DEFAULT,
                         storage_key_sweep(&room, swept->of.tenant, swept->of.customer, swept->revision));
    return true;
}

static void sweep_alone(struct storage_op *op)
{
    struct sweep_op *sweep = (struct sweep_op *)op;
    struct swept_op *swept = storage_op_new(sizeof(*swept), op->storage, NULL, sweep_finish);

    ranges_compact(op->storage, &sweep->ranges);
    swept->op.apply = swept_apply;
    swept->of = sweep->ranges.of;
    swept->revision = sweep->ranges.revision;
    storage_op_write(&swept->op); /* refused while closing: then the next open sweeps once more */
}

static void alone(struct storage_op *op)
{
    struct erase_op *mine = (struct erase_op *)op;
    struct sweep_op *sweep = storage_op_new(sizeof(*sweep), op->storage, NULL, sweep_finish);

    sweep->op.alone = sweep_alone;
    op->err = erase(op->storage, mine->key, mine->scope, &mine->erased, &sweep->ranges);
    if (op->storage->driver->is_on_disk && sweep->ranges.n > 0) {
        storage_op_chore(&sweep->op);
    } else {
        free(sweep);
    }
}

static void finish(struct storage_op *op)
{
    struct erase_op *mine = (struct erase_op *)op;

    mine->done(mine->ctx, op->err, op->err == ERR_OK ? &mine->erased : NULL);
}

void storage_erase(struct storage *storage, struct loop *loop, struct storage_key key,
                   enum storage_erase_scope scope,
                   void (*done)(void *ctx, enum err err, const struct storage_erased *erased), void *ctx)
{
    struct erase_op *mine = storage_op_new(sizeof(*mine), storage, loop, finish);

    mine->key = key;
    mine->scope = scope;
    mine->done = done;
    mine->ctx = ctx;
    mine->op.alone = alone;
    storage_op_write(&mine->op);
}

enum err storage_erase_resume(struct storage *storage)
{
    struct ranges *ranges = storage_must(calloc(1, sizeof(*ranges)));
    struct storage_pairs journal;
    struct arena arena;
    enum err err;

    arena_open(&arena, 1 << 12, 1 << 26);
    err = storage_pairs_walk(storage->driver, storage->at, NULL, STORAGE_DEFAULT, BYTES_LIT("erase"), &arena,
                             &journal);
    for (size_t i = 0; i < journal.n && err == ERR_OK; i++) {
        const uint8_t *name = (const uint8_t *)journal.at[i].key.p + strlen("erase");
        struct storage_erased erased = {0};
        struct storage_key key;
        uint64_t scope;

        if (journal.at[i].key.n != strlen("erase") + 12) {
            err = ERR_CORRUPT;
            break;
        }
        key.tenant.v = get_be32(name);
        key.customer.v = get_be64(name + 4);
        err = storage_row_number_decode(journal.at[i].value, &scope);
        if (err == ERR_OK) {
            ranges->n = 0;
            err = erase(storage, key, (enum storage_erase_scope)scope, &erased, ranges);
            ranges_compact(storage, ranges);
        }
    }
    arena_close(&arena);
    free(ranges);
    return err;
}

void storage_erase_sweep(struct storage *storage)
{
    struct storage_pairs rows;
    struct arena arena;

    arena_open(&arena, 1 << 12, 1 << 26);
    if (storage_pairs_walk(storage->driver, storage->at, NULL, STORAGE_DEFAULT, BYTES_LIT("sweep"), &arena, &rows) != ERR_OK) {
        rows.n = 0; /* a disk that cannot be read says so at the first call; the rows stand */
    }
    for (size_t i = 0; i < rows.n; i++) {
        const uint8_t *name = (const uint8_t *)rows.at[i].key.p + strlen("sweep");
        struct part_id parts[STORAGE_PARTS_MAX];
        size_t n = rows.at[i].value.n / 8;
        struct sweep_op *sweep;

        if (rows.at[i].key.n != strlen("sweep") + 20 || n > STORAGE_PARTS_MAX) {
            continue;
        }
        for (size_t j = 0; j < n; j++) {
            parts[j].v = get_be64((const uint8_t *)rows.at[i].value.p + 8 * j);
        }
        sweep = storage_op_new(sizeof(*sweep), storage, NULL, sweep_finish);
        sweep->op.alone = sweep_alone;
        note_parts((struct storage_key){{get_be32(name)}, {get_be64(name + 4)}}, get_be64(name + 12), parts, n, &sweep->ranges);
        storage_op_chore(&sweep->op);
    }
    arena_close(&arena);
}
