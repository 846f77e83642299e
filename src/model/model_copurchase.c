/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_copurchase.h"

#include "model/model_inside.h"

#include <assert.h>

const struct model_weight *model_copurchase_row(const struct model *model, uint32_t item, size_t *out_n)
{
    assert(item < model->head.items_n);
    *out_n = model->w_at[item + 1] - model->w_at[item];
    return model->w_row + model->w_at[item];
}
