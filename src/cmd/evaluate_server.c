/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/evaluate_server.h"

#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "cmd/import_store.h"
#include "cmd/model_put.h"
#include "os/fetch.h"

#include <stdio.h>
#include <string.h>

/* ---- filling ---- */

struct filling {
    struct import_store *store;
    int64_t before_ms;
};

static enum err fill_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    struct filling *filling = ctx;

    return receipt->event->at_ms < filling->before_ms ? import_store_receipt(filling->store, receipt, why) : ERR_OK;
}

static enum err fill_item(void *ctx, const struct item *item, uint64_t row, struct why *why)
{
    struct filling *filling = ctx;

    return import_store_row(filling->store, item->id_text, item->json, row, why);
}

static enum err fill_one(struct data *data, const struct import_map *map, enum import_kind kind, const char *path,
                         int64_t before_ms, struct why *why)
{
    struct import_store_options options = {.map = map, .data = data, .tenant = {1}, .kind = kind, .now_ms = data_now_ms(NULL)};
    struct filling filling = {.before_ms = before_ms};
    struct import_receipt_options receipts = {.tenant = {1}, .receipt = fill_receipt, .ctx = &filling};
    struct import_item_options items = {.tenant = {1}, .item = fill_item, .ctx = &filling};
    struct import_counts counts;
    char name[1400];
    enum err err;

    /* Not the whole file: its mark must not be taken for the file's. */
    hash_256(NULL, (struct bytes){name, (size_t)snprintf(name, sizeof(name), "evaluate %lld %s", (long long)before_ms, path)},
             options.file_hash);
    err = import_store_open(&options, &filling.store, why);
    if (err != ERR_OK) {
        return err;
    }
    err = kind == IMPORT_KIND_RECEIPTS ? import_read_receipts(map, path, &receipts, NULL, NULL, &counts, why)
                                       : import_read_items(map, IMPORT_ITEMS, path, &items, NULL, NULL, &counts, why);
    err = err == ERR_OK ? import_store_flush(filling.store, true, why) : err;
    import_store_close(filling.store);
    return err;
}

enum err evaluate_fill(const char *data_dir, const struct import_map *map, const char *lines_path, int64_t before_ms,
                       const struct model *model, struct bytes file, struct why *why)
{
    struct data_options options = {0};
    struct arena arena;
    struct data data;
    const char *path;
    enum err err = data_open(data_dir, &options, &data, why);

    if (err != ERR_OK) {
        return err;
    }
    arena_open(&arena, 4096, 65536);
    if (map->sheets[IMPORT_ITEMS].is_given) {
        err = import_read_sibling(map, IMPORT_ITEMS, lines_path, &arena, &path, why);
        err = err == ERR_OK ? fill_one(&data, map, IMPORT_KIND_ITEMS, path, before_ms, why) : err;
    }
    err = err == ERR_OK ? fill_one(&data, map, IMPORT_KIND_RECEIPTS, lines_path, before_ms, why) : err;
    err = err == ERR_OK ? model_put_file(data_dir, model, file, why) : err;
    err = err == ERR_OK ? model_put_row(&data, (struct tenant_id){1}, model) : err;
    arena_close(&arena);
    data_close(&data);
    return err;
}

/* ---- asking ---- */

static struct bytes body_of(const struct history *history, const struct read_name *name, const struct next_case *one,
                            struct arena *arena)
{
    char at[TIME_TEXT_BYTES];
    struct json_write w;

    time_format(history->baskets[one->target].at_ms, at);
    json_write_open(&w, arena, 512);
    json_write_object(&w, NULL);
    json_write_object(&w, "customer");
    json_write_object(&w, "ids");
    json_write_text(&w, event_identifier_word(name->kind), bytes_of(name->value));
    json_write_end(&w);
    json_write_end(&w);
    json_write_word(&w, "mode", "personal");
    json_write_object(&w, "context");
    json_write_word(&w, "at", at);
    json_write_end(&w);
    json_write_word(&w, "placement", "next");
    json_write_int(&w, "n", NEXT_LIST);
    json_write_end(&w);
    return json_write_bytes(&w);
}

enum err evaluate_list_of(struct bytes reply, int status, struct tenant_id tenant, struct arena *arena,
                          struct next_list *out_list, struct why *why)
{
    const struct json_node *root, *row, *items;
    struct bytes text;

    if (status != 200 || json_read(arena, reply, &root, NULL) != ERR_OK ||
        (row = json_get(json_get(root, "placements"), "next")) == NULL) {
        return why_say(why, ERR_IO, "bad_reply", "--through", "the server answered %d: %.*s", status,
                       (int)(reply.n < 150 ? reply.n : 150), reply.p);
    }
    items = json_get(row, "items");
    out_list->n = 0;
    for (const struct json_node *item = items != NULL ? items->first : NULL; item != NULL && out_list->n < NEXT_LIST;
         item = item->next) {
        if (json_text(json_get(item, "id"), &text)) {
            out_list->item[out_list->n++] = hash_item(tenant, text).v;
        }
    }
    return ERR_OK;
}

enum err evaluate_ask(const char *url, const char *key, const struct history *history, const struct read_names *names,
                      const struct next_case *cases, size_t n, struct next_list *out_lists, struct why *why)
{
    struct fetch *fetch;
    struct arena arena;
    enum err err = fetch_open(url, NULL, key, &fetch);

    if (err != ERR_OK) {
        return err;
    }
    arena_open(&arena, 1 << 18, 1 << 24);
    for (size_t c = 0; err == ERR_OK && c < n; c++) {
        const struct read_name *name = read_name_of(names, history->customers[cases[c].customer]);
        struct bytes reply;
        int status;

        err = fetch_call(fetch, "POST", "/v1/decide", body_of(history, name, &cases[c], &arena), &arena, &status, &reply, why);
        err = err == ERR_OK ? evaluate_list_of(reply, status, history->tenant, &arena, &out_lists[c], why) : err;
        arena_reset(&arena);
    }
    arena_close(&arena);
    fetch_close(fetch);
    return err;
}
