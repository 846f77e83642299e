/* SPDX-License-Identifier: Apache-2.0 */
#include "train/segment_train.h"

#include "base/rng.h"
#include "base/topk.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include <cblas.h>
#include <lapacke.h>

enum { WIDE = MODEL_FACTORS + 8, POWERS = 3, LLOYD_STEPS = 25, SEED = 20171001 };
#define RECENT_MS (28 * DAY_MS)

struct counts { /* customers x items: ln(1 + baskets with the item), of the newest 64 baskets; CSR */
    size_t *at;
    uint32_t *item;
    float *v;
};

struct making {
    const struct history *history;
    int64_t before_ms;
    struct base_model *base;
    size_t customers_n, items_n;
    struct model_segments *segments;
    struct counts counts;
    uint32_t *home, *often, *spend, *group; /* by customer; UINT32_MAX: none */
};

static void *take(struct making *making, size_t n, size_t each)
{
    void *p = arena_array(&making->base->arena, n + 1, each);

    if (p == NULL) {
        abort();
    }
    return p;
}

/* ---- quintiles and home stores ---- */

static int float_order(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void quintiles(const float *of, size_t n, float out_over[MODEL_QUINTILES - 1])
{
    float *sorted = history_grow(NULL, n, sizeof(*sorted));
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (of[i] > 0) {
            sorted[kept++] = of[i];
        }
    }
    qsort(sorted, kept, sizeof(*sorted), float_order);
    for (size_t q = 1; q < MODEL_QUINTILES; q++) {
        out_over[q - 1] = kept > 0 ? sorted[(q * kept - 1) / MODEL_QUINTILES] : 0;
    }
    free(sorted);
}

/* The store of most of the newest 64 baskets, as model_segment_habits finds it in a part. */
static uint32_t home_of(const struct making *making, size_t from, size_t end)
{
    const struct history *history = making->history;
    uint32_t best = UINT32_MAX;
    size_t most = 0;

    from = end - from > PART_BASKETS ? end - PART_BASKETS : from;
    for (size_t b = from; b < end; b++) {
        uint32_t store = history->baskets[b].store;
        size_t times = 0;

        for (size_t k = from; store != UINT32_MAX && k < end; k++) {
            times += history->baskets[k].store == store;
        }
        if (times > most || (times == most && times > 0 && history->stores.id[store] < history->stores.id[best])) {
            most = times;
            best = store;
        }
    }
    return best;
}

static uint32_t store_place(const struct making *making, uint32_t store)
{
    const struct model_build *build = &making->base->build;

    for (uint32_t s = 0; store != UINT32_MAX && s < build->head.stores_n; s++) {
        if (build->store_id[s] == making->history->stores.id[store]) {
            return s;
        }
    }
    return UINT32_MAX;
}

static void habits(struct making *making)
{
    const struct history *history = making->history;
    float *baskets = history_zero(making->customers_n, sizeof(float)), *spend = history_zero(making->customers_n, sizeof(float));

    for (size_t c = 0; c < making->customers_n; c++) {
        size_t end = history_basket_at(history, c, making->before_ms);

        baskets[c] = (float)(end - history->from[c]);
        for (size_t b = history->from[c]; b < end; b++) {
            for (size_t l = 0; l < history->baskets[b].lines_n; l++) {
                spend[c] += (float)history->lines[history->baskets[b].lines_at + l].paid_minor;
            }
        }
        making->home[c] = store_place(making, home_of(making, history->from[c], end));
    }
    quintiles(baskets, making->customers_n, making->segments->baskets_over);
    quintiles(spend, making->customers_n, making->segments->spend_over);
    for (size_t c = 0; c < making->customers_n; c++) {
        bool is_there = baskets[c] > 0;

        making->often[c] = is_there ? model_segment_quintile(making->segments->baskets_over, baskets[c]) : UINT32_MAX;
        making->spend[c] = is_there ? model_segment_quintile(making->segments->spend_over, spend[c]) : UINT32_MAX;
    }
    free(baskets);
    free(spend);
}

