/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h - the questions a model is learnt and judged by: what was known at a moment, and what came next.
 *
 * A case of baskets: a customer with enough baskets before a window, asked when the first basket in it came (their own time). A
 * case of looks: a visit that ended in a window, asked after each of its looks but the last (evaluation.md 2.1). */
#pragma once

#include "train/history.h"

struct next_case { /* [from, to) of baskets and [look_from, look_to) of looks are known */
    size_t customer;
    size_t from, to, look_from, look_to;
    size_t target; /* the thing to be found: a basket, or a look */
    int64_t at_ms; /* when it is asked */
    bool is_look;
};

/* The first basket in [from_ms, to_ms) of every customer with baskets_min or more before from_ms; looks before that basket
 * are known. Gives n; free *out_cases. */
size_t cases_of_baskets(const struct history *history, int64_t from_ms, int64_t to_ms, size_t baskets_min,
                        struct next_case **out_cases);
/* Looks 2 .. n of every visit whose last look is in [from_ms, to_ms), asked at the time of the look before; purchases and looks
 * before it are known. most: at most so many, whole visits evenly taken out; 0: all. Gives n; free *out_cases. */
size_t cases_of_looks(const struct history *history, int64_t from_ms, int64_t to_ms, size_t most,
                      struct next_case **out_cases);
/* The life as the server would have it at the moment of asking. */
void cases_fold(const struct history *history, const struct next_case *one, struct part *out_life);
/* The end of the visit that look `l` belongs to: one past its last look. limit: look_from of the next customer. */
size_t cases_visit_end(const struct history *history, size_t l, size_t limit);
