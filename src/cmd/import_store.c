/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/import_store.h"

#include "base/hash.h"
#include "base/json_read.h"
#include "consent/consent.h"
#include "identity/identifier.h"
#include "ingest/import_set.h"
#include "profile/declared.h"
#include "storage/storage_wait.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A batch costs one sync, so more is faster: 4,096 receipts gave 407,000 lines a second. */
enum { BATCH_RECEIPTS = 4096, BATCH_ROWS = 2048, MARK_BYTES = 32, MARK_ID_BYTES = 65 };
#define BATCH_BYTES ((size_t)16 << 20)
#define BATCH_BYTES_MAX ((size_t)1 << 30)
#define KNOWN_BYTES_MAX ((size_t)4 << 30)

struct import_store {
    struct import_store_options options;
    struct import_mark mark;
    struct import_tally tally;
    struct arena batch;     /* reset after each batch */
    struct arena known;     /* customers whose consent was seen to in this run */
    struct import_set seen_to;
    struct event *events;
    uint64_t *rows, *lines; /* of events[i]: its last row, its first line */
    struct storage_put *puts;
    size_t n;
    size_t batch_bytes;
    uint64_t last_row;      /* of what is in the batch or was passed over */
    char text_version[CONSENT_TEXT_BYTES_MAX + 1];
    char country[3];        /* the tenant's, for phone numbers */
};

/* ---- the mark ---- */

static void mark_id(const struct import_store *store, uint8_t out_id[MARK_ID_BYTES])
{
    out_id[0] = (uint8_t)store->options.kind;
    memcpy(out_id + 1, store->options.file_hash, 32);
    memcpy(out_id + 33, store->options.map->hash, 32);
}

static enum err read_mark(struct import_store *store)
{
    const struct storage_row *rows;
    uint8_t id[MARK_ID_BYTES];
    uint64_t since = 0;
    size_t n;

    mark_id(store, id);
    do {
        enum err err = storage_wait_changes(store->options.data->storage, store->options.data->loop, store->options.tenant,
                                            STORAGE_IMPORT, since, 1000, &store->batch, &rows, &n);

        if (err != ERR_OK) {
            return err;
        }
        for (size_t i = 0; i < n; i++) {
            since = rows[i].revision;
            if (rows[i].row.n > 0 && bytes_equal(rows[i].id, (struct bytes){(const char *)id, sizeof(id)})) {
                struct unpack from = unpack_from(rows[i].row);

                if (unpack_u8(&from) != 1) {
                    return ERR_UNSUPPORTED;
                }
                store->mark.is_known = true;
                store->mark.rows_n = unpack_varint(&from);
                store->mark.shift_days = unpack_signed(&from);
                store->mark.is_whole = unpack_u8(&from) != 0;
                if (from.bad) {
                    return ERR_CORRUPT;
                }
            }
        }
    } while (n == 1000);
    arena_reset(&store->batch);
    return ERR_OK;
}

static enum err write_mark(struct import_store *store, bool is_whole)
{
    uint8_t id[MARK_ID_BYTES], room[MARK_BYTES];
    struct pack row = pack_into(room, sizeof(room));
    struct storage_put put = {.id = {(const char *)id, sizeof(id)}};
    uint64_t revision;

    mark_id(store, id);
    pack_u8(&row, 1);
    pack_varint(&row, store->last_row);
    pack_signed(&row, store->options.shift_days);
    pack_u8(&row, is_whole);
    assert(!row.full);
    put.row = pack_bytes(&row);
    return storage_wait_put(store->options.data->storage, store->options.data->loop, store->options.tenant, STORAGE_IMPORT,
                            &put, 1, &revision);
}

/* As the tenant's own row says: a number in a file and the same one in a call are one customer. */
static enum err read_country(struct import_store *store)
{
    const struct storage_row *rows;
    size_t n;
    enum err err = storage_wait_changes(store->options.data->storage, store->options.data->loop, (struct tenant_id){1},
                                        STORAGE_TENANT, 0, 10000, &store->batch, &rows, &n);

    memcpy(store->country, "NO", 3);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        const struct json_node *root;
        struct bytes text;
        int64_t id;

