/* SPDX-License-Identifier: Apache-2.0 */
/* The next-item protocol through a running server: a catalogue and a model for it to serve, its rows for a visit, and its
 * rows while it learns. */
#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "catalog/item_json.h"
#include "cmd/evaluate_server.h"
#include "cmd/import_store.h"
#include "cmd/model_put.h"
#include "model/model_domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 50, EVENTS_MOST = 4000, POLL_MS = 100, POLLS_MOST = 300, POLLS_TAKEN = 3, POLLS_TICK = 12 /* over a second */ };

/* ---- filling ---- */

static enum err put_item(struct import_store *store, struct bytes id, uint64_t row, struct arena *arena, struct why *why)
{
    struct item_made made = {.id = id, .price_minor = -1};
    struct bytes json = item_json_made(&made, arena);
    enum err err = json.p != NULL ? import_store_row(store, id, json, row, why) : ERR_NOMEM;

    arena_reset(arena);
    return err;
}

static enum err put_items(struct data *data, const struct history *const *histories, size_t n, const struct model *model,
                          struct why *why)
{
    struct import_map map = {.channel = CHANNEL_WEB}; /* there is no file: nothing of it is read but its hash */
    struct import_store_options options = {.map = &map, .data = data, .tenant = {1}, .kind = IMPORT_KIND_ITEMS,
                                           .now_ms = data_now_ms(NULL)};
    struct import_store *store;
    struct arena arena;
    uint64_t row = 0;
    enum err err;

    hash_256(NULL, model_hash(model), options.file_hash); /* what is put is this model's */
    err = import_store_open(&options, &store, why);
    if (err != ERR_OK) {
        return err;
    }
    arena_open(&arena, 4096, 1 << 20);
    for (size_t h = 0; h < n; h++) {
        for (uint32_t i = 0; err == ERR_OK && i < histories[h]->items.n; i++) {
            err = put_item(store, history_name(&histories[h]->items, i), ++row, &arena, why);
        }
    }
    err = err == ERR_OK ? import_store_flush(store, true, why) : err;
    arena_close(&arena);
    import_store_close(store);
    return err;
}

enum err evaluate_fill_items(const char *data_dir, const struct history *const *histories, size_t n,
                             const struct model *model, struct bytes file, struct why *why)
{
    struct data_options options = {0};
    struct data data;
    enum err err = data_open(data_dir, &options, &data, why);

    if (err != ERR_OK) {
        return err;
    }
    err = put_items(&data, histories, n, model, why);
    err = err == ERR_OK ? model_put_file(data_dir, model, file, why) : err;
    err = err == ERR_OK ? model_put_row(&data, (struct tenant_id){1}, model) : err;
    data_close(&data);
    return err;
}

/* ---- asking ---- */

static void write_look(struct json_write *w, const struct history *history, size_t l, const char *word)
{
    const struct history_look *look = &history->looks[l];
    char id[64];

    (void)snprintf(id, sizeof(id), "%s-%zu", word, l);
    json_write_object(w, NULL);
    json_write_word(w, "id", id);
    json_write_word(w, "kind", "view");
    json_write_text(w, "item", history_name(&history->items, look->item));
    json_write_time(w, "at", look->at_ms);
}

static struct bytes body_of(const struct history *history, const struct next_case *one, struct arena *arena)
{
    size_t from = one->look_to - one->look_from > PART_LOOKS ? one->look_to - PART_LOOKS : one->look_from;
    struct json_write w;

