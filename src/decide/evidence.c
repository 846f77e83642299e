/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/evidence.h"

#include "model/model_popular.h"
#include "model/model_segment.h"

#include <math.h>

#define DAYS_DECAY 60.0f     /* e-folding of FEATURE_DAYS_DECAYED: prototype on complete_journey */
#define BASKETS_DECAY 0.8f   /* of FEATURE_BASKETS_DECAYED */
#define GAP_PRIOR 3.0f       /* the item's gap weighs as much as three own gaps (models.md 5) */
#define DAYS_LEAST 0.25f
#define LOOK_DAYS 2.0f       /* e-folding of a look; a basket or a wish: a week (models.md 1) */
#define WISH_DAYS 7.0f
#define STORE_BASKETS_MIN 5.0f /* fewer baskets of an item propose nothing */

static float days_between(int64_t from_ms, int64_t to_ms)
{
    float days = (float)((double)(to_ms - from_ms) / (double)DAY_MS);

    return days > DAYS_LEAST ? days : DAYS_LEAST;
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
        model_item_find_soon(evidence->model, id);
    }
    return &evidence->own[table->slot[at] - 1];
}

static bool is_counted(const struct part_basket *basket, int64_t now_ms)
{
    return !basket->is_retracted && basket->at_ms <= now_ms;
}

static void count_own(struct evidence *evidence, const struct part *life, struct own_table *table)
{
    const struct model_rank *rank = model_rank(evidence->model, MODEL_HEAD_HISTORY);
    float count = 1, count_source = 1, decayed = 1;
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
        }
        since++;
        count *= rank->rho;
        count_source *= rank->rho_source;
        decayed *= BASKETS_DECAY;
    }
}

static enum err gather_own(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    struct own_table *table = arena_take(arena, sizeof(*table));

    evidence->own = arena_array(arena, life->lines_n + 1, sizeof(*evidence->own));
    if (table == NULL || evidence->own == NULL) {
        return ERR_NOMEM;
    }
    count_own(evidence, life, table);
    if (!tally_open(&evidence->own_at, arena, evidence->own_n + 1)) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < evidence->own_n; i++) {
        evidence->own[i].item = model_item_find(evidence->model, evidence->own[i].id);
        if (evidence->own[i].item != MODEL_NONE) {
            tally_add(&evidence->own_at, evidence->own[i].item, (float)(i + 1)); /* exact: below 2^24 */
        }
    }
    return ERR_OK;
}

/* ---- through W ---- */

static size_t rows_n(const struct model *model, const struct evidence_source *sources, size_t n)
{
    size_t sum = 1, row_n;

    for (size_t i = 0; i < n; i++) {
        (void)model_w_row(model, MODEL_W_TOGETHER, sources[i].item, &row_n);
        sum += row_n;
    }
    return sum;
}

static void add_rows(const struct model *model, const struct evidence_source *sources, size_t n, struct tally *sum)
{
    for (size_t i = 0; i < n; i++) {
        size_t row_n;
        const struct model_weight *row = model_w_row(model, MODEL_W_TOGETHER, sources[i].item, &row_n);

        if (i + 1 < n) {
            size_t next_n;
            const struct model_weight *next = model_w_row(model, MODEL_W_TOGETHER, sources[i + 1].item, &next_n);

            for (size_t k = 0; k < next_n; k += 8) {
                __builtin_prefetch(&next[k]);
            }
        }
        for (size_t k = 0; k < row_n; k++) {
            tally_add(sum, row[k].item, sources[i].weight * row[k].weight);
        }
    }
}

static enum err gather_together(struct evidence *evidence, struct arena *arena)
{
    struct topk_entry room[EVIDENCE_SOURCES];
    struct topk best = topk_of(room, EVIDENCE_SOURCES);

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
        evidence->bought[i] = (struct evidence_source){best.at[i].item, sqrtf(best.at[i].score)};
    }
    evidence->bought_n = best.n;
    if (!tally_open(&evidence->together, arena, rows_n(evidence->model, evidence->bought, best.n))) {
        return ERR_NOMEM;
    }
    add_rows(evidence->model, evidence->bought, evidence->bought_n, &evidence->together);
    return ERR_OK;
}

/* What a look, a basket or a wish says (models.md 1): 0 for kinds that take back or say nothing. */
static float look_weight(const struct part_look *look, int64_t now_ms)
{
    float days = days_between(look->at_ms, now_ms);

    if (look->kind == EVENT_VIEW || look->kind == EVENT_CLICK) {
        return expf(-days / LOOK_DAYS);
    }
    if (look->kind == EVENT_ADD || look->kind == EVENT_CART) {
        return 4.0f * expf(-days / WISH_DAYS);
    }
    return look->kind == EVENT_WISH ? 3.0f * expf(-days / WISH_DAYS) : 0.0f;
}

