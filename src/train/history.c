/* SPDX-License-Identifier: Apache-2.0 */
#include "train/history.h"

#include "base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void *history_grow(void *p, size_t n, size_t each)
{
    size_t bytes;
    void *grown;

    if (__builtin_mul_overflow(n > 0 ? n : 1, each, &bytes) || (grown = realloc(p, bytes)) == NULL) {
        fprintf(stderr, "falun: out of memory for %zu things of %zu bytes; give the machine more or train on fewer days\n",
                n, each);
        abort();
    }
    return grown;
}

void *history_zero(size_t n, size_t each)
{
    void *p = history_grow(NULL, n, each);

    memset(p, 0, (n > 0 ? n : 1) * each);
    return p;
}

static size_t twice(size_t room, size_t least)
{
    room = room < 64 ? 64 : room;
    while (room < least) {
        room *= 2;
    }
    return room;
}

/* ---- names ---- */

static void names_free(struct history_names *names)
{
    free(names->id);
    free(names->text_at);
    free(names->text);
    free(names->table);
    *names = (struct history_names){0};
}

static void names_rehash(struct history_names *names)
{
    size_t slots = twice(names->table_n, 4 * (names->n + 1));

    names->table = history_grow(names->table, slots, sizeof(*names->table));
    names->table_n = slots;
    memset(names->table, 0xff, slots * sizeof(*names->table));
    for (size_t i = 0; i < names->n; i++) {
        size_t at = (size_t)names->id[i] & (slots - 1);

        while (names->table[at] != UINT32_MAX) {
            at = (at + 1) & (slots - 1);
        }
        names->table[at] = (uint32_t)i;
    }
}

static uint32_t names_put(struct history_names *names, uint64_t id, struct bytes text)
{
    size_t at;

    if (names->table_n < 2 * (names->n + 1)) {
        names_rehash(names);
    }
    for (at = (size_t)id & (names->table_n - 1); names->table[at] != UINT32_MAX; at = (at + 1) & (names->table_n - 1)) {
        if (names->id[names->table[at]] == id) {
            return names->table[at];
        }
    }
    if (names->n + 1 >= names->room) {
        names->room = twice(names->room, names->n + 2);
        names->id = history_grow(names->id, names->room, sizeof(*names->id));
        names->text_at = history_grow(names->text_at, names->room + 1, sizeof(*names->text_at));
    }
    if (names->text_n + text.n > names->text_room) {
        names->text_room = twice(names->text_room, names->text_n + text.n);
        names->text = history_grow(names->text, names->text_room, 1);
    }
    if (text.n > 0) {
        memcpy(names->text + names->text_n, text.p, text.n);
    }
    names->text_at[names->n] = names->text_n;
    names->text_n += text.n;
    names->text_at[names->n + 1] = names->text_n;
    names->id[names->n] = id;
    names->table[at] = (uint32_t)names->n;
    return (uint32_t)names->n++;
}

struct bytes history_name(const struct history_names *names, uint32_t i)
{
    assert(i < names->n);
    return (struct bytes){names->text + names->text_at[i], names->text_at[i + 1] - names->text_at[i]};
}

/* ---- filling ---- */

