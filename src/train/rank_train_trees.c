/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cores.h"
#include "train/exact.h"
#include "train/pool.h"
#include "train/rank_train.h"
#include "train/tree_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <xgboost/c_api.h>

enum { BATCH = 16384, HITS_LEAST = 500, PARAM_BYTES = 32 };

#define VALUE_MOST 1e30f /* stands for infinity, which XGBoost refuses */

struct boost {
    const struct rank_rows *rows;
    const struct rank_tree_settings *settings;
    uint16_t feature_of[FEATURES]; /* of a column */
    size_t columns_n;
    size_t n; /* rows->n */
    size_t threads;
    float start;
    double step; /* slopes and curvatures are its multiples */
    float *slope, *curve;
    const float *margin; /* XGBoost's */
    float *batch;
    size_t batch_at;
    DMatrixHandle proxy, matrix;
    BoosterHandle booster;
};

static enum err said(struct why *why)
{
    const char *says = XGBGetLastError();

    return why_say(why, ERR_IO, "xgboost", "", "XGBoost says: %.*s", (int)strcspn(says, "\n"),
                   says); /* a trace follows */
}

/* ---- rows in ---- */

static void fill_part(void *ctx, size_t from, size_t to)
{
    const struct boost *boost = ctx;

    for (size_t i = from; i < to; i++) {
        const float *value = boost->rows->value + (boost->batch_at + i) * FEATURES;
        float *to_row = boost->batch + i * boost->columns_n;

        for (size_t c = 0; c < boost->columns_n; c++) {
            float v = value[boost->feature_of[c]];

            to_row[c] = v > VALUE_MOST ? VALUE_MOST : v < -VALUE_MOST ? -VALUE_MOST : v;
        }
    }
}

static int next_batch(DataIterHandle handle)
{
    struct boost *boost = handle;
    size_t n = boost->n - boost->batch_at < BATCH ? boost->n - boost->batch_at : BATCH;
    char array[160];

    if (n == 0) {
        return 0;
    }
    pool_run(boost->threads, 1024, n, fill_part, boost);
    (void)snprintf(array, sizeof(array),
                   "{\"data\":[%zu,false],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
                   (size_t)(uintptr_t)boost->batch, n, boost->columns_n);
    if (XGProxyDMatrixSetDataDense(boost->proxy, array) != 0) {
        return 0; /* the matrix is then too short, which XGBoost says */
    }
    boost->batch_at += n;
    return 1;
}

static void first_batch(DataIterHandle handle)
{
    ((struct boost *)handle)->batch_at = 0;
}

static bool make_matrix(struct boost *boost)
{
    char config[80];
    bst_ulong n = 0;

    (void)snprintf(config, sizeof(config), "{\"missing\": NaN, \"nthread\": %zu, \"max_bin\": 256}",
                   boost->threads);
    return XGProxyDMatrixCreate(&boost->proxy) == 0 &&
           XGQuantileDMatrixCreateFromCallback(boost, boost->proxy, NULL, first_batch, next_batch, config,
                                               &boost->matrix) == 0 &&
           XGDMatrixNumRow(boost->matrix, &n) == 0 && n == boost->n;
}

/* ---- boosting ---- */

static bool make_booster(struct boost *boost)
{
    const struct rank_tree_settings *s = boost->settings;
    const struct {
        const char *name;
        double value;
    } params[] = {{"nthread", (double)boost->threads},
                  {"seed", (double)(s->seed % INT32_MAX)},
                  {"base_score", (double)boost->start},
                  {"eta", (double)s->eta},
                  {"max_depth", s->depth},
                  {"subsample", (double)s->subsample},
                  {"colsample_bytree", (double)s->columns},
                  {"min_child_weight", (double)s->child_weight},
                  {"lambda", (double)s->ridge},
                  {"verbosity", 0}};
    bool is_good =
        XGBoosterCreate(&boost->matrix, 1, &boost->booster) == 0 &&
        XGBoosterSetParam(boost->booster, "tree_method", "hist") == 0 &&
        XGBoosterSetParam(boost->booster, "objective", "reg:squarederror") == 0; /* margins as they are */

    for (size_t i = 0; is_good && i < sizeof(params) / sizeof(*params); i++) {
        char text[PARAM_BYTES];

        (void)snprintf(text, sizeof(text), "%.9g", params[i].value);
        is_good = XGBoosterSetParam(boost->booster, params[i].name, text) == 0;
    }
    return is_good;
}

static void slope_part(void *ctx, size_t from, size_t to)
{
    const struct boost *boost = ctx;

    for (size_t i = from; i < to; i++) {
        double w = (double)boost->rows->weight[i], p = 1 / (1 + exp(-(double)boost->margin[i]));

        boost->slope[i] = exact_round(w * (p - boost->rows->hit[i]), boost->step);
        boost->curve[i] = exact_round(w * p * (1 - p), boost->step);
    }
}

static bool boost_round(struct boost *boost)
{
    bst_ulong n = 0;

    if (XGBoosterPredict(boost->booster, boost->matrix, 1, 0, 1, &n, &boost->margin) != 0 || n != boost->n) {
        return false;
    }
    pool_run(boost->threads, BATCH, boost->n, slope_part, boost);
    return XGBoosterBoostOneIter(boost->booster, boost->matrix, boost->slope, boost->curve, boost->n) == 0;
}

static enum err read_trees(struct boost *boost, struct model_tree *trees, size_t *out_n, struct why *why)
{
    bst_ulong bytes = 0;
    const char *text = NULL;
    struct arena arena;
    enum err err;

