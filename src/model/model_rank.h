/* SPDX-License-Identifier: Apache-2.0 */
/* model_rank.h - the learnt score of an item: a logistic sum, always there, and trees over the same features.
 *
 * Two heads: SESSION ranks what comes next in a visit under way, HISTORY what is bought next by a customer who is not
 * browsing. Both give log-odds. Trees are learnt by XGBoost (train/rank_train.h) and walked here, vectorised by what
 * the processor has, the scalar walk being the reference: all walks give the same bits.
 *
 *     tree     64 leaves f32 | 63 thresholds f32 | 63 features u16, bit 15: NaN goes left | 0 u16 | 63 means f32;
 *              padded to depth 6, nodes in level order; a row goes left iff value < threshold
 * Margin of trees = start + sum over trees of leaf, added in the order of the trees in f32. A node's mean is that of the leaves below
 * it, each counted by the weight of the examples that ended there. */
#pragma once

#include "model/model.h"
#include "model/model_feature.h"

#include <stddef.h>

enum model_head_kind { MODEL_HEAD_SESSION = 0, MODEL_HEAD_HISTORY = 1, MODEL_HEADS_ };

enum { MODEL_TREES_MAX = 150, MODEL_TREE_DEPTH = 6, MODEL_TREE_NODES = 63, MODEL_TREE_LEAVES = 64 };

struct model_rank { /* flat, as stored, one a head; is_learnt 0: the head was not learnt */
    uint32_t is_learnt;
    uint32_t trees_n;      /* 0: the logistic sum alone */
    float start;           /* of the trees' margin */
    float bias;            /* of the logistic sum */
    float rho, rho_source; /* of FEATURE_COUNT; of a bought item as source of W, to the power .5 */
    uint32_t most;         /* candidates ranked by trees: the best of the logistic sum, 0: all */
    uint32_t spare;
    float weight[FEATURES];
    float mean[FEATURES];  /* of the value where it was learnt: what a reason is measured from */
};

struct model_tree { /* one tree, 888 bytes as stored */
    float leaf[MODEL_TREE_LEAVES];
    float threshold[MODEL_TREE_NODES];
    uint16_t feature[MODEL_TREE_NODES]; /* bits 0..14 the feature, 15: NaN goes left */
    uint16_t spare;
    float mean[MODEL_TREE_NODES]; /* read by model_trees_explain alone */
};
_Static_assert(sizeof(struct model_tree) == 888, "no padding is stored");

const struct model_rank *model_rank(const struct model *model, enum model_head_kind head); /* never NULL */
const struct model_tree *model_trees(const struct model *model, enum model_head_kind head, size_t *out_n);

/* value: n x FEATURES, row by row. out_margin: n, always finite: a sum that is no number is -1e6. Cost: 120 rows about 2 us. */
void model_rank_sum(const struct model_rank *rank, const float *value, size_t n, float *out_margin);
/* Any values, NaN and infinities included; n below 2^24. Cost: 60 trees x 120 rows about 30 to 60 us with AVX2 or AVX-512. */
void model_trees_walk(const struct model_tree *trees, size_t trees_n, float start, const float *value, size_t n,
                      float *out_margin);
/* The reference; model_trees_walk gives the same bits. */
void model_trees_walk_scalar(const struct model_tree *trees, size_t trees_n, float start, const float *value, size_t n,
                             float *out_margin);
/* What each feature added to one row's margin, by the mean of the leaves below each node on its way (Saabas 2014):
 * out_by_feature adds up to margin - *out_rest but for rounding, where out_rest is what the trees say of a row they know nothing of.
 * Cost: that of the scalar walk; for the few rows that are shown. */
void model_trees_explain(const struct model_tree *trees, size_t trees_n, float start, const float value[FEATURES],
                         float out_by_feature[FEATURES], float *out_rest);

/* What a shop starts with until it has history of its own: HISTORY's logistic sum. */
extern const struct model_rank model_rank_start;
/* The same for SESSION: the fixed blend of models.md 10, what goes with the visit and what visits like it went on to. */
extern const struct model_rank model_rank_start_session;