        if (rows[i].row.n > 0 && json_read(&store->batch, rows[i].row, &root, NULL) == ERR_OK &&
            json_int(json_get(root, "id"), 1, INT32_MAX, &id) && id == store->options.tenant.v &&
            json_text(json_get(root, "country"), &text) && text.n < sizeof(store->country)) {
            memset(store->country, 0, sizeof(store->country));
            memcpy(store->country, text.p, text.n);
        }
    }
    arena_reset(&store->batch);
    return err;
}

/* ---- open and close ---- */

enum err import_store_open(const struct import_store_options *options, struct import_store **out_store, struct why *why)
{
    struct import_store *store = calloc(1, sizeof(*store));
    char hex[65];
    enum err err;

    if (store == NULL) {
        return ERR_NOMEM;
    }
    store->options = *options;
    arena_open(&store->batch, BATCH_BYTES, BATCH_BYTES_MAX);
    arena_open(&store->known, 1 << 20, KNOWN_BYTES_MAX);
    store->events = calloc(BATCH_RECEIPTS, sizeof(*store->events));
    store->rows = calloc(BATCH_RECEIPTS, sizeof(*store->rows));
    store->lines = calloc(BATCH_RECEIPTS, sizeof(*store->lines));
    store->puts = calloc(BATCH_ROWS, sizeof(*store->puts));
    hash_hex(options->map->hash, 16, hex);
    snprintf(store->text_version, sizeof(store->text_version), "map:%.32s", hex);
    err = store->events != NULL && store->rows != NULL && store->lines != NULL && store->puts != NULL ? read_mark(store)
                                                                                                       : ERR_NOMEM;
    err = err == ERR_OK ? read_country(store) : err;
    if (err == ERR_OK && store->mark.is_known && store->mark.shift_days != options->shift_days) {
        err = why_say(why, ERR_CONFLICT, "other_shift", "--shift-to",
                      "this file was imported shifted by %lld days and would now be by %lld: the same receipts cannot have "
                      "two times; use the first shift, or a new data directory",
                      (long long)store->mark.shift_days, (long long)options->shift_days);
    }
    if (err != ERR_OK) {
        import_store_close(store);
        return err;
    }
    *out_store = store;
    return ERR_OK;
}

void import_store_close(struct import_store *store)
{
    if (store == NULL) {
        return;
    }
    arena_close(&store->batch);
    arena_close(&store->known);
    free(store->events);
    free(store->rows);
    free(store->lines);
    free(store->puts);
    free(store);
}

struct import_mark import_store_mark(const struct import_store *store)
{
    return store->mark;
}

struct import_tally import_store_tally(const struct import_store *store)
{
    return store->tally;
}

enum err import_store_tenant(struct data *data, const char *name, struct tenant_id *out_tenant, struct why *why)
{
    struct arena arena = {0};
    const struct storage_row *rows;
    size_t n;
    int64_t id = strcmp(name, "default") == 0 ? 1 : 0;
    enum err err;

    arena_open(&arena, 1 << 20, 64 << 20);
    err = storage_wait_changes(data->storage, data->loop, (struct tenant_id){1}, STORAGE_TENANT, 0, 10000, &arena, &rows, &n);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        const struct json_node *root;

        if (rows[i].row.n > 0 && bytes_equal(rows[i].id, bytes_of(name)) &&
            json_read(&arena, rows[i].row, &root, NULL) == ERR_OK) {
            (void)json_int(json_get(root, "id"), 1, INT32_MAX, &id);
        }
    }
    arena_close(&arena);
    if (err == ERR_OK && id == 0) {
        return why_say(why, ERR_ABSENT, "unknown_tenant", "--tenant", "there is no tenant `%.60s`; make it with `falun tenant "
                       "add --tenant %.60s`", name, name);
    }
    out_tenant->v = (uint32_t)id;
    return err;
}

/* ---- consent of the map ---- */

struct saying { /* statements on their way */
    size_t left_n;
    bool is_done;
    enum err err;
};

static void said(void *ctx, enum err err, const struct storage_updated *updated)
{
    struct saying *saying = ctx;

    (void)updated;
    if (err != ERR_OK) {
        saying->err = err;
    }
    saying->is_done = --saying->left_n == 0;
}

/* The change that states what the map grants and the customer has said nothing about; empty: nothing. */
static struct bytes change_of(const struct import_store *store, uint16_t word, struct arena *arena)
{
    struct consent_statement statements[PURPOSES_];
    struct pack to = pack_into(arena_take(arena, 1024), 1024);
    size_t n = 0;

