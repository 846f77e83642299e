/* SPDX-License-Identifier: Apache-2.0 */
/* model_inside.h - an opened model, for the files of this room only: pointers into the mapped bytes. */
#pragma once

#include "model/model_copurchase.h"
#include "model/model_file.h"
#include "model/model_lifetime.h"
#include "model/model_popular.h"
#include "model/model_rank.h"
#include "model/model_segment.h"
#include "model/model_session.h"

struct model_rows { /* rows of weights by item; at NULL: the kind was not learnt */
    const uint32_t *at;
    const struct model_weight *row;
};

struct model_index { /* sequences of one domain and their postings; sequences_n 0: none */
    uint32_t sequences_n;
    const uint32_t *at, *item; /* sequences_n + 1; items end to end */
    const uint8_t *step;
    const int64_t *end_ms;
    const uint64_t *owner;
    const uint32_t *posting_at, *posting; /* items_n + 1; sequence numbers, newest first */
    const uint32_t *holders; /* items_n + 1; NULL where sequences_n is 0 */
};

struct model {
    struct model_head head;
    const uint64_t *item_id;
    const uint32_t *text_at;
    const char *text;
    const uint32_t *table;
    uint32_t table_mask;
    const struct model_item *stat;
    const uint32_t *recent, *all;
    size_t recent_n, all_n;
    float recent_sum;
    const uint64_t *store_id;
    const uint32_t *store_at;
    const struct model_weight *store_row;
    const float *store_sum;
    struct model_rows w[MODEL_WS_];
    const struct model_rank *rank; /* MODEL_HEADS_ of them */
    const struct model_tree *trees[MODEL_HEADS_];
    const struct model_domain_settings *domain; /* MODEL_DOMAINS_ of them */
    struct model_index index[MODEL_DOMAINS_];
    const struct model_seen *seen; /* NULL: nothing was counted */
    const struct model_lifetime *lifetime; /* NULL: not learnt */
    const struct model_segments *segments;
    const uint32_t *segment_at, *segment_row;
    const float *factor, *centre; /* NULL: no groups */
    struct bytes note;
    uint8_t hash[32];
    char hash_text[65];
};

/* ---- opening (model_file.c): each file of the room looks at its own sections ---- */

enum err model_bad(struct why *why, const char *field, const char *says);
/* The section's array when it has exactly n things of `each` bytes, else NULL. */
const void *model_array(const struct bytes *found, unsigned tag, size_t n, size_t each);
bool model_good_floats(const float *p, size_t n);
/* Offsets of n rows into `end` entries: ascending from 0 to end, none longer than `most`. */
bool model_good_rows(const uint32_t *at, size_t n, size_t end, size_t most);
bool model_good_items(const uint32_t *items, size_t n, uint32_t items_n);
bool model_good_weights(const struct model_weight *row, size_t n, uint32_t items_n);

enum err model_open_w(struct model *model, const struct bytes *found, struct why *why);
enum err model_open_rank(struct model *model, const struct bytes *found, struct why *why);
enum err model_open_lifetime(struct model *model, const struct bytes *found, struct why *why);
enum err model_open_session(struct model *model, const struct bytes *found, struct why *why);