/* ---- factors ---- */

static void count_customers(struct making *making)
{
    const struct history *history = making->history;
    struct counts *counts = &making->counts;
    size_t *last = history_zero(making->items_n, sizeof(*last)), *place = history_zero(making->items_n, sizeof(*place));
    size_t *in = history_zero(making->items_n, sizeof(*in)), n = 0; /* 1 + the basket it was last counted in */

    counts->at = history_grow(NULL, making->customers_n + 1, sizeof(*counts->at));
    counts->item = history_grow(NULL, history->lines_n, sizeof(*counts->item));
    counts->v = history_grow(NULL, history->lines_n, sizeof(*counts->v));
    for (size_t c = 0; c < making->customers_n; c++) {
        size_t end = history_basket_at(history, c, making->before_ms), from = history->from[c];

        counts->at[c] = n;
        from = end - from > PART_BASKETS ? end - PART_BASKETS : from;
        for (size_t b = from; b < end; b++) {
            const struct history_basket *basket = &history->baskets[b];

            for (size_t l = 0; l < basket->lines_n; l++) {
                uint32_t item = making->base->dense[history->lines[basket->lines_at + l].item];

                if (last[item] != c + 1) {
                    last[item] = c + 1;
                    place[item] = n;
                    counts->item[n] = item;
                    counts->v[n++] = 0;
                }
                if (in[item] != b + 1) {
                    in[item] = b + 1;
                    counts->v[place[item]] += 1;
                }
            }
        }
    }
    counts->at[making->customers_n] = n;
    for (size_t x = 0; x < n; x++) {
        counts->v[x] = log1pf(counts->v[x]);
    }
    free(last);
    free(place);
    free(in);
}

/* Y (customers x WIDE) = X Z, or Z (items x WIDE) = X' Y. */
static void multiply(const struct making *making, const float *z, float *y)
{
    memset(y, 0, making->customers_n * WIDE * sizeof(*y));
    for (size_t c = 0; c < making->customers_n; c++) {
        for (size_t x = making->counts.at[c]; x < making->counts.at[c + 1]; x++) {
            const float *from = z + (size_t)making->counts.item[x] * WIDE;

            for (size_t k = 0; k < WIDE; k++) {
                y[c * WIDE + k] += making->counts.v[x] * from[k];
            }
        }
    }
}

static void multiply_back(const struct making *making, const float *y, float *z)
{
    memset(z, 0, making->items_n * WIDE * sizeof(*z));
    for (size_t c = 0; c < making->customers_n; c++) {
        for (size_t x = making->counts.at[c]; x < making->counts.at[c + 1]; x++) {
            float *to = z + (size_t)making->counts.item[x] * WIDE;

            for (size_t k = 0; k < WIDE; k++) {
                to[k] += making->counts.v[x] * y[c * WIDE + k];
            }
        }
    }
}

/* Orthonormal columns of a (rows x WIDE), by eigenvectors of a'a; small directions become 0. Columns fall by size. */
static void orthonormal(float *a, size_t rows)
{
    double gram[WIDE * WIDE] = {0}, size[WIDE];
    float turn[WIDE * WIDE], row[WIDE];

    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < WIDE; i++) {
            for (size_t k = 0; k <= i; k++) {
                gram[i * WIDE + k] += (double)a[r * WIDE + i] * (double)a[r * WIDE + k];
            }
        }
    }
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', WIDE, gram, WIDE, size) != 0) {
        memset(a, 0, rows * WIDE * sizeof(*a));
        return;
    }
    for (size_t i = 0; i < WIDE; i++) {
        for (size_t k = 0; k < WIDE; k++) { /* eigenvalues ascend: the largest direction first */
            double s = size[WIDE - 1 - k];

            turn[i * WIDE + k] = s > 1e-9 * size[WIDE - 1] ? (float)(gram[i * WIDE + WIDE - 1 - k] / sqrt(s)) : 0;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        memcpy(row, a + r * WIDE, sizeof(row));
        for (size_t k = 0; k < WIDE; k++) {
            float sum = 0;

            for (size_t i = 0; i < WIDE; i++) {
                sum += row[i] * turn[i * WIDE + k];
            }
            a[r * WIDE + k] = sum;
        }
    }
}

