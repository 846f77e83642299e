/* SPDX-License-Identifier: Apache-2.0 */
#include "train/compare.h"

#include "model/model_view.h"
#include "train/next_item.h"

#include <math.h>
#include <stdlib.h>

#define WORSE_BY 0.01  /* of what the one in use reaches */
#define NORMAL_95 1.96 /* of a mean of hundreds of cases */

struct compare compare_scores(const float *own, const float *other, size_t n)
{
    struct compare compare = {.cases_n = n};
    double sum = 0, squares = 0, mean, spread;

    if (n < COMPARE_CASES_MIN) {
        return (struct compare){0};
    }
    for (size_t i = 0; i < n; i++) {
        double by = (double)own[i] - (double)other[i];

        compare.own += (double)own[i] / (double)n;
        compare.other += (double)other[i] / (double)n;
        sum += by;
        squares += by * by;
    }
    mean = sum / (double)n;
    spread = NORMAL_95 * sqrt(fmax(squares / (double)n - mean * mean, 0) / (double)(n - 1));
    compare.low = mean - spread;
    compare.high = mean + spread;
    compare.is_worse = compare.high < 0 && mean < -WORSE_BY * compare.other;
    return compare;
}

int64_t compare_from_ms(int64_t in_use_trained_ms, int64_t before_ms)
{
    return in_use_trained_ms + 1 > before_ms - COMPARE_SPAN_MS ? in_use_trained_ms + 1 : before_ms - COMPARE_SPAN_MS;
}

static double no_clock(void)
{
    return 0; /* lists are judged, not times */
}

/* Scores of one model by case. */
static void judge(const struct history *history, const struct model *model, const struct next_case *cases, size_t n,
                  size_t threads, enum item_metric metric, float *out)
{
    struct item_asking asking = {.history = history, .view = {.base = model}, .variant = VARIANT_ONE_TO_ONE, .seconds_now = no_clock};
    struct next_list *lists = history_zero(n, sizeof(*lists));

    item_lists(&asking, cases, n, threads, lists, NULL);
    for (size_t i = 0; i < n; i++) {
        struct item_score score;

        item_score_of(history, &cases[i], &lists[i], &score);
        out[i] = score.of[metric];
    }
    free(lists);
}

static struct compare compare_cases(const struct history *history, const struct model *own, const struct model *other,
                                    const struct next_case *cases, size_t n, size_t threads, enum item_metric metric)
{
    struct compare compare = {0};
    float *scores;

    if (n < COMPARE_CASES_MIN) {
        return compare;
    }
    scores = history_zero(2 * n, sizeof(*scores));
    judge(history, own, cases, n, threads, metric, scores);
    judge(history, other, cases, n, threads, metric, scores + n);
    compare = compare_scores(scores, scores + n, n);
    free(scores);
    return compare;
}

bool compare_has_cases(const struct history *history, const struct train_span *span, int64_t from_ms)
{
    struct next_case *cases;
    size_t baskets_n = cases_of_baskets(history, from_ms, span->before_ms, span->baskets_min, &cases), looks_n;

    free(cases);
    looks_n = cases_of_looks(history, from_ms, span->before_ms, COMPARE_CASES_MOST, &cases);
    free(cases);
    return baskets_n >= COMPARE_CASES_MIN || looks_n >= COMPARE_CASES_MIN;
}

static size_t thin(struct next_case *cases, size_t n)
{
    size_t kept = n < COMPARE_CASES_MOST ? n : COMPARE_CASES_MOST;

    for (size_t i = 0; i < kept; i++) {
        cases[i] = cases[i * n / kept];
    }
    return kept;
}

void compare_models(const struct history *history, const struct train_span *span, const struct model *own,
                    const struct model *other, int64_t from_ms, size_t threads, struct compare *out_baskets,
                    struct compare *out_looks)
{
    struct next_case *baskets, *looks;
    size_t baskets_n = cases_of_baskets(history, from_ms, span->before_ms, span->baskets_min, &baskets);
    size_t looks_n = cases_of_looks(history, from_ms, span->before_ms, COMPARE_CASES_MOST, &looks);

    *out_baskets = compare_cases(history, own, other, baskets, thin(baskets, baskets_n), threads, ITEM_RECALL10);
    *out_looks = compare_cases(history, own, other, looks, looks_n, threads, ITEM_HR20);
    free(baskets);
    free(looks);
}
