/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences and what they lead to: the visit under way and the purchases in order, each through W, neighbours, and pairs and rules
 * of its newest step. A part that the domain's settings leave out is neither computed nor proposed. */
#include "decide/evidence_inside.h"

#include "model/model_live.h"
#include "model/model_popular.h"

#include <float.h>
#include <math.h>

#define CART_WEIGHT 4.0f /* of a look: what is put in the basket, wished for (models.md 1) */
#define WISH_WEIGHT 3.0f
#define SOURCE_LEAST 1e-2f /* of the strongest: weaker sources are left out */

enum {
    BESIDE_VISIT = 50,   /* sources of either domain while a visit is under way: the newest */
    SOURCES_MOST = 150,  /* the strongest, without one */
    NEIGHBOURS_LEAST = 16,
    LENGTHS = 8,         /* stored sequences looked at for their usual length */
    POSTINGS_LISTS = 16  /* postings are shared by so many items at most, as model_session.h shares them */
};

/* By domain, about 100 us: postings looked at in all; items of neighbours added up, of each variant. Purchases are a long way, and
 * beside neighbours what was bought speaks for itself. */
static const size_t postings_most[MODEL_DOMAINS_] = {8000, 3000}, held_most[MODEL_DOMAINS_] = {5000, 2000};

/* ---- looks ---- */

float evidence_look_kind(const struct part_look *look)
{
    if (look->kind == EVENT_VIEW || look->kind == EVENT_CLICK) {
        return 1;
    }
    if (look->kind == EVENT_ADD || look->kind == EVENT_CART) {
        return CART_WEIGHT;
    }
    return look->kind == EVENT_WISH ? WISH_WEIGHT : 0.0f;
}

bool evidence_is_taken_back(const struct part *life, size_t look)
{
    for (size_t k = 0; k < look; k++) { /* newer ones come first */
        if ((life->looks[k].kind == EVENT_REMOVE || life->looks[k].kind == EVENT_UNWISH) &&
            life->looks[k].item.v == life->looks[look].item.v) {
            return true;
        }
    }
    return false;
}

bool evidence_is_quiet(const struct evidence *evidence, uint32_t item)
{
    const struct evidence_domain *visit = &evidence->domain[MODEL_SESSION];
    float place = evidence->is_live ? 0 : tally_get(&visit->source_at, item);

    return place > 0 && visit->sources[(size_t)place - 1].times == 1 && !tally_has(&evidence->own_at, item);
}

/* ---- sequences ---- */

static float fade(float steps_back, float w_steps)
{
    return w_steps > 0 ? expf(-steps_back / w_steps) : 1.0f;
}

/* One occurrence, newest first. */
static void add_source(struct evidence_domain *domain, uint32_t item, size_t back, float weight)
{
    float place = tally_get(&domain->source_at, item);

    if (place == 0) {
        domain->sources[domain->sources_n] = (struct evidence_source){.item = item, .back = (uint16_t)back};
        place = (float)++domain->sources_n;
        tally_add(&domain->source_at, item, place); /* exact: below 2^24 */
    }
    domain->sources[(size_t)place - 1].times++;
    domain->sources[(size_t)place - 1].weight += weight;
}

static bool open_domain(struct evidence_domain *domain, size_t steps_n, struct arena *arena)
{
    domain->steps = arena_array(arena, steps_n + 1, sizeof(*domain->steps));
    domain->sources = arena_array(arena, steps_n + 1, sizeof(*domain->sources));
    return domain->steps != NULL && domain->sources != NULL && tally_open(&domain->source_at, arena, steps_n + 1);
}

static void number_steps(struct evidence_domain *domain) /* turns newest-first into oldest-first */
{
    size_t n = domain->steps_n;
    uint32_t last = n > 0 ? domain->steps[n - 1].step : 0;

    for (size_t i = 0; i < n / 2; i++) {
        struct model_step other = domain->steps[i];

        domain->steps[i] = domain->steps[n - 1 - i];
        domain->steps[n - 1 - i] = other;
    }
    for (size_t i = 0; i < n; i++) {
        domain->steps[i].step = last - domain->steps[i].step;
    }
}

