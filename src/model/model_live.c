/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_live.h"

#include "model/model_inside.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>

#define GAP_UNKNOWN 3.3322f /* ln 28 days: a shop that never saw anything bought twice */

struct live_sequence {
    uint32_t at; /* into the domain's steps */
    _Atomic uint32_t n;
    int64_t end_ms;
    uint64_t owner;
};

struct live_link { /* of one step: the posting it stands for */
    uint32_t sequence;
    uint32_t before; /* 1 + step of the posting before it; 0: the first */
};

struct live_domain {
    struct live_sequence *sequence;
    uint32_t *item;
    uint8_t *step;
    struct live_link *link;
    _Atomic uint32_t *newest; /* by item: 1 + step of its newest posting */
    _Atomic int32_t *held;    /* by item: living sequences with it, less erased ones of the base */
    _Atomic uint64_t *erased; /* bits, by sequence of the base */
    uint32_t steps_n;         /* the writer's */
    _Atomic uint32_t sequences_n;
    _Atomic int32_t alive;    /* as held, of all sequences */
};

struct live_item {
    struct item_id id;
    uint32_t text_at, text_n;
    _Atomic uint32_t seen[MODEL_DOMAINS_];
};

struct live_row {
    uint32_t at, n; /* of weights */
};

struct model_live {
    const struct model *base;
    struct model_live_room room;
    uint32_t base_items_n, table_mask;
    struct live_item *item;
    _Atomic uint32_t *table; /* by the low bits of id: 1 + live item */
    char *text;
    uint32_t texts_n, weights_n;            /* the writer's, as is: */
    uint32_t stale_rows_n, stale_weights_n; /* what another row took the place of */
    _Atomic uint32_t items_n, rows_n;
    float repeat, gap; /* the shop's means */
    struct live_domain domain[MODEL_DOMAINS_];
    struct live_row *row;
    struct model_weight *weight;
    _Atomic uint32_t *row_at; /* by kind and item: 1 + row */
};

/* ---- room ---- */

static void *carve(char *p, size_t *at, size_t n, size_t each)
{
    size_t from = (*at + 63) / 64 * 64;

    *at = from + n * each;
    return p == NULL ? NULL : p + from;
}

/* Places everything in p; p NULL only measures. */
static size_t lay_out(struct model_live *live, char *p)
{
    const struct model_live_room *room = &live->room;
    size_t items = (size_t)live->base_items_n + room->items, at = sizeof(*live), slots = 2;

    while (slots < 2 * (size_t)room->items) {
        slots *= 2;
    }
    live->table_mask = (uint32_t)slots - 1;
    live->item = carve(p, &at, room->items, sizeof(*live->item));
    live->table = carve(p, &at, slots, sizeof(*live->table));
    live->text = carve(p, &at, room->texts, 1);
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        struct live_domain *domain = &live->domain[d];
        size_t words = ((size_t)model_sequences_n(live->base, (enum model_domain)d) + 63) / 64;

        domain->sequence = carve(p, &at, room->sequences, sizeof(*domain->sequence));
        domain->item = carve(p, &at, room->steps, sizeof(*domain->item));
        domain->step = carve(p, &at, room->steps, 1);
        domain->link = carve(p, &at, room->steps, sizeof(*domain->link));
        domain->newest = carve(p, &at, items, sizeof(*domain->newest));
        domain->held = carve(p, &at, items, sizeof(*domain->held));
        domain->erased = carve(p, &at, words, sizeof(*domain->erased));
    }
    live->row = carve(p, &at, room->rows, sizeof(*live->row));
    live->weight = carve(p, &at, room->weights, sizeof(*live->weight));
    live->row_at = carve(p, &at, room->rows > 0 ? items * MODEL_WS_ : 0, sizeof(*live->row_at));
    return at;
}

size_t model_live_bytes(const struct model *base, const struct model_live_room *room)
{
    struct model_live live = {.base = base, .room = *room, .base_items_n = model_items_n(base)};

    return (lay_out(&live, NULL) + 63) / 64 * 64;
}

struct model_live *model_live_open(const struct model *base, const struct model_live_room *room, void *p)
{
    struct model_live *live = p;
    double baskets = 0, repeat = 0, gap = 0;