static void find_factors(struct making *making)
{
    struct rng rng = {SEED};
    float *z = history_zero(making->items_n * WIDE, sizeof(*z)), *y = history_zero(making->customers_n * WIDE, sizeof(*y));
    float *factor = take(making, making->items_n * MODEL_FACTORS, sizeof(*factor));

    for (size_t i = 0; i < making->items_n * WIDE; i++) {
        z[i] = (float)(rng_unit(&rng) + rng_unit(&rng) + rng_unit(&rng) - 1.5);
    }
    for (int power = 0; power < POWERS; power++) {
        multiply(making, z, y);
        orthonormal(y, making->customers_n);
        multiply_back(making, y, z);
        orthonormal(z, making->items_n);
    }
    for (size_t i = 0; i < making->items_n; i++) {
        memcpy(factor + i * MODEL_FACTORS, z + i * WIDE, MODEL_FACTORS * sizeof(float));
    }
    making->base->build.factor = factor;
    free(z);
    free(y);
}

/* ---- groups ---- */

static float distance(const float *a, const float *b)
{
    float far = 0;

    for (size_t k = 0; k < MODEL_FACTORS; k++) {
        far += (a[k] - b[k]) * (a[k] - b[k]);
    }
    return far;
}

static size_t nearest(const float *centre, size_t groups_n, const float *at, float *out_far)
{
    size_t best = 0;

    *out_far = INFINITY;
    for (size_t g = 0; g < groups_n; g++) {
        float far = distance(centre + g * MODEL_FACTORS, at);

        if (far < *out_far) {
            *out_far = far;
            best = g;
        }
    }
    return best;
}

/* k-means++: each next centre by its squared distance from those there are. */
static size_t first_centres(const float *at, const size_t *who, size_t n, float *centre)
{
    struct rng rng = {SEED};
    size_t groups_n = n < SEGMENT_GROUPS ? n : SEGMENT_GROUPS;

    for (size_t g = 0; g < groups_n; g++) {
        size_t chosen = (size_t)rng_below(&rng, n);
        double sum = 0, stop;
        float far;

        for (size_t i = 0; g > 0 && i < n; i++) {
            (void)nearest(centre, g, at + who[i] * MODEL_FACTORS, &far);
            sum += (double)far;
        }
        stop = rng_unit(&rng) * sum;
        for (size_t i = 0; g > 0 && i < n && stop >= 0; i++) {
            (void)nearest(centre, g, at + who[i] * MODEL_FACTORS, &far);
            stop -= (double)far;
            chosen = i;
        }
        memcpy(centre + g * MODEL_FACTORS, at + who[chosen] * MODEL_FACTORS, MODEL_FACTORS * sizeof(float));
    }
    return groups_n;
}

static void lloyd(const struct making *making, const float *at, const size_t *who, size_t n, float *centre, size_t groups_n)
{
    double *sum = history_grow(NULL, groups_n * MODEL_FACTORS, sizeof(*sum));
    size_t *members = history_grow(NULL, groups_n, sizeof(*members));
    float far;

    for (int step = 0; step < LLOYD_STEPS; step++) {
        memset(sum, 0, groups_n * MODEL_FACTORS * sizeof(*sum));
        memset(members, 0, groups_n * sizeof(*members));
        for (size_t i = 0; i < n; i++) {
            const float *point = at + who[i] * MODEL_FACTORS;
            size_t g = nearest(centre, groups_n, point, &far);

            making->group[who[i]] = (uint32_t)g;
            members[g]++;
            for (size_t k = 0; k < MODEL_FACTORS; k++) {
                sum[g * MODEL_FACTORS + k] += (double)point[k];
            }
        }
        for (size_t x = 0; x < groups_n * MODEL_FACTORS; x++) {
            if (members[x / MODEL_FACTORS] > 0) {
                centre[x] = (float)(sum[x] / (double)members[x / MODEL_FACTORS]);
            }
        }
    }
    free(sum);
    free(members);
}

