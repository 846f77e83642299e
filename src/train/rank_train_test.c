/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rank_train.h"

#include "base/test.h"
#include "train/cores.h"

#include <stdlib.h>

enum { CASES = 1200, EACH = 12, ROWS = CASES * EACH };

/* OpenMP reads at loading that its threads shall sleep: without, more than one thread would not be used. */
__attribute__((constructor)) static void start_anew(void)
{
    cores_choose();
}

static double to_unit(double z)
{
    return 1 / (1 + exp(-z));
}

/* What comes is told by feature 3 (a straight line), by 40 and 70 together (neither alone), and by nothing else. Feature
 * 5 is always 2; 90 is noise of a few values. */
static struct rank_rows plant(struct rng *rng, double line, double crossing)
{
    struct rank_rows rows = {.n = ROWS, .cases_n = CASES};

    rows.value = history_zero(ROWS * FEATURES, sizeof(*rows.value));
    rows.hit = history_zero(ROWS, 1);
    rows.weight = history_zero(ROWS, sizeof(*rows.weight));
    rows.case_at = history_zero(CASES + 1, sizeof(*rows.case_at));
    for (size_t i = 0; i < ROWS; i++) {
        float *v = rows.value + i * FEATURES;
        double z;

        v[3] = (float)(2 * rng_unit(rng) - 1);
        v[5] = 2;
        v[40] = (float)(2 * rng_unit(rng) - 1);
        v[70] = (float)(2 * rng_unit(rng) - 1);
        v[90] = (float)rng_below(rng, 5);
        z = -1.5 + line * (double)v[3] + crossing * (v[40] * v[70] > 0.0f ? 1 : -1);
        rows.hit[i] = rng_unit(rng) < to_unit(z);
        rows.weight[i] = i / EACH % 2 == 0 ? 1.0f : 0.37f;
    }
    for (size_t c = 0; c <= CASES; c++) {
        rows.case_at[c] = c * EACH;
    }
    return rows;
}

static struct rank_tree_settings few(void)
{
    struct rank_tree_settings settings = rank_tree_settings_start();

    settings.rounds = 30;
    settings.eta = 0.2f;
    return settings;
}

static double loss_of(const struct rank_rows *rows, const float *margin)
{
    double loss = 0, weight = 0;

    for (size_t i = 0; i < rows->n; i++) {
        double w = (double)rows->weight[i], p = to_unit((double)margin[i]);

        loss -= w * log(rows->hit[i] ? p : 1 - p);
        weight += w;
    }
    return loss / weight;
}

TEST(trees_learn_what_a_sum_cannot)
{
    struct rng rng = {3};
    struct rank_rows rows = plant(&rng, 1, 1.5), fresh = plant(&rng, 1, 1.5);
    struct rank_tree_settings settings = few();
    struct model_rank rank = rank_train_sum(&rows, &model_rank_start, 1);
    struct model_tree *trees;
    struct why why;
    static float by_sum[ROWS], by_trees[ROWS];

    CHECK_OK(rank_train_trees(&rows, &settings, NULL, 1, &rank, &trees, &why));
    CHECK_INT(rank.trees_n, 30);
    model_rank_sum(&rank, fresh.value, ROWS, by_sum);
    model_trees_walk(trees, rank.trees_n, rank.start, fresh.value, ROWS, by_trees);
    CHECK(loss_of(&fresh, by_trees) < loss_of(&fresh, by_sum) - 0.05);
    free(trees);
    rank_rows_free(&rows);
    rank_rows_free(&fresh);
}

TEST(trees_are_the_same_for_any_number_of_threads)
{
    struct rng rng = {4};
    struct rank_rows rows = plant(&rng, 1, 1);
    struct rank_tree_settings settings = few();
    struct model_tree *trees[3];

    settings.rounds = 12;
    CHECK_INT(cores_openmp(2), 2);
    for (size_t threads = 1; threads <= 3; threads++) {
        struct model_rank rank = model_rank_start;
        struct why why;

        CHECK_OK(rank_train_trees(&rows, &settings, NULL, threads, &rank, &trees[threads - 1], &why));
        CHECK_SAME_BYTES(trees[threads - 1], trees[0], 12 * sizeof(*trees[0]));
    }
    for (size_t t = 0; t < 3; t++) {
        free(trees[t]);
    }
    rank_rows_free(&rows);
}

/* Sums of slopes are exact: the order of rows, and so of threads, says nothing, though weights are far apart. */
TEST(trees_are_the_same_for_rows_in_any_order)
{
    struct rng rng = {14};
    struct rank_rows rows = plant(&rng, 1, 1), turned = plant(&rng, 0, 0);
    struct rank_tree_settings settings = few();
    struct model_rank rank = model_rank_start;
    struct model_tree *one, *other;
    struct why why;

    settings.subsample = 1;
    settings.child_weight = 1;
    for (size_t i = 0; i < ROWS * FEATURES; i++) {
        rows.value[i] = rintf(4 * rows.value[i]) + 0.0f; /* no -0: it is as good a threshold as 0 */
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t from = (i * 7 + 5) % ROWS; /* 7 does not divide ROWS */

        rows.weight[i] = ldexpf(1 + (float)rng_unit(&rng), -(int)rng_below(&rng, 28));
        turned.hit[i] = rows.hit[from];
        memcpy(turned.value + i * FEATURES, rows.value + from * FEATURES, FEATURES * sizeof(float));
    }
    for (size_t i = 0; i < ROWS; i++) {
        turned.weight[i] = rows.weight[(i * 7 + 5) % ROWS];
    }
    CHECK_OK(rank_train_trees(&rows, &settings, NULL, 1, &rank, &one, &why));
    CHECK_OK(rank_train_trees(&turned, &settings, NULL, 1, &rank, &other, &why));
    CHECK_SAME_BYTES(one, other, settings.rounds * sizeof(*one));
    free(one);
    free(other);
    rank_rows_free(&rows);
    rank_rows_free(&turned);
}