static bool is_taken_back(const struct part *life, size_t i)
{
    for (size_t k = 0; k < i; k++) { /* newer ones come first */
        if (life->looks[k].item.v == life->looks[i].item.v &&
            (life->looks[k].kind == EVENT_REMOVE || life->looks[k].kind == EVENT_UNWISH)) {
            return true;
        }
    }
    return false;
}

static enum err gather_looked(struct evidence *evidence, const struct part *life, struct arena *arena)
{
    if (life->looks_n == 0) {
        return ERR_OK;
    }
    evidence->seen = arena_array(arena, life->looks_n, sizeof(*evidence->seen));
    if (evidence->seen == NULL || !tally_open(&evidence->interest, arena, life->looks_n + 1)) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < life->looks_n; i++) {
        uint32_t item = model_item_find(evidence->model, life->looks[i].item);
        float weight = look_weight(&life->looks[i], evidence->now_ms);

        if (item == MODEL_NONE || weight <= 0 || life->looks[i].at_ms > evidence->now_ms || is_taken_back(life, i)) {
            continue;
        }
        evidence->seen[evidence->seen_n++] = (struct evidence_source){item, weight};
        tally_add(&evidence->interest, item, weight);
    }
    if (!tally_open(&evidence->looked, arena, rows_n(evidence->model, evidence->seen, evidence->seen_n))) {
        return ERR_NOMEM;
    }
    add_rows(evidence->model, evidence->seen, evidence->seen_n, &evidence->looked);
    return ERR_OK;
}

static enum err gather_store(struct evidence *evidence, struct arena *arena)
{
    evidence->store_row =
        model_popular_store(evidence->model, evidence->store, &evidence->store_row_n, &evidence->store_sum);
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

enum err evidence_gather(const struct model *model, const struct part *life, struct store_id store, int64_t now_ms,
                         struct arena *arena, struct evidence *out_evidence)
{
    struct evidence evidence = {.model = model, .now_ms = now_ms, .store = store};
    enum err err;

