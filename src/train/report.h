/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the proof: one-to-one against segments and popular on the same held-out first baskets.
 *
 * Each way of making lists answers every case; means have 95 % intervals of 1,000 bootstrap resamples of cases, the
 * same resamples for all ways (paired), so that their ratio has one too. Of a segmentation's two lists, all-time
 * and last 28 days, the better counts: the comparison is generous to what has to be beaten. Short lists are filled
 * with what is popular lately. Segments by declared facts need history->facts; they are not part of a model. */
#pragma once

#include "model/model_popular.h"
#include "model/model_segment.h"
#include "train/next_basket.h"

enum { REPORT_LINES_MAX = 16, REPORT_GROUPS_MAX = 64, REPORT_RESAMPLES = 1000 };

struct report_range {
    double mean, low, high;
};

struct report_line {
    char name[48]; /* "one-to-one", "popular", "popular:recent", "segment:store", ... */
    bool is_segment;
    struct next_score *scores; /* one a case */
    struct train_scores mean;
    struct report_range recall10, ndcg10, phr10;
    double repeat10, explore10; /* means over the cases that have such items */
};

struct report_group { /* cases that share something */
    char kind[32], name[48];
    size_t cases_n;
    double own, popular, segment; /* R@10; segment: of the best one over all cases */
};

struct report {
    size_t cases_n;
    int64_t from_ms, to_ms;
    struct report_line lines[REPORT_LINES_MAX]; /* [0]: one-to-one, [1]: popular, [2]: popular:recent */
    size_t lines_n, best_segment; /* 0: there is none */
    struct report_range times;    /* one-to-one over the best segmentation, R@10 */
    struct report_group groups[REPORT_GROUPS_MAX];
    size_t groups_n;
    double p50_us, p99_us; /* of decide_run, 0: not measured */
};

/* "segment:store", ... */
const char *report_segment_name(enum model_segment_kind kind);
/* own: lists that came from elsewhere (a running server), one a case of cases_of_baskets; NULL: decide_run is asked, and timed.
 * Gives false when there is no case. Close with report_close. */
bool report_make(const struct history *history, const struct model *model, int64_t from_ms, int64_t to_ms,
                 size_t threads, bool has_segments, const struct next_list *own, double (*seconds_now)(void),
                 struct report *out_report);
void report_close(struct report *report);
/* Members of an object that the caller has begun: cases, from, to, recall@10 and its interval, ..., against, groups. */
struct json_write;
void report_json(const struct report *report, struct json_write *w);
