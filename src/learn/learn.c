/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/learn.h"

#include "base/hash.h"
#include "learn/drift.h"
#include "learn/newcomers.h"
#include "learn/visits.h"
#include "model/model_copurchase.h"

#include <assert.h>
#include <math.h>

enum { WINDOW = 10 /* looks of a visit that count as together */, BASKET_MOST = MODEL_SEQUENCE_MAX };

#define HALF_LIFE_MS (30 * DAY_MS)
#define ROW_PRIOR 10.0f /* a ratio of fewer counts is mostly the prior, none: models.md 18.4 */

/* Where a part's purchases stand: a sequence of the live side, or of the file. 0: nowhere. */
enum { IN_FILE = 1 };

struct learn {
    const struct model *base;
    struct learn_world world;
    struct tenant_id tenant;
    uint8_t owner_key[32];
    int64_t trained_ms;
    struct visits *visits;
    struct newcomers newcomers;
    struct covisits covisits;
    struct table buyers;     /* owner -> sequence + 1, twice, + IN_FILE */
    struct table forgotten;  /* owner -> moment + 1 */
    struct table categories; /* hash -> 1 + place */
    struct drift *drift;
    uint32_t categories_most;
    struct learn_counts counts;
    uint64_t steps_n[MODEL_DOMAINS_]; /* appended to the live side as it is now */
    struct model_live *live;          /* of the call under way */
    struct { /* the basket being read */
        uint64_t mid, part;
        int64_t at_ms;
        bool is_anonymous;
        uint32_t n;
        uint32_t item[BASKET_MOST];
    } basket;
};

/* ---- room ---- */

static void *carve(char *p, size_t *at, size_t bytes)
{
    size_t from = (*at + 63) / 64 * 64;

    *at = from + bytes;
    return p == NULL ? NULL : p + from;
}

static size_t lay_out(const struct learn_room *room, char *p, void *out[7])
{
    size_t at = sizeof(struct learn);

    out[0] = carve(p, &at, visits_bytes(room->visits));
    out[1] = carve(p, &at, newcomers_bytes(room->newcomers));
    out[2] = carve(p, &at, covisits_bytes(room->pairs));
    out[3] = carve(p, &at, table_bytes(room->buyers));
    out[4] = carve(p, &at, table_bytes(room->forgotten));
    out[5] = carve(p, &at, table_bytes(room->categories));
    out[6] = carve(p, &at, room->categories * sizeof(struct drift));
    return at;
}

size_t learn_bytes(const struct learn_room *room)
{
    void *places[7];

    return lay_out(room, NULL, places);
}

struct learn *learn_open(const struct model *base, const struct learn_room *room, const struct learn_world *world,
                         struct tenant_id tenant, const uint8_t owner_key[32], int64_t from_ms, void *p)
{
    struct learn *learn = p;
    void *places[7];

    (void)lay_out(room, p, places);
    learn->base = base;
    learn->world = *world;
    learn->tenant = tenant;
    memcpy(learn->owner_key, owner_key, sizeof(learn->owner_key));
    learn->trained_ms = model_trained_ms(base);
    learn->visits = visits_open(room->visits, places[0]);
    learn->newcomers = newcomers_open(room->newcomers, places[1]);
    learn->covisits = covisits_open(room->pairs, from_ms, HALF_LIFE_MS, places[2]);
    learn->buyers = table_open(room->buyers, places[3]);
    learn->forgotten = table_open(room->forgotten, places[4]);
    learn->categories = table_open(room->categories, places[5]);
    learn->drift = places[6];
    learn->categories_most = room->categories;
    for (uint32_t s = 0; s < model_sequences_n(base, MODEL_HISTORY); s++) { /* oldest first: the newest of an owner stays */
        uint64_t owner = model_sequence(base, MODEL_HISTORY, s).owner;
        uint64_t *place = owner != 0 ? table_put(&learn->buyers, owner) : NULL;

        if (place != NULL) {
            *place = 2 * ((uint64_t)s + 1) + IN_FILE;
        }
    }
    return learn;
}

/* ---- sequences ---- */

static uint64_t owner_of(const struct learn *learn, uint64_t part)
{
    return hash_owner(learn->owner_key, learn->tenant, part);
}

static uint32_t append(struct learn *learn, enum model_domain domain, const struct model_step *steps, size_t n, int64_t end_ms,
                       uint64_t owner, uint32_t replaces)
{
    uint32_t number = model_live_append(learn->live, domain, steps, n, end_ms, owner, replaces);

    if (number == UINT32_MAX) {
        learn->counts.refused_n++;
        return UINT32_MAX;
    }
    learn->counts.sequences_n++;
    learn->steps_n[domain] += n;
    return number;
}