enum err evidence_visit(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    struct evidence_domain *domain = &evidence->domain[MODEL_SESSION];
    int64_t newer_ms = -1;

    domain->settings = *model_domain(evidence->view->base, MODEL_SESSION);
    if (!domain->settings.is_learnt || life->looks_n == 0) {
        return ERR_OK;
    }
    if (!open_domain(domain, life->looks_n, arena)) {
        return ERR_NOMEM;
    }
    for (size_t l = 0; l < life->looks_n; l++) {
        const struct part_look *look = &life->looks[l];
        float kind = evidence_look_kind(look);
        uint32_t item;

        if (kind == 0 || look->at_ms > evidence->now_ms) {
            continue;
        }
        if (newer_ms == -1) {
            evidence->is_live = evidence->now_ms - look->at_ms <= MODEL_SESSION_GAP_MS;
        } else if (newer_ms - look->at_ms > MODEL_SESSION_GAP_MS) {
            break;
        }
        newer_ms = look->at_ms;
        item = model_view_find(evidence->view, look->item);
        if (item != MODEL_NONE && !evidence_is_taken_back(life, l)) {
            size_t back = domain->steps_n;

            domain->steps[domain->steps_n++] = (struct model_step){item, (uint32_t)back};
            add_source(domain, item, back, kind * fade((float)back, domain->settings.w_steps));
        }
    }
    number_steps(domain);
    return ERR_OK;
}

/* Every purchase is a source; the newest MODEL_SEQUENCE_MAX lines are the sequence. */
enum err evidence_purchases(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    struct evidence_domain *domain = &evidence->domain[MODEL_HISTORY];
    uint32_t back = 0;

    domain->settings = *model_domain(evidence->view->base, MODEL_HISTORY);
    if (!domain->settings.is_learnt || evidence->own_at.n == 0) {
        return ERR_OK;
    }
    if (!open_domain(domain, life->lines_n, arena)) {
        return ERR_NOMEM;
    }
    for (size_t b = 0; b < life->baskets_n && domain->steps_n < MODEL_SEQUENCE_MAX; b++) {
        const struct part_basket *basket = &life->baskets[b];
        size_t before = domain->steps_n;

        for (size_t l = basket->lines_n; l > 0 && domain->steps_n < MODEL_SEQUENCE_MAX; l--) {
            uint16_t place = evidence->line_own[basket->lines_at + l - 1];

            if (place > 0 && evidence->own[place - 1].item != MODEL_NONE) {
                domain->steps[domain->steps_n++] = (struct model_step){evidence->own[place - 1].item, back};
            }
        }
        back += domain->steps_n > before;
    }
    number_steps(domain);
    for (size_t i = 0; i < evidence->own_n; i++) {
        const struct evidence_own *own = &evidence->own[i];

        if (own->item != MODEL_NONE) {
            domain->sources[domain->sources_n++] =
                (struct evidence_source){own->item, own->source, own->times, own->since};
            tally_add(&domain->source_at, own->item, (float)domain->sources_n);
        }
    }
    return ERR_OK;
}

/* ---- rows ---- */

struct row {
    const struct model_weight *at;
    size_t n;
};

/* Rows are looked up once: a live side may solve one anew meanwhile. */
enum err evidence_sum_rows(const struct model_view *view, enum model_w kind, const struct evidence_source *sources, size_t n,
                           size_t more_n, struct arena *arena, struct tally *out_sum)
{
    struct row *rows = arena_array(arena, n + 1, sizeof(*rows));
    size_t sum = more_n, most = model_view_items_n(view);

    if (rows == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        rows[i].at = model_view_row(view, kind, sources[i].item, &rows[i].n);
        sum += rows[i].n;
    }
    sum = sum < most ? sum : most;
    if (!tally_open(out_sum, arena, sum - sum / 4 + 1)) { /* never full; rows share targets, so seldom more than half */
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < rows[i + 1].n; k += 8) { /* the last is followed by an empty one */
            __builtin_prefetch(&rows[i + 1].at[k]);
        }
        for (size_t k = 0; k < rows[i].n; k++) {
            tally_add(out_sum, rows[i].at[k].item, sources[i].weight * rows[i].at[k].weight);
        }
    }
    return ERR_OK;
}

enum err evidence_add_rows(const struct model_view *view, enum model_w kind, const struct evidence_source *sources, size_t n,
                           struct arena *arena, struct tally *out_sum)
{
    return evidence_sum_rows(view, kind, sources, n, 0, arena, out_sum);
}

/* ---- lists ---- */

struct topk evidence_best(const struct tally *sum, size_t most, struct arena *arena)
{
    struct topk best = topk_of(arena_array(arena, most, sizeof(*best.at)), most);
    float least = FLT_MIN; /* a sum of negatives promotes nothing (models.md 4); a free slot's sum is 0 */

    for (size_t i = 0; best.at != NULL && sum->n > 0 && i <= sum->mask; i++) {
        if (sum->slot[i].sum >= least) { /* the one branch, seldom taken: others would be guessed wrong every second time */
            topk_offer(&best, sum->slot[i].sum, sum->slot[i].key - 1);
            least = best.n == most ? best.at[0].score : least;
        }
    }
    topk_sort(&best);
    return best;
}

/* Purchases do not compete in a list of purchases: others are asked for there, and their own features speak for those. Their sums
 * are kept aside while the rest is looked through. */
