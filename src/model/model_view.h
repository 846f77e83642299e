/* SPDX-License-Identifier: Apache-2.0 */
/* model_view.h - what a request reads: the immutable file and what was learnt since it was made.
 *
 * The base never changes. `live` is what a running server has seen since (model_live.h); NULL: nothing, as in training. Item
 * numbers of the base come first, items that only the live side knows follow. A view is pinned for one request: what is
 * learnt meanwhile is not seen by it. */
#pragma once

#include "model/model.h"
#include "model/model_copurchase.h"

struct model_live;

struct model_view { /* {.base = model} is a view without a live side */
    const struct model *base; /* NULL: not ready */
    const struct model_live *live;
    uint32_t sequences_end[2]; /* by domain: live sequences before this one are seen */
    uint32_t live_items_n;     /* live items that are seen: numbers from model_items_n(base) on */
    uint32_t rows_end;         /* rows of the live side that are seen: a newer one may name items that are not */
    uint64_t owner;            /* whose request it is (hash_owner), for whoever makes the view: nobody is a neighbour of
                                  the visit or the purchases that are asked about; 0: nobody's */
    const uint64_t *also;      /* the owners of the same customer's parts: a file has a customer's ways together, a live */
    size_t also_n;             /* side each under the part it came in by */
};

static inline bool model_view_is_own(const struct model_view *view, uint64_t owner)
{
    bool is_own = owner == view->owner;

    for (size_t i = 0; i < view->also_n; i++) {
        is_own = is_own || owner == view->also[i];
    }
    return is_own && view->owner != 0;
}
