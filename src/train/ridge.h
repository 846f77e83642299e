/* SPDX-License-Identifier: Apache-2.0 */
/* ridge.h - the item-item matrix W by local ridge (models.md 4, alpha = 1).
 *
 *     rows r         what one customer bought in one window, each item once; omega_r = len_r^-gamma
 *     G              X' O X, kept per item: the most shared, at most RIDGE_KEPT, of pairs that at least
 *                    MODEL_CUSTOMERS_MIN different customers bought
 *     N(j)           the m items i with the largest G_ij / sqrt(G_ii + lambda)
 *     w_j            (G_NN + diag(lambda + delta G_ii))^-1 G_Nj     Cholesky, f32; fails: lambda x 4, at most thrice
 *     W_ij = w_j[i]  the MODEL_W_ROW_MAX largest |W_ij| of each source i
 * lambda is relative to the mean of G_ii. Each item's sums stay inside one thread, in a fixed order: any number of
 * threads gives the same bits. */
#pragma once

#include "model/model_copurchase.h"

#include <stddef.h>
#include <stdint.h>

enum { RIDGE_KEPT = 600 };

struct ridge_rows { /* sorted by customer */
    const size_t *at;         /* rows_n + 1 */
    const uint32_t *customer; /* by row */
    const uint32_t *item;     /* each once a row */
    size_t rows_n, items_n;
};

struct ridge_settings {
    float gamma, lambda, delta;
    size_t neighbours; /* m */
    size_t threads;
};

struct ridge_w { /* by source item, largest |weight| first; free both */
    uint32_t *at; /* items_n + 1 */
    struct model_weight *row;
};

struct ridge_w ridge_train(const struct ridge_rows *rows, const struct ridge_settings *settings);
