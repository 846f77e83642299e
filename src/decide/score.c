/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/score.h"

#include "model/model_live.h"

#include <math.h>

#define GAP 1e-3f /* between what the trees looked at and the rest */

/* Which reason a feature of a block speaks for; 0: it is the same for all items. */
static const enum decide_reason own_speaks[FEATURE_SESSION_FIRST] = {
    [FEATURE_OWN] = REASON_REPEAT,
    [FEATURE_COUNT] = REASON_REPEAT,
    [FEATURE_TIMES] = REASON_REPEAT,
    [FEATURE_BASKETS_SINCE] = REASON_REPEAT,
    [FEATURE_DAYS_SINCE] = REASON_REPEAT,
    [FEATURE_RATE] = REASON_REPEAT,
    [FEATURE_DUE] = REASON_REPEAT,
    [FEATURE_DUE_SQUARE] = REASON_REPEAT,
    [FEATURE_REPEAT] = REASON_REPEAT,
    [FEATURE_TOGETHER_OWN] = REASON_TOGETHER,
    [FEATURE_TOGETHER_NEW] = REASON_TOGETHER,
    [FEATURE_POPULAR_OWN] = REASON_POPULAR,
    [FEATURE_POPULAR_NEW] = REASON_POPULAR,
    [FEATURE_STORE_OWN] = REASON_STORE,
    [FEATURE_STORE_NEW] = REASON_STORE,
    [FEATURE_REPEAT_NEW] = REASON_POPULAR,
    [FEATURE_DAYS_DECAYED] = REASON_REPEAT,
    [FEATURE_BASKETS_DECAYED] = REASON_REPEAT,
    [FEATURE_LOOKED] = REASON_LOOKED,
    [FEATURE_INTEREST] = REASON_LOOKED,
    [FEATURE_COUNT_SQUARE] = REASON_REPEAT,
    [FEATURE_BASKETS_SQUARE] = REASON_REPEAT,
    [FEATURE_DAYS_SQUARE] = REASON_REPEAT,
    [FEATURE_RATE_SQUARE] = REASON_REPEAT,
    [FEATURE_COUNT_RATE] = REASON_REPEAT,
    [FEATURE_COUNT_DAYS] = REASON_REPEAT,
    [FEATURE_COUNT_REPEAT] = REASON_REPEAT,
    [FEATURE_DAYS_REPEAT] = REASON_REPEAT,
    [FEATURE_RATE_REPEAT] = REASON_REPEAT,
    [FEATURE_HAZARD] = REASON_REPEAT,
    [FEATURE_EARLY] = REASON_REPEAT,
    [FEATURE_AMOUNT_DUE] = REASON_REPEAT,
    [FEATURE_ALIVE] = REASON_REPEAT,
    [FEATURE_PRICE_FIT] = REASON_TOGETHER,
    [FEATURE_BOUGHT_AFTER] = REASON_LOOKED,
};

static enum decide_reason domain_speaks(size_t feature, enum decide_reason lead, enum decide_reason seen)
{
    if (feature <= FEATURE_W_VSTAN) {
        return lead;
    }
    if (feature <= FEATURE_NEARNESS) {
        return seen;
    }
    if (feature <= FEATURE_LAST_POPULAR) {
        return REASON_NONE;
    }
    return feature == FEATURE_POPULAR || feature == FEATURE_RECENT ? REASON_POPULAR : lead;
}

static enum decide_reason speaks_for(const struct evidence *evidence, size_t feature)
{
    if (feature < FEATURE_SESSION_FIRST) {
        return own_speaks[feature];
    }
    if (feature < FEATURE_HISTORY_FIRST) {
        return domain_speaks(feature - FEATURE_SESSION_FIRST, REASON_LOOKED, REASON_LOOKED);
    }
    if (feature < FEATURE_ITEM_FIRST) {
        return domain_speaks(feature - FEATURE_HISTORY_FIRST, REASON_TOGETHER, REASON_REPEAT);
    }
    return feature != FEATURE_CONTENT                    ? REASON_POPULAR
           : evidence->head == MODEL_HEAD_SESSION ? REASON_LOOKED
                                                  : REASON_TOGETHER;
}

_Static_assert((int)REASON_STORE < (int)DECIDE_ADDENDS && (int)REASON_POPULAR >= (int)DECIDE_ADDENDS,
               "addends: none, repeat, together, looked, store and popular");

enum { PIECE = 32 };

struct score_plan score_plan_of(const struct evidence *evidence)
{
    struct score_plan plan = {.is_local = evidence->store_row_n > 0};

    if (evidence->head != MODEL_HEADS_) {
        plan.rank = model_rank(evidence->view->base, evidence->head);
        plan.trees = model_trees(evidence->view->base, evidence->head, &plan.trees_n);
    }
    return plan;
}