    for (int i = 0; i < PURPOSES_; i++) {
        if ((store->options.map->purposes >> i & 1) != 0 && consent_word_get(word, (enum purpose)i) == CONSENT_UNSAID) {
            statements[n++] = (struct consent_statement){.purpose = (enum purpose)i,
                                                         .state = CONSENT_GRANTED,
                                                         .at_ms = store->options.now_ms,
                                                         .text_version = bytes_of(store->text_version),
                                                         .source = store->options.map->source,
                                                         .received_ms = store->options.now_ms};
        }
    }
    if (n == 0 || to.p == NULL) {
        return (struct bytes){0};
    }
    pack_u8(&to, DECLARED_CONSENTS);
    consent_change_encode(statements, n, &to);
    assert(!to.full);
    return pack_bytes(&to);
}

/* The identifiers of the batch that were not met in this run, normalised; malformed ones are ingest's to tell. */
static size_t gather_new(struct import_store *store, struct storage_identifier *to, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < store->n; i++) {
        for (size_t j = 0; j < store->events[i].identifiers_n && n < room; j++) {
            struct event_identifier one = store->events[i].identifiers[j];
            uint64_t hash;

            if (identifier_normalise(&one, bytes_of(store->country), &store->batch, NULL) != ERR_OK) {
                continue;
            }
            hash = hash_fast(one.value.p, one.value.n, (uint64_t)one.kind + 1);
            if (!import_set_has(&store->seen_to, hash)) {
                (void)import_set_add(&store->seen_to, hash, &store->known);
                to[n++] = (struct storage_identifier){one.kind, one.value};
            }
        }
    }
    return n;
}

static enum err state_consents(struct import_store *store)
{
    struct data *data = store->options.data;
    struct tenant_id tenant = store->options.tenant;
    size_t room = 0, n;
    struct storage_identifier *identifiers;
    struct storage_identity *identities;
    struct saying saying = {0};
    enum err err;

    for (size_t i = 0; i < store->n; i++) {
        room += store->events[i].identifiers_n;
    }
    identifiers = arena_array(&store->batch, room + 1, sizeof(*identifiers));
    identities = arena_array(&store->batch, room + 1, sizeof(*identities));
    if (identifiers == NULL || identities == NULL) {
        return ERR_NOMEM;
    }
    n = gather_new(store, identifiers, room);
    if (n == 0) {
        return ERR_OK;
    }
    err = storage_wait_identify(data->storage, data->loop, tenant, identifiers, n, true, store->options.map->source,
                                identities);
    saying.left_n = 1; /* nobody is done before all have been asked */
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        struct bytes change = change_of(store, identities[i].consent_word, &store->batch);

        if (change.n > 0) {
            saying.left_n++;
            store->tally.consents_n++;
            storage_update(data->storage, data->loop, (struct storage_key){tenant, identities[i].customer}, UINT64_MAX, change,
                           NULL, said, &saying);
        }
    }
    if (--saying.left_n > 0) {
        loop_run_until(data->loop, &saying.is_done);
    }
    return err != ERR_OK ? err : saying.err;
}

/* ---- receipts ---- */

struct offering {
    bool is_done;
    enum err err;
};

static void offered(void *ctx, enum err err)
{
    struct offering *offering = ctx;

    offering->err = err;
    offering->is_done = true;
}

static void tell(struct import_store *store, size_t i, const struct ingest_verdict *verdict)
{
    struct import_rejected rejected = {.row = store->rows[i], .line = store->lines[i], .why = verdict->why};

    store->tally.faulty_n++;
    store->options.rejected(store->options.ctx, &rejected);
}

static enum err count_verdicts(struct import_store *store, const struct ingest_verdict *verdicts)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < store->n; i++) {
        switch (verdicts[i].outcome) {
        case INGEST_ACCEPTED:
            store->tally.stored_n++;
            break;
        case INGEST_DUPLICATE:
            store->tally.duplicate_n++;
            break;
        case INGEST_ANONYMOUS:
            store->tally.anonymous_n++;
            break;
        case INGEST_REFUSED:
            store->tally.refused_n++;
            break;
        case INGEST_QUARANTINED:
            tell(store, i, &verdicts[i]);
            break;
        case INGEST_FAILED:
            err = verdicts[i].err;
            break;
        }
    }
    return err;
}

