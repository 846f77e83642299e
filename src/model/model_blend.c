/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_blend.h"

#include "model/model_inside.h"

const struct model_blend *model_blend(const struct model *model)
{
    return model->blend;
}

const struct model_blend model_blend_start = {
    .rho = 0.97f,
    .rho_source = 0.97f,
    .bias = -6.0f,
    .features_n = BLEND_FEATURES,
    .weight = {[BLEND_OWN] = 5.0f,
               [BLEND_COUNT] = 0.6f,
               [BLEND_BASKETS_SINCE] = -0.2f,
               [BLEND_RATE] = 0.3f,
               [BLEND_DUE_SQUARE] = -0.05f,
               [BLEND_REPEAT] = 0.7f,
               [BLEND_TOGETHER_OWN] = 1.0f,
               [BLEND_TOGETHER_NEW] = 4.0f,
               [BLEND_POPULAR_OWN] = 0.15f,
               [BLEND_POPULAR_NEW] = 0.3f,
               [BLEND_STORE_OWN] = 0.1f,
               [BLEND_STORE_NEW] = 0.3f,
               [BLEND_LOOKED] = 10.0f,
               [BLEND_INTEREST] = 1.0f},
};
