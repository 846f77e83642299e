/* SPDX-License-Identifier: Apache-2.0 */
/* model_segment.h - customers put into groups, the way of working that one-to-one has to beat.
 *
 * Four segmentations, each with a list of the most bought for every group, over all time and over the last 28 days: home
 * store; quintiles of baskets x quintiles of spend; home store x quintile of baskets; k-means groups over 32
 * factors of ln(1 + count) (settled.md 5.3). A picture is put into its group at request time; nothing about a customer is kept. */
#pragma once

#include "model/model.h"
#include "profile/part.h"

enum { MODEL_FACTORS = 32, MODEL_QUINTILES = 5, MODEL_GROUPS_MAX = 64, MODEL_SEGMENT_LIST_MAX = 100 };

enum model_segment_kind {
    MODEL_SEGMENT_STORE = 0,
    MODEL_SEGMENT_SPEND_FREQUENCY = 1,
    MODEL_SEGMENT_STORE_FREQUENCY = 2,
    MODEL_SEGMENT_GROUP = 3,
    MODEL_SEGMENTS_
};

struct model_segments { /* flat, as stored */
    uint32_t list_first[MODEL_SEGMENTS_]; /* list of (kind, key, basis): first + 2 * key + basis */
    uint32_t keys_n[MODEL_SEGMENTS_];     /* 0: this segmentation was not made */
    uint32_t lists_n;
    uint32_t chosen;       /* the kind served as variant `segment`: best on the validation part */
    uint32_t chosen_basis; /* 0 all time, 1 last 28 days */
    uint32_t groups_n;
    float baskets_over[MODEL_QUINTILES - 1]; /* quintile q: more baskets than baskets_over[q - 1] */
    float spend_over[MODEL_QUINTILES - 1];   /* minor units */
    uint32_t spare[2];
};

const char *model_segment_word(enum model_segment_kind kind);
const struct model_segments *model_segments(const struct model *model);
/* What segments are made of: the store of most baskets (ties: the smaller id), baskets and spend ever. */
struct model_habits {
    struct store_id home;
    float baskets, spend_minor;
};
struct model_habits model_segment_habits(const struct part *life);
/* 0 .. 4. */
unsigned model_segment_quintile(const float over[MODEL_QUINTILES - 1], float v);
/* The list for this life under one segmentation; n 0: unknown to it (no history, unknown store).
 * Cost: GROUP reads 32 floats an item of the life; others are look-ups. */
const uint32_t *model_segment_list(const struct model *model, enum model_segment_kind kind, unsigned basis,
                                   const struct part *life, size_t *out_n);
/* Distinct items of the life that the model knows, and in how many baskets each was bought. Lines sent twice in one
 * basket count twice. */
void model_segment_counts(const struct model *model, const struct part *life, uint32_t items[PART_LINES],
                          uint32_t times[PART_LINES], size_t *out_n);