    assert(((uintptr_t)p & 63) == 0);
    live->base = base;
    live->room = *room;
    live->base_items_n = model_items_n(base);
    (void)lay_out(live, p);
    for (uint32_t i = 0; i < live->base_items_n; i++) {
        const struct model_item *stat = model_item(base, i);

        baskets += (double)stat->all_n;
        repeat += (double)stat->all_n * exp((double)stat->log_repeat);
        gap += (double)stat->all_n * (double)stat->gap;
    }
    live->repeat = baskets > 0 && repeat > 0 ? (float)log(repeat / baskets) : logf(1.0f / 20);
    live->gap = baskets > 0 ? (float)(gap / baskets) : GAP_UNKNOWN;
    return live;
}

/* ---- the writer ---- */

static void count_held(struct live_domain *domain, const uint32_t *item, size_t n, int by)
{
    for (size_t x = 0; x < n; x++) {
        size_t y = 0;

        while (y < x && item[y] != item[x]) {
            y++;
        }
        if (y == x) {
            atomic_fetch_add_explicit(&domain->held[item[x]], by, memory_order_relaxed);
        }
    }
    atomic_fetch_add_explicit(&domain->alive, by, memory_order_relaxed);
}

static uint32_t empty(struct live_domain *domain, uint32_t sequence)
{
    struct live_sequence *s = &domain->sequence[sequence];
    uint32_t n = atomic_load_explicit(&s->n, memory_order_relaxed);

    if (n > 0) {
        atomic_store_explicit(&s->n, 0, memory_order_relaxed);
        count_held(domain, domain->item + s->at, n, -1);
    }
    return n;
}

static void count_seen(struct model_live *live, enum model_domain domain, const struct model_step *steps, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        if (steps[x].item >= live->base_items_n) {
            atomic_fetch_add_explicit(&live->item[steps[x].item - live->base_items_n].seen[domain], 1, memory_order_relaxed);
        }
    }
}

static uint32_t put(struct live_domain *domain, const struct model_step *steps, size_t n, int64_t end_ms, uint64_t owner)
{
    uint32_t sequence = atomic_load_explicit(&domain->sequences_n, memory_order_relaxed), at = domain->steps_n;

    domain->sequence[sequence].at = at;
    domain->sequence[sequence].end_ms = end_ms;
    domain->sequence[sequence].owner = owner;
    atomic_store_explicit(&domain->sequence[sequence].n, (uint32_t)n, memory_order_relaxed);
    for (size_t x = 0; x < n; x++) {
        uint32_t step = steps[x].step - steps[0].step;

        domain->item[at + x] = steps[x].item;
        domain->step[at + x] = (uint8_t)(step < 255 ? step : 255);
    }
    for (size_t x = 0; x < n; x++) {
        _Atomic uint32_t *newest = &domain->newest[steps[x].item];
        uint32_t before = atomic_load_explicit(newest, memory_order_relaxed);

        if (before == 0 || domain->link[before - 1].sequence != sequence) { /* each sequence once */
            domain->link[at + x] = (struct live_link){sequence, before};
            atomic_store_explicit(newest, at + (uint32_t)x + 1, memory_order_release);
        }
    }
    domain->steps_n += (uint32_t)n;
    count_held(domain, domain->item + at, n, 1);
    atomic_store_explicit(&domain->sequences_n, sequence + 1, memory_order_release);
    return sequence;
}

uint32_t model_live_append(struct model_live *live, enum model_domain domain, const struct model_step *steps, size_t n,
                           int64_t end_ms, uint64_t owner, uint32_t replaces)
{
    struct live_domain *to = &live->domain[domain];
    uint32_t sequences_n = atomic_load_explicit(&to->sequences_n, memory_order_relaxed), sequence;
    size_t known = 0;

    assert(replaces == UINT32_MAX || replaces < sequences_n);
    for (size_t x = 0; x < n; x++) {
        assert(steps[x].item < live->base_items_n + model_live_items_n(live) && (x == 0 || steps[x].step >= steps[x - 1].step));
    }
    if (n > MODEL_SEQUENCE_MAX) {
        steps += n - MODEL_SEQUENCE_MAX;
        n = MODEL_SEQUENCE_MAX;
    }
    if (n == 0 || sequences_n == live->room.sequences || n > live->room.steps - to->steps_n) {
        return UINT32_MAX;
    }
    sequence = put(to, steps, n, end_ms, owner);
    if (replaces != UINT32_MAX) {
        known = empty(to, replaces);
    }
    if (known < n) {
        count_seen(live, domain, steps + known, n - known);
    }
    return sequence;
}

