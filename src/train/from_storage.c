/* SPDX-License-Identifier: Apache-2.0 */
#include "train/from_storage.h"

#include "base/hash.h"
#include "consent/consent.h"
#include "event/event_code.h"

#include <stdlib.h>

struct owner {
    uint64_t part, customer; /* customer 0: teaches nothing */
};

struct reading {
    struct tenant_id tenant;
    int64_t now_ms;
    struct history history;
    struct owner *owners;
    size_t owners_n, owners_room;
    struct arena arena;
    enum err err;
};

/* Unreadable consent is no consent. */
static bool may_teach(struct reading *reading, const struct sealed_customer *customer)
{
    struct consent consent;
    enum consent_state state;

    arena_reset(&reading->arena);
    if (consent_read(customer->declared, &reading->arena, &consent) != ERR_OK) {
        return false;
    }
    state = consent_word_get(consent_word(&consent, reading->now_ms), PURPOSE_PERSONALISE);
    return state != CONSENT_REFUSED && state != CONSENT_WITHDRAWN;
}

static bool on_customer(void *ctx, const struct sealed_customer *customer)
{
    struct reading *reading = ctx;
    bool may = may_teach(reading, customer);

    for (size_t i = 0; i < customer->parts_n; i++) {
        if (reading->owners_n == reading->owners_room) {
            reading->owners_room = reading->owners_room > 0 ? 2 * reading->owners_room : 1024;
            reading->owners = history_grow(reading->owners, reading->owners_room, sizeof(*reading->owners));
        }
        reading->owners[reading->owners_n++] =
            (struct owner){customer->parts[i].part.v, may ? customer->customer.v : 0};
    }
    return true;
}

static int owner_order(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;

    return (x->part > y->part) - (x->part < y->part);
}

/* What was let in for other purposes alone is not learnt from, whatever the customer says of the rest (as in learn/lesson.h). */
static bool is_kept_to_learn(const struct storage_scan_event *from, const struct event *event)
{
    bool is_anonymous = from->part.v == get_be64(from->mid.b) >> 1; /* as ingest makes it */

    return is_anonymous || event->kind == EVENT_RETRACT || (event->purposes >> PURPOSE_PERSONALISE & 1) != 0;
}

static bool on_event(void *ctx, const struct storage_scan_event *from)
{
    struct reading *reading = ctx;
    struct owner key = {from->part.v, 0};
    const struct owner *owner =
        reading->owners_n > 0 ? bsearch(&key, reading->owners, reading->owners_n, sizeof(key), owner_order) : NULL;
    struct event event;

    if (owner != NULL && owner->customer == 0) {
        return true;
    }
    arena_reset(&reading->arena);
    reading->err = event_decode(from->body, reading->tenant, &reading->arena, &event);
    if (reading->err == ERR_CORRUPT || reading->err == ERR_UNSUPPORTED) {
        /* One body that cannot be read must not keep a shop from learning; how many there were is told. */
        reading->err = ERR_OK;
        reading->history.unread_n++;
        return true;
    }
    if (reading->err == ERR_OK && is_kept_to_learn(from, &event)) {
        event.mid = from->mid;
        history_add(&reading->history, owner != NULL ? owner->customer : from->part.v, &event);
    }
    return reading->err == ERR_OK;
}

enum err history_from_storage(struct storage *storage, struct tenant_id tenant, int64_t now_ms, struct history *out_history)
{
    struct reading reading = {.tenant = tenant, .now_ms = now_ms, .history = {.tenant = tenant}};
    enum err err;

    arena_open(&reading.arena, 1 << 18, 1 << 26);
    err = storage_scan_customers(storage, tenant, on_customer, &reading);
    if (err == ERR_OK && reading.owners_n > 0) {
        qsort(reading.owners, reading.owners_n, sizeof(*reading.owners), owner_order);
    }
    if (err == ERR_OK) {
        err = storage_scan(storage, tenant, 0, HASH_BUCKETS, on_event, &reading);
    }
    err = err == ERR_OK ? reading.err : err;
    arena_close(&reading.arena);
    free(reading.owners);
    if (err != ERR_OK) {
        history_close(&reading.history);
        return err;
    }
    history_sort(&reading.history);
    *out_history = reading.history;
    return ERR_OK;
}
