/* SPDX-License-Identifier: Apache-2.0 */
/* head.h - one head of the ranks: what it learns from, what it is judged by, and which of its parts help.
 *
 *     learn    rows of the older slices, each made against a base of before its slice
 *     judge    rows of slice 0, cases without a hit among them, for they count as missed
 * The logistic sum and trees are learnt from `learn` and held against `judge`; the better one serves. Then each part is left
 * out once; parts without which nothing is lost are left out of what is learnt for good: of learn and judge together. */
#pragma once

#include "train/probe.h"
#include "train/rank_rows.h"
#include "train/rank_train.h"
#include "train/slice.h"

struct head_case { /* what one case scored */
    float hr20, mrr20, recall10, recall20, ndcg10, ndcg20, phr10;
};

struct head { /* all zero; head_close */
    enum model_head_kind kind;
    struct rank_rows learn, judge;
    struct next_case *cases; /* that were judged */
    size_t cases_n, items_n;
    struct train_scores popular;
    size_t *seen;            /* by case: times its (rarest) target was met before */
};

struct head_ranks { /* owned; head_ranks_close */
    struct model_rank rank;
    struct model_tree *trees;
};

/* Rows of slice k against the open model of before it. */
void head_gather(struct head *head, const struct history *history, const struct train_span *span, unsigned k,
                 const struct model *model, const struct train_settings *settings, size_t threads);
/* Adds the rows of slice 0 that judge, and what best sellers would have scored. */
void head_gather_judge(struct head *head, const struct history *history, const struct train_span *span,
                       const struct model *model, const struct train_settings *settings, size_t threads);
/* Chooses: case_power, trees or the sum, parts. Into report->settings, ->head, ->parts. Gives ranks learnt from `learn` alone, for
 * proofs on slice 0. */
struct head_ranks head_choose(struct head *head, const struct history *history, double seconds_most,
                              double (*seconds_now)(void), size_t threads, struct train_report *report);
/* Ranks as the settings say, from all rows there are. */
struct head_ranks head_learn(struct head *head, const struct train_settings *settings, size_t threads);
void head_ranks_close(struct head_ranks *ranks);
void head_close(struct head *head);

/* Scores by margins of the judged rows: one a row. out_cases: one a case of judge; may be NULL. */
struct train_scores head_score(const struct head *head, const float *margin, struct head_case *out_cases);
double head_worth(const struct train_scores *scores, enum model_head_kind kind);
