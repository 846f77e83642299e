/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_walk.h"

#include "base/test.h"
#include "model/model_kit.h"

#include <stdlib.h>

enum { ROWS_MAX = 70, TREES = 9 };

static float value[ROWS_MAX * FEATURES];
static struct model_tree trees[TREES];

/* Rows of what a file or a bug might bring: numbers, thresholds themselves, NaN (in every second plant), infinities,
 * zeros of both signs. */
static void plant(struct rng *rng, size_t rows)
{
    bool has_nan = rng_coin(rng);

    for (size_t t = 0; t < TREES; t++) {
        kit_tree(rng, &trees[t]);
    }
    for (size_t i = 0; i < rows * FEATURES; i++) {
        const struct model_tree *tree = &trees[rng_below(rng, TREES)];

        switch (rng_below(rng, 8)) {
        case 0:
            value[i] = has_nan ? NAN : 1.0f;
            break;
        case 1:
            value[i] = rng_coin(rng) ? INFINITY : -INFINITY;
            break;
        case 2:
            value[i] = rng_coin(rng) ? 0.0f : -0.0f;
            break;
        case 3:
            value[i] = tree->threshold[rng_below(rng, MODEL_TREE_NODES)];
            break;
        default:
            value[i] = (float)(3 * rng_unit(rng) - 1.5);
            break;
        }
    }
}

static struct model_tree stump(uint16_t feature, float threshold, float left, float right)
{
    struct model_tree tree = {
        .feature[0] = feature, .threshold[0] = threshold, .mean[0] = (left + right) / 2};

    for (size_t n = 1; n < MODEL_TREE_NODES; n++) {
        size_t top = n;

        while (top > 2) {
            top = (top - 1) / 2;
        }
        tree.mean[n] = top == 1 ? left : right;
    }
    for (size_t l = 0; l < MODEL_TREE_LEAVES; l++) {
        tree.leaf[l] = l < 32 ? left : right;
    }
    return tree;
}

TEST(walk_goes_left_below_the_threshold_and_for_nan_where_told)
{
    const float rows[6] = {1.0f, 1.5f, 2.0f, NAN, -INFINITY, INFINITY};
    const float wanted[2][6] = {{-3, 9, 9, 9, -3, 9}, {-3, 9, 9, -3, -3, 9}};
    float margin[6];

    for (unsigned way = 0; way <= (unsigned)model_walk_best(); way++) {
        for (unsigned nan_left = 0; nan_left < 2; nan_left++) {
            struct model_tree tree = stump((uint16_t)(95 | nan_left << 15), 1.5f, -4, 8);

            memset(value, 0, sizeof(value));
            for (size_t i = 0; i < 6; i++) {
                value[i * FEATURES + 95] = rows[i];
            }
            model_walk_trees((enum model_walk)way, &tree, 1, 1, value, 6, margin);
            CHECK_SAME_BYTES(margin, wanted[nan_left], sizeof(margin));
        }
    }
}

/* Every leaf is reached by its own path: the path's bits are its number. */
TEST(walk_reaches_each_leaf)
{
    struct model_tree tree = {0};
    float margin[64];

    memset(value, 0, sizeof(value));
    for (size_t n = 0; n < MODEL_TREE_NODES; n++) {
        size_t level = 0;

        while (n + 1 >= (size_t)2 << level) {
            level++;
        }
        tree.feature[n] = (uint16_t)(level * 19);
        tree.threshold[n] = 0.5f;
    }
    for (size_t l = 0; l < MODEL_TREE_LEAVES; l++) {
        tree.leaf[l] = (float)l;
        for (size_t level = 0; level < 6; level++) {
            value[l * FEATURES + level * 19] = (float)(l >> (5 - level) & 1);
        }
    }
    for (unsigned way = 0; way <= (unsigned)model_walk_best(); way++) {
        model_walk_trees((enum model_walk)way, &tree, 1, 0, value, 64, margin);
        for (size_t l = 0; l < MODEL_TREE_LEAVES; l++) {
            CHECK((size_t)margin[l] == l);
        }
    }
}

