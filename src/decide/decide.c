/* SPDX-License-Identifier: Apache-2.0 */
/* The plan, the same for every placement:
 *
 *     retrieve   once a call: own purchases, W from what was bought, W from what was looked at, the store's and the
 *                shop's most bought (decide/evidence.c); a segment's or the shop's list for those variants; the newest
 *                items where there is no model
 *     score      one sum of weight * feature, kept as addends a reason (decide/score.c)
 *     arrange    best first, equal scores by popularity (dense numbers fall with it), then id
 *     filter     what the call and the catalogue say; each drop with its reason
 *     admit      the catalogue's last word on hidden and available, on a path of its own
 *     fill       from what is bought most, then the newest, while the row is short
 *     explain    which of the customer's own items spoke
 * Filters look at candidates best first and stop when the row is full; what they did not come to is `below`. */
#include "decide/decide.h"

#include "decide/score.h"
#include "model/model_live.h"
#include "model/model_popular.h"
#include "model/model_segment.h"

#include <assert.h>

enum { DROPS_LISTED_MAX = 500, NEWEST_MAX = 2000 };

#define UNKNOWN_SCORE -2e6f /* below any score of an item the model knows */

struct found { /* one candidate of a placement */
    struct item_id id;
    uint32_t item;  /* dense; MODEL_NONE: the model does not know it */
    float score;
};

struct run { /* one call */
    const struct decide_world *world;
    const struct decide_request *request;
    struct arena *arena;
    const struct part *life;
    struct evidence evidence;
    bool has_evidence;     /* the model is there and the variant is one-to-one */
    struct score_plan plan;
    struct score_below below;
    struct found *pool;    /* best first: what all placements without candidates choose from */
    size_t pool_n, ready_n; /* found; put in order so far */
    struct topk_entry *heap; /* the rest, heap_n = pool_n - ready_n */
    size_t heap_n;
    struct item_id *shown; /* over all placements */
    size_t shown_n;
};

/* ---- retrieve ---- */

static enum err pool_of_evidence(struct run *run)
{
    uint32_t *items = arena_array(run->arena, EVIDENCE_CANDIDATES_MAX, sizeof(*items));
    float *scores = arena_array(run->arena, EVIDENCE_CANDIDATES_MAX, sizeof(*scores));
    struct topk_entry *order = arena_array(run->arena, EVIDENCE_CANDIDATES_MAX, sizeof(*order));
    size_t n = 0;
    enum err err;

    if (items == NULL || scores == NULL || order == NULL) {
        return ERR_NOMEM;
    }
    err = evidence_candidates(&run->evidence, run->arena, items, &n);
    if (err == ERR_OK) {
        err = score_all(&run->plan, &run->evidence, items, n, run->arena, scores, &run->below);
    }
    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = (struct topk_entry){scores[i], items[i]};
    }
    topk_heap(order, n);
    run->pool = arena_array(run->arena, n + 1, sizeof(*run->pool));
    run->heap = order;
    run->heap_n = run->pool_n = n;
    return run->pool != NULL ? ERR_OK : ERR_NOMEM;
}

/* The i-th best: rows are short, so the pool is put in order only as far as someone looks. */
static const struct found *pool_at(struct run *run, size_t i)
{
    while (run->ready_n <= i) {
        struct topk_entry best = topk_pop(run->heap, &run->heap_n);

        run->pool[run->ready_n++] = (struct found){model_view_id(&run->world->view, best.item), best.item, best.score};
    }
    return &run->pool[i];
}

static enum err pool_of_list(struct run *run, const uint32_t *list, size_t n)
{
    run->pool = arena_array(run->arena, n + 1, sizeof(*run->pool));
    if (run->pool == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        run->pool[run->pool_n++] = (struct found){model_item_id(run->world->view.base, list[i]), list[i],
                                                  (float)(n - i) / (float)n};
    }
    run->ready_n = run->pool_n;
    return ERR_OK;
}

static const uint32_t *segment_list(const struct run *run, size_t *out_n)
{
    const struct model_segments *segments = model_segments(run->world->view.base);

    return model_segment_list(run->world->view.base, (enum model_segment_kind)segments->chosen, segments->chosen_basis,
                              run->life, out_n);
}