    json_write_open(&w, arena, 4096);
    json_write_object(&w, NULL);
    json_write_word(&w, "mode", "session");
    json_write_word(&w, "explain", "none");
    json_write_object(&w, "context");
    json_write_word(&w, "channel", "web");
    json_write_time(&w, "at", one->at_ms);
    json_write_end(&w);
    json_write_array(&w, "events");
    for (size_t l = from; l < one->look_to; l++) {
        write_look(&w, history, l, "asked");
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_word(&w, "placement", "next");
    json_write_int(&w, "n", NEXT_LIST);
    json_write_end(&w);
    return json_write_bytes(&w);
}

enum err evaluate_ask_look(struct fetch *fetch, const struct history *history, const struct next_case *one,
                           struct arena *arena, struct next_list *out_list, struct why *why)
{
    struct bytes reply;
    int status = 0;
    enum err err = fetch_call(fetch, "POST", "/v1/decide", body_of(history, one, arena), arena, &status, &reply, why);

    return err == ERR_OK ? evaluate_list_of(reply, status, history->tenant, arena, out_list, why) : err;
}

/* ---- telling ---- */

static enum err call(struct fetch *fetch, const char *method, const char *path, struct bytes body, struct arena *arena,
                     const struct json_node **out_root, struct why *why)
{
    struct bytes reply;
    int status = 0;
    enum err err = fetch_call(fetch, method, path, body, arena, &status, &reply, why);

    if (err == ERR_OK && status == 404) {
        return why_say(why, ERR_INVALID, "no_test_clock", "--through",
                       "the server has no %s: --online needs one that was started with --test-clock TIME", path);
    }
    if (err == ERR_OK && (status / 100 != 2 || json_read(arena, reply, out_root, NULL) != ERR_OK)) {
        return why_say(why, ERR_IO, "refused", "--through", "the server answered %s with %d: %.*s", path, status,
                       (int)(reply.n < 120 ? reply.n : 120), reply.p);
    }
    return err;
}

static enum err set_clock(struct fetch *fetch, int64_t at_ms, struct arena *arena, struct why *why)
{
    const struct json_node *root;
    struct json_write w;

    json_write_open(&w, arena, 128);
    json_write_object(&w, NULL);
    json_write_time(&w, "set", at_ms);
    json_write_end(&w);
    return call(fetch, "POST", "/v1/test/clock", json_write_bytes(&w), arena, &root, why);
}

enum err evaluate_clock(struct fetch *fetch, int64_t at_ms, struct arena *arena, struct why *why)
{
    struct bytes reply;
    int status = 0;
    enum err err = fetch_call(fetch, "GET", "/v1/test/clock", (struct bytes){0}, arena, &status, &reply, why);

    return err == ERR_OK && status == 200 ? set_clock(fetch, at_ms, arena, why) : err;
}

/* Looks [from, to) of the history, as a stranger's cookie each visit. */
static enum err tell(struct fetch *fetch, const struct history *history, const size_t *customers, size_t n,
                     struct arena *arena, struct why *why)
{
    for (size_t c = 0; c < n;) {
        const struct json_node *root;
        struct json_write w;
        size_t told = 0;
        enum err err;

        json_write_open(&w, arena, 1 << 16);
        json_write_array(&w, NULL);
        for (; c < n && told < EVENTS_MOST; c++) {
            char who[48];

            (void)snprintf(who, sizeof(who), "cookie:visit-%zu", customers[c]);
            for (size_t l = history->look_from[customers[c]]; l < history->look_from[customers[c] + 1]; l++, told++) {
                write_look(&w, history, l, "told");
                json_write_word(&w, "identifier", who);
                json_write_end(&w);
            }
        }
        json_write_end(&w);
        err = call(fetch, "POST", "/v1/events", json_write_bytes(&w), arena, &root, why);
        arena_reset(arena);
        if (err != ERR_OK) {
            return err;
        }
    }
    return ERR_OK;
}

/* Waits until the server's count of what it has learnt has stood still for so many looks at it. */
static enum err wait_learnt(struct fetch *fetch, int polls, struct arena *arena, struct why *why)
{
    int64_t before = -1, now = 0;
    int still = 0;