PROPERTY(walk_of_any_way_gives_the_same_bits)
{
    size_t rows = rng_below(rng, ROWS_MAX + 1), trees_n = rng_below(rng, TREES + 1);
    float wanted[ROWS_MAX + 1], margin[ROWS_MAX + 1];

    plant(rng, rows);
    model_trees_walk_scalar(trees, trees_n, -1.5f, value, rows, wanted);
    for (unsigned way = 0; way <= (unsigned)model_walk_best(); way++) {
        margin[rows] = 77; /* nothing is written behind the rows */
        model_walk_trees((enum model_walk)way, trees, trees_n, -1.5f, value, rows, margin);
        CHECK(margin[rows] == 77.0f);
        CHECK_SAME_BYTES(margin, wanted, rows * sizeof(*margin));
    }
    model_trees_walk(trees, trees_n, -1.5f, value, rows, margin);
    CHECK_SAME_BYTES(margin, wanted, rows * sizeof(*margin));
}

PROPERTY(walk_reads_no_row_but_its_own)
{
    size_t rows = 1 + rng_below(rng, ROWS_MAX);
    float all[ROWS_MAX], one;

    plant(rng, rows);
    model_trees_walk(trees, TREES, 0.25f, value, rows, all);
    for (size_t i = 0; i < rows; i++) {
        float *alone = malloc(FEATURES * sizeof(*alone)); /* a read past it is seen under ASan */

        memcpy(alone, value + i * FEATURES, FEATURES * sizeof(*alone));
        model_trees_walk(trees, TREES, 0.25f, alone, 1, &one);
        free(alone);
        CHECK_SAME_BYTES(&one, &all[i], sizeof(one));
    }
}

PROPERTY(sum_of_any_way_gives_the_same_bits_and_is_finite)
{
    struct model_rank rank = {.bias = -3};
    size_t rows = rng_below(rng, ROWS_MAX);
    float wanted[ROWS_MAX], margin[ROWS_MAX];

    plant(rng, rows);
    for (size_t f = 0; f < FEATURES; f++) {
        rank.weight[f] = (float)(2 * rng_unit(rng) - 1);
    }
    for (size_t i = 0; rng_coin(rng) && i < rows * FEATURES; i++) {
        value[i] = isfinite(value[i]) ? value[i] : 0;
    }
    model_walk_sum(MODEL_WALK_SCALAR, &rank, value, rows, wanted);
    for (unsigned way = 0; way <= (unsigned)model_walk_best(); way++) {
        model_walk_sum((enum model_walk)way, &rank, value, rows, margin);
        CHECK_SAME_BYTES(margin, wanted, rows * sizeof(*margin));
    }
    for (size_t i = 0; i < rows; i++) {
        double sum = -3;

        for (size_t f = 0; f < FEATURES; f++) {
            sum += (double)rank.weight[f] * (double)value[i * FEATURES + f];
        }
        CHECK(isfinite(wanted[i]));
        CHECK_WITHIN((double)wanted[i], isfinite(sum) ? sum : -1e6, 1e-4);
    }
}

/* What features add is the margin less what is said of nobody; a stump's whole say is its feature's. */
PROPERTY(explained_features_add_up)
{
    float margin, by_feature[FEATURES], rest;
    double sum;

    plant(rng, 1);
    model_trees_walk(trees, TREES, -2, value, 1, &margin);
    model_trees_explain(trees, TREES, -2, value, by_feature, &rest);
    sum = (double)rest;
    for (size_t f = 0; f < FEATURES; f++) {
        sum += (double)by_feature[f];
    }
    CHECK_WITHIN(sum, (double)margin, 1e-5);
}

TEST(explained_stump_is_its_feature)
{
    struct model_tree tree = stump(17, 0, -1, 3);
    float by_feature[FEATURES], rest;

    memset(value, 0, sizeof(value));
    model_trees_explain(&tree, 1, -2, value, by_feature, &rest);
    CHECK_NEAR((double)rest, -1);
    for (size_t f = 0; f < FEATURES; f++) {
        CHECK_NEAR((double)by_feature[f], f == 17 ? 2 : 0);
    }
}