void model_live_empty_base(struct model_live *live, enum model_domain domain, uint32_t sequence)
{
    struct model_sequence_view view = model_sequence(live->base, domain, sequence);

    if (model_live_is_erased(live, domain, sequence)) {
        return;
    }
    atomic_fetch_or_explicit(&live->domain[domain].erased[sequence / 64], UINT64_C(1) << sequence % 64, memory_order_relaxed);
    count_held(&live->domain[domain], view.item, view.n, -1);
}

static bool is_one_of(const uint64_t *owners, size_t n, uint64_t owner)
{
    size_t low = 0;

    while (n > 1) { /* owners[low] is the last that may be it */
        size_t half = n / 2;

        low = owners[low + half] <= owner ? low + half : low;
        n -= half;
    }
    return n > 0 && owners[low] == owner;
}

size_t model_live_erase_all(struct model_live *live, const uint64_t *owners, size_t n)
{
    size_t erased = 0;

    for (unsigned d = 0; n > 0 && d < MODEL_DOMAINS_; d++) {
        const struct model_index *index = &live->base->index[d];
        struct live_domain *domain = &live->domain[d];
        uint32_t live_n = atomic_load_explicit(&domain->sequences_n, memory_order_relaxed);

        for (uint32_t s = 0; s < index->sequences_n; s++) {
            if (is_one_of(owners, n, index->owner[s]) && !model_live_is_erased(live, (enum model_domain)d, s)) {
                model_live_empty_base(live, (enum model_domain)d, s);
                erased++;
            }
        }
        for (uint32_t s = 0; s < live_n; s++) {
            if (is_one_of(owners, n, domain->sequence[s].owner)) {
                erased += empty(domain, s) > 0 ? 1 : 0;
            }
        }
    }
    return erased;
}

size_t model_live_erase(struct model_live *live, uint64_t owner)
{
    return model_live_erase_all(live, &owner, 1);
}

static uint32_t find_live(const struct model_live *live, struct item_id id)
{
    uint32_t at = (uint32_t)id.v & live->table_mask, found;

    while ((found = atomic_load_explicit(&live->table[at], memory_order_acquire)) != 0) {
        if (live->item[found - 1].id.v == id.v) {
            return found - 1;
        }
        at = (at + 1) & live->table_mask;
    }
    return MODEL_NONE;
}

uint32_t model_live_item(struct model_live *live, struct item_id id, struct bytes text)
{
    uint32_t item = model_item_find(live->base, id), n = model_live_items_n(live), at = (uint32_t)id.v & live->table_mask;

    if (item != MODEL_NONE) {
        return item;
    }
    item = find_live(live, id);
    if (item != MODEL_NONE) {
        return live->base_items_n + item;
    }
    if (n == live->room.items || text.n > live->room.texts - live->texts_n) {
        return MODEL_NONE;
    }
    if (text.n > 0) {
        memcpy(live->text + live->texts_n, text.p, text.n);
    }
    live->item[n].id = id;
    live->item[n].text_at = live->texts_n;
    live->item[n].text_n = (uint32_t)text.n;
    live->texts_n += (uint32_t)text.n;
    while (atomic_load_explicit(&live->table[at], memory_order_relaxed) != 0) {
        at = (at + 1) & live->table_mask;
    }
    atomic_store_explicit(&live->table[at], n + 1, memory_order_release);
    atomic_store_explicit(&live->items_n, n + 1, memory_order_release);
    return live->base_items_n + n;
}

static _Atomic uint32_t *row_at(const struct model_live *live, enum model_w kind, uint32_t item)
{
    return &live->row_at[(size_t)kind * ((size_t)live->base_items_n + live->room.items) + item];
}

bool model_live_row(struct model_live *live, enum model_w kind, uint32_t item, const struct model_weight *row, size_t n)
{
    uint32_t rows_n = atomic_load_explicit(&live->rows_n, memory_order_relaxed), old;

    assert(n <= MODEL_W_ROW_MAX && item < live->base_items_n + model_live_items_n(live));
    if (rows_n == live->room.rows || n > live->room.weights - live->weights_n) {
        return false;
    }
    if (n > 0) {
        memcpy(live->weight + live->weights_n, row, n * sizeof(*row));
    }
    live->row[rows_n] = (struct live_row){live->weights_n, (uint32_t)n};
    live->weights_n += (uint32_t)n;
    old = atomic_load_explicit(row_at(live, kind, item), memory_order_relaxed);
    if (old > 0) {
        live->stale_rows_n++;
        live->stale_weights_n += live->row[old - 1].n;
    }
    atomic_store_explicit(row_at(live, kind, item), rows_n + 1, memory_order_release);
    atomic_store_explicit(&live->rows_n, rows_n + 1, memory_order_release);
    return true;
}

