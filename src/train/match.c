/* SPDX-License-Identifier: Apache-2.0 */
#include "train/match.h"

#include "base/rng.h"
#include "train/history.h"
#include "train/match_inside.h"

#include <math.h>
#include <stdlib.h>

enum { RANDOM_PAIRS = 1 << 20, ROUNDS_MAX = 200 };
#define CELL .5
#define LAM_MOST .3
#define SETTLED 1e-7
#define TWIN_BELOW .05

double match_probability(double weight)
{
    return 1 / (1 + exp(-weight));
}

/* ---- values become numbers ---- */

struct numbered {
    struct bytes value;
    uint32_t row;
};

static int by_value(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    int order = bytes_compare(x->value, y->value);

    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static void number_field(struct match_rows *rows, size_t field, struct numbered *room)
{
    const struct match_table *table = rows->table;
    size_t n = 0;
    uint32_t code = 0, *count;

    for (size_t i = 0; i < table->rows_n; i++) {
        struct bytes value = table->values[i * table->fields_n + field];

        if (value.n > 0) {
            room[n++] = (struct numbered){value, (uint32_t)i};
        }
    }
    qsort(room, n, sizeof(*room), by_value);
    count = history_zero(n + 1, sizeof(*count));
    for (size_t i = 0; i < n; i++) {
        code += i == 0 || !bytes_equal(room[i].value, room[i - 1].value);
        count[code]++;
        rows->code[room[i].row * table->fields_n + field] = code;
    }
    count[0] = (uint32_t)n;
    rows->count[field] = count;
}

static void number(struct match_rows *rows)
{
    const struct match_table *table = rows->table;
    struct numbered *room = history_grow(NULL, table->rows_n + 1, sizeof(*room));

    rows->code = history_zero(table->rows_n * table->fields_n + 1, sizeof(*rows->code));
    for (size_t f = 0; f < table->fields_n; f++) {
        number_field(rows, f, room);
    }
    free(room);
}

/* Fields whose values people write in each other's place: given name and surname, two lines of an address. */
static void find_swaps(struct match_rows *rows)
{
    const struct match_table *table = rows->table;

    for (size_t f = 0; f < table->fields_n; f++) {
        for (size_t g = 0; g < table->fields_n && rows->swaps_n < MATCH_FIELDS_MAX; g++) {
            if ((table->kinds[f] == LIKENESS_NAME && table->kinds[g] == LIKENESS_SURNAME) ||
                (table->kinds[f] == LIKENESS_ADDRESS && table->kinds[g] == LIKENESS_ADDRESS && f < g)) {
                rows->swaps[rows->swaps_n][0] = f;
                rows->swaps[rows->swaps_n++][1] = g;
            }
        }
    }
}

static bool is_alike(enum likeness_level level)
{
    return level == LIKENESS_EXACT || level == LIKENESS_NEAR;
}

/* Where neither field is alike but one's value is in the other's place: near. Values so found in one direction only are near
 * in the second field; the first then says what the other direction says: nothing, or that it differs. */
static uint32_t look_swapped(const struct match_table *table, size_t f, size_t g, size_t a, size_t b, uint32_t levels)
{
    const struct bytes *x = table->values + a * table->fields_n, *y = table->values + b * table->fields_n;
    enum likeness_level there, back, first;

    if (is_alike(match_level(levels, f)) || is_alike(match_level(levels, g))) {
        return levels;
    }
    there = likeness_level(table->kinds[f], x[f], y[g]);
    back = likeness_level(table->kinds[f], x[g], y[f]);
    if (!is_alike(there) && !is_alike(back)) {
        return levels;
    }
    first = !is_alike(there) ? there : !is_alike(back) ? back : LIKENESS_NEAR;
    levels &= ~((uint32_t)3 << (2 * f) | (uint32_t)3 << (2 * g));
    return levels | (uint32_t)first << (2 * f) | (uint32_t)LIKENESS_NEAR << (2 * g);
}

uint32_t match_levels(const struct match_rows *rows, size_t a, size_t b)
{
    const struct match_table *table = rows->table;
    const uint32_t *x = rows->code + a * table->fields_n, *y = rows->code + b * table->fields_n;
    uint32_t levels = 0;

    for (size_t f = 0; f < table->fields_n; f++) {
        enum likeness_level level = x[f] == 0 || y[f] == 0 ? LIKENESS_MISSING
                                    : x[f] == y[f]         ? LIKENESS_EXACT
                                                           : likeness_level(table->kinds[f], table->values[a * table->fields_n + f],
                                                                            table->values[b * table->fields_n + f]);

        levels |= (uint32_t)level << (2 * f);
    }
    for (size_t s = 0; s < rows->swaps_n; s++) {
        levels = look_swapped(table, rows->swaps[s][0], rows->swaps[s][1], a, b, levels);
    }
    return levels;
}

/* ---- learning ---- */

static double weight_of(const struct match_model *model, size_t fields_n, uint32_t levels)
{
    double weight = log(model->lam / (1 - model->lam));

    for (size_t f = 0; f < fields_n; f++) {
        enum likeness_level level = match_level(levels, f);

        weight += level == LIKENESS_MISSING ? 0 : log(model->m[f][level] / model->u[f][level]);
    }
    return weight;
}

/* Of all cells of a field the shares, .5 added to each. */
static void shares(double cells[4])
{
    double sum = 3 * CELL;

    for (int level = LIKENESS_EXACT; level <= LIKENESS_DIFFERENT; level++) {
        sum += cells[level];
    }
    for (int level = LIKENESS_EXACT; level <= LIKENESS_DIFFERENT; level++) {
        cells[level] = (cells[level] + CELL) / sum;
    }
}

/* Would the pair have been looked at without this field? */
static bool is_found_without(uint32_t levels, size_t fields_n, size_t field)
{
    size_t exact = 0;

    for (size_t f = 0; f < fields_n; f++) {
        exact += f != field && match_level(levels, f) == LIKENESS_EXACT;
    }
    return exact >= 2 || fields_n < 3;
}

static void learn_u(const struct match_pattern *random, size_t random_n, size_t fields_n, const struct match_model *model,
                    struct match_model *next)
{
    for (size_t i = 0; i < random_n; i++) {
        double share = model != NULL ? 1 - match_probability(weight_of(model, fields_n, random[i].levels)) : 1;

        for (size_t f = 0; f < fields_n; f++) {
            next->u[f][match_level(random[i].levels, f)] += share * random[i].n;
        }
    }
    for (size_t f = 0; f < fields_n; f++) {
        shares(next->u[f]);
    }
}

static double learn_m(const struct match_pattern *looked, size_t looked_n, size_t fields_n, const struct match_model *model,
                      struct match_model *next)
{
    double matches = 0;

    for (size_t i = 0; i < looked_n; i++) {
        double share = looked[i].n * match_probability(weight_of(model, fields_n, looked[i].levels));

        matches += share;
        for (size_t f = 0; f < fields_n; f++) {
            if (is_found_without(looked[i].levels, fields_n, f)) {
                next->m[f][match_level(looked[i].levels, f)] += share;
            }
        }
    }
    for (size_t f = 0; f < fields_n; f++) {
        shares(next->m[f]);
    }
    return matches;
}

void match_learn(const struct match_pattern *looked, size_t looked_n, const struct match_pattern *random, size_t random_n,
                 size_t fields_n, double all_pairs_n, struct match_model *out_model)
{
    struct match_model model = {.lam = .5};
    double change = 1;

    learn_u(random, random_n, fields_n, NULL, &model);
    for (size_t f = 0; f < fields_n; f++) {
        model.m[f][LIKENESS_EXACT] = .85;
        model.m[f][LIKENESS_NEAR] = .1;
        model.m[f][LIKENESS_DIFFERENT] = .05;
    }
    /* To begin with, one row in two has another of its person. */
    model.lam = fmin(LAM_MOST, fmax(1, sqrt(all_pairs_n / 2) / 2) / fmax(4, all_pairs_n));
    for (int round = 0; round < ROUNDS_MAX && change > SETTLED; round++) {
        struct match_model next = {.lam = 0};
        double matches = learn_m(looked, looked_n, fields_n, &model, &next);

        learn_u(random, random_n, fields_n, &model, &next);
        next.lam = fmin(LAM_MOST, (matches + CELL) / (all_pairs_n + 2 * CELL));
        change = fabs(next.lam - model.lam) / model.lam;
        for (size_t f = 0; f < fields_n; f++) {
            change = fmax(change, fabs(next.m[f][LIKENESS_EXACT] - model.m[f][LIKENESS_EXACT]));
        }
        model = next;
    }
    *out_model = model;
}

static int by_levels(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Sorts levels in place; gives the patterns met, owned by the caller. */
static struct match_pattern *count_patterns(uint32_t *levels, size_t n, size_t *out_n)
{
    struct match_pattern *patterns = NULL;
    size_t patterns_n = 0, room = 0;

    qsort(levels, n, sizeof(*levels), by_levels);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || levels[i] != levels[i - 1]) {
            if (patterns_n == room) {
                room = room > 0 ? 2 * room : 256;
                patterns = history_grow(patterns, room, sizeof(*patterns));
            }
            patterns[patterns_n++] = (struct match_pattern){levels[i], 0};
        }
        patterns[patterns_n - 1].n++;
    }
    *out_n = patterns_n;
    return patterns;
}

