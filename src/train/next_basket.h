/* SPDX-License-Identifier: Apache-2.0 */
/* next_basket.h - how many of a customer's next basket a row of ten holds (evaluation.md 1 and 4).
 *
 * Lists come from decide_run, the room that serves, with no catalogue. R@K = hits / |basket|; N@K gains 1/log2(rank + 1),
 * ideal over min(K, |basket|); PHR@K = any hit. Each item counts once. Items that the model never saw stay misses. */
#pragma once

#include "decide/decide.h"
#include "train/train.h"

enum { NEXT_LIST = 20 };

struct next_list { /* of one case: ids, best first */
    uint64_t item[NEXT_LIST];
    size_t n;
};

struct next_score { /* of one case */
    float recall10, recall20, ndcg10, ndcg20, phr10;
    float repeat10, explore10; /* recall of what was bought before and of what was not; NAN: none of it */
    uint32_t decide_us;
};

/* Asks decide_run for every case as `variant`: history folded up to the case, at the time the customer came. Times are
 * taken one case at a time when threads is 1. lists, out_us: one a case; out_us may be NULL. */
void next_basket_lists(const struct history *history, const struct model *model, enum decide_variant variant,
                       const struct next_case *cases, size_t n, size_t threads, struct next_list *out_lists,
                       double (*seconds_now)(void), float *out_us);
void next_basket_score(const struct history *history, const struct next_case *one, const struct next_list *list,
                       struct next_score *out_score);
struct train_scores next_basket_mean(const struct next_score *scores, size_t n);
