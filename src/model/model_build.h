/* SPDX-License-Identifier: Apache-2.0 */
/* model_build.h - from learnt arrays to the bytes of a model file. The trainer's last step, and how tests make models. */
#pragma once

#include "model/model_copurchase.h"
#include "model/model_file.h"
#include "model/model_lifetime.h"
#include "model/model_popular.h"
#include "model/model_rank.h"
#include "model/model_segment.h"
#include "model/model_session.h"

struct model_build_rows { /* at NULL: not learnt */
    const uint32_t *at; /* items_n + 1 */
    const struct model_weight *row;
};

struct model_build_index { /* sequences_n 0: none */
    uint32_t sequences_n;
    const uint32_t *at, *item;
    const uint8_t *step;
    const int64_t *end_ms;
    const uint64_t *owner;
    const uint32_t *posting_at, *posting;
    const uint32_t *holders; /* items_n + 1: sequences that hold the item, kept or not; the last: all sequences */
};

struct model_build { /* all zero: a model of nothing. Arrays as in enum model_section. */
    struct model_head head;
    const uint64_t *item_id;  /* items: dense numbers fall with all_n, then ascend with id text */
    const uint32_t *text_at;
    const char *text;
    const struct model_item *stat;
    const uint32_t *recent, *all;
    size_t recent_n, all_n;
    const uint64_t *store_id;
    const uint32_t *store_at;
    const struct model_weight *store_row;
    const float *store_sum;
    struct model_build_rows w[MODEL_WS_];
    struct model_rank rank[MODEL_HEADS_];
    const struct model_tree *trees[MODEL_HEADS_];     /* rank[h].trees_n of them */
    struct model_domain_settings domain[MODEL_DOMAINS_];
    struct model_build_index index[MODEL_DOMAINS_];
    const struct model_seen *seen;                    /* items_n; NULL: nothing counted */
    const struct model_lifetime *lifetime;            /* NULL: not learnt */
    const struct model_segments *segments; /* NULL: none made */
    const uint32_t *segment_at, *segment_row;
    const float *factor, *centre;
    struct bytes note;
};

/* Gives the file's bytes, 64-aligned, in `arena`. The same input gives the same bytes. Errors: ERR_NOMEM;
 * ERR_CONFLICT, two items share an id. */
MUST_USE enum err model_build(const struct model_build *from, struct arena *arena, struct bytes *out_file);