static struct ingest_door door_of(const struct import_store *store)
{
    const struct import_map *map = store->options.map;
    struct ingest_door door = {.tenant = store->options.tenant,
                               .source = map->source,
                               .country = bytes_of(store->country),
                               .is_gated = (map->purposes >> PURPOSE_STORE & 1) != 0,
                               .is_server = true,
                               .now_ms = store->options.now_ms};

    for (int i = PURPOSE_STORE; i <= PURPOSE_MEASURE; i++) {
        if ((map->purposes >> i & 1) == 0) {
            door.call_word = consent_word_set(door.call_word, (enum purpose)i, CONSENT_REFUSED);
        }
    }
    return door;
}

static enum err keep_receipts(struct import_store *store)
{
    struct ingest_door door = door_of(store);
    struct ingest_verdict *verdicts = arena_array(&store->batch, store->n + 1, sizeof(*verdicts));
    struct offering offering = {0};
    enum err err = ERR_OK;

    if (verdicts == NULL) {
        return ERR_NOMEM;
    }
    if (door.is_gated) {
        err = state_consents(store);
    }
    if (err != ERR_OK) {
        return err;
    }
    ingest_offer(store->options.data->storage, store->options.data->loop, &door, store->events, store->n, verdicts,
                 &store->batch, offered, &offering);
    loop_run_until(store->options.data->loop, &offering.is_done);
    return offering.err != ERR_OK ? offering.err : count_verdicts(store, verdicts);
}

enum err import_store_receipt(struct import_store *store, const struct import_receipt *receipt, struct why *why)
{
    if (receipt->last_row <= store->mark.rows_n) {
        store->last_row = receipt->last_row;
        return ERR_OK;
    }
    if (store->n == BATCH_RECEIPTS || store->batch_bytes > BATCH_BYTES_MAX / 16) {
        enum err err = import_store_flush(store, false, why);

        if (err != ERR_OK) {
            return err;
        }
    }
    if (!import_receipt_copy(receipt->event, &store->batch, &store->events[store->n])) {
        return ERR_NOMEM;
    }
    store->batch_bytes += 1024 + receipt->event->lines_n * (sizeof(struct event_line) + 64);
    store->rows[store->n] = receipt->last_row;
    store->lines[store->n++] = receipt->first_line;
    store->last_row = receipt->last_row;
    return ERR_OK;
}

/* ---- items and stores ---- */

static enum err keep_rows(struct import_store *store)
{
    uint64_t *revisions = arena_array(&store->batch, store->n + 1, sizeof(*revisions));
    enum err err;

    if (revisions == NULL) {
        return ERR_NOMEM;
    }
    err = storage_wait_put(store->options.data->storage, store->options.data->loop, store->options.tenant,
                           store->options.kind == IMPORT_KIND_ITEMS ? STORAGE_ITEM : STORAGE_STORE, store->puts, store->n,
                           revisions);
    store->tally.stored_n += err == ERR_OK ? store->n : 0;
    return err;
}

enum err import_store_row(struct import_store *store, struct bytes id, struct bytes json, uint64_t row, struct why *why)
{
    if (row <= store->mark.rows_n) {
        store->last_row = row;
        return ERR_OK;
    }
    if (store->n == BATCH_ROWS) {
        enum err err = import_store_flush(store, false, why);

        if (err != ERR_OK) {
            return err;
        }
    }
    store->puts[store->n++] = (struct storage_put){.id = arena_copy(&store->batch, id), .row = arena_copy(&store->batch, json)};
    store->last_row = row;
    return arena_overflowed(&store->batch) ? ERR_NOMEM : ERR_OK;
}

enum err import_store_flush(struct import_store *store, bool is_whole, struct why *why)
{
    enum err err = ERR_OK;

    if (store->n > 0) {
        err = store->options.kind == IMPORT_KIND_RECEIPTS ? keep_receipts(store) : keep_rows(store);
    }
    if (err == ERR_OK) {
        err = write_mark(store, is_whole);
    }
    store->n = 0;
    store->batch_bytes = 0;
    arena_reset(&store->batch);
    if (err == ERR_FULL) {
        return why_say(why, err, "storage_full", "", "the disk of the data directory is full; free space and run the same "
                       "command again: it goes on where it stopped");
    }
    if (err != ERR_OK) {
        return why_say(why, err, "storage", "", "the storage could not keep a batch (%s); look at the disk and run the same "
                       "command again: it goes on where it stopped", err_name(err));
    }
    return ERR_OK;
}
