/* SPDX-License-Identifier: Apache-2.0 */
/* model_inside.h - an opened model, for the files of this room only: pointers into the mapped bytes. */
#pragma once

#include "model/model_blend.h"
#include "model/model_copurchase.h"
#include "model/model_file.h"
#include "model/model_popular.h"
#include "model/model_segment.h"

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
    const uint32_t *w_at;
    const struct model_weight *w_row;
    const struct model_blend *blend;
    const struct model_segments *segments;
    const uint32_t *segment_at, *segment_row;
    const float *factor, *centre; /* NULL: no groups */
    struct bytes note;
    uint8_t hash[32];
    char hash_text[65];
};