/* Every pair of a small file, else random ones. */
static struct match_pattern *random_patterns(const struct match_rows *rows, size_t *out_n)
{
    size_t n = rows->table->rows_n, all = n * (n - 1) / 2, taken = 0;
    struct rng rng = {rows->options->seed};
    uint32_t *levels = history_grow(NULL, RANDOM_PAIRS, sizeof(*levels));
    struct match_pattern *patterns;

    if (all <= RANDOM_PAIRS) {
        for (size_t a = 0; a < n; a++) {
            for (size_t b = a + 1; b < n; b++) {
                levels[taken++] = match_levels(rows, a, b);
            }
        }
    }
    while (all > RANDOM_PAIRS && taken < RANDOM_PAIRS) {
        size_t a = (size_t)rng_below(&rng, n), b = (size_t)rng_below(&rng, n);

        if (a != b) {
            levels[taken++] = match_levels(rows, a, b);
        }
    }
    patterns = count_patterns(levels, taken, out_n);
    free(levels);
    return patterns;
}

/* ---- judging ---- */

double match_weight(const struct match_rows *rows, const struct match_model *model, size_t a, size_t b, uint32_t levels)
{
    size_t fields_n = rows->table->fields_n;
    double weight = log(model->lam / (1 - model->lam));

    (void)b;
    for (size_t f = 0; f < fields_n; f++) {
        enum likeness_level level = match_level(levels, f);
        double u = model->u[f][level];

        if (level == LIKENESS_EXACT) {
            u = fmax(2, rows->count[f][rows->code[a * fields_n + f]]) / rows->count[f][0];
        }
        weight += level == LIKENESS_MISSING ? 0 : log(model->m[f][level] / u);
    }
    return weight;
}

