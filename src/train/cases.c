/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cases.h"

#include "model/model_domain.h"

#include <stdlib.h>

size_t cases_of_baskets(const struct history *history, int64_t from_ms, int64_t to_ms, size_t baskets_min,
                        struct next_case **out_cases)
{
    struct next_case *cases = history_grow(NULL, history->customers_n, sizeof(*cases));
    size_t n = 0;

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t from = history->from[c], at = history_basket_at(history, c, from_ms);

        if (at < history->from[c + 1] && history->baskets[at].at_ms < to_ms && at - from >= baskets_min) {
            int64_t at_ms = history->baskets[at].at_ms;

            cases[n++] = (struct next_case){.customer = c, .from = from, .to = at, .target = at, .at_ms = at_ms,
                                            .look_from = history->look_from[c], .look_to = history_look_at(history, c, at_ms)};
        }
    }
    *out_cases = cases;
    return n;
}

size_t cases_visit_end(const struct history *history, size_t l, size_t limit)
{
    for (l++; l < limit && history->looks[l].at_ms - history->looks[l - 1].at_ms <= MODEL_SESSION_GAP_MS; l++) {
    }
    return l;
}

/* Calls for every visit that ends in the window; gives how many cases they hold. */
static size_t visits(const struct history *history, int64_t from_ms, int64_t to_ms, size_t step, struct next_case *cases,
                     size_t *out_visits_n)
{
    size_t n = 0, visits_n = 0;

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t limit = history->look_from[c + 1];

        for (size_t l = history->look_from[c], end; l < limit; l = end) {
            end = cases_visit_end(history, l, limit);
            if (history->looks[end - 1].at_ms < from_ms || history->looks[end - 1].at_ms >= to_ms || end - l < 2 ||
                end - l > MODEL_SEQUENCE_MAX || visits_n++ % step != 0) {
                continue;
            }
            for (size_t k = l + 1; k < end; k++, n++) {
                if (cases != NULL) {
                    int64_t at_ms = history->looks[k - 1].at_ms;

                    cases[n] = (struct next_case){.customer = c, .from = history->from[c],
                                                  .to = history_basket_at(history, c, at_ms),
                                                  .look_from = history->look_from[c], .look_to = k, .target = k,
                                                  .at_ms = at_ms, .is_look = true};
                }
            }
        }
    }
    *out_visits_n = visits_n;
    return n;
}

size_t cases_of_looks(const struct history *history, int64_t from_ms, int64_t to_ms, size_t most,
                      struct next_case **out_cases)
{
    size_t visits_n, n = visits(history, from_ms, to_ms, 1, NULL, &visits_n), step = 1;

    if (most > 0 && n > most) {
        step = (n + most - 1) / most;
        n = visits(history, from_ms, to_ms, step, NULL, &visits_n);
    }
    *out_cases = history_grow(NULL, n, sizeof(**out_cases));
    return visits(history, from_ms, to_ms, step, *out_cases, &visits_n);
}

void cases_fold(const struct history *history, const struct next_case *one, struct part *out_life)
{
    size_t look_from = one->look_from;

    if (one->look_to - look_from > PART_LOOKS) { /* a life holds the newest alone: somebody may have looked a million times */
        look_from = one->look_to - PART_LOOKS;
    }
    history_fold(history, one->from, one->to, look_from, one->look_to, out_life);
}