static enum err best_of_others(const struct evidence *evidence, struct evidence_list *list, size_t most, struct arena *arena,
                               struct topk *out_best)
{
    float *aside = arena_array(arena, evidence->own_n + 1, sizeof(*aside));

    if (aside == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; list->sum.n > 0 && i < evidence->own_n; i++) {
        struct tally_slot *slot = evidence->own[i].item == MODEL_NONE ? NULL : tally_find(&list->sum, evidence->own[i].item);

        if (slot != NULL && slot->key != 0) {
            list->most[1] = fmaxf(list->most[1], slot->sum);
            aside[i] = slot->sum;
            slot->sum = 0;
        }
    }
    *out_best = evidence_best(&list->sum, most, arena);
    for (size_t i = 0; list->sum.n > 0 && i < evidence->own_n; i++) {
        if (aside[i] != 0) {
            tally_find(&list->sum, evidence->own[i].item)->sum = aside[i];
        }
    }
    return ERR_OK;
}

/* The largest sums and the best of a list. */
static enum err close_list(const struct evidence *evidence, enum model_domain domain, struct evidence_list *list, size_t most,
                           struct arena *arena)
{
    struct topk best = {0};

    if (domain == MODEL_SESSION) {
        best = evidence_best(&list->sum, most, arena);
    } else if (best_of_others(evidence, list, most, arena, &best) != ERR_OK) {
        return ERR_NOMEM;
    }
    if (best.at == NULL || !tally_open(&list->rank, arena, best.n + 1)) {
        return ERR_NOMEM;
    }
    list->best = best.at;
    list->best_n = best.n;
    list->most[0] = best.n > 0 ? best.at[0].score : 0;
    for (size_t r = 0; r < best.n; r++) {
        tally_add(&list->rank, best.at[r].item, (float)(r + 1));
    }
    return ERR_OK;
}

/* The strongest sources, of equal ones the newer; sums in the order of the domain. */
static size_t strongest(const struct evidence_domain *domain, size_t most, struct topk_entry *room, struct evidence_source *out)
{
    struct topk best = topk_of(room, most);
    float largest = 0, least = 0;
    size_t n = 0;

    for (size_t i = 0; i < domain->sources_n; i++) {
        largest = fmaxf(largest, domain->sources[i].weight);
        if (domain->sources_n > most) {
            topk_offer(&best, domain->sources[i].weight, (uint32_t)i);
        }
    }
    if (domain->sources_n > most) {
        least = best.at[0].score; /* never sorted: only the worst kept matters */
    }
    least = fmaxf(least, SOURCE_LEAST * largest);
    for (size_t i = 0; i < domain->sources_n && n < most; i++) {
        if (domain->sources[i].weight >= least) {
            out[n++] = domain->sources[i];
        }
    }
    return n;
}

static enum err lead_by_w(struct evidence *evidence, enum model_domain which, struct arena *arena)
{
    struct evidence_domain *domain = &evidence->domain[which];
    enum model_w kind = which == MODEL_SESSION ? MODEL_W_SESSION : MODEL_W_HISTORY;
    size_t most = evidence->head == MODEL_HEAD_SESSION ? BESIDE_VISIT : SOURCES_MOST, n;
    struct evidence_source *speak = arena_array(arena, most, sizeof(*speak));
    struct topk_entry *room = arena_array(arena, most, sizeof(*room));
    float scale[EVIDENCE_LIVE_SOURCES] = {0};
    struct evidence_live live = {.n = 0};
    enum err err = ERR_OK;

    if (speak == NULL || room == NULL) {
        return ERR_NOMEM;
    }
    n = strongest(domain, most, room, speak);
    if (which == MODEL_SESSION) {
        err = evidence_live_find(evidence, which, speak, n < EVIDENCE_LIVE_SOURCES ? n : EVIDENCE_LIVE_SOURCES, arena, &live);
        evidence_live_mix(evidence->view, kind, &live, speak, scale);
    }
    if (err == ERR_OK) {
        err = evidence_sum_rows(evidence->view, kind, speak, n, live.steps_n, arena, &domain->w.sum);
    }
    if (err != ERR_OK) {
        return err;
    }
    evidence_live_add(evidence->view, &live, EVIDENCE_LIVE_LEAD, scale, &domain->w.sum);
    return close_list(evidence, which, &domain->w, EVIDENCE_LIST, arena);
}