    if (store.v == 0) {
        evidence.store = model_segment_habits(life).home;
    }
    err = gather_own(&evidence, life, arena);
    if (err == ERR_OK) {
        err = gather_together(&evidence, arena);
    }
    if (err == ERR_OK) {
        err = gather_looked(&evidence, life, arena);
    }
    if (err == ERR_OK) {
        err = gather_store(&evidence, arena);
    }
    if (err == ERR_OK) {
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

/* ---- features ---- */

static float root(float sum)
{
    return sum > 0 ? sqrtf(sum) : 0; /* a sum of negatives promotes nothing (models.md 4) */
}

static void value_of_own(const struct evidence_own *own, const struct model_item *stat, int64_t now_ms,
                         float value[FEATURES])
{
    float times = own->times, gaps = times - 1;
    float since = logf(days_between(own->last_ms, now_ms));
    float span = (float)((double)(own->last_ms - own->first_ms) / (double)DAY_MS);
    float own_gap = logf(fmaxf(span / fmaxf(gaps, 1), 0.5f));
    float due = since - (stat->gap * GAP_PRIOR + own_gap * gaps) / (GAP_PRIOR + gaps);

    value[FEATURE_OWN] = 1;
    value[FEATURE_COUNT] = logf(own->count + 0.05f);
    value[FEATURE_TIMES] = logf(times);
    value[FEATURE_BASKETS_SINCE] = logf(1.0f + (float)own->since);
    value[FEATURE_DAYS_SINCE] = since;
    value[FEATURE_RATE] = logf(times / (1.0f + (float)own->since_first));
    value[FEATURE_DUE] = due;
    value[FEATURE_DUE_SQUARE] = due * due;
    value[FEATURE_REPEAT] = stat->log_repeat;
    value[FEATURE_DAYS_DECAYED] = own->days_decayed;
    value[FEATURE_BASKETS_DECAYED] = own->baskets_decayed;
    value[FEATURE_COUNT_SQUARE] = value[FEATURE_COUNT] * value[FEATURE_COUNT];
    value[FEATURE_BASKETS_SQUARE] = value[FEATURE_BASKETS_SINCE] * value[FEATURE_BASKETS_SINCE];
    value[FEATURE_DAYS_SQUARE] = since * since;
    value[FEATURE_RATE_SQUARE] = value[FEATURE_RATE] * value[FEATURE_RATE];
    value[FEATURE_COUNT_RATE] = value[FEATURE_COUNT] * value[FEATURE_RATE];
    value[FEATURE_COUNT_DAYS] = value[FEATURE_COUNT] * since;
    value[FEATURE_COUNT_REPEAT] = value[FEATURE_COUNT] * stat->log_repeat;
    value[FEATURE_DAYS_REPEAT] = since * stat->log_repeat;
    value[FEATURE_RATE_REPEAT] = value[FEATURE_RATE] * stat->log_repeat;
}

void evidence_value(const struct evidence *evidence, uint32_t item, float out_value[FEATURES])
{
    const struct model_item *stat = model_item(evidence->model, item);
    const struct evidence_own *own = evidence_of(evidence, item);
    float together = root(tally_get(&evidence->together, item));
    float shop_sum = model_popular_recent_sum(evidence->model);
    float here = (tally_get(&evidence->here, item) + MODEL_STORE_PRIOR * stat->recent_n / shop_sum) /
                 (evidence->store_sum + MODEL_STORE_PRIOR);
    float local = logf(1.0f + here * shop_sum);
    float interest = tally_get(&evidence->interest, item);

    memset(out_value, 0, FEATURES * sizeof(*out_value));
    if (own != NULL) {
        value_of_own(own, stat, evidence->now_ms, out_value);
        out_value[FEATURE_TOGETHER_OWN] = together;
        out_value[FEATURE_POPULAR_OWN] = stat->log_recent;
        out_value[FEATURE_STORE_OWN] = local;
    } else {
        out_value[FEATURE_TOGETHER_NEW] = together;
        out_value[FEATURE_POPULAR_NEW] = stat->log_recent;
        out_value[FEATURE_STORE_NEW] = local;
        out_value[FEATURE_REPEAT_NEW] = stat->log_repeat;
    }
    out_value[FEATURE_LOOKED] = root(tally_get(&evidence->looked, item));
    if (own != NULL || interest > 1.0f) { /* P7: one look is not a wish */
        out_value[FEATURE_INTEREST] = log1pf(interest);
    }
}

/* ---- retrievers ---- */

static void propose(struct tally *taken, uint32_t *room, size_t *n, uint32_t item)
{
    if (!tally_has(taken, item)) {
        tally_add(taken, item, 1);
        room[(*n)++] = item;
    }
}

static void propose_best(const struct tally *sums, const struct tally *own_at, size_t most, struct tally *taken,
                         uint32_t *room, size_t *n)
{
    struct topk_entry kept[EVIDENCE_TOGETHER];
    struct topk best = topk_of(kept, most);

    if (sums->slot == NULL || sums->n == 0) {
        return;
    }
    for (size_t i = 0; i <= sums->mask; i++) {
        const struct tally_slot *slot = &sums->slot[i];

        if (slot->key != 0 && slot->sum > 0 && (best.n < most || slot->sum >= best.at[0].score) &&
            !tally_has(own_at, slot->key - 1)) {
            topk_offer(&best, slot->sum, slot->key - 1);
        }
    }
    topk_sort(&best);
    for (size_t i = 0; i < best.n; i++) {
        propose(taken, room, n, best.at[i].item);
    }
}

enum err evidence_candidates(const struct evidence *evidence, struct arena *arena, uint32_t *room, size_t *out_n)
{
    struct tally taken;
    size_t n = 0, recent_n;
    const uint32_t *recent = model_popular_recent(evidence->model, &recent_n);

    if (!tally_open(&taken, arena, evidence->own_n + EVIDENCE_CANDIDATES_MAX - PART_LINES)) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < evidence->own_n; i++) {
        if (evidence->own[i].item != MODEL_NONE) {
            propose(&taken, room, &n, evidence->own[i].item);
        }
    }
    propose_best(&evidence->together, &evidence->own_at, EVIDENCE_TOGETHER, &taken, room, &n);
    propose_best(&evidence->looked, &evidence->own_at, EVIDENCE_LOOKED, &taken, room, &n);
    for (size_t i = 0; i < recent_n && i < EVIDENCE_POPULAR; i++) {
        propose(&taken, room, &n, recent[i]);
    }
    for (size_t i = 0; i < evidence->store_row_n && i < EVIDENCE_STORE; i++) {
        if (evidence->store_row[i].weight >= STORE_BASKETS_MIN) {
            propose(&taken, room, &n, evidence->store_row[i].item);
        }
    }
    assert(n <= EVIDENCE_CANDIDATES_MAX);
    *out_n = n;
    return ERR_OK;
}

uint32_t evidence_because(const struct evidence *evidence, const struct evidence_source *sources, size_t n, uint32_t item)
{
    float most = 0;
    uint32_t because = MODEL_NONE;

    for (size_t i = 0; i < n; i++) {
        size_t row_n;
        const struct model_weight *row = model_w_row(evidence->model, MODEL_W_TOGETHER, sources[i].item, &row_n);

        for (size_t k = 0; k < row_n; k++) {
            if (row[k].item == item && row[k].weight * sources[i].weight > most) {
                most = row[k].weight * sources[i].weight;
                because = sources[i].item;
            }
        }
    }
    return because;
}
