/* SPDX-License-Identifier: Apache-2.0 */
/* What is known: the picture that the row was decided from, told in words. */
#include "api/api_demo_inside.h"

#include "consent/consent.h"
#include "picture/picture.h"

#include <stdlib.h>

/* ---- repeat list ---- */

static int by_item(const void *a, const void *b)
{
    const struct demo_repeat *x = a, *y = b;

    if (x->item.v != y->item.v)
        return x->item.v < y->item.v ? -1 : 1;
    return (x->basket > y->basket) - (x->basket < y->basket);
}

static int by_times(const void *a, const void *b)
{
    const struct demo_repeat *x = a, *y = b;

    if (x->times != y->times)
        return x->times > y->times ? -1 : 1;
    if (x->last_ms != y->last_ms)
        return x->last_ms > y->last_ms ? -1 : 1;
    return (x->item.v > y->item.v) - (x->item.v < y->item.v);
}

/* One entry a line, sorted by item and basket (newest first): then runs of an item are counted, once a basket. */
static size_t count_repeats(const struct part *life, struct demo_repeat *all)
{
    size_t n = 0, kept = 0;

    for (size_t b = 0; b < life->baskets_n; b++) {
        const struct part_basket *basket = &life->baskets[b];

        for (size_t l = 0; !basket->is_retracted && l < basket->lines_n; l++)
            if (life->lines[basket->lines_at + l].quantity_milli > 0)
                all[n++] = (struct demo_repeat){life->lines[basket->lines_at + l].item, 1, basket->at_ms,
                                                basket->at_ms, b + 1};
    }
    qsort(all, n, sizeof(*all), by_item);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || all[kept - 1].item.v != all[i].item.v) {
            all[kept++] = all[i];
        } else if (all[kept - 1].basket != all[i].basket) {
            all[kept - 1].times++;
            all[kept - 1].first_ms = all[i].first_ms;
            all[kept - 1].basket = all[i].basket;
        }
    }
    qsort(all, kept, sizeof(*all), by_times);
    return kept;
}

enum err demo_repeats(struct demo_view *view)
{
    const struct part *life = view->picture->life;
    struct demo_repeat *all = arena_array(view->request->arena, life->lines_n + 1, sizeof(*all));

    if (!all)
        return ERR_NOMEM;
    view->repeats_n = count_repeats(life, all);
    view->repeats = all;
    return ERR_OK;
}

int64_t demo_local(const struct demo_view *view, int64_t at_ms)
{
    return zone_local(&view->demo->zone, at_ms);
}

int64_t demo_days_ago(const struct demo_view *view, int64_t at_ms)
{
    return time_day(demo_local(view, view->request->received_ms)) - time_day(demo_local(view, at_ms));
}

static void fill_repeats(const struct demo_view *view, struct page_known *known)
{
    struct page_repeat *out = arena_array(view->request->arena, PAGE_REPEATS, sizeof(*out));

    for (size_t i = 0; out && i < view->repeats_n && known->repeats_n < PAGE_REPEATS; i++) {
        const struct demo_repeat *repeat = &view->repeats[i];

        if (repeat->times < 2)
            break;
        out[known->repeats_n++] = (struct page_repeat){
            .item = demo_item(view, repeat->item, (struct bytes){0}),
            .times = repeat->times,
            .of_visits = (int64_t)view->picture->life->baskets_n,
            .every_days = (repeat->last_ms - repeat->first_ms) / DAY_MS / (repeat->times - 1),
            .ago_days = demo_days_ago(view, repeat->last_ms)};
    }
    known->repeats = out;
}

/* ---- time line ---- */

static struct bytes store_name(const struct demo_view *view, struct store_id id)
{
    const struct store *store = id.v ? catalog_store(view->demo->tenant->catalog, id) : NULL;

    if (store && (store->name.n > 0 || store->id_text.n > 0))
        return store->name.n > 0 ? store->name : store->id_text;
    return bytes_of(survey_store(view->survey, id));
}

static struct bytes channel_word(uint8_t channel)
{
    return bytes_of(channel ? event_channel_word((enum channel)channel) : NULL);
}

static struct page_visit basket_visit(const struct demo_view *view, const struct part_basket *basket)
{
    const struct part_line *lines = &view->picture->life->lines[basket->lines_at];
    struct page_bought *bought = arena_array(view->request->arena, PAGE_VISIT_ITEMS, sizeof(*bought));
    struct page_visit visit = {.at_ms = demo_local(view, basket->at_ms),
                               .store = store_name(view, basket->store),
                               .channel = channel_word(basket->channel),
                               .items = bought,
                               .items_all_n = basket->lines_n};

    for (size_t i = 0; i < basket->lines_n; i++) {
        visit.paid_minor += lines[i].paid_minor;
        if (bought && visit.items_n < 6) { /* six say what kind of visit it was; the rest is counted */
            bought[visit.items_n++] = (struct page_bought){
                demo_item(view, lines[i].item, BYTES_LIT("an item no longer sold")).title,
                lines[i].quantity_milli};
        }
    }
    return visit;
}

static struct page_visit look_visit(const struct demo_view *view, const struct part_look *look)
{
    struct page_bought *bought = arena_array(view->request->arena, 1, sizeof(*bought));
    struct page_visit visit = {.at_ms = demo_local(view, look->at_ms),
                               .is_look = true,
                               .channel = channel_word(look->channel),
                               .items = bought,
                               .items_n = bought ? 1 : 0,
                               .paid_minor = -1};

