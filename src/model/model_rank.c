/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_rank.h"

#include "model/model_inside.h"
#include "model/model_walk.h"

#include <math.h>

const struct model_rank *model_rank(const struct model *model, enum model_head_kind head)
{
    return &model->rank[head];
}

const struct model_tree *model_trees(const struct model *model, enum model_head_kind head, size_t *out_n)
{
    *out_n = model->rank[head].trees_n;
    return model->trees[head];
}

void model_rank_sum(const struct model_rank *rank, const float *value, size_t n, float *out_margin)
{
    model_walk_sum(model_walk_best(), rank, value, n, out_margin);
}

void model_trees_explain(const struct model_tree *trees, size_t trees_n, float start, const float value[FEATURES],
                         float out_by_feature[FEATURES], float *out_rest)
{
    double by_feature[FEATURES] = {0}, rest = (double)start;

    for (size_t t = 0; t < trees_n; t++) {
        const struct model_tree *tree = &trees[t];
        double now = (double)tree->mean[0];
        size_t node = 0;

        rest += now;
        while (node < MODEL_TREE_NODES) {
            size_t feature = tree->feature[node] & 0x7fff;
            float v = value[feature];
            bool goes_left = isnan(v) ? (tree->feature[node] & 0x8000) != 0 : v < tree->threshold[node];
            double next;

            node = 2 * node + 2 - goes_left;
            next = (double)(node < MODEL_TREE_NODES ? tree->mean[node] : tree->leaf[node - MODEL_TREE_NODES]);
            by_feature[feature] += next - now;
            now = next;
        }
    }
    for (size_t f = 0; f < FEATURES; f++) {
        out_by_feature[f] = (float)by_feature[f];
    }
    *out_rest = (float)rest;
}

/* ---- opening ---- */

/* No score is beyond this in log-odds, and 150 trees of such leaves still add up to a finite number. */
#define MARGIN_MAX 1e6f

static bool is_margin(float x)
{
    return x >= -MARGIN_MAX && x <= MARGIN_MAX; /* NaN is not */
}

static bool is_good_rank(const struct model_rank *rank)
{
    return isfinite(rank->bias) && is_margin(rank->start) && rank->trees_n <= MODEL_TREES_MAX &&
           model_good_floats(rank->weight, FEATURES) && model_good_floats(rank->mean, FEATURES) && rank->rho >= 0 &&
           rank->rho <= 1 && rank->rho_source >= 0 && rank->rho_source <= 1;
}

static bool is_good_tree(const struct model_tree *tree)
{
    for (size_t n = 0; n < MODEL_TREE_NODES; n++) {
        if ((tree->feature[n] & 0x7fff) >= FEATURES || isnan(tree->threshold[n]) || !is_margin(tree->mean[n])) {
            return false;
        }
    }
    for (size_t l = 0; l < MODEL_TREE_LEAVES; l++) {
        if (!is_margin(tree->leaf[l])) {
            return false;
        }
    }
    return tree->spare == 0;
}

enum err model_open_rank(struct model *model, const struct bytes *found, struct why *why)
{
    model->rank = model_array(found, MODEL_SECTION_RANK, MODEL_HEADS_, sizeof(struct model_rank));
    for (unsigned h = 0; model->rank != NULL && h < MODEL_HEADS_; h++) {
        size_t trees_n = model->rank[h].trees_n;

        if (!is_good_rank(&model->rank[h])) {
            return model_bad(why, "rank", "the model file's scores are not numbers that can be added");
        }
        model->trees[h] = trees_n == 0 ? NULL : model_array(found, MODEL_SECTION_TREES + h, trees_n, sizeof(struct model_tree));
        if (trees_n > 0 && model->trees[h] == NULL) {
            return model_bad(why, "trees", "the model file lacks its trees");
        }
        for (size_t t = 0; t < trees_n; t++) {
            if (!is_good_tree(&model->trees[h][t])) {
                return model_bad(why, "trees", "a tree of the model file cannot be walked");
            }
        }
    }
    return model->rank != NULL ? ERR_OK : model_bad(why, "rank", "the model file lacks its scores");
}

/* Learnt on complete_journey (August to October 2017), rounded. Receipts tell nothing of looks: the weights of LOOKED and
 * INTEREST are chosen so that what goes with an item just looked at enters a row of eight beside staples. */