/* Time is bounded: fewer postings of each of many items, fewer neighbours where sequences are long. */
static void bound_neighbours(const struct model *model, enum model_domain which, struct evidence_domain *domain)
{
    struct model_domain_settings *settings = &domain->settings;
    size_t lists = domain->sources_n < POSTINGS_LISTS ? domain->sources_n : POSTINGS_LISTS, length = LENGTHS;
    uint32_t sequences_n = model_sequences_n(model, which), most;

    for (uint32_t i = 0; i < LENGTHS && sequences_n > 0; i++) {
        length += model_sequence(model, which, (uint32_t)((uint64_t)sequences_n * i / LENGTHS)).n;
    }
    most = (uint32_t)(held_most[which] * LENGTHS / length);
    most = most > NEIGHBOURS_LEAST ? most : NEIGHBOURS_LEAST;
    if (settings->postings > postings_most[which] / lists) {
        settings->postings = (uint32_t)(postings_most[which] / lists);
    }
    settings->neighbours = !(settings->uses & MODEL_USES_VSTAN) ? 0 : settings->neighbours < most ? settings->neighbours : most;
    settings->vmis_neighbours =
        !(settings->uses & MODEL_USES_VMIS) ? 0 : settings->vmis_neighbours < most ? settings->vmis_neighbours : most;
}

static enum err lead_by_neighbours(struct evidence *evidence, enum model_domain which, struct arena *arena)
{
    struct evidence_domain *domain = &evidence->domain[which];
    enum err err;

    bound_neighbours(evidence->view->base, which, domain);
    err = model_session_score(evidence->view, which, &domain->settings, domain->steps, domain->steps_n, evidence->now_ms, arena,
                              &domain->vstan.sum, &domain->vmis.sum);
    if (err == ERR_OK) {
        err = close_list(evidence, which, &domain->vstan, EVIDENCE_LIST, arena);
    }
    return err == ERR_OK ? close_list(evidence, which, &domain->vmis, EVIDENCE_LIST, arena) : err;
}

/* ---- the last item ---- */

/* Of a basket, all its items are the last. */
static enum err lead_by_last(struct evidence *evidence, enum model_domain which, struct arena *arena)
{
    struct evidence_domain *domain = &evidence->domain[which];
    struct evidence_source *last = arena_array(arena, domain->steps_n + 1, sizeof(*last));
    bool is_session = which == MODEL_SESSION;
    struct evidence_live live;
    size_t n = 0;
    enum err err;

    if (last == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = domain->steps_n; i > 0 && domain->steps[i - 1].step == domain->steps[domain->steps_n - 1].step; i--) {
        last[n++] = (struct evidence_source){.item = domain->steps[i - 1].item, .weight = 1};
        domain->last_seen += model_view_seen(evidence->view, domain->steps[i - 1].item).all[which];
    }
    if (!(domain->settings.uses & MODEL_USES_PAIRS)) {
        return ERR_OK;
    }
    err = evidence_live_find(evidence, which, last, n, arena, &live);
    if (err == ERR_OK) {
        err = evidence_sum_rows(evidence->view, is_session ? MODEL_W_PAIR_SESSION : MODEL_W_PAIR_HISTORY, last, n, live.steps_n, arena,
                       &domain->pairs.sum);
    }
    if (err == ERR_OK) {
        evidence_live_add(evidence->view, &live, EVIDENCE_LIVE_PAIR, NULL, &domain->pairs.sum);
        err = evidence_sum_rows(evidence->view, is_session ? MODEL_W_RULE_SESSION : MODEL_W_RULE_HISTORY, last, n, live.steps_n, arena,
                       &domain->rules.sum);
    }
    if (err == ERR_OK) {
        evidence_live_add(evidence->view, &live, EVIDENCE_LIVE_RULE, NULL, &domain->rules.sum);
    }
    if (err == ERR_OK) {
        err = close_list(evidence, which, &domain->pairs, EVIDENCE_LIST, arena);
    }
    return err == ERR_OK ? close_list(evidence, which, &domain->rules, EVIDENCE_LIST, arena) : err;
}

enum err evidence_lead(struct evidence *evidence, enum model_domain which, bool has_neighbours, struct arena *arena)
{
    struct evidence_domain *domain = &evidence->domain[which];
    float *same = evidence->same + (which == MODEL_SESSION ? FEATURE_SESSION_FIRST : FEATURE_HISTORY_FIRST);
    enum err err;

    if (domain->steps_n == 0) {
        return ERR_OK;
    }
    domain->is_used = true;
    err = lead_by_last(evidence, which, arena);
    if (err == ERR_OK && (domain->settings.uses & MODEL_USES_W)) {
        err = lead_by_w(evidence, which, arena);
    }
    if (err == ERR_OK && has_neighbours && (domain->settings.uses & (MODEL_USES_VSTAN | MODEL_USES_VMIS))) {
        err = lead_by_neighbours(evidence, which, arena);
    }
    same[FEATURE_LENGTH] = log1pf((float)domain->steps_n);
    same[FEATURE_DISTINCT] = log1pf((float)domain->sources_n);
    same[FEATURE_LAST_POPULAR] = log1pf(domain->last_seen);
    return err;
}
