/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/evidence_inside.h"
#include "decide/rhythm.h"

#include "model/model_live.h"
#include "model/model_popular.h"
#include "model/model_segment.h"

#include <math.h>

#define DAYS_DECAY 60.0f     /* e-folding of FEATURE_DAYS_DECAYED: prototype on complete_journey */
#define BASKETS_DECAY 0.8f   /* of FEATURE_BASKETS_DECAYED */
#define LOOK_DAYS 2.0f       /* e-folding of a look; a basket or a wish: a week (models.md 1) */
#define WISH_DAYS 7.0f

enum { CONTENT_SOURCES = 20, SOURCES_BESIDE_VISIT = 30 };

static float days_between(int64_t from_ms, int64_t to_ms)
{
    float days = (float)((double)(to_ms - from_ms) / (double)DAY_MS);

    return days > EVIDENCE_DAYS_LEAST ? days : EVIDENCE_DAYS_LEAST;
}

/* ---- own purchases ---- */

struct own_table { /* by id: 1 + place */
    uint16_t slot[2 * PART_LINES];
};

static struct evidence_own *own_of(struct evidence *evidence, struct own_table *table, struct item_id id)
{
    size_t at = (size_t)(id.v % (2 * PART_LINES));

    while (table->slot[at] != 0 && evidence->own[table->slot[at] - 1].id.v != id.v) {
        at = (at + 1) % (2 * PART_LINES);
    }
    if (table->slot[at] == 0) {
        evidence->own[evidence->own_n] = (struct evidence_own){.id = id, .item = MODEL_NONE};
        table->slot[at] = (uint16_t)++evidence->own_n;
        model_item_find_soon(evidence->view->base, id);
    }
    return &evidence->own[table->slot[at] - 1];
}

static bool is_counted(const struct part_basket *basket, int64_t now_ms)
{
    return !basket->is_retracted && basket->at_ms <= now_ms;
}

static void count_own(struct evidence *evidence, const struct part *life, struct own_table *table)
{
    const struct model_rank *rank = model_rank(evidence->view->base, MODEL_HEAD_HISTORY);
    const struct model_domain_settings *history = model_domain(evidence->view->base, MODEL_HISTORY);
    float count = 1, count_source = 1, decayed = 1, source = 1;
    float fade = history->w_steps > 0 ? expf(-1.0f / history->w_steps) : 1.0f;
    uint16_t since = 0;

    for (size_t b = 0; b < life->baskets_n; b++) {
        const struct part_basket *basket = &life->baskets[b];
        float days = days_between(basket->at_ms, evidence->now_ms);
        float faded = expf(-days / DAYS_DECAY);

        if (!is_counted(basket, evidence->now_ms)) {
            continue;
        }
        for (size_t l = 0; l < basket->lines_n; l++) {
            const struct part_line *line = &life->lines[basket->lines_at + l];
            struct evidence_own *own;

            if (line->quantity_milli <= 0) {
                continue;
            }
            own = own_of(evidence, table, line->item);
            evidence->line_own[basket->lines_at + l] = (uint16_t)(own - evidence->own + 1);
            if (own->times == 0 || (own->times == 1 && own->basket == b + 1)) {
                own->last_milli = own->last_milli > INT32_MAX - line->quantity_milli ? INT32_MAX
                                                                                     : own->last_milli + line->quantity_milli;
            }
            if (own->basket == b + 1) {
                continue; /* an item counts once a basket, however often the till rang it up */
            }
            if (own->times == 0) {
                own->since = since;
                own->last_ms = basket->at_ms;
            }
            own->basket = (uint16_t)(b + 1);
            own->times++;
            own->since_first = since;
            own->first_ms = basket->at_ms;
            own->count += count;
            own->count_source += count_source;
            own->days_decayed += faded;
            own->baskets_decayed += decayed;
            own->source += source;
        }
        since++;
        count *= rank->rho;
        count_source *= rank->rho_source;
        decayed *= BASKETS_DECAY;
        source *= fade;
    }
}