static void tell_visit(void *ctx, struct visit *visit, bool is_gone)
{
    struct learn *learn = ctx;
    uint32_t number;

    if (is_gone) { /* one step says nothing of another item */
        (void)append(learn, MODEL_SESSION, visit->steps, 1, visit->last_ms, 0, visit->number);
        visit->number = UINT32_MAX;
        return;
    }
    number = append(learn, MODEL_SESSION, visit->steps, visit->steps_n, visit->last_ms, owner_of(learn, visit->part),
                    visit->number);
    visit->number = number != UINT32_MAX ? number : visit->number;
}

/* What the part bought before, oldest first, into steps; gives how many. */
static size_t bought_before(const struct learn *learn, uint64_t place, struct model_step steps[MODEL_SEQUENCE_MAX],
                            uint32_t *out_replaces)
{
    struct model_sequence_view view;
    uint32_t number = (uint32_t)(place / 2) - 1;

    *out_replaces = UINT32_MAX;
    if (place == 0) {
        return 0;
    }
    if (place & IN_FILE) {
        if (model_live_is_erased(learn->live, MODEL_HISTORY, number)) {
            return 0;
        }
        view = model_sequence(learn->base, MODEL_HISTORY, number);
    } else {
        view = model_live_sequence(learn->live, MODEL_HISTORY, number);
        *out_replaces = number;
    }
    for (size_t i = 0; i < view.n; i++) {
        steps[i] = (struct model_step){view.item[i], view.step[i]};
    }
    return view.n;
}

static void end_basket(struct learn *learn)
{
    struct model_step steps[MODEL_SEQUENCE_MAX + BASKET_MOST];
    uint32_t replaces, number, step, n = learn->basket.n;
    uint64_t owner = 0, *place = NULL, was = 0;
    size_t before;

    learn->basket.n = 0;
    learn->basket.mid = 0;
    if (n == 0) {
        return;
    }
    learn->counts.baskets_n++;
    if (!learn->basket.is_anonymous) {
        owner = owner_of(learn, learn->basket.part);
        place = table_put(&learn->buyers, owner);
        was = place != NULL ? *place : 0;
    }
    before = bought_before(learn, was, steps, &replaces);
    step = before > 0 ? steps[before - 1].step + 1 : 0;
    for (uint32_t i = 0; i < n; i++) {
        steps[before + i] = (struct model_step){learn->basket.item[i], step};
    }
    if (before + n < VISIT_LEAST && place == NULL) {
        return; /* one thing, bought by nobody known: nothing stands beside it */
    }
    number = append(learn, MODEL_HISTORY, steps, before + n, learn->basket.at_ms, owner, replaces);
    if (number != UINT32_MAX && (was & IN_FILE) != 0) {
        model_live_empty_base(learn->live, MODEL_HISTORY, (uint32_t)(was / 2) - 1); /* nobody is two neighbours */
    }
    if (number != UINT32_MAX && place != NULL) {
        *place = 2 * ((uint64_t)number + 1);
    }
}

/* ---- items ---- */

static uint32_t item_of(const struct learn *learn, struct item_id item)
{
    struct model_view view = model_view_of(learn->base, learn->live);

    return model_view_find(&view, item);
}

/* A person more has met an item nobody knew: its number once there are enough of them. */
static uint32_t newcomer(struct learn *learn, struct item_id item, uint64_t who)
{
    struct bytes text = learn->world.text(learn->world.ctx, item);
    uint32_t number;

    /* Ids that nobody sells, made up through a page's open key, take no place of those who are counted. */
    if (text.n == 0 || !newcomers_met(&learn->newcomers, item, who)) {
        return MODEL_NONE;
    }
    number = model_live_item(learn->live, item, text);
    learn->counts.newcomers_n += number != MODEL_NONE;
    return number;
}

static bool is_beside(const struct learn *learn, uint32_t a, uint32_t b)
{
    struct model_view view = model_view_of(learn->base, learn->live);
    size_t n;
    const struct model_weight *row = model_view_row(&view, MODEL_W_SESSION, a, &n);

    for (size_t i = 0; i < n; i++) {
        if (row[i].item == b) {
            return true;
        }
    }
    return false;
}

static void watch(struct learn *learn, const struct visit *visit, struct item_id id, uint32_t item, int64_t at_ms)
{
    uint64_t category = visit->steps_n > 0 && model_w_has(learn->base, MODEL_W_SESSION)
                            ? learn->world.category(learn->world.ctx, id)
                            : 0;
    uint64_t *place = category != 0 ? table_put(&learn->categories, category) : NULL;
    uint32_t before = visit->steps_n > 0 ? visit->steps[visit->steps_n - 1].item : item;

    if (place == NULL || before == item) {
        return;
    }
    if (*place == 0) {
        if (learn->categories.n > learn->categories_most) {
            return;
        }
        *place = learn->categories.n;
    }
    if (drift_seen(&learn->drift[*place - 1], is_beside(learn, before, item) ? 0 : 1, at_ms)) {
        learn->world.alarm(learn->world.ctx, id);
    }
}

