/* SPDX-License-Identifier: Apache-2.0 */
/* rank_train.h - a head's scores from examples: a logistic sum by Newton steps, trees by XGBoost (models.md 10).
 *
 * Sum: standardised values, a little ridge, steps halved while they do not help. Features that never differ keep the weight of `start`
 * (nobody looked at anything in a CSV of receipts) and cost nothing; NaN and infinities are taken as the mean. 1 M rows x 60
 * features that differ: 1 CPU-second; 100 trees on the same: 18, and 264 MB beside the rows.
 *
 * Trees: log-loss, tree_method hist, read back from the saved JSON model and padded to depth 6. The same rows give the same trees for
 * any number of threads: the slopes and curvatures are computed here and rounded to a step so coarse that sums of them in f64 are
 * exact in any order (and fine enough that a row of weight 1 is off by 2^-33 at most, for a million rows). Serving calls nothing of
 * this (model/model_rank.h). */
#pragma once

#include "model/model_rank.h"
#include "train/rank_rows.h"

struct rank_tree_settings { /* rounds 0: no trees */
    unsigned rounds, depth; /* at most MODEL_TREES_MAX, MODEL_TREE_DEPTH */
    float eta, subsample, columns, child_weight, ridge; /* .08 .8 .8 20 1 in models.md 10 */
    float base; /* the probability that boosting begins from; 0: the share of hits; .5 in models.md 10 needs more rounds */
    uint64_t seed;
};

struct rank_tree_settings rank_tree_settings_start(void);
/* rho, rho_source and the weights of features that never differ come from `start`; so does all of it where the rows are too few. */
struct model_rank rank_train_sum(const struct rank_rows *rows, const struct model_rank *start, size_t threads);
/* Adds trees to `rank` (trees_n, start) and gives them; free(*out_trees). uses: FEATURES flags, 0: not looked at; NULL: all. NaN is
 * "not known", infinities are 1e30. Errors: ERR_INVALID, fewer than 500 hits or one class only; ERR_IO, what XGBoost said, in why.
 * Memory: one byte a row and feature that differs, 16 a row. Thread: any; several at once. */
MUST_USE enum err rank_train_trees(const struct rank_rows *rows, const struct rank_tree_settings *settings,
                                   const uint8_t *uses, size_t threads, struct model_rank *rank,
                                   struct model_tree **out_trees, struct why *why);
