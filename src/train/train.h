/* SPDX-License-Identifier: Apache-2.0 */
/* train.h - from a history to a model file, its settings chosen by itself.
 *
 * The ranks are learnt on nine windows of 10 days before the judged month, each against a base that saw only what came
 * before it: three of 30 days taught less, on complete_journey R@10 .1559 against .1584. Settings are chosen on a validation window (the month before the moment) by models that saw nothing of it, from a
 * short grid, as far as the time allows; the first of the grid is what won on recorded data. */
#pragma once

#include "train/base_model.h"
#include "train/rank_train.h"

enum { TRAIN_WINDOWS = 9, TRAIN_BASKETS_MIN = 2 };
#define TRAIN_JUDGE_MS (30 * DAY_MS)
#define TRAIN_WINDOW_MS (10 * DAY_MS)

struct train_span { /* what is learnt from, and what it is judged by */
    int64_t before_ms;    /* nothing at or after it is looked at */
    int64_t validate_ms;  /* settings are judged by the first baskets in [validate_ms, before_ms) */
    int64_t window_ms;    /* ranks learn from the first baskets in windows of so long before that */
    unsigned windows;
    size_t baskets_min;   /* of a case: baskets before its window */
    bool masks;           /* what a customer had before is no candidate and no answer: protocols that hide it */
    size_t customers_min; /* pairs of fewer customers are learnt by nobody; below MODEL_CUSTOMERS_MIN in protocols only */
};

/* Of a shop: the last TRAIN_JUDGE_MS judge, three months before them teach the ranks. */
struct train_span train_span_of(int64_t before_ms);
/* The same for a shop that may be young: windows shrink until a third of what the baskets before before_ms cover is left to learn from. */
struct train_span train_span_for(const struct history *history, int64_t before_ms);

struct train_settings {
    struct base_settings base;
    float rho, rho_source, case_power;
    bool left_out[MODEL_HEADS_][FEATURES]; /* of parts that helped nothing */
    struct rank_tree_settings trees[MODEL_HEADS_];
};

/* First guesses for what the history holds. */
struct train_settings train_settings_start(const struct history *history, const struct train_span *span, size_t threads);

struct train_scores { /* means over cases */
    double recall10, recall20, ndcg10, ndcg20, phr10;
    double hr20, mrr20;
};

struct train_stage { /* one search among settings */
    char name[32];
    size_t cases_n, tried_n;
    double worth_start, worth; /* of what it climbs */
    double seconds;
    bool is_cut;               /* the time was up before all was tried */
};

struct train_change { /* a setting that was chosen instead of the first guess */
    char stage[32], name[24];
    double from, to, gain;
};

struct train_part { /* leave one out: what a head is without it */
    enum model_head_kind head;
    char name[32];
    double with, without; /* worth */
    bool is_left_out;
};

struct train_group { /* validation cases that share something */
    enum model_head_kind head;
    char kind[24], name[32];
    size_t cases_n;
    struct train_scores scores;
};

struct train_head { /* one head on its validation part */
    size_t cases_n, learn_cases_n;
    struct train_scores scores, popular;
    size_t trees_n; /* 0: the logistic sum serves */
    double list_worth, sum_worth, trees_worth; /* of the best single list, of the logistic sum and of trees; 0: not learnt */
    double found;                  /* share of what came that is among the candidates */
    double coverage20;             /* items in any list of twenty / items known */
};

enum { TRAIN_STAGES = 16, TRAIN_CHANGES = 64, TRAIN_PARTS = 40, TRAIN_GROUPS = 64 };

struct train_report {
    struct train_settings settings;
    size_t tried_n;
    size_t validation_cases_n;      /* of baskets */
    struct train_scores validation; /* zero when there was nothing to validate on */
    double popular_recall10;        /* of best sellers on the same cases */
    struct train_head head[MODEL_HEADS_];
    struct train_stage stages[TRAIN_STAGES];
    struct train_change changes[TRAIN_CHANGES];
    struct train_part parts[TRAIN_PARTS];
    struct train_group groups[TRAIN_GROUPS];
    size_t stages_n, changes_n, parts_n, groups_n;
    double seconds;
};

/* Learns from what was before span->before_ms, the ranks from the slices (train/slice.h), with these settings. Gives the file's bytes
 * in `arena`. note: JSON for the NOTE section, may be empty. segment: the enum model_segment_kind to serve; UINT32_MAX: the first guess.
 * Deterministic: neither threads nor time change a bit. Errors: ERR_NOMEM; ERR_ABSENT, nothing before the moment. */
MUST_USE enum err train_model(const struct history *history, const struct train_span *span,
                              const struct train_settings *settings, size_t threads, uint32_t segment, struct bytes note,
                              struct arena *arena, struct bytes *out_file);
/* Members of an object the caller has begun. */
struct json_write;
void train_settings_json(const struct train_settings *settings, struct json_write *w);
/* Chooses settings on slice 0, reports there (NOTE section: train/report.h, train/train_note.h), then learns from all before before_ms. A
 * history may hold baskets, looks, or both; of looks the newest twentieth of the visits judges, whatever validate_ms says.
 * seconds_most: for choosing. seconds_now: a clock. What is tried depends on the clock, unless all fits. Errors: ERR_ABSENT, nothing
 * before before_ms; ERR_NOMEM. Memory: the history, one base and its matrices at a time, and 1.2 million rows of 400 bytes a
 * head. */
MUST_USE enum err train_choose(const struct history *history, const struct train_span *span, size_t threads,
                               double seconds_most, double (*seconds_now)(void), struct arena *arena,
                               struct bytes *out_file, struct train_report *out_report);