    if (XGBoosterSaveModelToBuffer(boost->booster, "{\"format\":\"json\"}", &bytes, &text) != 0) {
        return said(why);
    }
    arena_open(&arena, 1 << 20, (size_t)1 << 30);
    err = tree_json_read((struct bytes){text, bytes}, boost->feature_of, boost->columns_n,
                         boost->settings->rounds, &arena, trees, out_n, why);
    arena_close(&arena);
    return err;
}

/* ---- what to learn from ---- */

static void find_columns(struct boost *boost, const uint8_t *uses)
{
    const struct rank_rows *rows = boost->rows;
    bool differs[FEATURES] = {false};

    for (size_t i = 1; i < boost->n; i++) {
        const float *first = rows->value, *value = rows->value + i * FEATURES;

        for (size_t f = 0; f < FEATURES; f++) {
            differs[f] |= memcmp(&value[f], &first[f], sizeof(*value)) != 0;
        }
    }
    for (size_t f = 0; f < FEATURES; f++) {
        if (differs[f] && (uses == NULL || uses[f] != 0)) {
            boost->feature_of[boost->columns_n++] = (uint16_t)f;
        }
    }
}

/* Gives the number of hits, their weight and that of all rows; sets the step for these weights. */
static size_t weigh(struct boost *boost, double *out_hit_weight, double *out_weight)
{
    const struct rank_rows *rows = boost->rows;
    double hit_weight = 0, weight = 0, most = 0;
    size_t hits = 0;

    for (size_t r = 0; r < rows->n; r++) {
        double w = (double)rows->weight[r];

        hits += rows->hit[r];
        hit_weight += rows->hit[r] ? w : 0;
        weight += w;
        most = w > most ? w : most;
    }
    boost->step = exact_step(boost->n, most);
    *out_hit_weight = hit_weight;
    *out_weight = weight;
    return hits;
}

static void boost_close(struct boost *boost)
{
    if (boost->booster != NULL) {
        (void)XGBoosterFree(boost->booster);
    }
    if (boost->matrix != NULL) {
        (void)XGDMatrixFree(boost->matrix);
    }
    if (boost->proxy != NULL) {
        (void)XGDMatrixFree(boost->proxy);
    }
    free(boost->slope);
    free(boost->curve);
    free(boost->batch);
}

static enum err run(struct boost *boost, struct model_tree *trees, size_t *out_n, struct why *why)
{
    bool is_good;

    boost->batch = history_grow(NULL, BATCH * boost->columns_n, sizeof(*boost->batch));
    is_good = XGBSetGlobalConfig("{\"verbosity\": 0}") == 0 && make_matrix(boost) && make_booster(boost);
    free(boost->batch);
    boost->batch = NULL;
    boost->slope = history_grow(NULL, boost->n, sizeof(*boost->slope));
    boost->curve = history_grow(NULL, boost->n, sizeof(*boost->curve));
    for (unsigned i = 0; is_good && i < boost->settings->rounds; i++) {
        is_good = boost_round(boost);
    }
    return is_good ? read_trees(boost, trees, out_n, why) : said(why);
}

static enum err boost_rows(const struct rank_rows *rows, const struct rank_tree_settings *settings,
                           const uint8_t *uses, size_t threads, float *out_start, struct model_tree *trees,
                           size_t *out_n, struct why *why)
{
    struct boost boost = {.rows = rows, .n = rows->n, .settings = settings, .threads = cores_openmp(threads)};
    double hit_weight, weight, base;
    size_t hits = weigh(&boost, &hit_weight, &weight);
    enum err err = ERR_OK;

    if (settings->rounds > MODEL_TREES_MAX || settings->depth < 1 || settings->depth > MODEL_TREE_DEPTH) {
        err = why_say(why, ERR_INVALID, "trees", "rounds", "a head has at most %d trees of depth 1 to %d",
                      (int)MODEL_TREES_MAX, (int)MODEL_TREE_DEPTH);
    } else if (hits < HITS_LEAST || hits == boost.n || !(hit_weight > 0) || !(hit_weight < weight)) {
        err = why_say(why, ERR_INVALID, "trees", "",
                      "%zu of %zu candidates came: trees need %d that came and others that did not", hits,
                      boost.n, (int)HITS_LEAST);
    }
    if (err == ERR_OK) {
        base = settings->base > 0 ? (double)settings->base : hit_weight / weight;
        boost.start = (float)log(base / (1 - base));
        *out_start = boost.start;
        *out_n = 0;
        find_columns(&boost, uses);
        if (boost.columns_n > 0 && settings->rounds > 0) {
            err = run(&boost, trees, out_n, why);
        }
    }
    boost_close(&boost);
    return err;
}

/* ---- the calls ---- */

struct rank_tree_settings rank_tree_settings_start(void)
{
    return (struct rank_tree_settings){.rounds = 100,
                                       .depth = 6,
                                       .eta = 0.08f,
                                       .subsample = 0.8f,
                                       .columns = 0.8f,
                                       .child_weight = 20,
                                       .ridge = 1,
                                       .seed = 1};
}

enum err rank_train_trees(const struct rank_rows *rows, const struct rank_tree_settings *settings,
                          const uint8_t *uses, size_t threads, struct model_rank *rank,
                          struct model_tree **out_trees, struct why *why)
{
    struct model_tree *trees = history_zero(MODEL_TREES_MAX, sizeof(*trees));
    float start = 0;
    size_t n = 0;
    enum err err = boost_rows(rows, settings, uses, threads, &start, trees, &n, why);

    if (err != ERR_OK) {
        free(trees);
        return err;
    }
    rank->trees_n = (uint32_t)n;
    rank->start = start;
    *out_trees = trees;
    return ERR_OK;
}