bool model_live_rows_are_stale(const struct model_live *live)
{
    const struct model_live_room *room = &live->room;
    uint32_t rows_n = atomic_load_explicit(&live->rows_n, memory_order_relaxed);

    return (rows_n > room->rows / 8 * 7 && live->stale_rows_n >= rows_n / 4) ||
           (live->weights_n > room->weights / 8 * 7 && live->stale_weights_n >= live->weights_n / 4);
}

static bool renew_items(const struct model_live *from, struct model_live *to)
{
    uint32_t items_n = model_live_items_n(from);

    for (uint32_t i = 0; i < items_n; i++) {
        const struct live_item *item = &from->item[i];

        if (model_live_item(to, item->id, (struct bytes){from->text + item->text_at, item->text_n}) == MODEL_NONE) {
            return false;
        }
        for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
            atomic_store_explicit(&to->item[i].seen[d], atomic_load_explicit(&item->seen[d], memory_order_relaxed),
                                  memory_order_relaxed);
        }
    }
    for (unsigned k = 0; from->room.rows > 0 && k < MODEL_WS_; k++) {
        for (uint32_t i = 0; i < from->base_items_n + items_n; i++) {
            uint32_t at = atomic_load_explicit(row_at(from, (enum model_w)k, i), memory_order_relaxed);

            if (at > 0 && !model_live_row(to, (enum model_w)k, i, from->weight + from->row[at - 1].at, from->row[at - 1].n)) {
                return false;
            }
        }
    }
    return true;
}

static bool renew_sequences(const struct model_live *from, enum model_domain domain, uint32_t first, struct model_live *to)
{
    const struct live_domain *old = &from->domain[domain];
    struct live_domain *new = &to->domain[domain];
    uint32_t n = atomic_load_explicit(&old->sequences_n, memory_order_relaxed);
    struct model_step steps[MODEL_SEQUENCE_MAX];

    for (uint32_t s = 0; s < model_sequences_n(from->base, domain); s++) {
        if (model_live_is_erased(from, domain, s)) {
            model_live_empty_base(to, domain, s);
        }
    }
    for (uint32_t s = first; s < n; s++) {
        struct model_sequence_view view = model_live_sequence(from, domain, s);

        for (size_t x = 0; x < view.n; x++) {
            steps[x] = (struct model_step){view.item[x], view.step[x]};
        }
        if (s - first == to->room.sequences || view.n > to->room.steps - new->steps_n) {
            return false;
        }
        (void)put(new, steps, view.n, view.end_ms, view.owner);
        if (view.n == 0) { /* a place that keeps the numbers right */
            atomic_fetch_sub_explicit(&new->alive, 1, memory_order_relaxed);
        }
    }
    return true;
}

bool model_live_renew(const struct model_live *from, uint32_t keep, struct model_live *to,
                      uint32_t out_shift[MODEL_DOMAINS_])
{
    assert(to->base == from->base && model_live_items_n(to) == 0);
    if (!renew_items(from, to)) {
        return false;
    }
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        uint32_t n = model_live_sequences_n(from, (enum model_domain)d);

        out_shift[d] = n > keep ? n - keep : 0;
        if (!renew_sequences(from, (enum model_domain)d, out_shift[d], to)) {
            return false;
        }
    }
    return true;
}

/* ---- readers ---- */

struct model_view model_view_of(const struct model *base, const struct model_live *live)
{
    struct model_view view = {.base = base};

    if (live != NULL && live->base == base) {
        view.live = live;
        for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
            view.sequences_end[d] = model_live_sequences_n(live, (enum model_domain)d);
        }
        view.rows_end = atomic_load_explicit(&live->rows_n, memory_order_acquire);
        view.live_items_n = model_live_items_n(live); /* after sequences and rows: all their items are seen */
    }
    return view;
}

uint32_t model_live_items_n(const struct model_live *live)
{
    return atomic_load_explicit(&live->items_n, memory_order_acquire);
}

uint32_t model_live_sequences_n(const struct model_live *live, enum model_domain domain)
{
    return atomic_load_explicit(&live->domain[domain].sequences_n, memory_order_acquire);
}

struct model_sequence_view model_live_sequence(const struct model_live *live, enum model_domain domain, uint32_t sequence)
{
    const struct live_domain *from = &live->domain[domain];
    const struct live_sequence *s = &from->sequence[sequence];

    return (struct model_sequence_view){from->item + s->at, from->step + s->at,
                                        atomic_load_explicit(&s->n, memory_order_relaxed), s->end_ms, s->owner};
}