TEST(trees_do_not_look_at_what_is_not_used)
{
    struct rng rng = {5};
    struct rank_rows rows = plant(&rng, 1, 1);
    struct rank_tree_settings settings = few();
    struct model_rank rank = model_rank_start;
    uint8_t uses[FEATURES] = {[3] = 1, [5] = 1, [70] = 1};
    struct model_tree *trees;
    struct why why;
    size_t splits = 0;

    CHECK_OK(rank_train_trees(&rows, &settings, uses, 1, &rank, &trees, &why));
    for (size_t t = 0; t < rank.trees_n; t++) {
        for (size_t n = 0; n < MODEL_TREE_NODES; n++) {
            unsigned feature = trees[t].feature[n] & 0x7fff;

            CHECK(feature == 3 || feature == 70 || feature == 0); /* 0: padding; 5 never differs */
            splits += feature != 0;
        }
    }
    CHECK(splits > rank.trees_n);
    free(trees);
    rank_rows_free(&rows);
}

TEST(trees_of_nan_and_infinities_can_be_walked)
{
    struct rng rng = {6};
    struct rank_rows rows = plant(&rng, 1, 1);
    struct rank_tree_settings settings = few();
    struct model_rank rank = model_rank_start;
    struct model_tree *trees;
    struct why why;
    static float margin[ROWS];

    for (size_t i = 0; i < ROWS * FEATURES; i++) {
        uint64_t kind = rng_below(&rng, 9);

        rows.value[i] = kind == 0 ? NAN : kind == 1 ? INFINITY : kind == 2 ? -INFINITY : rows.value[i];
    }
    CHECK_OK(rank_train_trees(&rows, &settings, NULL, 1, &rank, &trees, &why));
    model_trees_walk(trees, rank.trees_n, rank.start, rows.value, ROWS, margin);
    for (size_t i = 0; i < ROWS; i++) {
        CHECK(isfinite(margin[i]));
    }
    CHECK(loss_of(&rows, margin) < 0.693);
    free(trees);
    rank_rows_free(&rows);
}

TEST(trees_of_too_little_are_refused_in_words)
{
    struct rng rng = {7};
    struct rank_rows rows = plant(&rng, 0, 0), none = {0};
    struct rank_tree_settings settings = few();
    struct model_rank rank = model_rank_start;
    struct model_tree *trees = NULL;
    struct why why = {{0}};
    size_t at[1] = {0};

    none.case_at = at;
    CHECK_INT(rank_train_trees(&none, &settings, NULL, 1, &rank, &trees, &why), ERR_INVALID);
    memset(rows.hit, 1, ROWS);
    CHECK_INT(rank_train_trees(&rows, &settings, NULL, 1, &rank, &trees, &why), ERR_INVALID);
    memset(rows.hit + 499, 0, ROWS - 499);
    CHECK_INT(rank_train_trees(&rows, &settings, NULL, 1, &rank, &trees, &why), ERR_INVALID);
    CHECK(strstr(why.says, "499") != NULL);
    rows.hit[700] = 1;
    CHECK_OK(rank_train_trees(&rows, &settings, NULL, 1, &rank, &trees, &why));
    free(trees);
    settings.depth = 7;
    CHECK_INT(rank_train_trees(&rows, &settings, NULL, 1, &rank, &trees, &why), ERR_INVALID);
    rank_rows_free(&rows);
}

/* The planted weights are found again, and what never differs keeps the weight it had. */
TEST(sum_finds_the_planted_weights)
{
    struct rng rng = {9};
    struct rank_rows rows = plant(&rng, 2, 0);
    struct model_rank one = rank_train_sum(&rows, &model_rank_start, 1),
                      two = rank_train_sum(&rows, &model_rank_start, 2);

    CHECK_WITHIN((double)one.weight[3], 2, 0.15);
    CHECK_WITHIN((double)one.bias + 2 * (double)one.weight[5], -1.5, 0.15); /* 5 is always 2 */
    CHECK_WITHIN((double)one.weight[40], 0, 0.15);
    CHECK_WITHIN((double)one.weight[90], 0, 0.05);
    CHECK(one.weight[5] == model_rank_start.weight[5]);
    CHECK(one.weight[FEATURE_LOOKED] == model_rank_start.weight[FEATURE_LOOKED]);
    CHECK_SAME_BYTES(&one, &two, sizeof(one));
    rank_rows_free(&rows);
}

TEST(sum_of_nan_and_infinities_is_finite)
{
    struct rng rng = {12};
    struct rank_rows rows = plant(&rng, 2, 0);
    struct model_rank rank;

    for (size_t i = 0; i < ROWS * FEATURES; i += 1 + rng_below(&rng, 40)) {
        rows.value[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    }
    rank = rank_train_sum(&rows, &model_rank_start, 1);
    CHECK_WITHIN((double)rank.weight[3], 2, 0.2);
    for (size_t f = 0; f < FEATURES; f++) {
        CHECK(isfinite(rank.weight[f]) && isfinite(rank.mean[f]));
    }
    rank_rows_free(&rows);
}

TEST(sum_of_too_little_is_the_start)
{
    struct rng rng = {10};
    struct rank_rows rows = plant(&rng, 2, 0);
    struct model_rank rank;

    memset(rows.hit, 0, ROWS);
    rank = rank_train_sum(&rows, &model_rank_start, 1);
    CHECK_SAME_BYTES(&rank, &model_rank_start, sizeof(rank));
    rank_rows_free(&rows);
}
