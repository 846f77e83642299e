/* SPDX-License-Identifier: Apache-2.0 */
/* ridge.h - item-item matrices by local ridge (models.md 4): copy (ridge_copy.h), sweep (ridge_sweep.h), solve.
 *
 *     rows r         items of one sequence (a visit, a customer's window), the newest RIDGE_ROW_MOST of them;
 *                    omega_r = len_r^-gamma * exp(-age_r / age_days), len_r: distinct items
 *     X, Z, Y        X: the row's distinct items, each 1 / distinct (alpha 1 alone: each 1); Z: the item at one step; Y: items
 *                    of later steps, weighted exp(-(s - t - 1) / tau), l1-normalised, at most 60 items ahead
 *     G              alpha X' O X + (1 - alpha) Z' O Z          of steps that something follows; kept per item: the most
 *                    shared, at most RIDGE_KEPT, of pairs that at least customers_min different customers share
 *     C              alpha X' O X + (1 - alpha) Z' O Y          exact, under the same condition; where n customers share a
 *                    pair, times n / (n + doubt): what one did says less of the next than its share of a sum
 *     N(j)           the m items i with the largest C_ij / sqrt(G_ii + lambda)
 *     w_j            (G_NN + diag(lambda + delta G_ii))^-1 C_Nj     Cholesky, f32; fails: lambda x 4, at most thrice, then each
 *                    source for itself
 *     W_ij = w_j[i]  the row_most largest |W_ij| of each source i
 * lambda is relative to the mean of G_ii, and at least a thousandth of it. Where is_target is given, G is of sources (all their
 * steps: that nothing followed is news), C from sources to targets, len_r counts sources. alpha 1: a row of W never holds the
 * item itself, unless is_target is given; below 1 it may. Each item's sums stay inside one thread, in a fixed order: any
 * number of threads gives the same bits. */
#pragma once

#include "model/model_copurchase.h"

#include <stddef.h>
#include <stdint.h>

enum { RIDGE_KEPT = 600 };

struct ridge_rows { /* borrowed */
    const size_t *at;         /* rows_n + 1 */
    const uint32_t *customer; /* by row */
    const uint32_t *item;
    const uint8_t *step;      /* by item, ascending within a row; NULL: a set, needs alpha 1 */
    const uint8_t *is_target; /* by item: 1 it may be a target, 0 it may be a source; NULL: both. MODEL_W_BOUGHT */
    const int64_t *end_ms;    /* by row; NULL: age says nothing */
    size_t rows_n, items_n;
    int64_t now_ms;           /* age is counted from */
};

struct ridge_settings {
    float gamma;              /* below 0: long rows count for more, as where X is 1 / distinct */
    float lambda, delta;
    float alpha;              /* 1: sets, EASE-like; 0: a regularised Markov rule */
    float tau;                /* steps; alpha < 1 */
    float age_days;           /* 0: age says nothing */
    float doubt;              /* customers; 0: none */
    size_t neighbours;        /* m */
    size_t row_most;          /* k, at most MODEL_W_ROW_MAX */
    size_t customers_min;     /* at most 15; MODEL_CUSTOMERS_MIN for all that is published, protocols may say 1: with
                                 doubt 0 nothing is counted then */
    size_t threads;
};

struct ridge_w { /* by source item, largest |weight| first; free both */
    uint32_t *at; /* items_n + 1 */
    struct model_weight *row;
};

/* Memory: at most items_n * (RIDGE_KEPT + neighbours) * 8 bytes, 8 bytes a row's item (20 below alpha 1), never the whole
 * Gram. Cost: sum of len^2 of the rows, then .1 ms an item at m = 100 (ridge_bench). Settings that are not finite are an
 * assertion. */
struct ridge_w ridge_train(const struct ridge_rows *rows, const struct ridge_settings *settings);
