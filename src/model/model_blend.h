/* SPDX-License-Identifier: Apache-2.0 */
/* model_blend.h - how the retrievers' evidence adds up: one weight a feature, learnt on earlier first baskets.
 *
 *     score = bias + sum over features of weight * value        (log-odds of being in the next basket)
 * Values are made in decide/candidate.c, for training and serving by the same code. Evidence of an item the customer
 * has bought and of one that is new to them have their own weights: `_OWN` and `_NEW`. */
#pragma once

#include "model/model.h"

enum blend_feature { /* numbers are stored: add at the end, raise MODEL_FORMAT when one changes its meaning */
    BLEND_OWN,            /* 1: bought before */
    BLEND_COUNT,          /* ln(.05 + sum over own baskets with it of rho^(baskets since)) */
    BLEND_TIMES,          /* ln(times bought) */
    BLEND_BASKETS_SINCE,  /* ln(1 + baskets since the last) */
    BLEND_DAYS_SINCE,     /* ln(days since the last) */
    BLEND_RATE,           /* ln(times bought / baskets since the first) */
    BLEND_DUE,            /* ln(days since the last) - expected ln gap: 0 when due */
    BLEND_DUE_SQUARE,     /* its square */
    BLEND_REPEAT,         /* how often others buy it again: ln share */
    BLEND_TOGETHER_OWN,   /* sqrt of W's sum over what was bought */
    BLEND_TOGETHER_NEW,
    BLEND_POPULAR_OWN,    /* ln(1 + baskets of 28 days) */
    BLEND_POPULAR_NEW,
    BLEND_STORE_OWN,      /* the same in the customer's store, shrunk, scaled to the shop */
    BLEND_STORE_NEW,
    BLEND_REPEAT_NEW,     /* how often buyers come back to it, for an item new to this customer */
    BLEND_DAYS_DECAYED,   /* own purchases, each halved every 42 days */
    BLEND_BASKETS_DECAYED,/* own purchases, each times .8 a basket since */
    BLEND_LOOKED,         /* sqrt of W's sum over what was looked at, put in the basket, wished for */
    BLEND_INTEREST,       /* ln(1 + own looks): not for a single look at something never bought (P7) */
    BLEND_COUNT_SQUARE,   /* curves and crossings of the above, for items bought before */
    BLEND_BASKETS_SQUARE,
    BLEND_DAYS_SQUARE,
    BLEND_RATE_SQUARE,
    BLEND_COUNT_RATE,
    BLEND_COUNT_DAYS,
    BLEND_COUNT_REPEAT,
    BLEND_DAYS_REPEAT,
    BLEND_RATE_REPEAT,
    BLEND_FEATURES
};

struct model_blend { /* flat, as stored */
    float rho;           /* of BLEND_COUNT */
    float rho_source;    /* weight of a bought item as source of W: count with this rho, to the power .5 */
    float bias;
    uint32_t features_n; /* BLEND_FEATURES of its writer; the rest is zero */
    float weight[32];
    float mean[32];      /* of the value where it was learnt, over items own and new: what a reason is measured from */
};

const struct model_blend *model_blend(const struct model *model);
/* What a shop starts with until it has history of its own. */
extern const struct model_blend model_blend_start;
