/* SPDX-License-Identifier: Apache-2.0 */
/* Retrievers: which items are worth a score.
 *
 *     a visit      the best of its W and neighbours, of rules, of what looks end in; its own items; what was bought most;
 *                  items alike that are new; the most bought, to fill up
 *     no visit     all that was bought; the best of W and neighbours; the most bought of store and shop */
#include "decide/evidence_inside.h"

#include "model/model_live.h"
#include "model/model_popular.h"

#include <assert.h>
#include <float.h>

#define STORE_BASKETS_MIN 5.0f /* fewer baskets of an item propose nothing */

enum { OWN_IN_VISIT = 20, BESIDE_LISTS = 40 };

struct proposing {
    const struct evidence *evidence;
    struct tally taken;
    uint32_t *room;
    size_t n, base_n; /* items of the model file */
};

static void propose(struct proposing *to, uint32_t item)
{
    if (!tally_has(&to->taken, item)) {
        tally_add(&to->taken, item, 1);
        to->room[to->n++] = item;
        if (item < to->base_n) { /* what its values will be made of */
            __builtin_prefetch(model_item(to->evidence->view->base, item));
            __builtin_prefetch(model_seen(to->evidence->view->base, item));
        }
    }
}

static void propose_list(struct proposing *to, const struct evidence_list *list, size_t most)
{
    for (size_t i = 0; i < list->best_n && i < most; i++) {
        propose(to, list->best[i].item);
    }
}

/* The best sums of items never bought. */
static void propose_best(struct proposing *to, const struct tally *sums, size_t most, bool is_cold)
{
    struct topk_entry kept[EVIDENCE_LIST];
    struct topk best = topk_of(kept, most);
    const struct evidence *evidence = to->evidence;
    float least = FLT_MIN; /* as in evidence_best */

    for (size_t i = 0; sums->n > 0 && i <= sums->mask; i++) {
        uint32_t item = sums->slot[i].key - 1;

        if (sums->slot[i].sum >= least && !tally_has(&evidence->own_at, item) &&
            (!is_cold || evidence_is_cold(evidence, item))) {
            topk_offer(&best, sums->slot[i].sum, item);
            least = best.n == most ? best.at[0].score : least;
        }
    }
    for (size_t i = 0; i < best.n; i++) {
        propose(to, best.at[i].item);
    }
}

/* What was bought most, of equal ones what was bought lately. */
static void propose_own(struct proposing *to, size_t most)
{
    struct topk_entry kept[EVIDENCE_OWN];
    struct topk best = topk_of(kept, most);

    for (size_t i = 0; i < to->evidence->own_n; i++) {
        if (to->evidence->own[i].item != MODEL_NONE) {
            topk_offer(&best, to->evidence->own[i].count, to->evidence->own[i].item);
        }
    }
    for (size_t i = 0; i < best.n; i++) {
        propose(to, best.at[i].item);
    }
}

static void propose_popular(struct proposing *to, size_t most, size_t until)
{
    const struct model *model = to->evidence->view->base;
    size_t n;
    const uint32_t *list = model_popular_recent(model, &n);

    if (n == 0) {
        list = model_popular_all(model, &n);
    }
    for (size_t i = 0; i < n && i < most && to->n < until; i++) {
        propose(to, list[i]);
    }
}

static void propose_for_visit(struct proposing *to)
{
    const struct evidence *evidence = to->evidence;
    const struct evidence_domain *visit = &evidence->domain[MODEL_SESSION];
    const struct evidence_domain *history = &evidence->domain[MODEL_HISTORY];

    for (size_t i = 0; i < visit->sources_n; i++) {
        if (!evidence_is_quiet(evidence, visit->sources[i].item)) {
            propose(to, visit->sources[i].item);
        }
    }
    propose_list(to, &visit->w, EVIDENCE_LIST);
    propose_list(to, &visit->vstan, EVIDENCE_LIST);
    propose_list(to, &visit->rules, EVIDENCE_RULES);
    propose_best(to, &evidence->bought_after, EVIDENCE_RULES, false);
    propose_best(to, &evidence->content, EVIDENCE_RULES, true);
    propose_own(to, OWN_IN_VISIT);
    propose_list(to, &history->w, EVIDENCE_RULES);
    propose_list(to, &history->vstan, EVIDENCE_RULES);
    propose_popular(to, EVIDENCE_LIST, EVIDENCE_LEAST);
}

static void propose_for_history(struct proposing *to)
{
    const struct evidence *evidence = to->evidence;
    const struct evidence_domain *history = &evidence->domain[MODEL_HISTORY];
    bool has_lists = history->w.best_n + history->vstan.best_n > 0;

    propose_own(to, EVIDENCE_OWN);
    propose_list(to, &history->w, EVIDENCE_LIST);
    propose_list(to, &history->vstan, EVIDENCE_LIST);
    propose_list(to, &history->rules, EVIDENCE_RULES);
    propose_best(to, &evidence->together, has_lists ? BESIDE_LISTS : EVIDENCE_LIST, false);
    propose_best(to, &evidence->looked, has_lists ? BESIDE_LISTS : EVIDENCE_LIST, false);
    propose_best(to, &evidence->bought_after, EVIDENCE_RULES, false);
    propose_best(to, &evidence->content, EVIDENCE_RULES, true);
    propose_popular(to, has_lists ? BESIDE_LISTS : EVIDENCE_POPULAR, EVIDENCE_CANDIDATES_MAX);
    for (size_t i = 0; i < evidence->store_row_n && i < EVIDENCE_STORE; i++) {
        if (evidence->store_row[i].weight >= STORE_BASKETS_MIN) {
            propose(to, evidence->store_row[i].item);
        }
    }
}

enum err evidence_candidates(const struct evidence *evidence, struct arena *arena, uint32_t *room, size_t *out_n)
{
    struct proposing to = {.evidence = evidence, .room = room, .base_n = model_items_n(evidence->view->base)};

    if (!tally_open(&to.taken, arena, EVIDENCE_CANDIDATES_MAX)) {
        return ERR_NOMEM;
    }
    if (evidence->head == MODEL_HEAD_SESSION) {
        propose_for_visit(&to);
    } else {
        propose_for_history(&to);
    }
    assert(to.n <= EVIDENCE_CANDIDATES_MAX);
    *out_n = to.n;
    return ERR_OK;
}