/* Each two of a window once, however often one goes back and forth between them. */
static void count_pairs(struct learn *learn, const struct visit *visit, uint32_t item, uint64_t owner, int64_t at_ms)
{
    uint32_t first = visit->steps_n > WINDOW ? visit->steps_n - WINDOW : 0;

    for (uint32_t i = first; i < visit->steps_n; i++) {
        if (visit->steps[i].item == item) {
            return;
        }
    }
    for (uint32_t i = first; i < visit->steps_n; i++) {
        uint32_t other = visit->steps[i].item;
        bool is_again = other >= learn->covisits.items;

        for (uint32_t j = first; j < i; j++) {
            is_again = is_again || visit->steps[j].item == other;
        }
        if (!is_again) {
            covisits_add(&learn->covisits, item, other, owner, at_ms);
            covisits_add(&learn->covisits, other, item, owner, at_ms);
        }
    }
}

/* ---- lessons ---- */

static void look(struct learn *learn, const struct lesson *lesson, uint64_t owner, int64_t now_ms)
{
    struct visits_to to = {learn, tell_visit};
    struct visit *visit = visits_at(learn->visits, lesson->part, lesson->at_ms, now_ms, &to);
    uint32_t item = item_of(learn, lesson->item);

    if (visit->alone != 0 && visit->alone != lesson->item.v) {
        (void)newcomer(learn, (struct item_id){visit->alone}, owner);
        visit->alone = 0;
    }
    if (item == MODEL_NONE && visit->steps_n == 0) {
        visit->alone = lesson->item.v; /* counts once something else is looked at */
        return;
    }
    item = item != MODEL_NONE ? item : newcomer(learn, lesson->item, owner);
    if (item == MODEL_NONE) {
        return;
    }
    if (visit->looks_n < MODEL_SEQUENCE_MAX) { /* bots and staff count nowhere */
        watch(learn, visit, lesson->item, item, lesson->at_ms);
        if (item < learn->covisits.items) {
            count_pairs(learn, visit, item, owner, lesson->at_ms);
        }
    }
    visits_look(learn->visits, visit, item, &to);
}

static void line(struct learn *learn, const struct lesson *lesson, uint64_t owner)
{
    uint32_t item = item_of(learn, lesson->item);

    if (learn->basket.n > 0 && (learn->basket.mid != lesson->mid || learn->basket.part != lesson->part)) {
        end_basket(learn);
    }
    item = item != MODEL_NONE ? item : newcomer(learn, lesson->item, lesson->is_anonymous ? lesson->mid | 1 : owner);
    for (uint32_t i = 0; i < learn->basket.n; i++) {
        if (learn->basket.item[i] == item) {
            return;
        }
    }
    if (item == MODEL_NONE || learn->basket.n == BASKET_MOST) {
        return;
    }
    learn->basket.mid = lesson->mid;
    learn->basket.part = lesson->part;
    learn->basket.at_ms = lesson->at_ms;
    learn->basket.is_anonymous = lesson->is_anonymous;
    learn->basket.item[learn->basket.n++] = item;
}

void learn_lesson(struct learn *learn, struct model_live *live, const struct lesson *lesson, int64_t now_ms)
{
    uint64_t owner, *forgotten;

    if (lesson->at_ms <= learn->trained_ms) {
        return;
    }
    owner = owner_of(learn, lesson->part);
    forgotten = table_find(&learn->forgotten, owner);
    if (forgotten != NULL && (uint64_t)lesson->at_ms < *forgotten) {
        return;
    }
    learn->live = live;
    learn->counts.lessons_n++;
    if (lesson->kind == EVENT_PURCHASE) {
        line(learn, lesson, owner);
    } else {
        look(learn, lesson, owner, now_ms);
    }
}

void learn_tick(struct learn *learn, struct model_live *live, int64_t now_ms)
{
    struct visits_to to = {learn, tell_visit};

    learn->live = live;
    end_basket(learn);
    visits_tick(learn->visits, now_ms, &to);
}

void learn_refuse(struct learn *learn, uint64_t owner, int64_t at_ms)
{
    uint64_t *moment = table_put(&learn->forgotten, owner);

    if (moment != NULL && *moment < (uint64_t)at_ms + 1) {
        *moment = (uint64_t)at_ms + 1;
    }
}