static void find_groups(struct making *making)
{
    float *at = history_zero(making->customers_n * MODEL_FACTORS, sizeof(*at));
    float *centre = take(making, SEGMENT_GROUPS * MODEL_FACTORS, sizeof(*centre));
    size_t *who = history_grow(NULL, making->customers_n, sizeof(*who)), n = 0;

    for (size_t c = 0; c < making->customers_n; c++) {
        making->group[c] = UINT32_MAX;
        for (size_t x = making->counts.at[c]; x < making->counts.at[c + 1]; x++) {
            const float *factor = making->base->build.factor + (size_t)making->counts.item[x] * MODEL_FACTORS;

            for (size_t k = 0; k < MODEL_FACTORS; k++) {
                at[c * MODEL_FACTORS + k] += making->counts.v[x] * factor[k];
            }
        }
        if (making->counts.at[c + 1] > making->counts.at[c]) {
            who[n++] = c;
        }
    }
    making->segments->groups_n = (uint32_t)first_centres(at, who, n, centre);
    lloyd(making, at, who, n, centre, making->segments->groups_n);
    making->base->build.centre = centre;
    free(at);
    free(who);
}

/* ---- lists ---- */

struct lists {
    uint32_t *at, *row;
    size_t lists_n, row_n;
};

static uint32_t key_of(const struct making *making, enum model_segment_kind kind, size_t c)
{
    if (making->often[c] == UINT32_MAX) {
        return UINT32_MAX;
    }
    if (kind == MODEL_SEGMENT_GROUP) {
        return making->group[c];
    }
    if (kind == MODEL_SEGMENT_SPEND_FREQUENCY) {
        return making->often[c] * MODEL_QUINTILES + making->spend[c];
    }
    if (making->home[c] == UINT32_MAX) {
        return UINT32_MAX;
    }
    return kind == MODEL_SEGMENT_STORE ? making->home[c] : making->home[c] * MODEL_QUINTILES + making->often[c];
}

struct scratch {
    uint32_t *count;
    size_t *in;
};

/* The most bought of some customers since a moment. */
static void list_of(const struct making *making, const size_t *who, size_t n, int64_t since_ms, struct scratch *scratch,
                    struct lists *lists)
{
    const struct history *history = making->history;
    struct topk_entry room[MODEL_SEGMENT_LIST_MAX];
    struct topk best = topk_of(room, n >= MODEL_CUSTOMERS_MIN ? MODEL_SEGMENT_LIST_MAX : 0);

    memset(scratch->count, 0, making->items_n * sizeof(*scratch->count));
    for (size_t i = 0; i < n; i++) {
        size_t end = history_basket_at(history, who[i], making->before_ms);

        for (size_t b = history_basket_at(history, who[i], since_ms); b < end; b++) {
            const struct history_basket *basket = &history->baskets[b];

            for (size_t l = 0; l < basket->lines_n; l++) {
                uint32_t item = making->base->dense[history->lines[basket->lines_at + l].item];

                scratch->count[item] += scratch->in[item] != b + 1;
                scratch->in[item] = b + 1;
            }
        }
    }
    memset(scratch->in, 0, making->items_n * sizeof(*scratch->in));
    for (uint32_t i = 0; i < making->items_n; i++) {
        if (scratch->count[i] > 0) {
            topk_offer(&best, (float)scratch->count[i], i);
        }
    }
    topk_sort(&best);
    for (size_t k = 0; k < best.n; k++) {
        lists->row[lists->row_n++] = best.at[k].item;
    }
    lists->at[++lists->lists_n] = (uint32_t)lists->row_n;
}

