/* SPDX-License-Identifier: Apache-2.0 */
/* model_build.h - from learnt arrays to the bytes of a model file. The trainer's last step, and how tests make models. */
#pragma once

#include "model/model_blend.h"
#include "model/model_copurchase.h"
#include "model/model_file.h"
#include "model/model_popular.h"
#include "model/model_segment.h"

struct model_build { /* all zero: a model of nothing, but blend must be given. Arrays as in enum model_section. */
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
    const uint32_t *w_at;
    const struct model_weight *w_row;
    const struct model_blend *blend;
    const struct model_segments *segments; /* NULL: none made */
    const uint32_t *segment_at, *segment_row;
    const float *factor, *centre;
    struct bytes note;
};

/* Gives the file's bytes, 64-aligned, in `arena`. The same input gives the same bytes. Errors: ERR_NOMEM;
 * ERR_CONFLICT, two items share an id. */
MUST_USE enum err model_build(const struct model_build *from, struct arena *arena, struct bytes *out_file);
