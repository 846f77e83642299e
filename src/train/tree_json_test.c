/* SPDX-License-Identifier: Apache-2.0 */
#include "train/tree_json.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

#include <xgboost/c_api.h>

#define MODEL_OF(trees) "{\"learner\":{\"gradient_booster\":{\"model\":{\"trees\":[" trees "]}}}}"
#define TREE_OF(left, right, column, value, nan_left, weight)                                                \
    "{\"left_children\":[" left "],\"right_children\":[" right "],\"split_indices\":[" column                \
    "],\"split_conditions\":[" value "],\"default_left\":[" nan_left "],\"sum_hessian\":[" weight            \
    "],\"split_type\":[" nan_left "]}"

static const uint16_t feature_of[3] = {7, 40, 95};

static enum err read_text(const char *text, size_t trees_most, struct model_tree *out_trees, size_t *out_n)
{
    struct arena arena;
    struct why why = {{0}};
    enum err err;

    arena_open(&arena, 1 << 16, 1 << 24);
    err = tree_json_read(bytes_of(text), feature_of, 3, trees_most, &arena, out_trees, out_n, &why);
    arena_close(&arena);
    CHECK(err == ERR_OK || why.says[0] != 0);
    return err;
}

/* Root: column 2 < 1.5 goes to a leaf of -4 that six of eight examples reached, else column 1 < -2 goes to 1, else to 3. */
TEST(tree_json_of_three_leaves_is_padded)
{
    static const char text[] = MODEL_OF(
        TREE_OF("1,-1,3,-1,-1", "2,-1,4,-1,-1", "2,0,1,0,0", "1.5E0,-4,-2,1,3", "0,0,0,0,0", "8,6,2,1,1"));
    struct model_tree tree;
    float value[4 * FEATURES] = {0}, margin[4];
    size_t n;

    CHECK_OK(read_text(text, 1, &tree, &n));
    CHECK_INT(n, 1);
    CHECK_INT(tree.feature[0], 95);
    CHECK_INT(tree.feature[2], 40);
    CHECK_NEAR((double)tree.mean[2], 2);
    CHECK_NEAR((double)tree.mean[0], -2.5);
    value[0 * FEATURES + 95] = 1;
    value[1 * FEATURES + 95] = 1.5f;
    value[1 * FEATURES + 40] = -3;
    value[2 * FEATURES + 95] = NAN; /* right, at both */
    value[2 * FEATURES + 40] = NAN;
    value[3 * FEATURES + 95] = NAN;
    value[3 * FEATURES + 40] = -INFINITY;
    model_trees_walk(&tree, 1, 0.5f, value, 4, margin);
    CHECK_NEAR((double)margin[0], -3.5);
    CHECK_NEAR((double)margin[1], 1.5);
    CHECK_NEAR((double)margin[2], 3.5);
    CHECK_NEAR((double)margin[3], 1.5);
}

TEST(tree_json_that_cannot_be_walked_is_refused)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        MODEL_OF("7"),
        MODEL_OF("{}"),
        MODEL_OF(TREE_OF("1", "1", "0", "1", "0", "1")),               /* a child that is not there */
        MODEL_OF(TREE_OF("0,-1", "1,-1", "0,0", "1,1", "0,0", "1,1")), /* a circle */
        MODEL_OF(TREE_OF("1,-1,-1", "-1,-1,-1", "0,0,0", "1,1,1", "0,0,0", "1,1,1")), /* one child */
        MODEL_OF(TREE_OF("1,-1,-1", "2,-1,-1", "3,0,0", "1,1,1", "0,0,0", "1,1,1")),  /* a column too many */
        MODEL_OF(TREE_OF("1,-1,-1", "2,-1,-1", "0,0,0", "1,1", "0,0,0", "1,1,1")),    /* a number short */
        MODEL_OF(TREE_OF("1,-1,-1", "2,-1,-1", "0,0,0", "1,1,1e300", "0,0,0", "1,1,1")), /* no f32 */
        MODEL_OF(TREE_OF("1,-1,-1", "2,-1,-1", "0,0,0", "1,1,1", "1,0,0",
                         "1,1,1")), /* split_type 1: by category */
        MODEL_OF(TREE_OF("-1", "-1", "0", "1", "0", "1") "," TREE_OF("-1", "-1", "0", "1", "0",
                                                                     "1")), /* one too many */
        MODEL_OF(TREE_OF("1,3,-1,5,-1,7,-1,9,-1,11,-1,13,-1,-1,-1",
                         "2,4,-1,6,-1,8,-1,10,-1,12,-1,14,-1,-1,-1", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
                         "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
                         "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1")), /* seven deep */
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct model_tree trees[2];
        size_t n = 99;

        CHECK_INT(read_text(texts[i], 1, trees, &n), ERR_INVALID);
        CHECK_INT(n, 99);
    }
}

/* ---- beside XGBoost itself ---- */

