/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - may a new model take the place of the one in use? Both answer the same held-back cases.
 *
 * Held back is what came after the one in use was trained, of the newest week at most: neither has seen it. Baskets are
 * judged by the share of the basket among ten (R@10), visits by whether the next thing looked at is among twenty (HR@20).
 * The new one is *worse* at either when the 95 % interval of the paired difference lies below zero and the mean is more than
 * 1 % below the old one's: a difference that chance explains, or that nobody notices, stops nothing. Under
 * COMPARE_CASES_MIN cases chance decides: then nothing is said. */
#pragma once

#include "model/model.h"
#include "train/train.h"

enum { COMPARE_CASES_MIN = 200, COMPARE_CASES_MOST = 4000 };
#define COMPARE_SPAN_MS (7 * DAY_MS)

struct compare { /* all zero: too few cases */
    size_t cases_n;
    double own, other;              /* means of the new one and of the one in use */
    double low, high;               /* 95 % interval of own - other */
    bool is_worse;
};

/* own, other: scores by case. */
struct compare compare_scores(const float *own, const float *other, size_t n);
/* Where the held-back part begins: before_ms is one past the newest moment. */
int64_t compare_from_ms(int64_t in_use_trained_ms, int64_t before_ms);
/* Are there cases enough, of baskets or of looks, to say anything? */
bool compare_has_cases(const struct history *history, const struct train_span *span, int64_t from_ms);
/* Judges on [from_ms, before_ms) of the history. own may have seen nothing of it. */
void compare_models(const struct history *history, const struct train_span *span, const struct model *own,
                    const struct model *other, int64_t from_ms, size_t threads, struct compare *out_baskets,
                    struct compare *out_looks);