/* value: n x FEATURES, filled here. */
static void sum_all(const struct score_plan *plan, const struct evidence *evidence, const uint32_t *items, size_t n,
                    float *value, float *out_scores)
{
    for (size_t i = 0; i < n; i++) {
        evidence_value(evidence, items[i], value + i * FEATURES);
    }
    if (plan->rank != NULL) {
        model_rank_sum(plan->rank, value, n, out_scores);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        out_scores[i] = value[i * FEATURES + (plan->is_local ? FEATURE_STORE_NEW : FEATURE_POPULAR_NEW)];
    }
}

/* The trees look at the best `n` by their sums; order: their places. */
/* Receipts say nothing of looks: where none was met in learning (mean 0) trees are blind to them, and the weights that a shop
 * starts with speak beside the trees. */
static const uint8_t looks[] = {FEATURE_LOOKED, FEATURE_INTEREST, FEATURE_BOUGHT_AFTER};

static float start_weight(const struct model_rank *rank, size_t feature)
{
    return rank->mean[feature] == 0 ? rank->weight[feature] : 0;
}

static float looks_beside(const struct model_rank *rank, const float *value)
{
    float sum = 0;

    for (size_t i = 0; i < sizeof(looks); i++) {
        sum += start_weight(rank, looks[i]) * value[looks[i]];
    }
    return sum;
}

static void walk_best(const struct score_plan *plan, const float *value, const struct topk_entry *order, size_t n, float *scores)
{
    float row[PIECE * FEATURES], margin[PIECE];

    for (size_t from = 0; from < n; from += PIECE) {
        size_t piece = n - from < PIECE ? n - from : PIECE;

        for (size_t i = 0; i < piece; i++) {
            memcpy(row + i * FEATURES, value + (size_t)order[from + i].item * FEATURES, FEATURES * sizeof(*row));
        }
        model_trees_walk(plan->trees, plan->trees_n, plan->rank->start, row, piece, margin);
        for (size_t i = 0; i < piece; i++) {
            margin[i] += looks_beside(plan->rank, row + i * FEATURES);
            scores[order[from + i].item] = isfinite(margin[i]) ? margin[i] : -1e6f;
        }
    }
}

enum err score_all(const struct score_plan *plan, const struct evidence *evidence, const uint32_t *items, size_t n,
                   struct arena *arena, float *out_scores, struct score_below *out_below)
{
    float *value = arena_array(arena, n * FEATURES, sizeof(*value)), least_sum = 0, least = INFINITY;
    size_t most = plan->trees_n > 0 ? plan->rank->most : 0;
    struct topk_entry *room;
    struct topk best;

    *out_below = (struct score_below){-INFINITY, 0};
    if (value == NULL) {
        return ERR_NOMEM;
    }
    sum_all(plan, evidence, items, n, value, out_scores);
    if (plan->trees_n == 0 || n == 0) {
        return ERR_OK;
    }
    most = most == 0 || most > n ? n : most;
    room = arena_array(arena, most, sizeof(*room));
    if (room == NULL) {
        return ERR_NOMEM;
    }
    best = topk_of(room, most);
    for (size_t i = 0; i < n; i++) {
        topk_offer(&best, out_scores[i], (uint32_t)i);
    }
    least_sum = best.at[0].score; /* the worst kept: the order of the rest does not matter */
    walk_best(plan, value, best.at, best.n, out_scores);
    if (best.n == n) {
        return ERR_OK;
    }
    for (size_t i = 0; i < best.n; i++) {
        least = fminf(least, out_scores[best.at[i].item]);
        best.at[i].score = out_scores[best.at[i].item];
    }
    *out_below = (struct score_below){least, least - GAP - least_sum};
    for (size_t i = 0; i < n; i++) {
        out_scores[i] += out_below->shift;
    }
    for (size_t i = 0; i < best.n; i++) {
        out_scores[best.at[i].item] = best.at[i].score;
    }
    return ERR_OK;
}

static void explain_nobody(const struct score_plan *plan, struct decide_item *item)
{
    item->reason = plan->is_local ? REASON_STORE : REASON_POPULAR;
    item->addends[item->addends_n++] = (struct decide_part_score){item->reason, item->score, {0}};
}

static uint32_t spoke_in(const struct evidence *evidence, enum model_domain which, enum model_w kind, uint32_t item)
{
    const struct evidence_domain *domain = &evidence->domain[which];
    uint32_t because = MODEL_NONE;

    if (domain->is_used) {
        because = evidence_because(evidence, kind, domain->sources, domain->sources_n, item);
    }
    /* Neighbours answer to the whole way; its newest step stands for it. */
    return because == MODEL_NONE && domain->is_used && tally_get(&domain->vstan.sum, item) > 0
               ? domain->steps[domain->steps_n - 1].item
               : because;
}