static int32_t narrow(int64_t v)
{
    return (int32_t)(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}

static bool is_look(enum event_kind kind)
{
    return kind == EVENT_VIEW || kind == EVENT_CLICK || kind == EVENT_ADD || kind == EVENT_CART || kind == EVENT_WISH;
}

static void add_looks(struct history *history, uint64_t customer, const struct event *event)
{
    if (history->looks_n + event->lines_n > history->looks_room) {
        history->looks_room = twice(history->looks_room, history->looks_n + event->lines_n);
        history->looks = history_grow(history->looks, history->looks_room, sizeof(*history->looks));
    }
    for (size_t l = 0; l < event->lines_n; l++) {
        const struct event_line *line = &event->lines[l];

        history->looks[history->looks_n++] = (struct history_look){customer, event->at_ms, event->mid,
                                                                   names_put(&history->items, line->item.v, line->item_text),
                                                                   (uint8_t)event->kind};
    }
}

void history_add(struct history *history, uint64_t customer, const struct event *event)
{
    struct history_basket basket = {.customer = customer, .at_ms = event->at_ms, .mid = event->mid, .store = UINT32_MAX};

    if (event->kind == EVENT_RETRACT) {
        if (history->retracted_n == history->retracted_room) {
            history->retracted_room = twice(history->retracted_room, history->retracted_n + 1);
            history->retracted = history_grow(history->retracted, history->retracted_room, sizeof(struct mid));
        }
        history->retracted[history->retracted_n++] = event->retracts;
        return;
    }
    if (is_look(event->kind)) {
        add_looks(history, customer, event);
    }
    if (event->kind != EVENT_PURCHASE) {
        return;
    }
    basket.lines_at = history->lines_n;
    if (history->lines_n + event->lines_n > history->lines_room) {
        history->lines_room = twice(history->lines_room, history->lines_n + event->lines_n);
        history->lines = history_grow(history->lines, history->lines_room, sizeof(*history->lines));
    }
    for (size_t l = 0; l < event->lines_n; l++) {
        const struct event_line *line = &event->lines[l];

        if (line->quantity_milli > 0) {
            history->lines[history->lines_n++] =
                (struct history_line){names_put(&history->items, line->item.v, line->item_text),
                                      narrow(line->quantity_milli), narrow(line->paid_minor)};
        }
    }
    basket.lines_n = (uint32_t)(history->lines_n - basket.lines_at);
    if (basket.lines_n == 0) {
        return;
    }
    if (event->store.v != 0) {
        basket.store = names_put(&history->stores, event->store.v, event->store_text);
    }
    if (history->baskets_n == history->baskets_room) {
        history->baskets_room = twice(history->baskets_room, history->baskets_n + 1);
        history->baskets = history_grow(history->baskets, history->baskets_room, sizeof(*history->baskets));
    }
    history->baskets[history->baskets_n++] = basket;
}

static int basket_order(const void *a, const void *b)
{
    const struct history_basket *x = a, *y = b;

    if (x->customer != y->customer) {
        return x->customer < y->customer ? -1 : 1;
    }
    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return mid_compare(&x->mid, &y->mid);
}

static int mid_order(const void *a, const void *b)
{
    return mid_compare(a, b);
}

static bool is_retracted(const struct history *history, const struct mid *mid)
{
    return history->retracted_n > 0 &&
           bsearch(mid, history->retracted, history->retracted_n, sizeof(*mid), mid_order) != NULL;
}

static int look_order(const void *a, const void *b)
{
    const struct history_look *x = a, *y = b;
    int order;

    if (x->customer != y->customer) {
        return x->customer < y->customer ? -1 : 1;
    }
    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    order = mid_compare(&x->mid, &y->mid);
    return order != 0 ? order : x->item < y->item ? -1 : x->item > y->item;
}

/* Takes out what was taken back and what came twice. */
static void sift(struct history *history)
{
    size_t kept = 0;

    for (size_t b = 0; b < history->baskets_n; b++) {
        struct history_basket basket = history->baskets[b];

        if (!is_retracted(history, &basket.mid) &&
            (kept == 0 || history->baskets[kept - 1].customer != basket.customer ||
             mid_compare(&history->baskets[kept - 1].mid, &basket.mid) != 0)) {
            history->baskets[kept++] = basket;
        }
    }
    history->baskets_n = kept;
    kept = 0;
    for (size_t l = 0; l < history->looks_n; l++) {
        struct history_look look = history->looks[l];

        if (kept == 0 || history->looks[kept - 1].customer != look.customer || history->looks[kept - 1].item != look.item ||
            mid_compare(&history->looks[kept - 1].mid, &look.mid) != 0) {
            history->looks[kept++] = look;
        }
    }
    history->looks_n = kept;
}

/* Numbers customers over both lists, which are in the order of keys. */
static void number_customers(struct history *history)
{
    size_t most = history->baskets_n + history->looks_n, b = 0, l = 0, c = 0;

    history->customers = history_grow(history->customers, most + 1, sizeof(*history->customers));
    history->from = history_grow(history->from, most + 2, sizeof(*history->from));
    history->look_from = history_grow(history->look_from, most + 2, sizeof(*history->look_from));
    while (b < history->baskets_n || l < history->looks_n) {
        bool is_basket = l == history->looks_n ||
                         (b < history->baskets_n && history->baskets[b].customer <= history->looks[l].customer);
        uint64_t key = is_basket ? history->baskets[b].customer : history->looks[l].customer;

        history->customers[c] = key;
        history->from[c] = b;
        history->look_from[c] = l;
        while (b < history->baskets_n && history->baskets[b].customer == key) {
            history->baskets[b++].customer = c;
        }
        while (l < history->looks_n && history->looks[l].customer == key) {
            history->looks[l++].customer = c;
        }
        c++;
    }
    history->customers_n = c;
    history->from[c] = b;
    history->look_from[c] = l;
}

void history_sort(struct history *history)
{
    if (history->retracted_n > 0) {
        qsort(history->retracted, history->retracted_n, sizeof(*history->retracted), mid_order);
    }
    if (history->baskets_n > 0) {
        qsort(history->baskets, history->baskets_n, sizeof(*history->baskets), basket_order);
    }
    if (history->looks_n > 0) {
        qsort(history->looks, history->looks_n, sizeof(*history->looks), look_order);
    }
    sift(history);
    number_customers(history);
}

uint64_t history_owner(const struct history *history, size_t c)
{
    return hash_owner(history->owner_key, history->tenant, history->customers[c]);
}

size_t history_customer(const struct history *history, uint64_t key)
{
    size_t low = 0, high = history->customers_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (history->customers[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < history->customers_n && history->customers[low] == key ? low : SIZE_MAX;
}

static struct history_fact *fact_of(struct history *history, const char *name)
{
    struct history_fact *fact;

    for (size_t i = 0; i < history->facts_n; i++) {
        if (strcmp(history->facts[i].name, name) == 0) {
            return &history->facts[i];
        }
    }
    if (history->facts_n == HISTORY_FACTS_MAX) {
        return NULL;
    }
    fact = &history->facts[history->facts_n++];
    *fact = (struct history_fact){.of = history_grow(NULL, history->customers_n, sizeof(uint32_t))};
    (void)snprintf(fact->name, sizeof(fact->name), "%s", name);
    memset(fact->of, 0xff, history->customers_n * sizeof(uint32_t));
    return fact;
}

void history_fact_put(struct history *history, const char *name, uint64_t customer, struct bytes value)
{
    size_t c = history_customer(history, customer);
    struct history_fact *fact = c == SIZE_MAX || value.n == 0 ? NULL : fact_of(history, name);

    if (fact != NULL) {
        /* Values are few: their text is their id. */
        fact->of[c] = names_put(&fact->values, hash_item((struct tenant_id){0}, value).v, value);
    }
}

uint32_t history_item_put(struct history *history, struct item_id id, struct bytes text)
{
    return names_put(&history->items, id.v, text);
}

void history_close(struct history *history)
{
    content_close(&history->content);
    names_free(&history->items);
    names_free(&history->stores);
    for (size_t i = 0; i < history->facts_n; i++) {
        names_free(&history->facts[i].values);
        free(history->facts[i].of);
    }
    free(history->lines);
    free(history->baskets);
    free(history->customers);
    free(history->from);
    free(history->looks);
    free(history->look_from);
    free(history->retracted);
    *history = (struct history){0};
}

/* ---- reading ---- */

size_t history_basket_at(const struct history *history, size_t c, int64_t at_ms)
{
    size_t low = history->from[c], high = history->from[c + 1];

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (history->baskets[middle].at_ms < at_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t history_look_at(const struct history *history, size_t c, int64_t at_ms)
{
    size_t low = history->look_from[c], high = history->look_from[c + 1];

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (history->looks[middle].at_ms < at_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int64_t history_newest_ms(const struct history *history)
{
    int64_t newest = history->looks_n > 0 && history->baskets_n == 0 ? history->looks[0].at_ms : 0;

    for (size_t l = 0; l < history->looks_n; l++) {
        newest = history->looks[l].at_ms > newest ? history->looks[l].at_ms : newest;
    }

    for (size_t b = 0; b < history->baskets_n; b++) {
        newest = history->baskets[b].at_ms > newest || (b == 0 && history->looks_n == 0) ? history->baskets[b].at_ms : newest;
    }
    return newest;
}

static void fold_looks(const struct history *history, size_t from, size_t to, struct part *life)
{
    for (size_t l = from; l < to;) {
        const struct history_look *look = &history->looks[l];
        struct event_line lines[PART_LOOKS];
        struct event event = {.kind = (enum event_kind)look->kind, .channel = CHANNEL_WEB, .at_ms = look->at_ms,
                              .mid = look->mid, .has_id = true, .has_time = true, .lines = lines};

        while (l < to && event.lines_n < PART_LOOKS && mid_compare(&history->looks[l].mid, &look->mid) == 0) {
            lines[event.lines_n++] = (struct event_line){.item = {history->items.id[history->looks[l++].item]},
                                                         .quantity_milli = 1000};
        }
        part_apply(life, &event);
    }
}

void history_fold(const struct history *history, size_t from, size_t to, size_t look_from, size_t look_to,
                  struct part *out_life)
{
    struct event_line lines[EVENT_LINES_MAX];

    memset(out_life, 0, sizeof(*out_life));
    for (size_t b = from; b < to; b++) {
        const struct history_basket *basket = &history->baskets[b];
        struct event event = {.kind = EVENT_PURCHASE, .channel = CHANNEL_TILL, .at_ms = basket->at_ms, .mid = basket->mid,
                              .has_id = true, .has_time = true, .lines = lines};

        if (basket->store != UINT32_MAX) {
            event.store = (struct store_id){history->stores.id[basket->store]};
        }
        for (size_t l = 0; l < basket->lines_n && l < EVENT_LINES_MAX; l++) {
            const struct history_line *line = &history->lines[basket->lines_at + l];

            lines[event.lines_n++] = (struct event_line){.item = {history->items.id[line->item]},
                                                         .quantity_milli = line->quantity_milli,
                                                         .paid_minor = line->paid_minor};
        }
        part_apply(out_life, &event);
    }
    fold_looks(history, look_from, look_to, out_life);
}
