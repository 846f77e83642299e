/* SPDX-License-Identifier: Apache-2.0 */
/* import_item.h - items, stores and customers out of rows: [items], [stores] and [customers] of a map.
 *
 * An item needs an id and a title; where the title's columns are all empty the title is "Item ID". The form
 * `sentence` makes "ICE - CRUSHED/CUBED" and "22 LB" into "Ice - crushed/cubed, 22 lb": lower case (ASCII), the
 * first letter large, [words] replaced, a bracket that never closes cut off, blanks single. A file may name one
 * item on many rows (till lines): the first row of an id counts, later ones are passed over. */
#pragma once

#include "catalog/catalog.h"
#include "ingest/import_csv.h"
#include "ingest/import_map.h"
#include "ingest/import_receipt.h"

struct import_fact_value {
    struct bytes name, value; /* value not empty */
};

struct import_customer {
    struct event_identifier identifiers[EVENT_IDENTIFIERS_MAX]; /* as written, not normalised */
    size_t identifiers_n;
    struct import_fact_value facts[IMPORT_MAP_FACTS_MAX];
    size_t facts_n;
};

struct import_item_options {
    struct tenant_id tenant; /* for the hashes of ids */
    struct arena *scratch;   /* reset for every row */
    /* One of these by the section that is read; each gives an error to stop. All is a loan until it returns;
     * item.json and store.json are the objects as the API takes them (PUT /v1/items/{id}). */
    enum err (*item)(void *ctx, const struct item *item, uint64_t row, struct why *why);
    enum err (*store)(void *ctx, const struct store *store, uint64_t row, struct why *why);
    enum err (*customer)(void *ctx, const struct import_customer *customer, uint64_t row, struct why *why);
    void (*rejected)(void *ctx, const struct import_rejected *rejected); /* may be NULL */
    void *ctx;
};

struct import_items;

/* section: IMPORT_ITEMS, IMPORT_STORES or IMPORT_CUSTOMERS, given in the map. Lives in `arena`. NULL: it is full. */
struct import_items *import_item_open(struct arena *arena, const struct import_map *map, enum import_section section,
                                      const struct import_item_options *options);
MUST_USE enum err import_item_feed(struct import_items *items, struct bytes chunk, struct why *why);
MUST_USE enum err import_item_end(struct import_items *items, struct why *why);
/* Rows read, kept, left out (by a filter, or an id that came before) and rejected; the rest is 0. */
struct import_counts import_item_counts(const struct import_items *items);