enum { LEARN_N = 6000, ASK_N = 10000, COLUMNS = 24, ROUNDS = 60 };

static void plant(struct rng *rng, float *value, size_t n, bool has_infinity)
{
    for (size_t i = 0; i < n * COLUMNS; i++) {
        uint64_t kind = rng_below(rng, 16);

        value[i] = kind == 0 ? NAN : i % 3 == 0 ? (float)rng_below(rng, 9) : (float)(4 * rng_unit(rng) - 2);
        if (has_infinity && kind == 1) {
            value[i] = rng_coin(rng) ? INFINITY : -INFINITY;
        }
    }
}

static void array_text(char text[160], const float *value, size_t n)
{
    (void)snprintf(text, 160, "{\"data\":[%zu,false],\"shape\":[%zu,%d],\"typestr\":\"<f4\",\"version\":3}",
                   (size_t)(uintptr_t)value, n, (int)COLUMNS);
}

static BoosterHandle learn(struct rng *rng, DMatrixHandle *out_matrix)
{
    static const char *const params[][2] = {{"objective", "binary:logistic"},
                                            {"base_score", "0.3"},
                                            {"tree_method", "hist"},
                                            {"max_depth", "6"},
                                            {"subsample", "0.8"},
                                            {"nthread", "1"},
                                            {"verbosity", "0"}};
    static float value[LEARN_N * COLUMNS], label[LEARN_N];
    char text[160];
    BoosterHandle booster;

    plant(rng, value, LEARN_N, false);
    for (size_t i = 0; i < LEARN_N; i++) {
        const float *v = value + i * COLUMNS;
        double z =
            (isnan(v[1]) ? 1.5 : (double)v[1] * (double)(isnan(v[2]) ? 1 : v[2])) + (v[3] > 4.0f ? 1 : -1);

        label[i] = rng_unit(rng) < 1 / (1 + exp(-z)) ? 1 : 0;
    }
    array_text(text, value, LEARN_N);
    CHECK_OK(XGDMatrixCreateFromDense(text, "{\"missing\": NaN, \"nthread\": 1}", out_matrix));
    CHECK_OK(XGDMatrixSetFloatInfo(*out_matrix, "label", label, LEARN_N));
    CHECK_OK(XGBoosterCreate(out_matrix, 1, &booster));
    for (size_t i = 0; i < sizeof(params) / sizeof(*params); i++) {
        CHECK_OK(XGBoosterSetParam(booster, params[i][0], params[i][1]));
    }
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(XGBoosterUpdateOneIter(booster, i, *out_matrix));
    }
    return booster;
}

/* 10,000 rows, NaN in every sixteenth value and infinities as often: the walk says what XGBoost says of them. */
TEST(tree_json_trees_give_what_xgboost_predicts)
{
    static float asked[ASK_N * COLUMNS], wide[ASK_N * FEATURES], margin[ASK_N];
    static struct model_tree trees[ROUNDS];
    struct rng rng = {11};
    struct arena arena;
    struct why why;
    uint16_t columns[COLUMNS];
    DMatrixHandle matrix;
    BoosterHandle booster = learn(&rng, &matrix);
    const float *wanted;
    const bst_ulong *shape;
    const char *json;
    bst_ulong bytes, dims;
    char text[160];
    size_t n;
    double worst = 0, spread = 0;

    plant(&rng, asked, ASK_N, true);
    for (size_t c = 0; c < COLUMNS; c++) {
        columns[c] = (uint16_t)(4 * c + 1);
        for (size_t i = 0; i < ASK_N; i++) {
            wide[i * FEATURES + columns[c]] = asked[i * COLUMNS + c];
        }
    }
    CHECK_OK(XGBoosterSaveModelToBuffer(booster, "{\"format\":\"json\"}", &bytes, &json));
    arena_open(&arena, 1 << 20, 1 << 28);
    CHECK_OK(tree_json_read((struct bytes){json, bytes}, columns, COLUMNS, ROUNDS, &arena, trees, &n, &why));
    arena_close(&arena);
    CHECK_INT(n, ROUNDS);
    model_trees_walk(trees, n, (float)log(0.3 / 0.7), wide, ASK_N, margin);
    array_text(text, asked, ASK_N);
    CHECK_OK(
        XGBoosterPredictFromDense(booster, text,
                                  "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
                                  "\"missing\":NaN,\"strict_shape\":false,\"cache_id\":0}",
                                  NULL, &shape, &dims, &wanted));
    for (size_t i = 0; i < ASK_N; i++) {
        worst = fmax(worst, fabs((double)margin[i] - (double)wanted[i]));
        spread = fmax(spread, fabs((double)margin[i] - (double)margin[0]));
    }
    CHECK(worst < 1e-5);
    CHECK(spread > 1); /* they say something */
    CHECK_OK(XGBoosterFree(booster));
    CHECK_OK(XGDMatrixFree(matrix));
}