static enum err retrieve(struct run *run)
{
    const struct model *model = run->world->view.base;
    const uint32_t *list;
    size_t n;
    enum err err;

    if (model == NULL) {
        return ERR_OK; /* the newest fill the row */
    }
    if (run->request->variant == VARIANT_SEGMENT) {
        list = segment_list(run, &n);
        return pool_of_list(run, list, n);
    }
    if (run->request->variant == VARIANT_POPULAR) {
        list = model_popular_recent(model, &n);
        return pool_of_list(run, list, n);
    }
    err = evidence_gather(&run->world->view, run->life, run->request->context.store, run->request->now_ms, MODEL_HEADS_,
                          run->arena, &run->evidence);
    if (err != ERR_OK) {
        return err;
    }
    run->has_evidence = true;
    run->plan = score_plan_of(&run->evidence);
    return pool_of_evidence(run);
}

/* ---- filter and admit ---- */

static bool is_in(const struct item_id *items, size_t n, struct item_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i].v == id.v) {
            return true;
        }
    }
    return false;
}

static enum decide_drop filter(const struct run *run, const struct decide_placement *placement, struct item_id id)
{
    const struct item *item;

    if (is_in(placement->exclude, placement->exclude_n, id)) {
        return DROP_EXCLUDED;
    }
    /* "No item twice over all placements unless given as candidate." */
    if (placement->candidates == NULL &&
        (id.v == run->request->context.page_item.v || is_in(run->shown, run->shown_n, id))) {
        return DROP_ON_PAGE;
    }
    if (run->world->catalog == NULL) {
        return DROP_NONE;
    }
    item = catalog_item(run->world->catalog, id);
    if (item == NULL) {
        return DROP_UNKNOWN_ITEM;
    }
    return item->is_hidden ? DROP_HIDDEN : !item->is_available ? DROP_UNAVAILABLE : DROP_NONE;
}

/* The last word, whatever a filter said before. */
static bool may_show(const struct run *run, struct item_id id)
{
    const struct item *item;

    if (run->world->catalog == NULL) {
        return true;
    }
    item = catalog_item(run->world->catalog, id);
    return item != NULL && !item->is_hidden && item->is_available;
}

static struct bytes text_of(const struct run *run, struct item_id id)
{
    const struct item *item = run->world->catalog != NULL ? catalog_item(run->world->catalog, id) : NULL;
    const struct model_view *view = &run->world->view;
    uint32_t dense = item == NULL && view->base != NULL ? model_view_find(view, id) : MODEL_NONE;

    return item != NULL          ? item->id_text
           : dense != MODEL_NONE ? model_view_text(view, dense)
                                 : (struct bytes){0};
}

/* ---- one row ---- */

struct building {
    const struct decide_placement *placement;
    struct decide_item *items;
    struct decide_dropped *dropped;
    struct decide_row row;
    size_t shown_first; /* of run->shown: those before are other placements' */
    struct score_below below; /* of the scores it chooses from */
};

static void drop(const struct run *run, struct building *to, const struct found *found, enum decide_drop why)
{
    to->row.dropped_n++;
    to->row.dropped_by[why]++;
    if (to->dropped != NULL && to->row.dropped_listed_n < DROPS_LISTED_MAX) {
        to->dropped[to->row.dropped_listed_n++] =
            (struct decide_dropped){found->id, text_of(run, found->id), why, found->score};
    }
}

static void show(struct run *run, struct building *to, const struct found *found, enum decide_reason reason)
{
    struct decide_item *item = &to->items[to->row.items_n++];

    *item = (struct decide_item){.id = found->id, .id_text = text_of(run, found->id), .score = found->score};
    if (reason == REASON_NONE) {
        score_explain(&run->plan, &run->evidence, found->item, found->score, &to->below, run->request->keep_drops, item);
    } else {
        item->reason = reason;
        item->addends[item->addends_n++] = (struct decide_part_score){reason, found->score, {0}};
    }
    if (item->is_personal && run->request->mode != DECIDE_ANONYMOUS) {
        to->row.is_personal = true;
    }
    to->row.kept_n++;
    if (to->placement->candidates == NULL) {
        run->shown[run->shown_n++] = found->id;
    }
}

