/* SPDX-License-Identifier: Apache-2.0 */
/* item_online.h - the same questions while learning goes on: prequential replay (evaluation.md 1.2).
 *
 * Cases are asked in the order of their moments. A visit that ended before the moment of a case is in a live side
 * (model/model_live.h) beside the file, and items that only it brought can be shown; nothing else differs from
 * the static lists. */
#pragma once

#include "train/next_item.h"

struct item_stream {
    const int64_t *end_ms;  /* by customer of the history: when its one visit was really over */
    const uint32_t *order;  /* cases in the order of their moments */
};

/* Gives the lists of all cases, by case, not by order. asking->view: the base alone. One thread. Errors: ERR_NOMEM. */
MUST_USE enum err item_online_lists(const struct item_asking *asking, const struct item_stream *stream,
                                    const struct next_case *cases, size_t n, struct next_list *out_lists);
/* The cases by (at_ms, case): free it. */
uint32_t *item_online_order(const struct next_case *cases, size_t n);