    for (int i = 0; i < POLLS_MOST && still < polls; i++) {
        const struct json_node *root;
        struct timespec pause = {0, POLL_MS * 1000 * 1000};
        enum err err;

        (void)nanosleep(&pause, NULL);
        err = call(fetch, "GET", "/v1/models", (struct bytes){0}, arena, &root, why);
        if (err != ERR_OK) {
            return err;
        }
        (void)json_int(json_get(root, "learned"), 0, INT64_MAX / 4, &now);
        still = now == before ? still + 1 : 0;
        before = now;
        arena_reset(arena);
    }
    return ERR_OK;
}

struct moment {
    int64_t at_ms;
    size_t customer;
};

static int moment_order(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return (x->customer > y->customer) - (x->customer < y->customer);
}

struct streaming {
    struct fetch *fetch;
    const struct evaluate_visits *visits;
    struct arena arena;
    struct moment *ends;
    size_t ended, *customers;
    int64_t clock_ms; /* the server's: never goes back */
};

static enum err pass_time(struct streaming *streaming, int64_t at_ms, struct why *why)
{
    if (at_ms <= streaming->clock_ms) {
        return ERR_OK;
    }
    streaming->clock_ms = at_ms;
    return set_clock(streaming->fetch, at_ms, &streaming->arena, why);
}

/* Tells all visits that ended before the moment. A visit is over half an hour after its last look arrived: so much time passes. */
static enum err catch_up(struct streaming *streaming, int64_t at_ms, struct why *why)
{
    size_t n = 0;
    enum err err = pass_time(streaming, at_ms, why);

    for (; streaming->ended < streaming->visits->history->customers_n && streaming->ends[streaming->ended].at_ms < at_ms;
         streaming->ended++) {
        streaming->customers[n++] = streaming->ends[streaming->ended].customer;
    }
    if (err != ERR_OK || n == 0) {
        return err;
    }
    err = tell(streaming->fetch, streaming->visits->history, streaming->customers, n, &streaming->arena, why);
    err = err == ERR_OK ? wait_learnt(streaming->fetch, POLLS_TAKEN, &streaming->arena, why) : err;
    err = err == ERR_OK ? pass_time(streaming, streaming->clock_ms + MODEL_SESSION_GAP_MS + MINUTE_MS, why) : err;
    return err == ERR_OK ? wait_learnt(streaming->fetch, POLLS_TICK, &streaming->arena, why) : err;
}

enum err evaluate_ask_stream(struct fetch *fetch, const struct evaluate_visits *visits, struct next_list *out_lists,
                             struct why *why)
{
    size_t customers_n = visits->history->customers_n, each = visits->cases_n / STEPS + 1;
    struct streaming streaming = {.fetch = fetch, .visits = visits,
                                  .ends = history_grow(NULL, customers_n, sizeof(struct moment)),
                                  .customers = history_grow(NULL, customers_n, sizeof(size_t))};
    enum err err = ERR_OK;

    arena_open(&streaming.arena, 1 << 18, 1 << 26);
    for (size_t c = 0; c < customers_n; c++) {
        streaming.ends[c] = (struct moment){visits->end_ms[c], c};
    }
    qsort(streaming.ends, customers_n, sizeof(*streaming.ends), moment_order);
    for (size_t i = 0; err == ERR_OK && i < visits->cases_n; i++) {
        const struct next_case *one = &visits->cases[visits->order[i]];

        if (i % each == 0) {
            size_t last = i + each < visits->cases_n ? i + each - 1 : visits->cases_n - 1;

            err = catch_up(&streaming, one->at_ms, why);
            /* No look may be ahead of the server's clock: it would take its time for a mistake. */
            err = err == ERR_OK ? pass_time(&streaming, visits->cases[visits->order[last]].at_ms, why) : err;
        }
        err = err == ERR_OK ? evaluate_ask_look(fetch, visits->history, one, &streaming.arena,
                                                &out_lists[visits->order[i]], why)
                            : err;
        arena_reset(&streaming.arena);
    }
    arena_close(&streaming.arena);
    free(streaming.ends);
    free(streaming.customers);
    return err;
}