bool match_is_person(const struct match_rows *rows, const struct match_model *model, uint32_t levels)
{
    bool has_name = false, has_surname = false, has_date = false, has_id = false, is_same_date = false;
    bool is_other_name = false, is_twin = false;

    for (size_t f = 0; f < rows->table->fields_n; f++) {
        enum likeness_kind kind = rows->table->kinds[f];
        enum likeness_level level = match_level(levels, f);
        bool agrees = is_alike(level);

        if (kind == LIKENESS_ID && level == LIKENESS_EXACT) {
            return true;
        }
        has_id = has_id || (kind == LIKENESS_ID && agrees);
        has_name = has_name || (kind == LIKENESS_NAME && agrees);
        has_surname = has_surname || (kind == LIKENESS_SURNAME && agrees);
        has_date = has_date || (kind == LIKENESS_DATE && agrees);
        is_same_date = is_same_date || (kind == LIKENESS_DATE && level == LIKENESS_EXACT);
        if (kind == LIKENESS_NAME && level == LIKENESS_DIFFERENT) {
            is_other_name = true;
            is_twin = is_twin || model->m[f][LIKENESS_DIFFERENT] < TWIN_BELOW;
        }
    }
    return !is_twin && (has_name + has_surname + has_date + has_id >= 2 || (is_same_date && !is_other_name));
}