static enum err gather_own(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    struct own_table *table = arena_take(arena, sizeof(*table));

    evidence->own = arena_array(arena, life->lines_n + 1, sizeof(*evidence->own));
    evidence->line_own = arena_array(arena, life->lines_n + 1, sizeof(*evidence->line_own));
    if (table == NULL || evidence->own == NULL || evidence->line_own == NULL) {
        return ERR_NOMEM;
    }
    count_own(evidence, life, table);
    if (!tally_open(&evidence->own_at, arena, evidence->own_n + 1)) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < evidence->own_n; i++) {
        evidence->own[i].item = model_view_find(evidence->view, evidence->own[i].id);
        if (evidence->own[i].item != MODEL_NONE) {
            tally_add(&evidence->own_at, evidence->own[i].item, (float)(i + 1)); /* exact: below 2^24 */
        }
    }
    return ERR_OK;
}

/* ---- through W ---- */

static enum err gather_together(struct evidence *evidence, struct arena *arena)
{
    struct topk_entry room[EVIDENCE_SOURCES];
    struct topk best = topk_of(room, evidence->head == MODEL_HEAD_SESSION ? SOURCES_BESIDE_VISIT : EVIDENCE_SOURCES);

    for (size_t i = 0; i < evidence->own_n; i++) {
        if (evidence->own[i].item != MODEL_NONE) {
            topk_offer(&best, evidence->own[i].count_source, evidence->own[i].item);
        }
    }
    topk_sort(&best); /* sums in a fixed order */
    evidence->bought = arena_array(arena, best.n + 1, sizeof(*evidence->bought));
    if (evidence->bought == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < best.n; i++) {
        evidence->bought[i] = (struct evidence_source){.item = best.at[i].item, .weight = sqrtf(best.at[i].score)};
    }
    evidence->bought_n = best.n;
    return evidence_add_rows(evidence->view, MODEL_W_TOGETHER, evidence->bought, evidence->bought_n, arena,
                             &evidence->together);
}

static float look_weight(const struct part_look *look, int64_t now_ms)
{
    float kind = evidence_look_kind(look);

    return kind == 0 ? 0 : kind * expf(-days_between(look->at_ms, now_ms) / (kind > 1 ? WISH_DAYS : LOOK_DAYS));
}

static enum err gather_looked(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    enum err err;

    if (life->looks_n == 0) {
        return ERR_OK;
    }
    evidence->seen = arena_array(arena, life->looks_n, sizeof(*evidence->seen));
    if (evidence->seen == NULL || !tally_open(&evidence->interest, arena, life->looks_n + 1)) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < life->looks_n; i++) {
        uint32_t item = model_view_find(evidence->view, life->looks[i].item);
        float weight = look_weight(&life->looks[i], evidence->now_ms);

        if (item == MODEL_NONE || weight <= 0 || life->looks[i].at_ms > evidence->now_ms || evidence_is_taken_back(life, i)) {
            continue;
        }
        evidence->seen[evidence->seen_n++] = (struct evidence_source){.item = item, .weight = weight};
        tally_add(&evidence->interest, item, weight);
    }
    err = evidence_add_rows(evidence->view, MODEL_W_TOGETHER, evidence->seen, evidence->seen_n, arena, &evidence->looked);
    if (err == ERR_OK && model_w_has(evidence->view->base, MODEL_W_BOUGHT)) {
        err = evidence_add_rows(evidence->view, MODEL_W_BOUGHT, evidence->seen, evidence->seen_n, arena,
                                &evidence->bought_after);
    }
    return err;
}

/* What is alike, for items too new for the rest: to those of the visit, else to those bought. */
static enum err gather_content(struct evidence *evidence, struct arena *arena)
{
    const struct evidence_domain *visit = &evidence->domain[MODEL_SESSION];
    bool is_visit = evidence->head == MODEL_HEAD_SESSION && visit->sources_n > 0;
    const struct evidence_source *sources = is_visit ? visit->sources : evidence->bought;
    size_t n = is_visit ? visit->sources_n : evidence->bought_n;

    if (!model_w_has(evidence->view->base, MODEL_W_CONTENT)) {
        return ERR_OK;
    }
    return evidence_add_rows(evidence->view, MODEL_W_CONTENT, sources, n < CONTENT_SOURCES ? n : CONTENT_SOURCES, arena,
                             &evidence->content);
}

