/* SPDX-License-Identifier: Apache-2.0 */
/* item_json.h - items, stores and stock as others write them (product.md 7.6), and as they are kept.
 *
 * What is kept of an item or store is its JSON, rewritten in one order of fields: what GET gives. A stock
 * row:
 *     id   store u64 | item u64
 *     row  format u8 1 | quantity in 1/1000 signed | said at ms signed | store text | item text
 * Text of the structs is borrowed from the tree or lies in the arena. */
#pragma once

#include "base/json_form.h"
#include "catalog/catalog.h"

/* Reads an item. id: of the path, empty when the body must name it. All faults are gathered; false when
 * there was one. item->json is the canonical object. */
bool item_json_read(struct json_form *form, const struct json_node *node, struct tenant_id tenant,
                    struct bytes id, const char *currency, struct arena *arena, struct item *out_item);
bool store_json_read(struct json_form *form, const struct json_node *node, struct tenant_id tenant,
                     struct bytes id, struct arena *arena, struct store *out_store);
/* A stored row (empty: deleted). Errors: ERR_CORRUPT. */
MUST_USE enum err item_json_stored(struct tenant_id tenant, struct bytes id, struct bytes row,
                                   uint64_t revision, struct arena *arena, struct item *out_item);
MUST_USE enum err store_json_stored(struct tenant_id tenant, struct bytes id, struct bytes row,
                                    uint64_t revision, struct arena *arena, struct store *out_store);

struct item_made {                        /* an item that an importer's files name */
    struct bytes id, group, title, brand; /* title empty: the id stands in */
    struct bytes category[ITEM_CATEGORIES_MAX];
    size_t category_n;
    int64_t price_minor; /* -1: not said */
    char currency[4];
    int64_t added_ms; /* 0: not said */
};
/* The row to put into STORAGE_ITEM under id; {NULL, 0} when the arena is full. Texts are cut by nobody:
 * the reader's limits (title 2,048 bytes, steps and brand 256) are the caller's to keep. */
struct bytes item_json_made(const struct item_made *made, struct arena *arena);

struct stock_row {
    struct store_id store;
    struct item_id item;
    int64_t milli;
    int64_t at_ms; /* when it was said to be so */
    struct bytes store_text, item_text;
};

enum { STOCK_ID_BYTES = 16, STOCK_ROW_BYTES = 640 };
void stock_row_id(const struct stock_row *stock, uint8_t out_id[STOCK_ID_BYTES]);
struct bytes stock_row_encode(const struct stock_row *stock, struct arena *arena);
bool stock_row_decode(struct bytes id, struct bytes row, struct stock_row *out_stock);
