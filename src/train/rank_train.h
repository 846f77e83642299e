/* SPDX-License-Identifier: Apache-2.0 */
/* rank_train.h - a head's scores from examples: a logistic sum by Newton steps.
 *
 * Sum: standardised values, a little ridge, steps halved while they do not help. Features that never differ keep the weight
 * of `start` (nobody looked at anything in a CSV of receipts). Trees: binary:logistic, tree_method hist, read back from the saved
 * JSON model, padded to depth 6. The same rows give the same trees for any number of threads. */
#pragma once

#include "model/model_rank.h"
#include "train/rank_rows.h"


/* rho, rho_source and the weights of features that never differ come from `start`; so does all of it where the rows are too few. */
struct model_rank rank_train_sum(const struct rank_rows *rows, const struct model_rank *start, size_t threads);