/* Looks at one candidate; `reason` NONE: from the evidence. */
static void consider(struct run *run, struct building *to, const struct found *found, enum decide_reason reason)
{
    enum decide_drop why = DROP_BELOW;

    to->row.found_n++;
    if (to->row.items_n < to->placement->n) {
        why = filter(run, to->placement, found->id);
        if (why == DROP_NONE && !may_show(run, found->id)) {
            why = DROP_UNAVAILABLE;
        }
    }
    if (why == DROP_NONE) {
        show(run, to, found, reason);
    } else {
        drop(run, to, found, why);
    }
}

static bool is_full(const struct building *to)
{
    return to->row.items_n >= to->placement->n;
}

static void consider_pool(struct run *run, struct building *to, enum decide_reason reason)
{
    for (size_t i = 0; i < run->pool_n; i++) {
        if (is_full(to) && to->dropped == NULL) {
            to->row.found_n += run->pool_n - i;
            to->row.dropped_n += run->pool_n - i;
            to->row.dropped_by[DROP_BELOW] += run->pool_n - i;
            return;
        }
        consider(run, to, pool_at(run, i), reason);
    }
}

/* An item this row has met already is not met again while filling: the pool was walked to its end. */
static bool has_met(const struct run *run, const struct building *to, struct item_id id)
{
    for (size_t i = 0; i < to->row.items_n; i++) {
        if (to->items[i].id.v == id.v) {
            return true;
        }
    }
    for (size_t i = 0; i < run->ready_n; i++) {
        if (run->pool[i].id.v == id.v) {
            return true;
        }
    }
    return false;
}

static void fill(struct run *run, struct building *to)
{
    const struct model *model = run->world->view.base;
    const struct item **newest;
    size_t n, most;

    for (uint32_t i = 0; model != NULL && !is_full(to) && i < model_items_n(model); i++) {
        struct found found = {model_item_id(model, i), i, 0};

        if (!has_met(run, to, found.id)) {
            consider(run, to, &found, REASON_POPULAR); /* dense numbers fall with popularity */
        }
    }
    if (is_full(to) || run->world->catalog == NULL) {
        return;
    }
    most = catalog_items_n(run->world->catalog);
    most = most < NEWEST_MAX ? most : NEWEST_MAX;
    newest = arena_array(run->arena, most + 1, sizeof(*newest));
    n = newest != NULL ? catalog_newest(run->world->catalog, most, newest) : 0;
    for (size_t i = 0; i < n && !is_full(to); i++) {
        struct found found = {newest[i]->id, MODEL_NONE, 0};

        if (model == NULL || (model_item_find(model, found.id) == MODEL_NONE && !has_met(run, to, found.id))) {
            consider(run, to, &found, REASON_NEW);
        }
    }
}

/* Scores of what the call named; behind them what the model does not know. */
static enum err score_candidates(struct run *run, struct building *to, uint32_t *items, float *scores)
{
    const struct decide_placement *placement = to->placement;
    const struct model_view *view = &run->world->view;
    uint32_t *known = arena_array(run->arena, placement->candidates_n + 1, sizeof(*known));
    float *known_scores = arena_array(run->arena, placement->candidates_n + 1, sizeof(*known_scores));
    size_t n = 0;
    enum err err = ERR_OK;

    if (known == NULL || known_scores == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < placement->candidates_n; i++) {
        items[i] = view->base != NULL ? model_view_find(view, placement->candidates[i]) : MODEL_NONE;
        if (items[i] != MODEL_NONE) {
            known[n] = items[i];
            known_scores[n++] = model_view_item(view, items[i]).log_recent;
        }
    }
    if (run->has_evidence) {
        err = score_all(&run->plan, &run->evidence, known, n, run->arena, known_scores, &to->below);
    }
    for (size_t i = 0, k = 0; i < placement->candidates_n; i++) {
        scores[i] = items[i] != MODEL_NONE ? known_scores[k++] : UNKNOWN_SCORE;
    }
    return err;
}

