/* SPDX-License-Identifier: Apache-2.0 */
/* next_item.h - how high the thing that came stands in a list of twenty (evaluation.md 1 to 3).
 *
 * Lists come from decide_run, the room that serves, with no catalogue: all items are ranked. A case of looks has one
 * target, a case of baskets as many as the basket holds, each once. What the model never saw stays a miss.
 *     HR@K      any target in the top K                       MRR@20    1 / place of the first one, 0 beyond
 *     R@K       hits / targets                                NDCG@K    gains 1 / log2(place + 1), ideal over min(K, targets)
 * Blocks are what is drawn anew in the bootstrap: sessions, or customers, with all their cases. */
#pragma once

#include "model/model_view.h"
#include "train/next_basket.h"
#include "train/report.h"

enum item_metric {
    ITEM_HR5, ITEM_HR10, ITEM_HR20, ITEM_MRR20, ITEM_RECALL10, ITEM_RECALL20, ITEM_NDCG5, ITEM_NDCG10, ITEM_NDCG20,
    ITEM_METRICS_
};

extern const char *const item_metric_words[ITEM_METRICS_]; /* "hr@5", ... */

struct item_score { /* of one case */
    float of[ITEM_METRICS_];
};

struct item_asking { /* how the lists of cases are asked for */
    const struct history *history;
    struct model_view view;
    enum decide_variant variant;
    bool masks;                    /* what was bought or looked at before the case is not shown */
    double (*seconds_now)(void);
};

struct item_asker; /* one thread's memory */
struct item_asker *item_asker_open(const struct item_asking *asking);
void item_asker_close(struct item_asker *asker);
/* The list of one case; gives microseconds of decide_run. */
float item_ask(struct item_asker *asker, const struct next_case *one, struct next_list *out_list);
/* Lists of all cases. out_us: one a case, or NULL. */
void item_lists(const struct item_asking *asking, const struct next_case *cases, size_t n, size_t threads,
                struct next_list *out_lists, float *out_us);

void item_score_of(const struct history *history, const struct next_case *one, const struct next_list *list,
                   struct item_score *out_score);

/* ---- means and intervals ---- */

enum { ITEM_LINES_MAX = 4 };

struct item_line { /* one way of making lists */
    char name[32];
    struct item_score *scores; /* owned, one a case */
    struct report_range range[ITEM_METRICS_];
};

struct item_group { /* cases that share something */
    char kind[24], name[24];
    size_t cases_n;
    struct item_score mean[ITEM_LINES_MAX];
};

enum { ITEM_GROUPS_MAX = 16 };

struct item_report {
    size_t cases_n, blocks_n, lines_n;
    struct item_line lines[ITEM_LINES_MAX];
    struct report_range gain[ITEM_METRICS_]; /* lines[1] minus lines[0], paired */
    struct item_group groups[ITEM_GROUPS_MAX];
    size_t groups_n;
    double coverage20;      /* items in any list / items of the model */
    double popular_share20; /* places that are held by the most seen hundredth of the items */
    double p50_us, p99_us;
};

/* Ranges of all lines and the gain. block_at: blocks_n + 1, into cases. The same draws for all lines. */
void item_report_ranges(struct item_report *report, const size_t *block_at);
/* Adds a group of the cases for which is_in is set; nothing for none of them. */
void item_report_group(struct item_report *report, const char *kind, const char *name, const bool *is_in);
void item_report_close(struct item_report *report);
