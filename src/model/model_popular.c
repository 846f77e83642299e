/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_popular.h"

#include "model/model_inside.h"

#include <assert.h>

const uint32_t *model_popular_recent(const struct model *model, size_t *out_n)
{
    *out_n = model->recent_n;
    return model->recent;
}

const uint32_t *model_popular_all(const struct model *model, size_t *out_n)
{
    *out_n = model->all_n;
    return model->all;
}

uint32_t model_store_find(const struct model *model, struct store_id store)
{
    size_t low = 0, high = model->head.stores_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (model->store_id[middle] < store.v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < model->head.stores_n && model->store_id[low] == store.v ? (uint32_t)low : MODEL_NONE;
}

const struct model_weight *model_popular_store(const struct model *model, struct store_id store, size_t *out_n,
                                               float *out_sum)
{
    uint32_t at = model_store_find(model, store);

    *out_n = 0;
    *out_sum = 0;
    if (at == MODEL_NONE) {
        return model->store_row;
    }
    *out_n = model->store_at[at + 1] - model->store_at[at];
    *out_sum = model->store_sum[at];
    return model->store_row + model->store_at[at];
}

const struct model_item *model_item(const struct model *model, uint32_t item)
{
    assert(item < model->head.items_n);
    return &model->stat[item];
}

float model_popular_recent_sum(const struct model *model)
{
    return model->recent_sum > 1.0f ? model->recent_sum : 1.0f;
}
