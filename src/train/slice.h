/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - a history cut by time for honest scores: slice 0 judges, older ones teach the ranks, each against a base of before it.
 *
 *     HISTORY   0: [validate_ms, before_ms); k: the window_ms before slice k - 1; as many as the span says
 *     SESSION   0: the newest twentieth of the visits of two looks or more; 1: the twentieth before
 * Cases of slice k are asked of a base that saw what was before the slice begins, and nothing else. */
#pragma once

#include "model/model_rank.h"
#include "train/cases.h"
#include "train/train.h"

enum { SLICE_VISITS_SHARE = 20 };

struct slice {
    int64_t from_ms, to_ms;
};

/* How many slices teach, beside slice 0. */
unsigned slices_n(const struct train_span *span, enum model_head_kind head);
/* False: there is no such slice, or nothing before it. */
bool slice_of(const struct history *history, const struct train_span *span, enum model_head_kind head, unsigned k,
              struct slice *out_slice);
/* Its cases, at most `most` (0: all), evenly thinned. Gives n; free *out_cases. */
size_t slice_cases(const struct history *history, const struct train_span *span, enum model_head_kind head,
                   const struct slice *slice, size_t most, struct next_case **out_cases);
