/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_blend.h"

#include "model/model_inside.h"

const struct model_blend *model_blend(const struct model *model)
{
    return model->blend;
}

/* Learnt on complete_journey (August to October 2017), rounded. Receipts tell nothing of looks: the weights of LOOKED and
 * INTEREST are chosen so that what goes with an item just looked at enters a row of eight beside staples. */
const struct model_blend model_blend_start = {
    .rho = 0.97f,
    .rho_source = 0.97f,
    .bias = -7.68f,
    .features_n = BLEND_FEATURES,
    .weight = {
        [BLEND_OWN] = 4.541f,
        [BLEND_COUNT] = 0.591f,
        [BLEND_TIMES] = 0.569f,
        [BLEND_BASKETS_SINCE] = -0.012f,
        [BLEND_DAYS_SINCE] = 0.195f,
        [BLEND_RATE] = 0.591f,
        [BLEND_DUE] = -0.040f,
        [BLEND_DUE_SQUARE] = -0.101f,
        [BLEND_REPEAT] = 0.421f,
        [BLEND_TOGETHER_OWN] = 0.031f,
        [BLEND_TOGETHER_NEW] = 1.978f,
        [BLEND_POPULAR_OWN] = 0.117f,
        [BLEND_POPULAR_NEW] = 0.213f,
        [BLEND_STORE_OWN] = -0.023f,
        [BLEND_STORE_NEW] = 0.037f,
        [BLEND_REPEAT_NEW] = -0.209f,
        [BLEND_DAYS_DECAYED] = 0.050f,
        [BLEND_BASKETS_DECAYED] = 0.351f,
        [BLEND_LOOKED] = 10.000f,
        [BLEND_INTEREST] = 1.000f,
        [BLEND_COUNT_SQUARE] = -0.250f,
        [BLEND_BASKETS_SQUARE] = -0.053f,
        [BLEND_DAYS_SQUARE] = 0.033f,
        [BLEND_RATE_SQUARE] = 0.055f,
        [BLEND_COUNT_RATE] = 0.271f,
        [BLEND_COUNT_DAYS] = -0.024f,
        [BLEND_COUNT_REPEAT] = -0.212f,
        [BLEND_DAYS_REPEAT] = 0.037f,
        [BLEND_RATE_REPEAT] = 0.086f,
    },
    .mean = {
        [BLEND_OWN] = 0.688f,
        [BLEND_COUNT] = -0.218f,
        [BLEND_TIMES] = 0.162f,
        [BLEND_BASKETS_SINCE] = 1.780f,
        [BLEND_DAYS_SINCE] = 2.968f,
        [BLEND_RATE] = -1.797f,
        [BLEND_DUE] = 0.769f,
        [BLEND_DUE_SQUARE] = 1.634f,
        [BLEND_REPEAT] = -2.915f,
        [BLEND_TOGETHER_OWN] = 0.091f,
        [BLEND_TOGETHER_NEW] = 0.101f,
        [BLEND_POPULAR_OWN] = 1.425f,
        [BLEND_POPULAR_NEW] = 1.274f,
        [BLEND_STORE_OWN] = 0.476f,
        [BLEND_STORE_NEW] = 0.670f,
        [BLEND_REPEAT_NEW] = -1.044f,
        [BLEND_DAYS_DECAYED] = 0.274f,
        [BLEND_BASKETS_DECAYED] = 0.148f,
        [BLEND_COUNT_SQUARE] = 0.344f,
        [BLEND_BASKETS_SQUARE] = 5.366f,
        [BLEND_DAYS_SQUARE] = 13.474f,
        [BLEND_RATE_SQUARE] = 5.334f,
        [BLEND_COUNT_RATE] = 0.885f,
        [BLEND_COUNT_DAYS] = -1.191f,
        [BLEND_COUNT_REPEAT] = 1.048f,
        [BLEND_DAYS_REPEAT] = -12.682f,
        [BLEND_RATE_REPEAT] = 7.725f,
    },
};
