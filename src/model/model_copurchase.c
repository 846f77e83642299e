/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_copurchase.h"

#include "model/model_inside.h"

#include <assert.h>

const struct model_weight *model_w_row(const struct model *model, enum model_w kind, uint32_t item, size_t *out_n)
{
    const struct model_rows *rows = &model->w[kind];

    assert(item < model->head.items_n);
    if (rows->at == NULL) {
        *out_n = 0;
        return NULL;
    }
    *out_n = rows->at[item + 1] - rows->at[item];
    return rows->row + rows->at[item];
}

bool model_w_has(const struct model *model, enum model_w kind)
{
    return model->w[kind].at != NULL && model->w[kind].at[model->head.items_n] > 0;
}

enum err model_open_w(struct model *model, const struct bytes *found, struct why *why)
{
    size_t items_n = model->head.items_n;

    for (unsigned k = 0; k < MODEL_WS_; k++) {
        unsigned tag = MODEL_SECTION_W + 2 * k;
        size_t rows_n = found[tag + 1].n / sizeof(struct model_weight);
        const uint32_t *at = model_array(found, tag, items_n + 1, sizeof(uint32_t));
        const struct model_weight *row = model_array(found, tag + 1, rows_n, sizeof(*row));

        if (found[tag].p == NULL && found[tag + 1].p == NULL) {
            continue; /* not learnt */
        }
        if (at == NULL || row == NULL || !model_good_rows(at, items_n, rows_n, MODEL_W_ROW_MAX) ||
            !model_good_weights(row, rows_n, (uint32_t)items_n)) {
            return model_bad(why, "rows", "the model file's rows of items contradict themselves");
        }
        model->w[k] = (struct model_rows){at, row};
    }
    return ERR_OK;
}
