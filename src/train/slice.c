/* SPDX-License-Identifier: Apache-2.0 */
#include "train/slice.h"

#include <stdlib.h>

unsigned slices_n(const struct train_span *span, enum model_head_kind head)
{
    return head == MODEL_HEAD_SESSION ? 1 : span->windows;
}

static int time_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Ends of visits of two looks or more before before_ms, ascending; gives n. */
static size_t visit_ends(const struct history *history, int64_t before_ms, int64_t **out_ends)
{
    int64_t *ends = history_grow(NULL, history->looks_n, sizeof(*ends));
    size_t n = 0;

    for (size_t c = 0; c < history->customers_n; c++) {
        size_t limit = history->look_from[c + 1];

        for (size_t l = history->look_from[c], end; l < limit; l = end) {
            end = cases_visit_end(history, l, limit);
            if (end - l >= 2 && history->looks[end - 1].at_ms < before_ms) {
                ends[n++] = history->looks[end - 1].at_ms;
            }
        }
    }
    if (n > 0) {
        qsort(ends, n, sizeof(*ends), time_order);
    }
    *out_ends = ends;
    return n;
}

static bool visits_slice(const struct history *history, const struct train_span *span, unsigned k, struct slice *out_slice)
{
    int64_t *ends;
    size_t n = visit_ends(history, span->before_ms, &ends);
    size_t each = n / SLICE_VISITS_SHARE > 0 ? n / SLICE_VISITS_SHARE : 1;
    bool has = n > (k + 1) * each;

    if (has) {
        *out_slice = (struct slice){ends[n - (k + 1) * each], k == 0 ? span->before_ms : ends[n - k * each]};
        has = out_slice->from_ms > ends[0] && out_slice->from_ms < out_slice->to_ms;
    }
    free(ends);
    return has;
}

bool slice_of(const struct history *history, const struct train_span *span, enum model_head_kind head, unsigned k,
              struct slice *out_slice)
{
    if (head == MODEL_HEAD_SESSION) {
        return history->looks_n > 0 && visits_slice(history, span, k, out_slice);
    }
    if (history->baskets_n == 0 || k > span->windows) {
        return false;
    }
    *out_slice = (struct slice){span->validate_ms - (int64_t)k * span->window_ms,
                                k == 0 ? span->before_ms : span->validate_ms - (int64_t)(k - 1) * span->window_ms};
    return true;
}

size_t slice_cases(const struct history *history, const struct train_span *span, enum model_head_kind head,
                   const struct slice *slice, size_t most, struct next_case **out_cases)
{
    size_t n, step, kept = 0;

    if (head == MODEL_HEAD_SESSION) {
        return cases_of_looks(history, slice->from_ms, slice->to_ms, most, out_cases);
    }
    n = cases_of_baskets(history, slice->from_ms, slice->to_ms, span->baskets_min, out_cases);
    step = most > 0 && n > most ? (n + most - 1) / most : 1;
    for (size_t c = 0; c < n; c += step) {
        (*out_cases)[kept++] = (*out_cases)[c];
    }
    return kept;
}