const struct model_rank model_rank_start = {
    .is_learnt = 1,
    .rho = 0.97f,
    .rho_source = 0.97f,
    .bias = -7.68f,
    .weight = {
        [FEATURE_OWN] = 4.541f,
        [FEATURE_COUNT] = 0.591f,
        [FEATURE_TIMES] = 0.569f,
        [FEATURE_BASKETS_SINCE] = -0.012f,
        [FEATURE_DAYS_SINCE] = 0.195f,
        [FEATURE_RATE] = 0.591f,
        [FEATURE_DUE] = -0.040f,
        [FEATURE_DUE_SQUARE] = -0.101f,
        [FEATURE_REPEAT] = 0.421f,
        [FEATURE_TOGETHER_OWN] = 0.031f,
        [FEATURE_TOGETHER_NEW] = 1.978f,
        [FEATURE_POPULAR_OWN] = 0.117f,
        [FEATURE_POPULAR_NEW] = 0.213f,
        [FEATURE_STORE_OWN] = -0.023f,
        [FEATURE_STORE_NEW] = 0.037f,
        [FEATURE_REPEAT_NEW] = -0.209f,
        [FEATURE_DAYS_DECAYED] = 0.050f,
        [FEATURE_BASKETS_DECAYED] = 0.351f,
        [FEATURE_LOOKED] = 10.000f,
        [FEATURE_INTEREST] = 1.000f,
        [FEATURE_COUNT_SQUARE] = -0.250f,
        [FEATURE_BASKETS_SQUARE] = -0.053f,
        [FEATURE_DAYS_SQUARE] = 0.033f,
        [FEATURE_RATE_SQUARE] = 0.055f,
        [FEATURE_COUNT_RATE] = 0.271f,
        [FEATURE_COUNT_DAYS] = -0.024f,
        [FEATURE_COUNT_REPEAT] = -0.212f,
        [FEATURE_DAYS_REPEAT] = 0.037f,
        [FEATURE_RATE_REPEAT] = 0.086f,
    },
    .mean = {
        [FEATURE_OWN] = 0.688f,
        [FEATURE_COUNT] = -0.218f,
        [FEATURE_TIMES] = 0.162f,
        [FEATURE_BASKETS_SINCE] = 1.780f,
        [FEATURE_DAYS_SINCE] = 2.968f,
        [FEATURE_RATE] = -1.797f,
        [FEATURE_DUE] = 0.769f,
        [FEATURE_DUE_SQUARE] = 1.634f,
        [FEATURE_REPEAT] = -2.915f,
        [FEATURE_TOGETHER_OWN] = 0.091f,
        [FEATURE_TOGETHER_NEW] = 0.101f,
        [FEATURE_POPULAR_OWN] = 1.425f,
        [FEATURE_POPULAR_NEW] = 1.274f,
        [FEATURE_STORE_OWN] = 0.476f,
        [FEATURE_STORE_NEW] = 0.670f,
        [FEATURE_REPEAT_NEW] = -1.044f,
        [FEATURE_DAYS_DECAYED] = 0.274f,
        [FEATURE_BASKETS_DECAYED] = 0.148f,
        [FEATURE_COUNT_SQUARE] = 0.344f,
        [FEATURE_BASKETS_SQUARE] = 5.366f,
        [FEATURE_DAYS_SQUARE] = 13.474f,
        [FEATURE_RATE_SQUARE] = 5.334f,
        [FEATURE_COUNT_RATE] = 0.885f,
        [FEATURE_COUNT_DAYS] = -1.191f,
        [FEATURE_COUNT_REPEAT] = 1.048f,
        [FEATURE_DAYS_REPEAT] = -12.682f,
        [FEATURE_RATE_REPEAT] = 7.725f,
    },
};

/* The shares are of a list's largest, so 1 at most: the blend of models.md 10 made steep enough that the best
 * candidates stand apart, and of what both lists leave out the more popular first. The bias says that one in a hundred
 * candidates comes. */
const struct model_rank model_rank_start_session = {
    .is_learnt = 1,
    .rho = 0.97f,
    .rho_source = 0.97f,
    .bias = -4.6f,
    .weight = {
        [FEATURE_SESSION_FIRST + FEATURE_W_SHARE] = 2.0f,
        [FEATURE_SESSION_FIRST + FEATURE_VSTAN_SHARE] = 3.0f,
        [FEATURE_SESSION_FIRST + FEATURE_POPULAR] = 0.02f,
        [FEATURE_SESSION_FIRST + FEATURE_RECENT] = 0.02f,
    },
    .mean = {
        [FEATURE_SESSION_FIRST + FEATURE_W_SHARE] = 0.1f,
        [FEATURE_SESSION_FIRST + FEATURE_VSTAN_SHARE] = 0.1f,
        [FEATURE_SESSION_FIRST + FEATURE_POPULAR] = 4.0f,
        [FEATURE_SESSION_FIRST + FEATURE_RECENT] = 2.0f,
    },
};
