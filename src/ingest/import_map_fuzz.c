/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a map (up to the first NUL), and any bytes behind it as lines of a file under that map. */
#include "ingest/import_item.h"
#include "ingest/import_receipt.h"

#include "base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err on_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    struct arena *copies = ctx;
    struct event copy;

    (void)why;
    (void)import_receipt_copy(receipt->event, copies, &copy);
    arena_reset(copies);
    return ERR_OK;
}

static enum err on_item(void *ctx, const struct item *item, uint64_t row, struct why *why)
{
    (void)ctx;
    (void)item;
    (void)row;
    (void)why;
    return ERR_OK;
}

static enum err on_store(void *ctx, const struct store *store, uint64_t row, struct why *why)
{
    (void)ctx;
    (void)store;
    (void)row;
    (void)why;
    return ERR_OK;
}

static enum err on_customer(void *ctx, const struct import_customer *customer, uint64_t row, struct why *why)
{
    (void)ctx;
    (void)customer;
    (void)row;
    (void)why;
    return ERR_OK;
}

static void read_lines(const struct import_map *map, struct bytes lines, struct arena *arena, struct arena *scratch)
{
    struct import_receipt_options options = {.tenant = {1}, .receipt = on_receipt, .ctx = scratch};
    struct import_receipts *receipts;

    for (int i = 1; i < IMPORT_STORES; i++) {
        if (import_join_needed(map, (enum import_section)i)) {
            struct import_join *join = import_join_open(arena, map, (enum import_section)i);

            if (import_join_feed(join, lines, NULL) == ERR_OK) {
                (void)!import_join_end(join, NULL);
            }
            options.joins[i] = join;
        }
    }
    receipts = import_receipt_open(arena, map, &options);
    if (import_receipt_feed(receipts, lines, NULL) == ERR_OK) {
        (void)!import_receipt_end(receipts, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    size_t map_n = nul != NULL ? (size_t)(nul - data) : size;
    struct bytes lines = {(const char *)data + map_n + 1, nul != NULL ? size - map_n - 1 : 0};
    static struct arena arena, scratch; /* kept: making them anew is most of a run */
    const struct import_map *map;
    struct why why = {0};

    hash_start();
    if (arena.most_bytes == 0) {
        arena_open(&arena, 32 << 20, 64 << 20);
        arena_open(&scratch, 1 << 20, 4 << 20);
    }
    arena_reset(&arena);
    arena_reset(&scratch);
    if (import_map_read((struct bytes){(const char *)data, map_n}, &arena, &map, &why) == ERR_OK) {
        if (map->sheets[IMPORT_LINES].is_given) {
            read_lines(map, lines, &arena, &scratch);
        }
        for (int i = 1; i < IMPORT_SECTIONS; i++) {
            struct import_item_options options = {
                .tenant = {1}, .scratch = &scratch, .item = on_item, .store = on_store, .customer = on_customer};

            if (map->sheets[i].is_given) {
                struct import_items *items = import_item_open(&arena, map, (enum import_section)i, &options);

                if (import_item_feed(items, lines, NULL) == ERR_OK) {
                    (void)!import_item_end(items, NULL);
                }
            }
        }
    }
    return 0;
}