/* Only these, re-ranked: what the model does not know keeps the order in which it was given, behind the rest. */
static enum err consider_candidates(struct run *run, struct building *to)
{
    size_t n = to->placement->candidates_n, left = n;
    struct topk_entry *order = arena_array(run->arena, n + 1, sizeof(*order));
    uint32_t *items = arena_array(run->arena, n + 1, sizeof(*items));
    float *scores = arena_array(run->arena, n + 1, sizeof(*scores));
    enum err err = order == NULL || items == NULL || scores == NULL ? ERR_NOMEM : score_candidates(run, to, items, scores);

    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = (struct topk_entry){scores[i], (uint32_t)i};
    }
    topk_heap(order, n);
    while (left > 0) {
        struct topk_entry best = topk_pop(order, &left);
        struct item_id id = to->placement->candidates[best.item];
        uint32_t item = items[best.item];
        struct found found = {id, item, item != MODEL_NONE ? best.score : 0};

        if (is_in(to->placement->candidates, best.item, id)) {
            continue; /* named twice */
        }
        consider(run, to, &found,
                 item == MODEL_NONE    ? REASON_NEW
                 : run->has_evidence   ? REASON_NONE
                                       : REASON_POPULAR);
    }
    return ERR_OK;
}

static enum decide_fallback fallback_of(const struct run *run, const struct decide_row *row, size_t n)
{
    enum decide_fallback told = run->request->fallback;

    if (row->items_n == 0 && run->world->catalog != NULL && catalog_items_n(run->world->catalog) == 0) {
        return FALLBACK_EMPTY_CATALOGUE;
    }
    /* These hold with a model and without one: the customer's word and our own trouble are told first. */
    if (told == FALLBACK_NO_CONSENT || told == FALLBACK_LATE) {
        return told;
    }
    if (run->world->view.base == NULL) {
        return FALLBACK_MODEL_NOT_READY;
    }
    if (told != FALLBACK_NONE) {
        return told;
    }
    return row->items_n < n ? FALLBACK_TOO_FEW : FALLBACK_NONE;
}

static enum err build_row(struct run *run, const struct decide_placement *placement, struct decide_row *out_row)
{
    struct building to = {.placement = placement, .row = {.name = placement->name}, .below = run->below};
    enum decide_reason reason = run->has_evidence                           ? REASON_NONE
                                : run->request->variant == VARIANT_SEGMENT ? REASON_SEGMENT
                                                                            : REASON_POPULAR;
    enum err err = ERR_OK;

    to.items = arena_array(run->arena, placement->n + 1, sizeof(*to.items));
    to.dropped = run->request->keep_drops ? arena_array(run->arena, DROPS_LISTED_MAX, sizeof(*to.dropped)) : NULL;
    if (to.items == NULL || (run->request->keep_drops && to.dropped == NULL)) {
        return ERR_NOMEM;
    }
    if (placement->candidates != NULL) {
        err = consider_candidates(run, &to);
    } else {
        consider_pool(run, &to, reason);
        if (!is_full(&to)) {
            fill(run, &to);
        }
    }
    to.row.items = to.items;
    to.row.dropped = to.dropped;
    to.row.fallback = fallback_of(run, &to.row, placement->n);
    assert(to.row.found_n == to.row.kept_n + to.row.dropped_n && to.row.kept_n == to.row.items_n);
    *out_row = to.row;
    return err;
}

enum err decide_run(const struct decide_world *world, const struct decide_request *request, struct arena *arena,
                    struct decide_result *out_result)
{
    struct run run = {.world = world, .request = request, .arena = arena};
    struct decide_row *rows = arena_array(arena, request->placements_n + 1, sizeof(*rows));
    size_t places = 1;
    enum err err;

    assert(request->picture != NULL);
    for (size_t i = 0; i < request->placements_n; i++) {
        places += request->placements[i].n;
    }
    run.shown = arena_array(arena, places, sizeof(*run.shown));
    run.life = request->picture->life;
    if (request->mode == DECIDE_ANONYMOUS) {
        run.life = arena_take(arena, sizeof(*run.life)); /* context only, whatever picture came along */
    }
    if (rows == NULL || run.shown == NULL || run.life == NULL) {
        return ERR_NOMEM;
    }
    err = retrieve(&run);
    for (size_t i = 0; err == ERR_OK && i < request->placements_n; i++) {
        err = build_row(&run, &request->placements[i], &rows[i]);
    }
    if (err == ERR_OK && arena_overflowed(arena)) {
        err = ERR_NOMEM;
    }
    if (err == ERR_OK) {
        *out_result = (struct decide_result){rows, request->placements_n};
    }
    return err;
}
