/* SPDX-License-Identifier: Apache-2.0 */
/* train.h - from a history to a model file, its settings chosen by itself.
 *
 * The ranks are learnt on three windows of 30 days before the moment, each against a base that saw only what came
 * before it. Settings are chosen on a validation window (the month before the moment) by models that saw nothing of it, from a
 * short grid, as far as the time allows; the first of the grid is what won on recorded data. */
#pragma once

#include "train/base_model.h"
#include "train/rank_train.h"

enum { TRAIN_WINDOWS = 3, TRAIN_BASKETS_MIN = 2 };
#define TRAIN_WINDOW_MS (30 * DAY_MS)

struct train_span { /* what is learnt from, and what it is judged by */
    int64_t before_ms;    /* nothing at or after it is looked at */
    int64_t validate_ms;  /* settings are judged by the first baskets in [validate_ms, before_ms) */
    int64_t window_ms;    /* ranks learn from the first baskets in windows of so long before that */
    unsigned windows;
    size_t baskets_min;   /* of a case: baskets before its window */
    bool masks;           /* what a customer had before is no candidate and no answer: protocols that hide it */
    size_t customers_min; /* pairs of fewer customers are learnt by nobody; below MODEL_CUSTOMERS_MIN in protocols only */
};

/* Of a shop: the last 30 days judge, three months before them teach the ranks. */
struct train_span train_span_of(int64_t before_ms);

struct train_settings {
    struct base_settings base;
    float rho, rho_source, case_power;
};

struct train_settings train_settings_start(size_t threads);

struct train_scores { /* means over cases */
    double recall10, recall20, ndcg10, ndcg20, phr10;
};

struct train_report {
    struct train_settings settings;
    size_t tried_n, grid_n;
    size_t validation_cases_n;
    struct train_scores validation; /* zero when there was nothing to validate on */
    double popular_recall10;        /* of best sellers on the same cases */
    double seconds;
};

/* Learns from what was before span->before_ms with these settings. Gives the file's bytes in `arena`. note: JSON for the
 * NOTE section, may be empty. segment: the enum model_segment_kind to serve; UINT32_MAX: the first guess. Deterministic: neither threads nor
 * time change a bit. Errors: ERR_NOMEM; ERR_ABSENT, nothing before the moment. */
MUST_USE enum err train_model(const struct history *history, const struct train_span *span,
                              const struct train_settings *settings, uint32_t segment, struct bytes note,
                              struct arena *arena, struct bytes *out_file);
/* Members of an object the caller has begun. */
struct json_write;
void train_settings_json(const struct train_settings *settings, struct json_write *w);
/* Chooses settings on the span's validation part, reports there (NOTE section: train/report.h), then learns from all before
 * before_ms. A history may hold baskets, looks, or both; of looks the validation part is the newest twentieth of the visits, whatever
 * validate_ms says. seconds_most: for choosing. seconds_now: a clock. Which settings are tried depends on the clock, unless
 * all fit. Errors: ERR_ABSENT, nothing before before_ms; ERR_NOMEM. */
MUST_USE enum err train_choose(const struct history *history, const struct train_span *span, size_t threads,
                               double seconds_most, double (*seconds_now)(void), struct arena *arena,
                               struct bytes *out_file, struct train_report *out_report);