static struct item_id spoke(const struct evidence *evidence, enum decide_reason reason, uint32_t item)
{
    uint32_t because = MODEL_NONE;

    if (reason == REASON_REPEAT) {
        because = item;
    } else if (reason == REASON_TOGETHER) {
        because = evidence_because(evidence, MODEL_W_TOGETHER, evidence->bought, evidence->bought_n, item);
        because = because != MODEL_NONE ? because : spoke_in(evidence, MODEL_HISTORY, MODEL_W_HISTORY, item);
    } else if (reason == REASON_LOOKED) {
        because = spoke_in(evidence, MODEL_SESSION, MODEL_W_SESSION, item);
        because = because != MODEL_NONE
                      ? because
                      : evidence_because(evidence, MODEL_W_TOGETHER, evidence->seen, evidence->seen_n, item);
    }
    return because == MODEL_NONE ? (struct item_id){0} : model_view_id(evidence->view, because);
}

/* Whether the customer's own events say it at all: a weight on a constant is no reason. */
static bool may_say(const struct score_plan *plan, const struct evidence *evidence, enum decide_reason reason, uint32_t item,
                    float sum)
{
    const struct evidence_domain *history = &evidence->domain[MODEL_HISTORY], *visit = &evidence->domain[MODEL_SESSION];

    if (reason == REASON_REPEAT) {
        return evidence_of(evidence, item) != NULL;
    }
    if (reason == REASON_TOGETHER) {
        return tally_get(&evidence->together, item) > 0 || tally_get(&history->w.sum, item) > 0 ||
               tally_get(&history->vstan.sum, item) > 0 || tally_get(&history->rules.sum, item) > 0 ||
               (evidence->head == MODEL_HEAD_HISTORY && tally_get(&evidence->content, item) > 0);
    }
    if (reason == REASON_LOOKED) {
        return sum > 0 && (evidence->seen_n > 0 || visit->is_used);
    }
    return reason == REASON_STORE ? plan->is_local : reason == REASON_POPULAR;
}

/* What each feature added; their sum and the rest are the score. */
static void add_up(const struct score_plan *plan, const struct evidence *evidence, uint32_t item, float score,
                   const struct score_below *below, float sum[REASONS_], float lift[REASONS_])
{
    float value[FEATURES], part[FEATURES], rest;
    bool by_trees = plan->trees_n > 0 && score >= below->from;

    evidence_value(evidence, item, value);
    if (by_trees) {
        model_trees_explain(plan->trees, plan->trees_n, plan->rank->start, value, part, &rest);
        sum[REASON_NONE] = rest;
    } else {
        sum[REASON_NONE] = plan->rank->bias + below->shift;
    }
    for (size_t i = 0; by_trees && i < sizeof(looks); i++) {
        part[looks[i]] += start_weight(plan->rank, looks[i]) * value[looks[i]];
    }
    for (size_t f = 0; f < FEATURES; f++) {
        enum decide_reason reason = speaks_for(evidence, f);
        float added = by_trees ? part[f] : plan->rank->weight[f] * value[f];

        sum[reason] += added;
        lift[reason] += by_trees ? added : plan->rank->weight[f] * (value[f] - plan->rank->mean[f]);
    }
}

void score_explain(const struct score_plan *plan, const struct evidence *evidence, uint32_t item, float score,
                   const struct score_below *below, bool names_all, struct decide_item *out_item)
{
    static const enum decide_reason order[DECIDE_ADDENDS] = {REASON_NONE,   REASON_REPEAT, REASON_TOGETHER,
                                                             REASON_LOOKED, REASON_STORE,  REASON_POPULAR};
    float sum[REASONS_] = {0}, lift[REASONS_] = {0}, most = 0;

    size_t main = 0;

    out_item->score = score;
    if (plan->rank == NULL) {
        explain_nobody(plan, out_item);
        return;
    }
    add_up(plan, evidence, item, score, below, sum, lift);
    out_item->reason = REASON_POPULAR;
    for (size_t i = 0; i < DECIDE_ADDENDS; i++) {
        enum decide_reason reason = order[i];
        struct decide_part_score addend = {reason, sum[reason], {0}};
        bool is_own = reason == REASON_REPEAT || reason == REASON_TOGETHER || reason == REASON_LOOKED;
        bool says = may_say(plan, evidence, reason, item, sum[reason]);

        if (is_own && says) {
            out_item->is_personal = true;
            if (names_all) {
                addend.because = spoke(evidence, reason, item);
            }
        }
        if (says && lift[reason] > most) {
            most = lift[reason];
            out_item->reason = reason;
            main = i;
        }
        out_item->addends[out_item->addends_n++] = addend;
    }
    if (most > 0) { /* the search for it is the dear part: else only the one that is said */
        out_item->addends[main].because = spoke(evidence, out_item->reason, item);
        out_item->because = out_item->addends[main].because;
    }
}
