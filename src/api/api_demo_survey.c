/* SPDX-License-Identifier: Apache-2.0 */
/* The survey: one walk over events for prices and the names of stores, one over customers for the households that
 * the page offers. Each household is chosen by what it buys and how it shops, never by hand, and taken once. */
#include "api/api_demo_inside.h"

#include "base/hash.h"
#include "consent/pass.h"
#include "event/event_code.h"
#include "picture/picture.h"
#include "profile/profile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define LATELY_MS (60 * DAY_MS) /* babies grow: a year ago says little of the next basket */

enum { PRICES_ROOM = 1 << 18, STORES_ROOM = 1 << 12, SURVEY_ARENA_BYTES = 4 << 20 };

struct household { /* what a rule looks at */
    char key[DEMO_KEY_BYTES];
    int64_t visits_n, lines_n;       /* all months kept */
    int64_t lately_n, baby_n, pet_n; /* lines of the last LATELY_MS before its newest visit */
    int64_t last_ms;
};

/* A rule gives how well a household fits, 0 where it does not. */
static double fits_daily(const struct household *h)
{
    double lines = (double)h->lines_n / (double)h->visits_n;

    return lines >= 5 && lines <= 12 ? (double)h->visits_n : 0;
}

static double fits_weekly(const struct household *h)
{
    return h->visits_n >= 35 && h->visits_n <= 70 ? (double)h->lines_n / (double)h->visits_n : 0;
}

/* A kind that shows in the row and does not fill it: a fifth to two fifths of what is bought lately; of these who comes
 * most. Where nobody is like that, who buys most of the kind. */
static double fits_kind(const struct household *h, int64_t of_kind_n)
{
    if (of_kind_n >= 10 && 5 * of_kind_n >= h->lately_n && 5 * of_kind_n <= 2 * h->lately_n)
        return (double)h->visits_n;
    return of_kind_n >= 5 ? (double)of_kind_n / 1e6 : 0;
}

static double fits_baby(const struct household *h)
{
    return fits_kind(h, h->baby_n);
}

static double fits_pet(const struct household *h)
{
    return fits_kind(h, h->pet_n);
}

static double fits_small(const struct household *h)
{
    return h->visits_n >= 60 ? (double)h->visits_n / (double)h->lines_n : 0;
}

/* Few visits, and of these the newest: a long silence would show nothing of the present. */
static double fits_few(const struct household *h)
{
    return h->visits_n >= 3 && h->visits_n <= 6 && h->lines_n >= 12 ? (double)h->last_ms : 0;
}

