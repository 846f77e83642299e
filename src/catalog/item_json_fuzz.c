/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of items and stores of any bytes: what is read is kept, and what is kept reads back to the same
 * bytes. Stock rows of any bytes. */
#include "catalog/item_json.h"

#include "base/hash.h"
#include "base/json_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep_item(const struct json_node *node, struct arena *arena)
{
    struct json_form form = {0};
    struct item item, again;

    if (!item_json_read(&form, node, (struct tenant_id){1}, (struct bytes){0}, "NOK", arena, &item)) {
        return;
    }
    if (item_json_stored((struct tenant_id){1}, item.id_text, item.json, 1, arena, &again) != ERR_OK ||
        !bytes_equal(again.json, item.json) || again.price_minor != item.price_minor) {
        abort();
    }
}

static void keep_store(const struct json_node *node, struct arena *arena)
{
    struct json_form form = {0};
    struct store store, again;

    if (store_json_read(&form, node, (struct tenant_id){1}, (struct bytes){0}, arena, &store) &&
        (store_json_stored((struct tenant_id){1}, store.id_text, store.json, 1, arena, &again) != ERR_OK ||
         !bytes_equal(again.json, store.json))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct bytes text = {(const char *)data, size};
    const struct json_node *node;
    struct stock_row row;

    if (arena.first == NULL) {
        hash_start();
        arena_open(&arena, 1 << 16, 64u << 20);
    }
    arena_reset(&arena);
    if (size >= STOCK_ID_BYTES) {
        (void)stock_row_decode((struct bytes){text.p, STOCK_ID_BYTES},
                               (struct bytes){text.p + STOCK_ID_BYTES, size - STOCK_ID_BYTES}, &row);
    }
    if (json_read_strict(&arena, text, &node, NULL) == ERR_OK) {
        keep_item(node, &arena);
        keep_store(node, &arena);
    }
    return 0;
}