    if (bought)
        *bought = (struct page_bought){demo_item(view, look->item, BYTES_LIT("an item no longer sold")).title,
                                       1000};
    return visit;
}

/* Baskets and looks, each newest first, merged. */
static void fill_visits(const struct demo_view *view, struct page_known *known)
{
    const struct part *life = view->picture->life;
    struct page_visit *visits = arena_array(view->request->arena, PAGE_VISITS, sizeof(*visits));
    size_t b = 0, l = 0;

    while (visits && known->visits_n < PAGE_VISITS && (b < life->baskets_n || l < life->looks_n)) {
        bool is_look =
            b >= life->baskets_n || (l < life->looks_n && life->looks[l].at_ms > life->baskets[b].at_ms);

        if (is_look)
            visits[known->visits_n++] = look_visit(view, &life->looks[l++]);
        else if (!life->baskets[b].is_retracted)
            visits[known->visits_n++] = basket_visit(view, &life->baskets[b++]);
        else
            b++;
    }
    known->visits = visits;
}

static void fill_stems(const struct demo_view *view, struct page_known *known)
{
    const struct part *life = view->picture->life;
    struct page_stem *stems = arena_array(view->request->arena, PAGE_STEMS, sizeof(*stems));

    for (size_t b = 0; stems && b < life->baskets_n && known->stems_n < PAGE_STEMS; b++) {
        const struct part_basket *basket = &life->baskets[b];
        struct page_stem *stem = &stems[known->stems_n];

        if (basket->is_retracted)
            continue;
        known->stems_n++;
        stem->at_ms = demo_local(view, basket->at_ms);
        for (size_t l = 0; l < basket->lines_n; l++)
            stem->paid_minor += life->lines[basket->lines_at + l].paid_minor;
    }
    known->stems = stems;
}

/* ---- stores ---- */

static int by_visits(const void *a, const void *b)
{
    const struct page_store *x = a, *y = b;

    return (x->visits_n < y->visits_n) - (x->visits_n > y->visits_n);
}

static void fill_stores(const struct demo_view *view, struct page_known *known)
{
    const struct part *life = view->picture->life;
    struct page_store *stores = arena_array(view->request->arena, PART_BASKETS, sizeof(*stores));
    struct store_id ids[PART_BASKETS];
    size_t n = 0;

    for (size_t b = 0; stores && b < life->baskets_n; b++) {
        size_t at = 0;

        if (life->baskets[b].store.v == 0 || life->baskets[b].is_retracted)
            continue;
        while (at < n && ids[at].v != life->baskets[b].store.v)
            at++;
        if (at == n) {
            ids[n] = life->baskets[b].store;
            stores[n++].name = store_name(view, ids[at]);
            if (stores[at].name.n == 0)
                stores[at].name = BYTES_LIT("A store");
        }
        stores[at].visits_n++;
    }
    if (n > 0)
        qsort(stores, n, sizeof(*stores), by_visits);
    known->stores = stores;
    known->stores_n = n < PAGE_STORES ? n : PAGE_STORES;
}

/* ---- consent ---- */

static void fill_consents(const struct demo_view *view, struct page_known *known)
{
    static const struct {
        enum purpose purpose;
        const char *said;
    } shown[] = {{PURPOSE_STORE, "Keep"},
                 {PURPOSE_PERSONALISE, "Personalise"},
                 {PURPOSE_MEASURE, "Measure"},
                 {PURPOSE_MAIL, "Mail"}};
    struct page_consent *consents = arena_array(view->request->arena, 4, sizeof(*consents));
    struct consent consent;
    int64_t now_ms = view->request->received_ms;

    if (!consents || !view->customer ||
        consent_read(view->customer->declared, view->request->arena, &consent) != ERR_OK)
        return;
    for (size_t i = 0; i < 4; i++) {
        const struct consent_statement *said = consent_deciding(&consent, shown[i].purpose, now_ms);
        struct page_consent *out = &consents[known->consents_n++];

        out->purpose = bytes_of(shown[i].said);
        out->is_granted = consent_may(view->word, shown[i].purpose);
        if (said) {
            out->state = bytes_of(event_consent_word(said->state));
            out->source =
                arena_format(view->request->arena, "said at %.*s", (int)said->source.n, said->source.p);
            out->at_ms = demo_local(view, said->at_ms);
            known->is_refused =
                known->is_refused || (shown[i].purpose == PURPOSE_STORE && said->state != CONSENT_GRANTED);
        } else {
            out->state = out->is_granted ? BYTES_LIT("granted") : BYTES_LIT("not said");
            out->source = out->is_granted ? BYTES_LIT("the source sends consented events only")
                                          : BYTES_LIT("absent is refusal");
        }
    }
    known->consents = consents;
}

void demo_fill_known(const struct demo_view *view, struct page_known *out_known)
{
    const struct part *life = view->picture->life;

    *out_known =
        (struct page_known){.is_known = life->events_n > 0, .first_ms = demo_local(view, life->first_ms)};
    fill_consents(view, out_known);
    if (life->events_n == 0)
        return;
    for (size_t i = 0; i < life->months_n; i++) {
        out_known->baskets_n += life->months[i].purchases;
        out_known->lines_n += life->months[i].lines;
        out_known->paid_minor += life->months[i].paid_minor;
    }
    fill_visits(view, out_known);
    fill_stems(view, out_known);
    fill_repeats(view, out_known);
    fill_stores(view, out_known);
}