size_t learn_forget(struct learn *learn, struct model_live *live, uint64_t owner, int64_t at_ms)
{
    uint64_t *place = table_find(&learn->buyers, owner);

    learn->live = live;
    end_basket(learn);
    learn_refuse(learn, owner, at_ms);
    if (place != NULL) {
        *place = 0;
    }
    return model_live_erase(live, owner);
}

void learn_drop(struct learn *learn, uint64_t part)
{
    (void)visits_drop(learn->visits, part);
}

/* ---- rows ---- */

static bool is_heavier(struct model_weight a, struct model_weight b)
{
    return fabsf(a.weight) > fabsf(b.weight) || (fabsf(a.weight) == fabsf(b.weight) && a.item < b.item);
}

static void insert(struct model_weight *row, size_t *n, struct model_weight new)
{
    size_t at = *n;

    while (at > 0 && is_heavier(new, row[at - 1])) {
        at--;
    }
    if (at == MODEL_W_ROW_MAX) {
        return;
    }
    *n = *n < MODEL_W_ROW_MAX ? *n + 1 : MODEL_W_ROW_MAX;
    memmove(row + at + 1, row + at, (*n - at - 1) * sizeof(*row));
    row[at] = new;
}

static bool renew_row(struct learn *learn, uint32_t item, int64_t now_ms)
{
    struct topk_entry room[COVISIT_CELLS];
    struct topk beside = topk_of(room, COVISIT_CELLS);
    struct model_weight row[MODEL_W_ROW_MAX];
    uint32_t items_n = model_items_n(learn->base);
    float sum = covisits_sum(&learn->covisits, item, now_ms);
    size_t n = 0, base_n = 0;
    const struct model_weight *base = item < items_n ? model_w_row(learn->base, MODEL_W_SESSION, item, &base_n) : NULL;
    bool is_changed = false;

    for (size_t i = 0; i < base_n; i++) {
        insert(row, &n, base[i]);
    }
    covisits_row(&learn->covisits, item, MODEL_CUSTOMERS_MIN, now_ms, &beside);
    topk_sort(&beside);
    for (size_t i = 0; i < beside.n; i++) {
        bool is_new = item >= items_n || beside.at[i].item >= items_n;

        if (is_new && beside.at[i].score >= MODEL_CUSTOMERS_MIN) {
            insert(row, &n, (struct model_weight){beside.at[i].item, beside.at[i].score / (sum + ROW_PRIOR)});
            is_changed = true;
        }
    }
    return is_changed && model_live_row(learn->live, MODEL_W_SESSION, item, row, n);
}

size_t learn_rows(struct learn *learn, struct model_live *live, size_t k, int64_t now_ms)
{
    struct topk_entry room[256];
    size_t n, changed = 0;

    learn->live = live;
    if (!model_w_has(learn->base, MODEL_W_SESSION)) {
        return 0;
    }
    n = covisits_urgent(&learn->covisits, room, k < 256 ? k : 256);
    for (size_t i = 0; i < n; i++) {
        changed += renew_row(learn, room[i].item, now_ms);
    }
    learn->counts.rows_n += changed;
    return changed;
}

/* ---- keeping house ---- */

void learn_shift(struct learn *learn, const struct model_live *live, const uint32_t shift[MODEL_DOMAINS_])
{
    visits_shift(learn->visits, shift[MODEL_SESSION]);
    for (size_t i = 0; i <= learn->buyers.mask; i++) {
        uint64_t *value = &learn->buyers.at[i].value;

        if (*value != 0 && !(*value & IN_FILE)) {
            uint64_t number = *value / 2 - 1;

            *value = number >= shift[MODEL_HISTORY] ? 2 * (number - shift[MODEL_HISTORY] + 1) : 0;
        }
    }
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        learn->steps_n[d] = 0;
        for (uint32_t s = 0; s < model_live_sequences_n(live, (enum model_domain)d); s++) {
            learn->steps_n[d] += model_live_sequence(live, (enum model_domain)d, s).n;
        }
    }
}

bool learn_has_room(const struct learn *learn, const struct model_live *live, const struct model_live_room *room, size_t lessons)
{
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        if (model_live_sequences_n(live, (enum model_domain)d) + lessons > room->sequences ||
            learn->steps_n[d] + lessons * (d == MODEL_SESSION ? VISIT_STEPS : MODEL_SEQUENCE_MAX) > room->steps) {
            return false;
        }
    }
    return true;
}

struct learn_counts learn_counts(const struct learn *learn, int64_t now_ms)
{
    struct learn_counts counts = learn->counts;

    counts.alarms_n = 0;
    for (uint32_t i = 0; i < learn->categories_most; i++) {
        counts.alarms_n += drift_is_alarmed(&learn->drift[i], now_ms);
    }
    return counts;
}