static enum err gather_store(struct evidence *evidence, struct arena *arena)
{
    evidence->store_row =
        model_popular_store(evidence->view->base, evidence->store, &evidence->store_row_n, &evidence->store_sum);
    if (evidence->store_row_n == 0) {
        return ERR_OK;
    }
    if (!tally_open(&evidence->here, arena, evidence->store_row_n + 1)) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < evidence->store_row_n; i++) {
        tally_add(&evidence->here, evidence->store_row[i].item, evidence->store_row[i].weight);
    }
    return ERR_OK;
}

/* A visit under way is followed; else what was bought speaks, else old looks. */
static enum model_head_kind head_of(const struct evidence *evidence)
{
    const struct model *model = evidence->view->base;
    bool has_visit = evidence->domain[MODEL_SESSION].steps_n > 0 && model_rank(model, MODEL_HEAD_SESSION)->is_learnt;
    bool has_history = model_rank(model, MODEL_HEAD_HISTORY)->is_learnt;

    if (has_visit && evidence->is_live) {
        return MODEL_HEAD_SESSION;
    }
    if (evidence->own_at.n > 0 && has_history) {
        return MODEL_HEAD_HISTORY;
    }
    if (has_visit) {
        return MODEL_HEAD_SESSION;
    }
    return evidence->interest.n > 0 && has_history ? MODEL_HEAD_HISTORY : MODEL_HEADS_;
}

/* What the events lead to, once it is known who scores. The HISTORY head looks at no visit: what was looked at once, some day, is
 * not what comes next (P7). */
static enum err gather_lead(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    enum err err = gather_together(evidence, arena);

    if (err == ERR_OK) {
        err = evidence_purchases(evidence, life, arena);
    }
    if (err == ERR_OK) {
        err = evidence_lead(evidence, MODEL_HISTORY, evidence->head == MODEL_HEAD_HISTORY, arena);
    }
    if (err == ERR_OK && evidence->head == MODEL_HEAD_SESSION) {
        err = evidence_lead(evidence, MODEL_SESSION, true, arena);
    }
    if (err == ERR_OK) {
        err = gather_content(evidence, arena);
    }
    return err == ERR_OK ? gather_store(evidence, arena) : err;
}

enum err evidence_gather(const struct model_view *view, const struct part *life, struct store_id store, int64_t now_ms,
                         enum model_head_kind head, struct arena *arena, struct evidence *out_evidence)
{
    struct evidence evidence = {.view = view, .now_ms = now_ms, .store = store};
    enum err err;

    if (store.v == 0) {
        evidence.store = model_segment_habits(life).home;
    }
    err = gather_own(&evidence, life, arena);
    if (err == ERR_OK) {
        err = evidence_visit(&evidence, life, arena);
    }
    if (err == ERR_OK) {
        err = gather_looked(&evidence, life, arena);
    }
    if (err == ERR_OK) {
        evidence.head = head != MODEL_HEADS_ ? head : head_of(&evidence);
        err = gather_lead(&evidence, life, arena);
    }
    if (err == ERR_OK) {
        evidence.same[FEATURE_ALIVE] = rhythm_alive(view->base, life, now_ms);
        *out_evidence = evidence;
    }
    return err;
}

bool evidence_is_empty(const struct evidence *evidence)
{
    return evidence->own_at.n == 0 && evidence->seen_n == 0;
}

const struct evidence_own *evidence_of(const struct evidence *evidence, uint32_t item)
{
    float place = tally_get(&evidence->own_at, item);

    return place > 0 ? &evidence->own[(size_t)place - 1] : NULL;
}

uint32_t evidence_because(const struct evidence *evidence, enum model_w kind, const struct evidence_source *sources, size_t n,
                          uint32_t item)
{
    float most = 0;
    uint32_t because = MODEL_NONE;

    for (size_t i = 0; i < n; i++) {
        size_t row_n;
        const struct model_weight *row = model_view_row(evidence->view, kind, sources[i].item, &row_n);

        for (size_t k = 0; k < row_n; k++) {
            if (row[k].item == item && row[k].weight * sources[i].weight > most) {
                most = row[k].weight * sources[i].weight;
                because = sources[i].item;
            }
        }
    }
    return because;
}