static const struct {
    const char *name;
    enum page_art art;
    double (*fits)(const struct household *h);
    const char *extra; /* what is counted beside visits; NULL: items each */
} rules[] = {
    {"Buys for a baby", PAGE_ART_BABY, fits_baby, "baby"},
    {"Shops nearly daily", PAGE_ART_CARTON, fits_daily, NULL},
    {"Fills the car weekly", PAGE_ART_BAG, fits_weekly, NULL},
    {"Feeds a cat or dog", PAGE_ART_PAW, fits_pet, "pet"},
    {"Small baskets", PAGE_ART_APPLE, fits_small, NULL},
    {"Came a few times", PAGE_ART_BREAD, fits_few, NULL},
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

struct surveying {
    int64_t now_ms;
    struct api_demo *demo;
    struct survey *survey;
    struct arena arena;
    struct {
        struct household household;
        double score;
    } best[RULES]
          [RULES]; /* the best few of each rule, so that one household may lose one place and keep another */
    size_t stores_n, prices_n;
    unsigned slot;
    enum err err;
};

/* ---- prices and stores ---- */

static struct demo_price *price_at(const struct survey *survey, struct item_id item)
{
    size_t at = (size_t)item.v & (survey->prices_room - 1);

    while (survey->prices[at].item.v != 0 && survey->prices[at].item.v != item.v)
        at = (at + 1) & (survey->prices_room - 1);
    return &survey->prices[at];
}

static struct demo_store *store_at(const struct survey *survey, struct store_id store)
{
    size_t at = (size_t)store.v & (survey->stores_room - 1);

    while (survey->stores[at].id.v != 0 && survey->stores[at].id.v != store.v)
        at = (at + 1) & (survey->stores_room - 1);
    return &survey->stores[at];
}

int64_t survey_price(const struct survey *survey, struct item_id item)
{
    const struct demo_price *price = survey && item.v != 0 ? price_at(survey, item) : NULL;

    return price && price->item.v != 0 ? price->unit_minor : -1;
}

const char *survey_store(const struct survey *survey, struct store_id store)
{
    const struct demo_store *found = survey && store.v != 0 ? store_at(survey, store) : NULL;

    return found && found->id.v != 0 ? found->name : NULL;
}

void survey_free(struct survey *survey)
{
    if (!survey)
        return;
    free(survey->prices);
    free(survey->stores);
    free(survey);
}

static void see_line(struct surveying *s, const struct event *event, const struct event_line *line)
{
    struct demo_price *price;

    if (line->item.v == 0 || line->quantity_milli <= 0 || line->paid_minor <= 0)
        return;
    price = price_at(s->survey, line->item);
    if (price->item.v == 0) {
        if (s->prices_n > PRICES_ROOM * 3 / 4) /* a larger shop than the demo's: the rest has no price */
            return;
        s->prices_n++;
        price->item = line->item;
        price->at_ms = INT64_MIN;
    }
    if (event->at_ms >= price->at_ms) {
        price->at_ms = event->at_ms;
        price->unit_minor = line->paid_minor * 1000 / line->quantity_milli;
    }
}

static bool see_event(void *ctx, const struct storage_scan_event *row)
{
    struct surveying *s = ctx;
    struct event event;
    enum err err = event_decode(row->body, row->tenant, &s->arena, &event);

    if (err != ERR_OK) {
        s->err = err;
        return false;
    }
    if (event.kind == EVENT_PURCHASE) {
        s->survey->visits_n++;
        for (size_t i = 0; i < event.lines_n; i++)
            see_line(s, &event, &event.lines[i]);
    }
    if (event.store.v != 0) {
        struct demo_store *store = store_at(s->survey, event.store);

        if (store->id.v == 0 && s->stores_n < STORES_ROOM / 2) {
            s->stores_n++;
            store->id = event.store;
            snprintf(store->name, sizeof(store->name), "Store %.*s",
                     event.store_text.n < 36 ? (int)event.store_text.n : 36, event.store_text.p);
        }
    }
    arena_reset(&s->arena);
    return true;
}

/* ---- households ---- */

static void count_kinds(const struct surveying *s, const struct part *life, const struct part_basket *basket,
                        struct household *h)
{
    for (size_t i = basket->lines_at; i < basket->lines_at + basket->lines_n; i++) {
        const struct item *item = catalog_item(s->demo->tenant->catalog, life->lines[i].item);
        enum page_art art;

        h->lately_n++;
        if (!item || item->category_n == 0)
            continue;
        art = page_art_of(item->category[0], item->category[item->category_n > 1 ? 1 : 0], (struct bytes){0});
        h->baby_n += art == PAGE_ART_BABY;
        h->pet_n += art == PAGE_ART_PAW;
    }
}

/* Keeps the best RULES households of each rule, falling. */
static void judge(struct surveying *s, const struct household *h)
{
    for (size_t r = 0; r < RULES; r++) {
        double score = rules[r].fits(h);
        size_t at = RULES;

        while (at > 0 && score > s->best[r][at - 1].score)
            at--;
        if (at == RULES || score <= 0)
            continue;
        memmove(&s->best[r][at + 1], &s->best[r][at], (RULES - at - 1) * sizeof(s->best[r][0]));
        s->best[r][at].household = *h;
        s->best[r][at].score = score;
    }
}

static bool member_key(const struct pass *pass, const struct sealed_customer *customer,
                       char out_key[DEMO_KEY_BYTES])
{
    for (size_t i = 0; i < customer->identifiers_n; i++) {
        struct bytes text = profile_text(pass, customer, customer->identifiers[i].text);

        if (customer->identifiers[i].kind == IDENTIFIER_MEMBER && text.n > 0 && text.n < DEMO_KEY_BYTES - 8) {
            snprintf(out_key, DEMO_KEY_BYTES, "member:%.*s", (int)text.n, text.p);
            return true;
        }
    }
    return false;
}

static bool see_customer(void *ctx, const struct sealed_customer *customer)
{
    struct surveying *s = ctx;
    struct pass_request ask = {.purpose = PURPOSE_STORE, .is_owner_or_staff = true, .now_ms = s->now_ms};
    struct pass_room room;
    const struct pass *pass = pass_for(customer, &ask, &s->arena, &room);
    const struct picture *picture;
    struct household h = {0};

    s->survey->customers_n++;
    if (pass && member_key(pass, customer, h.key) &&
        picture_open(pass, customer, NULL, 0, s->now_ms, &s->arena, &picture) == ERR_OK) {
        for (size_t i = 0; i < picture->life->months_n; i++) {
            h.visits_n += picture->life->months[i].purchases;
            h.lines_n += picture->life->months[i].lines;
        }
        h.last_ms = picture->life->last_ms;
        for (size_t b = 0;
             b < picture->life->baskets_n && picture->life->baskets[b].at_ms > h.last_ms - LATELY_MS; b++)
            count_kinds(s, picture->life, &picture->life->baskets[b], &h);
        if (h.visits_n > 0 && h.lines_n > 0)
            judge(s, &h);
    }
    arena_reset(&s->arena);
    return true;
}

static bool is_taken(const struct survey *survey, const char *key)
{
    for (size_t i = 0; i < survey->choices_n; i++)
        if (strcmp(survey->choices[i].key, key) == 0)
            return true;
    return false;
}

static void describe(const struct household *h, size_t rule, struct demo_choice *choice)
{
    long long each = (long long)((h->lines_n + h->visits_n / 2) / h->visits_n);

    choice->name = rules[rule].name;
    choice->art = rules[rule].art;
    memcpy(choice->key, h->key, sizeof(choice->key));
    if (rules[rule].extra)
        snprintf(choice->line, sizeof(choice->line), "%lld visits, %lld %s items in 60 days",
                 (long long)h->visits_n, (long long)(rules[rule].art == PAGE_ART_BABY ? h->baby_n : h->pet_n),
                 rules[rule].extra);
    else
        snprintf(choice->line, sizeof(choice->line), "%lld visits, about %lld %s each",
                 (long long)h->visits_n, each, each == 1 ? "item" : "items");
}

static void choose(struct surveying *s)
{
    for (size_t r = 0; r < RULES; r++)
        for (size_t i = 0; i < RULES; i++) {
            if (s->best[r][i].score <= 0 || is_taken(s->survey, s->best[r][i].household.key))
                continue;
            describe(&s->best[r][i].household, r, &s->survey->choices[s->survey->choices_n++]);
            break;
        }
}

static struct survey *survey_new(void)
{
    struct survey *survey = calloc(1, sizeof(*survey));

    if (!survey)
        return NULL;
    survey->prices = calloc(PRICES_ROOM, sizeof(*survey->prices));
    survey->stores = calloc(STORES_ROOM, sizeof(*survey->stores));
    survey->prices_room = PRICES_ROOM;
    survey->stores_room = STORES_ROOM;
    if (survey->prices && survey->stores)
        return survey;
    survey_free(survey);
    return NULL;
}

enum err api_demo_survey(struct api *api, int64_t now_ms)
{
    struct surveying *s = calloc(1, sizeof(*s));
    struct survey *old;
    enum err err;

    assert(api->demo);
    if (!s)
        return ERR_NOMEM;
    s->now_ms = now_ms;
    s->demo = api->demo;
    s->survey = survey_new();
    if (!s->survey) {
        free(s);
        return ERR_NOMEM;
    }
    arena_open(&s->arena, SURVEY_ARENA_BYTES, 64 * SURVEY_ARENA_BYTES);
    s->slot = publish_slot(api->publish);
    err = storage_scan(api->storage, s->demo->tenant->id, 0, HASH_BUCKETS, see_event, s);
    publish_enter(api->publish, s->slot);
    if (err == ERR_OK && s->err == ERR_OK)
        err = storage_scan_customers(api->storage, s->demo->tenant->id, see_customer, s);
    publish_leave(api->publish, s->slot);
    publish_slot_free(api->publish, s->slot);
    err = err == ERR_OK ? s->err : err;
    if (err == ERR_OK) {
        choose(s);
        old = atomic_exchange(&s->demo->survey, s->survey);
        assert(!old); /* once a server: readers keep it without a lock */
    } else {
        survey_free(s->survey);
    }
    arena_close(&s->arena);
    free(s);
    return err;
}