static void make_lists(struct making *making, enum model_segment_kind kind, uint32_t keys_n, struct lists *lists)
{
    size_t *at = history_zero(keys_n + 2, sizeof(*at)), *who = history_grow(NULL, making->customers_n, sizeof(*who));
    struct scratch scratch = {history_zero(making->items_n, sizeof(uint32_t)), history_zero(making->items_n, sizeof(size_t))};

    for (size_t c = 0; c < making->customers_n; c++) {
        uint32_t key = key_of(making, kind, c);

        if (key != UINT32_MAX) {
            at[key + 2]++;
        }
    }
    for (size_t k = 0; k < keys_n; k++) {
        at[k + 1] += at[k];
    }
    at[keys_n + 1] += at[keys_n];
    for (size_t c = 0; c < making->customers_n; c++) {
        uint32_t key = key_of(making, kind, c);

        if (key != UINT32_MAX) {
            who[at[key + 1]++] = c;
        }
    }
    making->segments->list_first[kind] = (uint32_t)lists->lists_n;
    making->segments->keys_n[kind] = keys_n;
    lists->at = history_grow(lists->at, lists->lists_n + 2 * keys_n + 1, sizeof(*lists->at));
    lists->row = history_grow(lists->row, lists->row_n + 2 * (size_t)keys_n * MODEL_SEGMENT_LIST_MAX, sizeof(*lists->row));
    lists->at[lists->lists_n] = (uint32_t)lists->row_n;
    for (size_t k = 0; k < keys_n; k++) {
        list_of(making, who + at[k], at[k + 1] - at[k], INT64_MIN, &scratch, lists);
        list_of(making, who + at[k], at[k + 1] - at[k], making->before_ms - RECENT_MS, &scratch, lists);
    }
    free(at);
    free(who);
    free(scratch.count);
    free(scratch.in);
}

void segment_train(const struct history *history, int64_t before_ms, struct base_model *base)
{
    struct making making = {.history = history, .before_ms = before_ms, .base = base,
                            .customers_n = history->customers_n, .items_n = base->build.head.items_n};
    struct lists lists = {history_zero(1, sizeof(uint32_t)), NULL, 0, 0};
    uint32_t stores_n = base->build.head.stores_n;

    making.segments = take(&making, 1, sizeof(*making.segments));
    making.home = history_grow(NULL, making.customers_n, sizeof(uint32_t));
    making.often = history_grow(NULL, making.customers_n, sizeof(uint32_t));
    making.spend = history_grow(NULL, making.customers_n, sizeof(uint32_t));
    making.group = history_grow(NULL, making.customers_n, sizeof(uint32_t));
    openblas_set_num_threads(1);
    habits(&making);
    count_customers(&making);
    find_factors(&making);
    find_groups(&making);
    make_lists(&making, MODEL_SEGMENT_STORE, stores_n, &lists);
    make_lists(&making, MODEL_SEGMENT_SPEND_FREQUENCY, MODEL_QUINTILES * MODEL_QUINTILES, &lists);
    make_lists(&making, MODEL_SEGMENT_STORE_FREQUENCY, stores_n * MODEL_QUINTILES, &lists);
    make_lists(&making, MODEL_SEGMENT_GROUP, making.segments->groups_n, &lists);
    making.segments->lists_n = (uint32_t)lists.lists_n;
    making.segments->chosen = stores_n > 0 ? MODEL_SEGMENT_STORE_FREQUENCY : MODEL_SEGMENT_SPEND_FREQUENCY;
    base->build.segments = making.segments;
    base->build.segment_at = memcpy(take(&making, lists.lists_n + 1, 4), lists.at, (lists.lists_n + 1) * 4);
    base->build.segment_row = memcpy(take(&making, lists.row_n, 4), lists.row, lists.row_n * 4);
    free(lists.at);
    free(lists.row);
    free(making.home);
    free(making.often);
    free(making.spend);
    free(making.group);
    free(making.counts.at);
    free(making.counts.item);
    free(making.counts.v);
}
