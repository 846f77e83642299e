/* SPDX-License-Identifier: Apache-2.0 */
/* tree_json.h - trees as XGBoost saves them, made into trees as Falun walks them.
 *
 * Read from a saved JSON model (1.7), not from its text dump, which rounds: learner.gradient_booster.model.trees, each with the arrays
 * left_children, right_children, split_indices, split_conditions (of a leaf: what it gives), default_left and sum_hessian. A
 * leaf above depth 6 is repeated below: its nodes compare feature 0 with 0 and give the same either way. */
#pragma once

#include "base/arena.h"
#include "model/model_rank.h"

/* feature_of: the feature behind each of the booster's columns_n columns. Gives at most trees_most trees; rest holds what was parsed and may be
 * reset after. Errors: ERR_INVALID, not such a model, or one that is deeper, splits by categories or has more trees; ERR_NOMEM. */
MUST_USE enum err tree_json_read(struct bytes json, const uint16_t *feature_of, size_t columns_n,
                                 size_t trees_most, struct arena *rest, struct model_tree *out_trees,
                                 size_t *out_n, struct why *why);
