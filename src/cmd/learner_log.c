/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/learner_log.h"

#include "base/hash.h"
#include "consent/consent.h"
#include "event/event_code.h"

#include <stdlib.h>

enum {
    SLICE_BUCKETS = 32,
    LESSONS_MOST = 1 << 22 /* 200 MB; of more the newer half is kept: no live side holds more sequences */
};

static void *grown(void *p, size_t n, size_t each)
{
    void *new = realloc(p, n * each);

    if (new == NULL) {
        abort(); /* a server that cannot read its log again should not pretend to have learnt it */
    }
    return new;
}

/* ---- who teaches nothing ---- */

struct denying {
    struct learner_log *log;
    int64_t now_ms;
    struct arena arena;
};

static bool on_customer(void *ctx, const struct sealed_customer *customer)
{
    struct denying *denying = ctx;
    struct learner_log *log = denying->log;
    struct consent consent;
    enum consent_state state = CONSENT_REFUSED;

    arena_reset(&denying->arena);
    if (consent_read(customer->declared, &denying->arena, &consent) == ERR_OK) { /* unreadable consent is no consent */
        state = consent_word_get(consent_word(&consent, denying->now_ms), PURPOSE_PERSONALISE);
    }
    for (size_t i = 0; (state == CONSENT_REFUSED || state == CONSENT_WITHDRAWN) && i < customer->parts_n; i++) {
        if (log->denied_n == log->denied_room) {
            log->denied_room = log->denied_room > 0 ? 2 * log->denied_room : 256;
            log->denied = grown(log->denied, log->denied_room, sizeof(*log->denied));
        }
        log->denied[log->denied_n++] = customer->parts[i].part.v;
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static bool has(const uint64_t *sorted, size_t n, uint64_t number)
{
    return n > 0 && bsearch(&number, sorted, n, sizeof(number), by_number) != NULL;
}

enum err learner_log_open(struct storage *storage, struct tenant_id tenant, int64_t after_ms, int64_t now_ms,
                          struct learner_log *out_log)
{
    struct learner_log log = {.storage = storage, .tenant = tenant, .after_ms = after_ms};
    struct denying denying = {.log = &log, .now_ms = now_ms};
    enum err err;

    arena_open(&denying.arena, 1 << 14, 1 << 22);
    err = storage_scan_customers(storage, tenant, on_customer, &denying);
    arena_close(&denying.arena);
    if (err != ERR_OK) {
        learner_log_close(&log);
        return err;
    }
    if (log.denied_n > 0) {
        qsort(log.denied, log.denied_n, sizeof(*log.denied), by_number);
    }
    *out_log = log;
    return ERR_OK;
}

/* ---- reading ---- */

static int by_time(const void *a, const void *b)
{
    const struct lesson *x = a, *y = b;

    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    if (x->mid != y->mid) {
        return x->mid < y->mid ? -1 : 1;
    }
    return (x->item.v > y->item.v) - (x->item.v < y->item.v);
}

/* Sorts, and takes out what was met twice. */
static void put_in_order(struct learner_log *log)
{
    size_t kept = 0;

    if (log->n > 1) {
        qsort(log->lesson, log->n, sizeof(*log->lesson), by_time);
    }
    for (size_t i = 0; i < log->n; i++) {
        if (kept == 0 || log->lesson[kept - 1].mid != log->lesson[i].mid || log->lesson[kept - 1].item.v != log->lesson[i].item.v) {
            log->lesson[kept++] = log->lesson[i];
        }
    }
    log->n = kept;
}

void learner_log_add(struct learner_log *log, const struct lesson *lessons, size_t n)
{
    if (log->n + n > LESSONS_MOST && log->mid == NULL) {
        size_t gone;

        put_in_order(log);
        gone = log->n / 2;
        memmove(log->lesson, log->lesson + gone, (log->n - gone) * sizeof(*log->lesson));
        log->n -= gone;
    }
    if (log->n + n > log->room) {
        log->room = 2 * (log->n + n) + 1024;
        log->lesson = grown(log->lesson, log->room, sizeof(*log->lesson));
    }
    if (n > 0) {
        memcpy(log->lesson + log->n, lessons, n * sizeof(*lessons));
    }
    log->n += n;
}

struct reading {
    struct learner_log *log;
    struct arena arena;
    enum err err;
};

static bool on_event(void *ctx, const struct storage_scan_event *from)
{
    struct reading *reading = ctx;
    struct learner_log *log = reading->log;
    bool is_anonymous = from->part.v == get_be64(from->mid.b) >> 1; /* as ingest makes it */
    struct lesson *lessons;
    struct event event;
    size_t n;

    if (has(log->denied, log->denied_n, from->part.v)) {
        return true;
    }
    arena_reset(&reading->arena);
    reading->err = event_decode(from->body, log->tenant, &reading->arena, &event);
    if (reading->err == ERR_CORRUPT || reading->err == ERR_UNSUPPORTED) {
        reading->err = ERR_OK; /* one body that cannot be read must not keep a shop from learning; `falun replay` tells */
        return true;
    }
    if (reading->err != ERR_OK || event.at_ms <= log->after_ms) {
        return reading->err == ERR_OK;
    }
    event.mid = from->mid;
    n = lesson_n(&event, is_anonymous);
    lessons = n > 0 ? arena_array(&reading->arena, n, sizeof(*lessons)) : NULL;
    if (lessons != NULL) {
        lesson_of(&event, log->tenant, from->part, is_anonymous, lessons);
        learner_log_add(log, lessons, n);
    }
    return true;
}

static void remember_mids(struct learner_log *log)
{
    size_t kept = 0;

    log->mid = grown(NULL, log->n + 1, sizeof(*log->mid));
    for (size_t i = 0; i < log->n; i++) {
        log->mid[i] = log->lesson[i].mid;
    }
    qsort(log->mid, log->n, sizeof(*log->mid), by_number);
    for (size_t i = 0; i < log->n; i++) {
        if (kept == 0 || log->mid[kept - 1] != log->mid[i]) {
            log->mid[kept++] = log->mid[i];
        }
    }
    log->mid_n = kept;
}

enum err learner_log_read(struct learner_log *log, bool *out_is_whole)
{
    struct reading reading = {.log = log};
    uint16_t to = (uint16_t)(log->bucket + SLICE_BUCKETS < HASH_BUCKETS ? log->bucket + SLICE_BUCKETS : HASH_BUCKETS);
    enum err err;

    arena_open(&reading.arena, 1 << 18, 1 << 26);
    err = storage_scan(log->storage, log->tenant, log->bucket, to, on_event, &reading);
    arena_close(&reading.arena);
    err = err == ERR_OK ? reading.err : err;
    if (err != ERR_OK) {
        return err;
    }
    log->bucket = to;
    *out_is_whole = to == HASH_BUCKETS;
    if (*out_is_whole) {
        put_in_order(log);
        remember_mids(log);
    }
    return ERR_OK;
}

bool learner_log_has(const struct learner_log *log, uint64_t mid)
{
    return has(log->mid, log->mid_n, mid);
}

void learner_log_close(struct learner_log *log)
{
    free(log->denied);
    free(log->lesson);
    free(log->mid);
    *log = (struct learner_log){0};
}