static int heaviest_first(const void *a, const void *b)
{
    const struct match_pair *x = a, *y = b;
    int order = (x->weight < y->weight) - (x->weight > y->weight);

    order = order != 0 ? order : (x->a > y->a) - (x->a < y->a);
    return order != 0 ? order : (x->b > y->b) - (x->b < y->b);
}

static void judge(const struct match_rows *rows, const uint64_t *pairs, const uint32_t *levels, struct match_result *result)
{
    double link = rows->options->link_at, doubtful = rows->options->doubtful_from;
    double link_from = log(link / (1 - link)), doubtful_from = log(doubtful / (1 - doubtful));
    size_t room = 0;

    for (size_t i = 0; i < result->looked_n; i++) {
        size_t a = (size_t)(pairs[i] >> 32), b = (size_t)(pairs[i] & UINT32_MAX);
        double weight = match_weight(rows, &result->model, a, b, levels[i]);

        if (weight < doubtful_from) {
            continue;
        }
        if (result->pairs_n == room) {
            room = room > 0 ? 2 * room : 1024;
            result->pairs = history_grow(result->pairs, room, sizeof(*result->pairs));
        }
        result->pairs[result->pairs_n++] =
            (struct match_pair){(uint32_t)a, (uint32_t)b, (float)weight,
                                !match_is_person(rows, &result->model, levels[i]) ? MATCH_PERSONLESS
                                : weight >= link_from             ? MATCH_LINK
                                                                  : MATCH_DOUBTFUL};
        result->links_n += result->pairs[result->pairs_n - 1].verdict == MATCH_LINK;
    }
    if (result->pairs_n > 0) {
        qsort(result->pairs, result->pairs_n, sizeof(*result->pairs), heaviest_first);
    }
}

static void learn(const struct match_rows *rows, const uint32_t *levels, struct match_result *result)
{
    size_t n = rows->table->rows_n, looked_n, random_n;
    uint32_t *sorted = history_grow(NULL, result->looked_n + 1, sizeof(*sorted));
    struct match_pattern *looked, *random = random_patterns(rows, &random_n);

    memcpy(sorted, levels, result->looked_n * sizeof(*sorted));
    looked = count_patterns(sorted, result->looked_n, &looked_n);
    match_learn(looked, looked_n, random, random_n, rows->table->fields_n, .5 * (double)n * (double)(n - 1), &result->model);
    free(sorted);
    free(looked);
    free(random);
}

void match_run(const struct match_table *table, const struct match_options *options, struct match_result *out_result)
{
    struct match_rows rows = {.table = table, .options = options};
    struct match_result result = {.component = history_grow(NULL, table->rows_n + 1, sizeof(uint32_t))};
    uint64_t *pairs;
    uint32_t *levels;

    number(&rows);
    find_swaps(&rows);
    pairs = match_block(&rows, &result.looked_n, &result.blocks_cut_n);
    levels = history_grow(NULL, result.looked_n + 1, sizeof(*levels));
    for (size_t i = 0; i < result.looked_n; i++) {
        levels[i] = match_levels(&rows, (size_t)(pairs[i] >> 32), (size_t)(pairs[i] & UINT32_MAX));
    }
    if (result.looked_n > 0) {
        learn(&rows, levels, &result);
        judge(&rows, pairs, levels, &result);
    }
    match_close(&rows, &result);
    for (size_t f = 0; f < table->fields_n; f++) {
        free(rows.count[f]);
    }
    free(rows.code);
    free(pairs);
    free(levels);
    *out_result = result;
}

void match_free(struct match_result *result)
{
    free(result->pairs);
    free(result->component);
    *result = (struct match_result){0};
}
