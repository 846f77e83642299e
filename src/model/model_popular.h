/* SPDX-License-Identifier: Apache-2.0 */
/* model_popular.h - what is bought, by everybody and by store, lately and ever.
 *
 * Counts are baskets with the item; "recent" is the last 28 days before the model's newest event. A store's share is
 * shrunk to the shop's: (bought here + k * share of the shop) / (lines here + k), k = 200 lines (models.md 2). */
#pragma once

#include "model/model.h"

enum { MODEL_POPULAR_MAX = 1000 }; /* entries of a list or of a store's row */

struct model_weight { /* one entry of a row */
    uint32_t item;
    float weight;
};

struct model_item { /* what is known of one item, 32 bytes: two a cache line */
    float recent_n;   /* baskets of the last 28 days */
    float all_n;      /* baskets ever */
    float log_recent; /* ln(1 + recent_n): popularity as scores use it */
    float log_repeat; /* ln of the shrunk share of later baskets in which a buyer bought it again */
    float gap;        /* mean of ln(days between a buyer's purchases), shrunk to the shop's */
    float gap_spread; /* spread of ln(days between), shrunk to the shop's; 0: not learnt */
    float units;      /* mean of ln(pieces of a line), shrunk to 0 */
    float spare;
};

/* Rows of items; at most 1,000 each. Never NULL. */
const uint32_t *model_popular_recent(const struct model *model, size_t *out_n);
const uint32_t *model_popular_all(const struct model *model, size_t *out_n);
/* The most bought of a store, most first; n 0 where the store is unknown. */
const struct model_weight *model_popular_store(const struct model *model, struct store_id store, size_t *out_n,
                                               float *out_sum);
/* The place of a store in the file, or MODEL_NONE. */
uint32_t model_store_find(const struct model *model, struct store_id store);
const struct model_item *model_item(const struct model *model, uint32_t item);
float model_popular_recent_sum(const struct model *model); /* of recent_n over all items; > 0 */

#define MODEL_STORE_PRIOR 200.0f