size_t model_live_postings(const struct model_view *view, enum model_domain domain, uint32_t item, size_t most, uint32_t *out)
{
    const struct live_domain *from;
    uint32_t at;
    size_t n = 0;

    if (view->live == NULL) {
        return 0;
    }
    from = &view->live->domain[domain];
    at = atomic_load_explicit(&from->newest[item], memory_order_acquire);
    for (; at != 0 && n < most; at = from->link[at - 1].before) {
        uint32_t sequence = from->link[at - 1].sequence;

        if (sequence < view->sequences_end[domain] &&
            atomic_load_explicit(&from->sequence[sequence].n, memory_order_relaxed) > 0) {
            out[n++] = sequence;
        }
    }
    return n;
}

bool model_live_is_erased(const struct model_live *live, enum model_domain domain, uint32_t base_sequence)
{
    uint64_t word = live == NULL ? 0
                                 : atomic_load_explicit(&live->domain[domain].erased[base_sequence / 64], memory_order_relaxed);

    return (word >> base_sequence % 64 & 1) != 0;
}

uint32_t model_view_holders(const struct model_view *view, enum model_domain domain, uint32_t item)
{
    const uint32_t *holders = view->base->index[domain].holders;
    uint32_t items_n = model_items_n(view->base);
    int64_t n = 0;

    if (holders != NULL && (item < items_n || item == MODEL_NONE)) {
        n = holders[item == MODEL_NONE ? items_n : item];
    }
    if (view->live != NULL) {
        const struct live_domain *from = &view->live->domain[domain];

        n += atomic_load_explicit(item == MODEL_NONE ? &from->alive : &from->held[item], memory_order_relaxed);
    }
    return n > 0 ? (uint32_t)n : 0;
}

/* ---- items of a view ---- */

static bool is_live(const struct model_view *view, uint32_t item)
{
    uint32_t items_n = model_items_n(view->base);

    assert(item < items_n || item - items_n < view->live_items_n);
    return item >= items_n;
}

static const struct live_item *live_of(const struct model_view *view, uint32_t item)
{
    return &view->live->item[item - view->live->base_items_n];
}

uint32_t model_view_find(const struct model_view *view, struct item_id id)
{
    uint32_t item = model_item_find(view->base, id);

    if (item == MODEL_NONE && view->live != NULL) {
        uint32_t found = find_live(view->live, id);

        item = found < view->live_items_n ? view->live->base_items_n + found : MODEL_NONE;
    }
    return item;
}

struct item_id model_view_id(const struct model_view *view, uint32_t item)
{
    return is_live(view, item) ? live_of(view, item)->id : model_item_id(view->base, item);
}

struct bytes model_view_text(const struct model_view *view, uint32_t item)
{
    if (is_live(view, item)) {
        return (struct bytes){view->live->text + live_of(view, item)->text_at, live_of(view, item)->text_n};
    }
    return model_item_text(view->base, item);
}

uint32_t model_view_items_n(const struct model_view *view)
{
    return model_items_n(view->base) + view->live_items_n;
}

const struct model_weight *model_view_row(const struct model_view *view, enum model_w kind, uint32_t item, size_t *out_n)
{
    bool live = is_live(view, item);

    if (view->live != NULL && view->live->room.rows > 0) {
        uint32_t at = atomic_load_explicit(row_at(view->live, kind, item), memory_order_acquire);

        if (at != 0 && at <= view->rows_end) {
            *out_n = view->live->row[at - 1].n;
            return view->live->weight + view->live->row[at - 1].at;
        }
    }
    if (live) {
        *out_n = 0;
        return NULL;
    }
    return model_w_row(view->base, kind, item, out_n);
}

struct model_item model_view_item(const struct model_view *view, uint32_t item)
{
    float n;

    if (!is_live(view, item)) {
        return *model_item(view->base, item);
    }
    n = (float)atomic_load_explicit(&live_of(view, item)->seen[MODEL_HISTORY], memory_order_relaxed);
    return (struct model_item){.recent_n = n, .all_n = n, .log_recent = log1pf(n), .log_repeat = view->live->repeat,
                               .gap = view->live->gap};
}

struct model_seen model_view_seen(const struct model_view *view, uint32_t item)
{
    struct model_seen seen;

    if (!is_live(view, item)) {
        return *model_seen(view->base, item);
    }
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        seen.all[d] = seen.recent[d] =
            (float)atomic_load_explicit(&live_of(view, item)->seen[d], memory_order_relaxed);
    }
    return seen;
}
