/* SPDX-License-Identifier: Apache-2.0 */
/* model_copurchase.h - the item-item matrix W: from what was bought to what goes with it.
 *
 * Learnt by local ridge over customer-windows (train/train_ridge.h, models.md 4). Row i: at most 100 targets j
 * with W_ij, largest |W_ij| first; no row holds i itself; no pair that fewer than 5 customers bought. */
#pragma once

#include "model/model_popular.h"

enum { MODEL_W_ROW_MAX = 100, MODEL_CUSTOMERS_MIN = 5 };

const struct model_weight *model_copurchase_row(const struct model *model, uint32_t item, size_t *out_n);
